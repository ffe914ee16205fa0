//! Properties of the envelopes: what is written is read, and what is near is judged as by others.

use proptest::prelude::*;
use vyoma_protocol::envelope::{
    ClientEnvelope, ConversationId, MAX_NUMBER, Names, ServerEnvelope, StreamId, push_text_message,
};

use crate::checks;
use crate::fixtures;

/// The texts of all fixtures.
fn texts() -> Vec<String> {
    fixtures::client().into_iter().chain(fixtures::server()).map(|case| case.text).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_mutated_envelope_is_judged_as_serde_json_judges_it(
        text in prop::sample::select(texts()),
        mutations in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[ -~]{0,2}|\\PC?"), 1..4,
        ),
    ) {
        let mut chars: Vec<char> = text.chars().collect();
        for (from, to, with) in mutations {
            if chars.is_empty() {
                break;
            }
            let (from, to) = (from.index(chars.len()), to.index(chars.len()));
            let to = if with.len() % 2 == 0 { from } else { from.max(to.min(from + 3)) };
            chars.splice(from..to, with.chars());
        }
        checks::envelope::check(chars.into_iter().collect::<String>().as_bytes());
    }

    #[test]
    fn any_text_is_judged_as_serde_json_judges_it(text in "\\PC*") {
        checks::envelope::check(text.as_bytes());
    }

    #[test]
    fn binary_messages_and_tokens_hold_for_any_bytes(bytes: Vec<u8>) {
        checks::binary_header::check(&bytes);
        checks::token::check(&bytes);
    }

    #[test]
    fn a_plain_client_s_text_is_a_message(n in 1..=MAX_NUMBER, text: String) {
        let mut out = Vec::new();
        push_text_message(n, &text, &mut out);
        let written = String::from_utf8(out).unwrap();
        checks::envelope::check(written.as_bytes());
        let Ok(ServerEnvelope::Message { n: read, payload }) = ServerEnvelope::parse(&written) else {
            panic!("{written}");
        };
        prop_assert_eq!(read, n);
        prop_assert_eq!(serde_json::from_str::<String>(payload).unwrap(), text);
    }

    #[test]
    fn ids_and_numbers_come_back(conversation: [u8; 16], stream: u64, n in 0..=MAX_NUMBER) {
        let (conversation, stream) = (ConversationId(conversation), StreamId(stream));
        prop_assert_eq!(ConversationId::parse(&conversation.to_string()), Some(conversation));
        prop_assert_eq!(StreamId::parse(&stream.to_string()), Some(stream));
        let ack = ClientEnvelope::Ack { conversation, stream, n };
        let mut out = Vec::new();
        ack.write(&mut out);
        prop_assert_eq!(ClientEnvelope::parse(std::str::from_utf8(&out).unwrap()), Ok(ack));
    }

    #[test]
    fn names_come_back(names in prop::collection::vec("[a-z0-9_]{1,32}", 0..6)) {
        let json = Names::json(names.iter().map(String::as_str));
        let read = Names::from_json(&json).unwrap();
        prop_assert_eq!(read.iter().collect::<Vec<_>>(), names);
    }
}
