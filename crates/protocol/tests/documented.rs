//! `docs/protocol.md` lists every reason, envelope and limit, as the code has it.

#![expect(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::collections::BTreeSet;

use vyoma_protocol::envelope::{
    BINARY_HEADER, ClientEnvelope, Ending, MAX_KEYS, MAX_NUMBER, MAX_SIGNAL, MESSAGE_OVERHEAD,
    SUBPROTOCOL, ServerEnvelope, TypeSpec,
};
use vyoma_protocol::token::TOKEN_LIFE;
use vyoma_protocol::{MAX_DEPTH, Reason, plain};

const DOC: &str = include_str!("../../../docs/protocol.md");

fn table() -> String {
    let mut table =
        "| number | name | close code | sentence |\n| --- | --- | --- | --- |\n".to_string();
    for reason in Reason::ALL {
        let code = reason.close_code().map_or("none".to_string(), |code| code.get().to_string());
        let (number, name) = (reason.number(), reason.name());
        table += &format!("| {number} | `{name}` | {code} | {} |\n", reason.sentence());
    }
    table
}

#[test]
fn the_table_of_reasons_is_that_of_the_code() {
    assert!(DOC.contains(&table()), "docs/protocol.md should contain:\n{}", table());
}

#[test]
fn the_notices_are_those_of_the_code() {
    for notice in [plain::WAITING, plain::CONNECTED, plain::DISCONNECTED] {
        assert!(
            DOC.contains(&format!("| `{notice}` |")) || DOC.contains(&format!("`{notice}` (both"))
        );
    }
}

/// A section of the document, up to the next heading of its level or above.
fn section(heading: &str) -> &'static str {
    let (_, after) = DOC.split_once(&format!("### {heading}\n")).unwrap();
    after.split("\n### ").next().unwrap().split("\n## ").next().unwrap()
}

/// The words in backticks.
fn ticked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Holds a table of envelopes to the code's: the same types in the same order, with the same fields.
fn check_envelopes(heading: &str, types: &[TypeSpec]) {
    let table = section(heading).lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let rows = table.take_while(|line| line.starts_with("| `"));
    let mut documented = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for name in ticked(cells[1]) {
            documented.push(name);
            let Some(kind) = types.iter().find(|kind| kind.name == name) else {
                panic!("there is no {name}");
            };
            let words: BTreeSet<&str> = ticked(cells[2]).collect();
            if name == "signal" || name == "message" && words.is_empty() {
                continue;
            }
            for field in kind.fields {
                let optional = if field.need == "optional" { "?" } else { "" };
                let word = format!("{}{optional}", field.name);
                assert!(words.contains(word.as_str()), "{name} should tell of `{word}`: {row}");
            }
            let values = ["a", "b", "away", "back", "block", "report"];
            let names = words.iter().map(|word| word.trim_end_matches('?'));
            for word in names.filter(|word| !values.contains(word)) {
                assert!(kind.fields.iter().any(|field| field.name == word), "{name} has no {word}");
            }
        }
    }
    assert_eq!(documented, types.iter().map(|kind| kind.name).collect::<Vec<_>>(), "{heading}");
}

#[test]
fn the_envelopes_are_those_of_the_code() {
    check_envelopes("What a client sends", ClientEnvelope::TYPES);
    check_envelopes("What the server sends", ServerEnvelope::TYPES);
}

#[test]
fn the_endings_are_those_of_the_code() {
    for ending in Ending::ALL {
        let row = format!("| `{}` | {} |", ending.name(), ending.sentence());
        assert!(DOC.contains(&row), "{row}");
    }
}

#[test]
fn the_worked_transcript_is_what_the_code_reads() {
    let mut lines = 0;
    for line in section("A worked transcript").lines() {
        // Ids are shortened for people.
        let ids = [("\"c0\"", format!("\"{}\"", "c0".repeat(16)))]
            .into_iter()
            .chain(["a0", "b0"].map(|id| (id, id.repeat(8))))
            .fold(line.to_owned(), |line, (short, long)| line.replace(short, &long));
        let words: Vec<&str> = ids.splitn(3, ' ').collect();
        let read = match words[..] {
            ["A" | "B", "→", text] => ClientEnvelope::parse(text).map(drop),
            ["A" | "B", "←", text] => ServerEnvelope::parse(text).map(drop),
            _ => continue,
        };
        assert_eq!(read, Ok(()), "{line}");
        lines += 1;
    }
    assert!(lines > 30, "{lines} lines");
}

#[test]
fn the_limits_are_those_of_the_code() {
    for said in [
        format!("names `{SUBPROTOCOL}` in"),
        format!("at most {MAX_DEPTH} deep"),
        format!("unique, and at most {MAX_KEYS};"),
        format!("({MAX_NUMBER})"),
        format!("at most {} KiB", MAX_SIGNAL / 1024),
        format!("plus {MESSAGE_OVERHEAD}."),
        format!("half of a token's life ({} h)", TOKEN_LIFE / 3600),
    ] {
        assert!(DOC.contains(&said), "{said}");
    }
    assert_eq!(BINARY_HEADER, 8, "as the document says");
}
