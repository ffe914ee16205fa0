//! docs/fixtures holds what is taken and what is refused, and why; other languages read it, too.

use std::collections::BTreeSet;

use serde_json::Value;
use vyoma_protocol::envelope::{
    ClientEnvelope, ErrorReport, Fault, MAX_SIGNAL, ServerEnvelope, parse_binary,
};

use crate::checks;

/// A row of a file.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) text: String,
    /// The type if it is taken; the error's name if not.
    pub(crate) verdict: Result<String, String>,
    about: Option<String>,
    field: Option<String>,
    /// A refusal that JSON Schema can't express.
    pub(crate) beyond_schema: bool,
}

pub(crate) fn client() -> Vec<Case> {
    cases(include_str!("../../../../docs/fixtures/client.json"))
}

pub(crate) fn server() -> Vec<Case> {
    cases(include_str!("../../../../docs/fixtures/server.json"))
}

fn rows(file: &str) -> Vec<Value> {
    serde_json::from_str(file).unwrap()
}

fn cases(file: &str) -> Vec<Case> {
    let text = |row: &Value, key: &str| row[key].as_str().map(str::to_owned);
    let case = |row: Value| Case {
        name: text(&row, "name").unwrap(),
        text: text(&row, "text").unwrap(),
        verdict: text(&row, "type").ok_or_else(|| text(&row, "error").unwrap()),
        about: text(&row, "about"),
        field: text(&row, "field"),
        beyond_schema: row["beyond_schema"] == true,
    };
    rows(file).into_iter().map(case).collect()
}

impl Case {
    fn check(&self, ours: Result<&'static str, Fault<'_>>) {
        let name = &self.name;
        checks::envelope::check(self.text.as_bytes());
        match (ours, &self.verdict) {
            (Ok(kind), Ok(expected)) => assert_eq!(kind, expected, "{name}"),
            (Err(fault), Err(expected)) => {
                assert_eq!(fault.reason.name(), expected, "{name}");
                assert_eq!(fault.about, self.about.as_deref(), "{name}");
                assert_eq!(fault.field, self.field.as_deref(), "{name}");
                let mut told = Vec::new();
                ErrorReport::from(fault).envelope().write(&mut told);
                let told = String::from_utf8(told).unwrap();
                assert!(ServerEnvelope::parse(&told).is_ok(), "{name}: {told}");
            }
            (ours, expected) => panic!("{name}: {ours:?}, but expected {expected:?}"),
        }
    }
}

#[test]
fn what_clients_send_is_taken_or_refused_as_the_fixtures_say() {
    for case in client() {
        case.check(ClientEnvelope::parse(&case.text).map(|envelope| envelope.kind()));
    }
}

#[test]
fn what_the_server_sends_is_read_and_written_as_the_fixtures_say() {
    for case in server() {
        let envelope = ServerEnvelope::parse(&case.text);
        case.check(envelope.as_ref().map(ServerEnvelope::kind).map_err(|fault| *fault));
        if let Ok(envelope) = envelope
            && !case.name.contains("later version")
        {
            let mut written = Vec::new();
            envelope.write(&mut written);
            assert_eq!(String::from_utf8(written).unwrap(), case.text, "to the byte");
        }
    }
}

#[test]
fn every_type_has_its_fixtures_and_every_required_field_is_missed_once() {
    let (client, server) = (client(), server());
    let taken = |cases: &[Case]| -> BTreeSet<String> {
        cases.iter().filter_map(|case| case.verdict.clone().ok()).collect()
    };
    let (of_client, of_server) = (taken(&client), taken(&server));
    for kind in ClientEnvelope::TYPES {
        assert!(of_client.contains(kind.name), "{}", kind.name);
        for field in kind.fields.iter().filter(|field| field.need != "optional") {
            let missed = client.iter().any(|case| {
                case.verdict == Err("missing_field".to_owned())
                    && case.about.as_deref() == Some(kind.name)
                    && case.field.as_deref() == Some(field.name)
            });
            assert!(missed, "{} without {}", kind.name, field.name);
        }
    }
    for kind in ServerEnvelope::TYPES {
        assert!(of_server.contains(kind.name), "{}", kind.name);
    }
}

#[test]
fn binary_messages_are_taken_or_refused_as_the_fixtures_say() {
    for row in rows(include_str!("../../../../docs/fixtures/binary.json")) {
        let bytes = |key: &str| -> Vec<u8> {
            let hex = row[key].as_str().unwrap().as_bytes().chunks(2);
            hex.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect()
        };
        let message = bytes("hex");
        checks::binary_header::check(&message);
        match parse_binary(&message) {
            Ok((n, payload)) => {
                assert_eq!((Some(n), payload), (row["n"].as_u64(), bytes("payload").as_slice()));
            }
            Err(fault) => assert_eq!(row["error"], fault.reason.name()),
        }
    }
}

#[test]
fn a_signal_has_a_limit_of_its_own() {
    let signal = |length: usize| {
        let frame = r#"{"type":"signal","payload":""}"#;
        frame.replace("\"\"", &format!("\"{}\"", "x".repeat(length - frame.len())))
    };
    let (longest, longer) = (signal(MAX_SIGNAL), signal(MAX_SIGNAL + 1));
    assert!(ClientEnvelope::parse(&longest).is_ok());
    let fault = ClientEnvelope::parse(&longer).unwrap_err();
    assert_eq!(fault.reason.name(), "bad_field");
    assert_eq!((fault.about, fault.field), (Some("signal"), Some("payload")));
}
