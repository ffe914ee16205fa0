//! The judge judged: the naive reader reads from a script's bytes what the script says.

use proptest::prelude::*;

use crate::checks::naive::{self, End};
use crate::generate::{Said, script};
use crate::many;

proptest! {
    #![proptest_config(many())]
    #[test]
    fn the_naive_reader_reads_what_a_script_says(script in script(), masked: bool) {
        let (bytes, said) = script.write(masked);
        let story = naive::read(&bytes, masked, u64::MAX);
        let messages = story.messages.iter().map(|m| (m.text, m.body.clone())).collect();
        let controls = story.controls.iter().map(|c| (c.opcode, c.body.clone())).collect();
        let read = Said { messages, controls };
        prop_assert!(read == said);
        let end = if script.close.is_some() { End::Closed } else { End::Open };
        prop_assert_eq!((story.end, story.end_at, story.whole), (end, bytes.len(), true));
        prop_assert!(story.open.is_none());
    }
}
