//! The `message` envelope as every SDK writes it, read in a tenth of the time that JSON takes.

use super::MAX_NUMBER;

const FRONT: &[u8] = br#"{"type":"message","n":"#;
const MIDDLE: &[u8] = br#","payload":""#;
const BACK: &[u8] = br#""}"#;

/// The number of a `message`, if that is written without white space, its fields in the usual order and
/// nothing else, and its payload is a string without escapes. `None` says nothing: read it as JSON then.
/// The text has to be valid UTF-8.
pub fn usual_message(text: &[u8]) -> Option<u64> {
    let rest = text.strip_prefix(FRONT)?;
    let (mut n, mut digits) = (0_u64, 0);
    // MAX_NUMBER has 16 digits.
    while let Some(digit @ b'0'..=b'9') = rest.get(digits)
        && digits < 16
    {
        n = n * 10 + u64::from(digit - b'0');
        digits += 1;
    }
    if !(1..=MAX_NUMBER).contains(&n) || rest[0] == b'0' {
        return None;
    }
    let inside = rest[digits..].strip_prefix(MIDDLE)?.strip_suffix(BACK)?;
    is_unescaped(inside).then_some(n)
}

/// Whether a string may stand between quotes as it is (RFC 8259, section 7). Without a branch for a byte,
/// so that many are looked at together.
fn is_unescaped(text: &[u8]) -> bool {
    let special =
        |byte: u8| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
    let (blocks, rest) = text.as_chunks::<16>();
    let any = |bytes: &[u8]| bytes.iter().fold(0, |any, byte| any | special(*byte));
    blocks.iter().fold(0, |all, block| all | any(block)) | any(rest) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::envelope::ClientEnvelope;

    proptest! {
        #[test]
        fn what_is_read_the_short_way_is_read_the_same_the_long_way(
            n in "[0-9]{0,18}|[1-9][0-9]{0,5}",
            inside in r#"[a-z"\\{}, \x00-\x1F\x7Fé⌛]{0,6}|[a-zé⌛ ]{0,80}"#,
            tail in r#""\}|"\} |"|\}|","x_a":1\}"#,
        ) {
            let text = format!(r#"{{"type":"message","n":{n},"payload":"{inside}{tail}"#);
            if let Some(n) = usual_message(text.as_bytes()) {
                let payload = &text[text.find("payload").unwrap() + 9..text.len() - 1];
                prop_assert_eq!(ClientEnvelope::parse(&text), Ok(ClientEnvelope::Message { n, payload }));
            }
        }
    }

    #[test]
    fn the_usual_message_is_read_the_short_way_and_no_other() {
        let usual =
            r#"{"type":"message","n":9007199254740991,"payload":"Grüße ⌛, und auf Wiedersehen"}"#;
        assert_eq!(usual_message(usual.as_bytes()), Some(MAX_NUMBER));
        for other in [
            r#"{"type":"message","n":9007199254740992,"payload":""}"#,
            r#"{"type":"message","n":12345678901234567,"payload":""}"#,
            r#"{"type":"message","n":01,"payload":""}"#,
            r#"{"type":"message","n":,"payload":""}"#,
            r#"{"type":"message","n":1,"payload":"}"#,
            r#"{"type":"message","n":1,"payload":"\n"}"#,
            r#"{"type":"message","n":1,"payload":"a","payload":"b"}"#,
            r#"{"type":"message","n":1,"payload":1}"#,
        ] {
            assert_eq!(usual_message(other.as_bytes()), None, "{other}");
        }
    }
}
