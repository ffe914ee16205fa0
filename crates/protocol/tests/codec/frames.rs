//! Single frames: written by the crate, read by the naive reader and by the crate again.

use proptest::collection::vec;
use proptest::prelude::*;
use vyoma_protocol::{
    Header, Kind, MAX_CONTROL_PAYLOAD, MAX_HEADER, MAX_UNMASKED_HEADER, Opcode, Reason, Role,
    close_body, encode, parse_close, unmasked_header_len,
};

use crate::generate::frame;
use crate::many;

fn opcode() -> impl Strategy<Value = (Opcode, u8)> {
    prop_oneof![
        Just((Opcode::Continuation, 0)),
        Just((Opcode::Data(Kind::Text), 1)),
        Just((Opcode::Data(Kind::Binary), 2)),
        Just((Opcode::Close, 8)),
        Just((Opcode::Ping, 9)),
        Just((Opcode::Pong, 10)),
    ]
}

fn len() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..=130, 65_530u64..65_540, 0u64..1 << 20, 0u64..1 << 63, Just((1 << 63) - 1)]
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn a_header_reads_as_it_was_written(
        (opcode, _) in opcode(), fin: bool, len in len(), mask: Option<[u8; 4]>,
    ) {
        let control = matches!(opcode, Opcode::Close | Opcode::Ping | Opcode::Pong);
        let len = if control { len % (MAX_CONTROL_PAYLOAD as u64 + 1) } else { len };
        let header = Header { fin: fin || control, opcode, len, mask };
        let mut bytes = [0xEE; MAX_HEADER];
        let size = header.write(&mut bytes);
        let short = unmasked_header_len(len);
        prop_assert!(short <= MAX_UNMASKED_HEADER);
        prop_assert_eq!(size, short + if mask.is_some() { 4 } else { 0 });
        prop_assert!(bytes[size..].iter().all(|byte| *byte == 0xEE), "writes nothing behind it");
        let (us, other) = match mask {
            Some(_) => (Role::Server, Role::Client),
            None => (Role::Client, Role::Server),
        };
        for there in 0..MAX_HEADER {
            let whole = (there >= size).then_some((header, size));
            prop_assert_eq!(Header::parse(&bytes[..there], us), Ok(whole));
        }
        prop_assert_eq!(Header::parse(&bytes, other), Err(Reason::Masking));
    }

    #[test]
    fn a_frame_is_encoded_as_the_rfc_draws_it(
        (ours, nibble) in opcode(), fin: bool, body in vec(any::<u8>(), 0..300),
        mask: Option<[u8; 4]>,
    ) {
        let mut out = b"before".to_vec();
        encode(&mut out, fin, ours, &body, mask);
        prop_assert_eq!(&out[6..], frame(fin, nibble, &body, mask));
        prop_assert_eq!(&out[..6], b"before");
    }
}

/// The examples of section 5.7, those with short payloads.
#[test]
fn the_examples_of_the_rfc() {
    let (text, key) = (Opcode::Data(Kind::Text), Some([0x37, 0xfa, 0x21, 0x3d]));
    let encoded = |fin, opcode, payload: &[u8], mask| {
        let mut out = Vec::new();
        encode(&mut out, fin, opcode, payload, mask);
        out
    };
    let hello = [0x48, 0x65, 0x6c, 0x6c, 0x6f];
    let masked = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(encoded(true, text, b"Hello", None), [&[0x81, 0x05][..], &hello].concat());
    assert_eq!(
        encoded(true, text, b"Hello", key),
        [&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d][..], &masked].concat()
    );
    assert_eq!(encoded(false, text, b"Hel", None), [0x01, 0x03, 0x48, 0x65, 0x6c]);
    assert_eq!(encoded(true, Opcode::Continuation, b"lo", None), [0x80, 0x02, 0x6c, 0x6f]);
    assert_eq!(encoded(true, Opcode::Ping, b"Hello", None), [&[0x89, 0x05][..], &hello].concat());
    assert_eq!(
        encoded(true, Opcode::Pong, b"Hello", key),
        [&[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d][..], &masked].concat()
    );
    let binary = Opcode::Data(Kind::Binary);
    assert_eq!(encoded(true, binary, &[0; 256], None)[..4], [0x82, 0x7e, 0x01, 0x00]);
    let long = encoded(true, binary, &[0; 65_536], None);
    assert_eq!(long[..10], [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
}

/// Each reason that closes writes a body that its receiver takes.
#[test]
fn the_bodies_of_our_close_frames_are_legal() {
    for reason in Reason::ALL {
        let body = close_body(*reason);
        assert!(body.len() <= MAX_CONTROL_PAYLOAD, "{reason:?}");
        assert_eq!(parse_close(&body), Ok(reason.close_code()), "{reason:?}");
    }
}

/// Every two-byte code there is: section 7.4 and the IANA registry.
#[test]
fn only_the_codes_that_may_travel_are_taken() {
    for code in 0..=u16::MAX {
        let legal = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        let verdict = parse_close(&code.to_be_bytes());
        assert_eq!(verdict.is_ok(), legal, "{code}");
        assert_eq!(verdict.ok().flatten().map(|code| code.get()), legal.then_some(code));
    }
    assert_eq!(parse_close(&[]), Ok(None));
    assert_eq!(parse_close(&[3]), Err(Reason::CloseFrame));
    assert_eq!(parse_close(&[3, 232, 0xC3]), Err(Reason::InvalidUtf8));
}
