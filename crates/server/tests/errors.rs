//! Clients that break the protocol: they get the right code, and nobody else is harmed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::client::{Client, pair};
use common::wire::{self, CONTINUATION, Event, TEXT};
use common::{CONNECTED, House};

/// Sends what breaks the protocol; the culprit gets the code, its partner only the notice, and
/// is soon paired again.
#[track_caller]
fn culprit_is_closed(house: &House, what: &str, bad: &[u8], code: u16) {
    let (mut a, mut b) = pair(house.address());
    a.send(&[&wire::text("before"), bad].concat());
    match a.hear() {
        Event::Close(seen, _) => assert_eq!(seen, Some(code), "{what}"),
        other => panic!("{what}: {other:?}"),
    }
    drop(a);
    b.expect("before");
    b.expect_requeued();
    let mut next = Client::join(house.address());
    next.expect(CONNECTED);
    b.expect(CONNECTED);
    b.say(what);
    next.expect(what);
    next.reset();
    b.reset();
    house.expect_empty();
}

#[test]
fn a_protocol_error_is_closed_with_1002_and_harms_nobody_else() {
    let house = House::open();
    let cases: &[(&str, Vec<u8>)] = &[
        ("not masked", b"\x81\x05hello".to_vec()),
        ("reserved bit 1", b"\xc1\x80\0\0\0\0".to_vec()),
        ("reserved bit 2", b"\xa1\x80\0\0\0\0".to_vec()),
        ("reserved bit 3 on a ping", b"\x99\x80\0\0\0\0".to_vec()),
        ("data opcode 3", wire::frame(true, 3, b"")),
        ("control opcode 11", wire::frame(true, 11, b"")),
        ("a fragmented ping", wire::frame(false, wire::PING, b"x")),
        ("a ping of 126 bytes", wire::ping(&[0; 126])),
        ("a length of 125 in two bytes", b"\x81\xfe\x00\x7d\0\0\0\0".to_vec()),
        ("a length of 65535 in eight bytes", b"\x81\xff\0\0\0\0\0\0\xff\xff\0\0\0\0".to_vec()),
        ("a length over 2^63", b"\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0".to_vec()),
        ("a continuation of nothing", wire::frame(true, CONTINUATION, b"x")),
        ("a message in a message", [wire::frame(false, TEXT, b"x"), wire::text("y")].concat()),
        ("a Close of one byte", wire::frame(true, wire::CLOSE, b"x")),
        ("Close 0", wire::close(0, "")),
        ("Close 999", wire::close(999, "")),
        ("Close 1004", wire::close(1004, "")),
        ("Close 1005", wire::close(1005, "")),
        ("Close 1006", wire::close(1006, "")),
        ("Close 1015", wire::close(1015, "")),
        ("Close 2999", wire::close(2999, "")),
        ("Close 5000", wire::close(5000, "")),
    ];
    for (what, bad) in cases {
        culprit_is_closed(&house, what, bad, 1002);
    }
}

#[test]
fn bad_text_is_closed_with_1007_as_soon_as_it_is_seen() {
    let house = House::open();
    let surrogate = [0xED, 0xA0, 0x80];
    let cut_character = &wire::frame(true, TEXT, &[b'x', 0xFF]);
    let mut unfinished = wire::header(true, TEXT, 1_000);
    let mask: [u8; 4] = unfinished[unfinished.len() - 4..].try_into().unwrap();
    unfinished.push(0xFF ^ mask[0]);
    let cases: &[(&str, Vec<u8>)] = &[
        ("0xff", cut_character.clone()),
        ("a surrogate", wire::frame(true, TEXT, &surrogate)),
        ("an overlong slash", wire::frame(true, TEXT, &[0xC0, 0xAF])),
        ("over U+10FFFF", wire::frame(true, TEXT, &[0xF4, 0x90, 0x80, 0x80])),
        ("a message that ends in a character", wire::frame(true, TEXT, &[0xE2, 0x82])),
        (
            "fragments that don't fit",
            [wire::frame(false, TEXT, &[0xE2]), wire::frame(false, CONTINUATION, b"x")].concat(),
        ),
        ("a Close reason", wire::frame(true, wire::CLOSE, b"\x03\xe8\xff")),
        ("the first of 1000 bytes", unfinished),
    ];
    for (what, bad) in cases {
        culprit_is_closed(&house, what, bad, 1007);
    }
}

#[test]
fn a_message_too_big_is_closed_with_1009_as_soon_as_it_is_known() {
    let house = House::open();
    let limit = 64 * 1024;
    let half = vec![b'x'; limit / 2];
    let cases: &[(&str, Vec<u8>)] = &[
        ("a header alone", wire::header(true, TEXT, limit as u64 + 1)),
        ("a huge header", wire::header(true, wire::BINARY, u64::MAX >> 1)),
        (
            "the sum of its fragments",
            [
                wire::frame(false, wire::BINARY, &half),
                wire::frame(false, CONTINUATION, &half),
                wire::header(true, CONTINUATION, 1),
            ]
            .concat(),
        ),
    ];
    for (what, bad) in cases {
        culprit_is_closed(&house, what, bad, 1009);
    }
    assert_eq!(house.counted("message_too_big"), cases.len() as u64);
}
