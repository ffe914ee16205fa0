//! Every rule that a client can break, each broken on purpose: the verdict, the very byte that it
//! is given at, and what was complete before.

use vyoma_protocol::{Decoder, Event, HEADROOM, Reason, Relay, Role, Window};

use crate::checks::decoder::check_stream as check_decoder;
use crate::checks::naive::{self, End};
use crate::checks::relay::{Plan, check_stream as check_relay};
use crate::generate::frame;

const KEY: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);
const LIMIT: u64 = 100_000;

struct Case {
    what: &'static str,
    bytes: Vec<u8>,
    reason: Reason,
    /// How many of the bytes show it.
    shown: usize,
}

fn case(what: &'static str, bytes: impl AsRef<[u8]>, reason: Reason, shown: usize) -> Case {
    Case { what, bytes: bytes.as_ref().to_vec(), reason, shown }
}

fn text(fin: bool, payload: &[u8]) -> Vec<u8> {
    frame(fin, 1, payload, KEY)
}

fn more(fin: bool, payload: &[u8]) -> Vec<u8> {
    frame(fin, 0, payload, KEY)
}

fn header_cases() -> Vec<Case> {
    use Reason::*;
    let long = |byte: u8, len: u64| [&[byte, 0xFF][..], &len.to_be_bytes(), &[0; 4]].concat();
    let mut cases = vec![
        case("bit 1", [0xC1], ReservedBits, 1),
        case("bit 2", [0xA1], ReservedBits, 1),
        case("bit 3 of a control frame", [0x99], ReservedBits, 1),
        case("an unmasked frame", [0x81, 0x05, 0x48], Masking, 2),
        case("an unmasked ping", [0x89, 0x00], Masking, 2),
        case("a ping in fragments", [0x09, 0x80], ControlFrame, 1),
        case("a close in fragments", [0x08], ControlFrame, 1),
        case("a pong of 126 bytes", [0x8A, 0xFE, 0, 126], ControlFrame, 2),
        case("a ping with a long length", [0x89, 0xFF], ControlFrame, 2),
        case("125 in two bytes", [0x81, 0xFE, 0, 125, 1, 2], LengthEncoding, 4),
        case("0 in two bytes", [0x82, 0xFE, 0, 0], LengthEncoding, 4),
        case("65,535 in eight bytes", long(0x82, 65_535), LengthEncoding, 10),
        case("0 in eight bytes", long(0x81, 0), LengthEncoding, 10),
        case("the top bit of a length", long(0x82, 1 << 63), LengthEncoding, 10),
        case("every bit of a length", long(0x82, u64::MAX), LengthEncoding, 10),
        case("a continuation of nothing", more(true, b"x"), Fragmentation, 6),
        case("one that goes on", more(false, b""), Fragmentation, 6),
        case("a byte over the limit", long(0x82, LIMIT + 1), MessageTooBig, 14),
        case("far over the limit", long(0x81, (1 << 63) - 1), MessageTooBig, 14),
    ];
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        cases.push(case("an opcode without a meaning", [0x80 | opcode], UnknownOpcode, 1));
    }
    cases
}

fn message_cases() -> Vec<Case> {
    use Reason::*;
    let started = [text(false, b"Hel"), frame(true, 9, b"?", KEY)].concat();
    let half = vec![b'a'; 50_001];
    vec![
        case(
            "a message in a message",
            [&started[..], &text(true, b"lo")].concat(),
            Fragmentation,
            22,
        ),
        case(
            "a continuation after the end",
            [&started[..], &more(true, b"lo"), &more(true, b"!")].concat(),
            Fragmentation,
            30,
        ),
        case(
            "over the limit by its second frame",
            [text(false, &half), more(true, &half)].concat(),
            MessageTooBig,
            50_009 + 8,
        ),
    ]
}

fn close_cases() -> Vec<Case> {
    let close = |what, body: &[u8], reason| {
        let bytes = frame(true, 8, body, KEY);
        case(what, &bytes, reason, bytes.len())
    };
    let mut cases = vec![
        close("a body of one byte", &[3], Reason::CloseFrame),
        close("a reason that is no text", &[3, 232, b'a', 0xFF], Reason::InvalidUtf8),
        close("a reason cut in a character", &[3, 232, 0xE2, 0x8C], Reason::InvalidUtf8),
    ];
    for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        cases.push(close("a code that may not travel", &code.to_be_bytes(), Reason::CloseFrame));
    }
    cases
}

fn text_cases() -> Vec<Case> {
    let bad = |what, bytes: Vec<u8>, shown| case(what, bytes, Reason::InvalidUtf8, shown);
    vec![
        bad("a byte that no text has", text(true, b"ab\xFFcd"), 6 + 3),
        bad("a surrogate", text(true, b"a\xED\xA0\x80"), 6 + 3),
        bad("a slash in two bytes", text(true, b"\xC0\xAF"), 6 + 1),
        bad("a slash in three", text(true, b"\xE0\x80\xAF"), 6 + 2),
        bad("beyond the last character", text(true, b"a\xF4\x90\x80\x80"), 6 + 3),
        bad("a character without its end, then ASCII", text(true, b"\xE2\x8Ca"), 6 + 3),
        bad("a continuation byte alone", text(true, b"\x80"), 6 + 1),
        bad("a message that ends in a character", text(true, b"a\xE2\x8C"), 6 + 3),
        bad(
            "the middle of a long frame",
            text(true, &[&[b'a'; 99][..], b"\xFE", &[b'a'; 99]].concat()),
            8 + 100,
        ),
        bad(
            "a character broken by the next fragment",
            [text(false, b"\xF0\x9F"), more(true, b"\x8Ea")].concat(),
            8 + 6 + 2,
        ),
        bad(
            "a surrogate over two fragments",
            [text(false, b"\xED"), more(false, b"\xA0")].concat(),
            7 + 6 + 1,
        ),
        bad(
            "an end in a character, with an empty frame",
            [text(false, b"\xC3"), more(true, b"")].concat(),
            7 + 6,
        ),
        bad(
            "a character over three fragments and a ping",
            [text(false, b"\xF4"), frame(true, 9, &[], KEY), more(false, b""), more(true, b"\x90")]
                .concat(),
            7 + 6 + 6 + 6 + 1,
        ),
    ]
}

fn cases() -> impl Iterator<Item = Case> {
    [header_cases(), message_cases(), close_cases(), text_cases()].into_iter().flatten()
}

#[test]
fn each_broken_rule_is_named_at_the_byte_that_shows_it() {
    for Case { what, bytes, reason, shown } in cases() {
        let story = naive::read(&bytes, true, LIMIT);
        assert_eq!((story.end, story.end_at), (End::Broken(reason), shown), "{what}");
        for size in [1, 2, 3, 7, 1_000_000] {
            check_decoder(&bytes, Role::Server, LIMIT, &[size]);
        }
        let mut decoder = Decoder::new(Role::Server, LIMIT);
        for (i, byte) in bytes[..shown].iter().enumerate() {
            let (mut buf, mut at) = ([*byte], 0);
            let verdict = loop {
                match decoder.decode(&mut buf, &mut at) {
                    Ok(Some(_)) => {}
                    Ok(None) => break Ok(()),
                    Err(reason) => break Err(reason),
                }
            };
            let expected = if i + 1 < shown { Ok(()) } else { Err(reason) };
            assert_eq!(verdict, expected, "{what}, at byte {i}");
        }
    }
}

#[test]
fn what_was_complete_before_a_broken_rule_is_sent() {
    let before = [text(true, "voilà".as_bytes()), frame(true, 2, &[0xFF; 300], KEY)].concat();
    for Case { what, bytes, reason, .. } in cases() {
        let stream = [&before[..], &bytes].concat();
        for streaming in [false, true] {
            for size in [1, 5, 64, 65_536] {
                let sizes = vec![size];
                check_relay(
                    &stream,
                    &Plan { max_message: LIMIT, streaming, sizes, orders: vec![] },
                );
            }
        }
        let mut buf = [&[0; HEADROOM][..], &stream[..stream.len().min(60_000)]].concat();
        let mut window = Window::new(&mut buf);
        let mut relay = Relay::new(LIMIT);
        let verdict = loop {
            match relay.advance(&mut window) {
                Ok(Event::Control(_)) => {}
                verdict => break verdict,
            }
        };
        assert_eq!(verdict, Err(reason), "{what}");
        assert!(window.messages >= 2, "{what}");
    }
}
