//! What must hold for envelopes whatever text comes in: serde_json is the second opinion.

#![expect(clippy::expect_used, reason = "a check that fails panics")]

use serde_json::Value;
use vyoma_protocol::Reason;
use vyoma_protocol::envelope::{ClientEnvelope, Profile, ServerEnvelope, push_plain_text};

/// The bytes are an envelope that may have come from either side.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let theirs = serde_json::from_str::<Value>(text).ok();
    match ClientEnvelope::parse(text) {
        Ok(envelope) => {
            let theirs = theirs.as_ref().expect("what we take, others take");
            check_client(&envelope, theirs);
        }
        Err(fault) => check_refusal(fault.reason, theirs.as_ref()),
    }
    if let Ok(envelope) = ServerEnvelope::parse(text) {
        let theirs = theirs.expect("what we take, others take");
        assert_eq!(theirs["type"], envelope.kind());
        let written = write(|out| envelope.write(out));
        let again = ServerEnvelope::parse(&written).expect("what we write, we read");
        assert_eq!(write(|out| again.write(out)), written);
    }
}

fn check_client(envelope: &ClientEnvelope<'_>, theirs: &Value) {
    assert_eq!(theirs["type"], envelope.kind());
    let written = write(|out| envelope.write(out));
    let again = ClientEnvelope::parse(&written).expect("what we write, we read");
    assert_eq!(write(|out| again.write(out)), written);
    for (key, value) in theirs.as_object().expect("an object") {
        assert!(key.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_')) && key.len() <= 32);
        let ours = serde_json::from_str::<Value>(&written).expect("JSON");
        assert_eq!(if key.starts_with("x_") { value } else { &ours[key] }, value, "{key}");
    }
    match envelope {
        ClientEnvelope::Message { n, payload } => {
            assert_eq!(theirs["n"].as_u64(), Some(*n));
            check_plain(payload, &theirs["payload"]);
        }
        ClientEnvelope::Report { reason, .. } => assert_eq!(theirs["reason"], *reason.text()),
        ClientEnvelope::Join { profile, rules, .. } | ClientEnvelope::Next { profile, rules } => {
            profile.iter().for_each(|profile| check_profile(*profile, &theirs["profile"]));
            if let Some(rules) = rules {
                let ours: Vec<_> = rules.languages().map(|text| text.text().into_owned()).collect();
                let theirs = theirs["rules"].get("languages");
                assert_eq!(theirs.unwrap_or(&serde_json::json!([])), &serde_json::json!(ours));
            }
        }
        _ => {}
    }
}

fn check_profile(profile: Profile<'_>, theirs: &Value) {
    for key in ["name", "headline"] {
        let ours = profile.text(key).map(|text| text.text().into_owned());
        assert_eq!(theirs.get(key).and_then(Value::as_str), ours.as_deref());
    }
    for key in ["offers", "seeks", "topics", "languages"] {
        let ours: Vec<_> = profile.list(key).map(|text| text.text().into_owned()).collect();
        let none = Vec::new();
        let theirs = theirs.get(key).and_then(Value::as_array).unwrap_or(&none);
        assert_eq!(*theirs, ours);
    }
}

/// What a plain client hears of a payload.
fn check_plain(payload: &str, theirs: &Value) {
    let heard = write(|out| push_plain_text(payload, out));
    match theirs {
        Value::String(text) => assert_eq!(*text, heard),
        _ => {
            assert_eq!(serde_json::from_str::<Value>(&heard).ok().as_ref(), Some(theirs));
            assert!(heard.len() <= payload.len());
        }
    }
}

/// A refusal as no JSON must be one; what isn't JSON must be refused before its meaning is judged.
fn check_refusal(reason: Reason, theirs: Option<&Value>) {
    let syntax = [Reason::BadJson, Reason::HugeNumber, Reason::LoneSurrogate];
    let keys = [Reason::TooDeep, Reason::BadKey, Reason::RepeatedKey, Reason::TooManyKeys];
    match theirs {
        Some(theirs) if theirs.is_object() => assert!(!syntax.contains(&reason), "{reason:?}"),
        Some(_) => assert_eq!(reason, Reason::BadJson),
        None => assert!(syntax.contains(&reason) || keys.contains(&reason), "{reason:?}"),
    }
}

fn write(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("UTF-8")
}
