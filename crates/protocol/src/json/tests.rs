//! The pass is held to serde_json wherever the two have the same rules.

use proptest::prelude::*;

use super::*;

fn check(text: &str) -> Result<(), Reason> {
    let mut scanner = Scanner::new(text);
    scanner.value(0)?;
    scanner.end()
}

fn nested(depth: usize) -> String {
    (0..depth).map(|i| if i % 2 == 0 { "[" } else { "{\"a\":" }).collect::<String>()
        + "0"
        + &(0..depth).rev().map(|i| if i % 2 == 0 { ']' } else { '}' }).collect::<String>()
}

#[test]
fn each_rule_has_its_reason() {
    for (text, reason) in [
        ("", Reason::BadJson),
        (" ", Reason::BadJson),
        ("{} {}", Reason::BadJson),
        ("\u{feff}{}", Reason::BadJson),
        ("{\"a\":1,}", Reason::BadJson),
        ("[1,]", Reason::BadJson),
        ("[1 2]", Reason::BadJson),
        ("{\"a\" 1}", Reason::BadJson),
        ("{a:1}", Reason::BadJson),
        ("{\"a\":1]", Reason::BadJson),
        ("['a']", Reason::BadJson),
        ("\"a\nb\"", Reason::BadJson),
        ("\"a\0b\"", Reason::BadJson),
        ("\"\\x41\"", Reason::BadJson),
        ("\"\\u12g4\"", Reason::BadJson),
        ("\"\\u123", Reason::BadJson),
        ("\"open", Reason::BadJson),
        ("01", Reason::BadJson),
        ("+1", Reason::BadJson),
        ("1.", Reason::BadJson),
        (".5", Reason::BadJson),
        ("1e", Reason::BadJson),
        ("-", Reason::BadJson),
        ("0x10", Reason::BadJson),
        ("NaN", Reason::BadJson),
        ("Infinity", Reason::BadJson),
        ("nul", Reason::BadJson),
        ("True", Reason::BadJson),
        ("// no\n1", Reason::BadJson),
        ("1e309", Reason::HugeNumber),
        ("[-1e999999999999]", Reason::HugeNumber),
        ("\"\\ud800\"", Reason::LoneSurrogate),
        ("\"\\udc00\\ud800\"", Reason::LoneSurrogate),
        ("\"\\ud800\\u0041\"", Reason::LoneSurrogate),
        ("{\"\\ud800x\":1}", Reason::LoneSurrogate),
    ] {
        assert_eq!(check(text), Err(reason), "{text}");
    }
    let huge = "9".repeat(400);
    assert_eq!(check(&huge), Err(Reason::HugeNumber));
    for text in ["-0", "0.0e-999", "1E308", " [ ] ", "{ }", "\"\\ud83d\\uDE00\\/\"", "\"\u{7f}\""] {
        assert_eq!(check(text), Ok(()), "{text}");
    }
}

#[test]
fn nesting_ends_at_its_limit() {
    assert_eq!(check(&nested(MAX_DEPTH as usize)), Ok(()));
    assert_eq!(check(&nested(MAX_DEPTH as usize + 1)), Err(Reason::TooDeep));
    assert_eq!(Scanner::new(&nested(64)).value(1), Err(Reason::TooDeep));
    let endless = "[".repeat(1 << 20);
    assert_eq!(check(&endless), Err(Reason::TooDeep));
}

/// Text that is JSON, or nearly so.
fn nearly_json() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just("\""),
        Just("\\"),
        Just("\"a\""),
        Just("\"\\u00e4\""),
        Just("\"\\ud83d\\ude00\""),
        Just("\"\\ud83d\""),
        Just("null"),
        Just("true"),
        Just("1"),
        Just("-0.5e3"),
        Just("1e400"),
        Just("01"),
        Just(" "),
        Just("\n"),
        Just("\u{1}"),
        Just("ß"),
        Just("\"long enough for words of eight \\n bytes\""),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// JSON of any shape.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn agrees_with_serde_json_on_what_is_nearly_json(text in nearly_json()) {
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        prop_assert_eq!(check(&text).is_ok(), theirs.is_ok(), "{:?}", theirs);
    }

    #[test]
    fn agrees_with_serde_json_after_a_mutation(value in json(), at: usize, byte in 0x20u8..0x7f) {
        let mut text = value.to_string();
        prop_assert_eq!(check(&text), Ok(()));
        let at = at % text.len();
        if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
            text.replace_range(at..=at, char::from(byte).encode_utf8(&mut [0; 4]));
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            prop_assert_eq!(check(&text).is_ok(), theirs.is_ok(), "{} {:?}", text, theirs);
        }
    }

    #[test]
    fn strings_come_through(text: String) {
        let mut escaped = Vec::new();
        push_escaped(&text, &mut escaped);
        prop_assert!(escaped.len() <= 6 * text.len());
        let escaped = String::from_utf8(escaped).unwrap();
        let quoted = format!("\"{escaped}\"");
        prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text.clone());
        let ours = JsonStr::from_escaped(&escaped).unwrap();
        prop_assert_eq!(ours.text(), text.as_str());
        prop_assert_eq!(ours.text_len(), text.len());
        // All of it as escapes, surrogate pairs too.
        let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        prop_assert_eq!(JsonStr::from_escaped(&units).unwrap().text(), text.as_str());
        let mut out = Vec::new();
        JsonStr::from_escaped(&units).unwrap().push_text(&mut out);
        prop_assert_eq!(out, text.into_bytes());
    }

    #[test]
    fn compact_is_what_serde_json_calls_compact(value in json()) {
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let mut out = Vec::new();
        push_compact(&pretty, &mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
    }

    #[test]
    fn plain_prefixes_are_found_at_every_offset(bytes: Vec<u8>, at in 0usize..40, special: u8) {
        let mut bytes: Vec<u8> = bytes.into_iter().map(|byte| byte | 0x80).collect();
        let at = at.min(bytes.len());
        bytes.insert(at, special);
        let naive = bytes.iter().position(|b| *b == b'"' || *b == b'\\' || *b < 0x20);
        prop_assert_eq!(plain_prefix(&bytes), naive.unwrap_or(bytes.len()));
    }
}
