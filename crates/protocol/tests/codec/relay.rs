//! The relay on arbitrary streams, legal and broken, with arbitrary orders in between.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::checks::relay::{Order, Plan, check_stream};
use crate::generate::{Part, Script, fault, frame, script, sizes};
use crate::many;

/// Mostly nothing is ordered.
fn orders() -> impl Strategy<Value = Vec<Order>> {
    let order = prop_oneof![
        12 => Just(Order::None),
        1 => Just(Order::Stream),
        1 => Just(Order::Hold),
        1 => Just(Order::Mute),
        1 => Just(Order::Discard),
    ];
    vec(order, 0..30)
}

fn plan() -> impl Strategy<Value = Plan> {
    let orders = prop_oneof![1 => Just(Vec::new()), 2 => orders()];
    (any::<bool>(), sizes(), orders).prop_map(|(streaming, sizes, orders)| Plan {
        max_message: u64::MAX,
        streaming,
        sizes,
        orders,
    })
}

fn limit() -> impl Strategy<Value = u64> {
    prop_oneof![2 => Just(u64::MAX), 1 => Just(65_536), 1 => 0u64..200]
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn a_partner_gets_what_was_said(script in script(), plan in plan()) {
        check_stream(&script.write(true).0, &plan);
    }

    #[test]
    fn a_partner_gets_what_was_complete_before_a_broken_rule(
        script in script(), faults in vec(fault(), 1..4), plan in plan(), max_message in limit(),
    ) {
        let mut stream = script.write(true).0;
        faults.iter().for_each(|fault| fault.apply(&mut stream, true));
        check_stream(&stream, &Plan { max_message, ..plan });
    }
}

proptest! {
    // Megabytes a case, so fewer of them; the many above have large messages too.
    #![proptest_config(ProptestConfig { cases: 300, ..many() })]

    #[test]
    fn a_long_message_goes_on_in_fragments(
        lens in vec(60_000usize..400_000, 1..4),
        cuts in vec(any::<u8>(), 0..6),
        text: bool,
        sizes in vec(1usize..=65_536, 1..12),
        plan in plan(),
    ) {
        let cuts: Vec<_> = cuts.iter().map(|cut| (*cut, None)).collect();
        let part = |(i, len): (usize, &usize)| {
            Part::Message { text, len: *len, salt: i as u8, cuts: cuts.clone() }
        };
        let parts = lens.iter().enumerate().map(part).collect();
        let script = Script { parts, close: None, keys: 7 };
        check_stream(&script.write(true).0, &Plan { sizes, ..plan });
    }
}

/// The lengths at which a header grows, cut at every place around them, behind each other.
#[test]
fn headers_of_every_length_at_every_cut() {
    for len in [0usize, 1, 125, 126, 127, 65_535, 65_536, 65_537] {
        let message = frame(true, 2, &vec![0x5A; len], Some([1, 2, 3, 4]));
        let stream = [&message[..], &message, &frame(true, 1, b"next", Some([9; 4]))].concat();
        for cut in (1..20).chain(message.len() - 5..message.len() + 20) {
            for streaming in [false, true] {
                let (max_message, sizes) = (1 << 20, vec![cut.min(65_536), 65_536, 65_536]);
                check_stream(&stream, &Plan { max_message, streaming, sizes, orders: vec![] });
            }
        }
    }
}
