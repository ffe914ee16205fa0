//! Messages over 64 KiB, where the limit is raised: they go on in pieces as they come.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::client::{Client, Dial, pair};
use common::wire::{self, CONTINUATION, Event};
use common::{CONNECTED, House, eventually};

#[test]
fn a_long_message_goes_on_in_pieces_and_arrives_intact() {
    let house = House::with(|config| config.max_message_size = 4 << 20);
    let (mut a, mut b) = pair(house.address());
    let long: Vec<u8> = (0..3_000_000u32).map(|i| (i * 7 % 253) as u8).collect();
    let sender = std::thread::spawn({
        let long = long.clone();
        move || {
            a.send(&wire::binary(&long));
            for (index, piece) in long.chunks(50_000).enumerate() {
                let opcode = if index == 0 { wire::BINARY } else { CONTINUATION };
                a.send(&wire::frame(index == 59, opcode, piece));
                a.send(&wire::ping(b"between"));
            }
            a
        }
    });
    b.expect_binary(&long);
    b.expect_binary(&long);
    sender.join().unwrap();
}

/// Of a message over 64 KiB a part has gone out before its sender fails; then its partner can't
/// be helped any more, and must know.
#[test]
fn a_long_message_whose_sender_fails_closes_the_partner_with_1011() {
    let house = House::with(|config| config.max_message_size = 4 << 20);
    for by_reset in [false, true] {
        let (mut a, mut b) = pair(house.address());
        a.send(&wire::header(true, wire::BINARY, 300_000));
        a.send(&[1; 200_000]);
        eventually("some of it was passed on", || {
            let mut byte = [0];
            b.stream.peek(&mut byte).unwrap() == 1
        });
        if by_reset {
            a.reset();
        } else {
            a.half_close();
        }
        let reason = b.expect_close(1011);
        assert!(!reason.is_empty());
        assert!(b.is_inside_message());
        drop(b);
        house.expect_empty();
    }
    assert_eq!(house.counted("partner_failed"), 2);
}

/// With a raised limit, a message that is not over 64 KiB is still forwarded only when complete.
#[test]
fn a_raised_limit_changes_nothing_for_short_messages() {
    let house = House::with(|config| config.max_message_size = 4 << 20);
    let (mut a, mut b) = pair(house.address());
    a.send(&wire::header(true, wire::BINARY, 60_000));
    a.send(&[1; 50_000]);
    a.reset();
    b.expect_requeued();
}

/// What was held before pairing is charged until the partner has taken it.
#[test]
fn being_paired_with_somebody_who_reads_nothing_makes_no_room_for_more() {
    const MIB: usize = 1 << 20;
    let house = House::with(|config| config.max_message_size = 32 * MIB);
    let say_part = |client: &mut Client, mebibytes: usize| {
        client.send(&wire::frame(false, wire::BINARY, &vec![7; MIB]));
        for _ in 1..mebibytes {
            client.send(&wire::frame(false, CONTINUATION, &vec![7; MIB]));
        }
    };
    let deaf = Dial { receive_buffer: Some(4096), ..Dial::default() };
    let pairs: Vec<_> = (0..2)
        .map(|_| {
            let mut a = Client::join_waiting(house.address());
            say_part(&mut a, 31);
            a.send(&wire::ping(b"all read?"));
            assert_eq!(a.event(), Event::Pong(b"all read?".to_vec()));
            let b = deaf.join(house.address());
            a.expect(CONNECTED);
            (a, b)
        })
        .collect();
    // 62 MiB of the 64 are taken.
    let mut third = Client::join_waiting(house.address());
    say_part(&mut third, 3);
    third.expect_close(1008);
    assert_eq!(house.counted("hold_full_total"), 1);
    drop((pairs, third));
    house.expect_empty();
}
