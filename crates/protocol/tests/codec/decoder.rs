//! The decoder on arbitrary streams, legal and broken, in both roles.

use proptest::collection::vec;
use proptest::prelude::*;
use vyoma_protocol::{Decoder, Item, Role};

use crate::checks::decoder::check_stream;
use crate::generate::{fault, frame, script, sizes};
use crate::many;

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Server), Just(Role::Client)]
}

fn limit() -> impl Strategy<Value = u64> {
    prop_oneof![2 => Just(u64::MAX), 1 => Just(65_536), 1 => 0u64..200]
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn a_legal_stream_reads_the_same_however_it_is_cut(
        script in script(), role in role(), sizes in sizes(),
    ) {
        check_stream(&script.write(role == Role::Server).0, role, u64::MAX, &sizes);
    }

    #[test]
    fn a_broken_stream_gets_the_same_verdict_however_it_is_cut(
        script in script(),
        faults in vec(fault(), 1..4),
        role in role(),
        max_message in limit(),
        sizes in sizes(),
    ) {
        let masked = role == Role::Server;
        let mut stream = script.write(masked).0;
        faults.iter().for_each(|fault| fault.apply(&mut stream, masked));
        check_stream(&stream, role, max_message, &sizes);
    }

    #[test]
    fn bytes_without_sense_are_judged(
        bytes in vec(any::<u8>(), 0..60), role in role(), max_message in limit(), sizes in sizes(),
    ) {
        check_stream(&bytes, role, max_message, &sizes);
    }
}

#[test]
fn lengths_up_to_two_to_the_63_are_counted_without_overflow() {
    let mut decoder = Decoder::new(Role::Client, u64::MAX);
    let mut total = 0;
    for (first, len) in [(true, 1u64), (false, (1 << 63) - 1)] {
        let head = [&[u8::from(first) * 2, 127][..], &len.to_be_bytes()].concat();
        let mut bytes = if len == 1 { vec![2, 1, 0] } else { head };
        let mut at = 0;
        let Ok(Some(Item::Start(start))) = decoder.decode(&mut bytes, &mut at) else { panic!() };
        total += len;
        assert_eq!((start.first, start.total), (first, total));
        while decoder.decode(&mut bytes, &mut at).unwrap().is_some() {}
    }
    // Nobody sends as much; what arrives of it is passed on.
    let mut bytes = vec![7; 1000];
    let mut at = 0;
    let Ok(Some(Item::Piece(piece))) = decoder.decode(&mut bytes, &mut at) else { panic!() };
    assert_eq!((piece.range, piece.last, at), (0..1000, false, 1000));
}

#[test]
fn nothing_counts_after_a_close_frame() {
    let close = frame(true, 8, &[], Some([1, 2, 3, 4]));
    for rest in [&[0xFF; 40][..], &[], &frame(true, 1, b"late", Some([0; 4]))] {
        check_stream(&[&close[..], rest].concat(), Role::Server, 1000, &[1]);
    }
}
