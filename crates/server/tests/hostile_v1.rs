//! What strangers send to `vyoma.v1`: everything that the fixtures know to be wrong, in every state;
//! every type in every state; numbers and acknowledgements that can't be. Each gets the answer that
//! docs/protocol.md has for it, and a pair that talks beside all that never notices.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::net::SocketAddr;

use common::House;
use common::speaker::{Speaker, pair};
use serde_json::{Value, json};

/// Errors that a connection may cause at once, and some less.
const BEARABLE: usize = 48;

const STATES: [&str; 4] = ["new", "waiting", "matched", "ended"];

/// A client in this state, and its partner.
fn in_state(state: &str, to: SocketAddr) -> (Speaker, Option<Speaker>) {
    match state {
        "new" => (Speaker::connect(to), None),
        "waiting" => {
            let mut speaker = Speaker::connect(to);
            speaker.say(&json!({"type": "join"}));
            speaker.expect("waiting");
            (speaker, None)
        }
        "matched" => {
            let (a, b) = pair(to);
            (a, Some(b))
        }
        _ => {
            let (mut a, mut b) = pair(to);
            b.say(&json!({"type": "leave"}));
            b.expect("ended");
            a.expect("ended");
            (a, Some(b))
        }
    }
}

/// Everything that is said in answer to a text, until a `ping` behind it is answered.
fn answers(speaker: &mut Speaker, text: &str) -> Vec<Value> {
    speaker.client.say(text);
    speaker.say(&json!({"type": "ping", "id": 77}));
    let mut heard = Vec::new();
    loop {
        let envelope = speaker.hear();
        if envelope["type"] == "pong" && envelope["id"] == 77 {
            return heard;
        }
        heard.push(envelope);
    }
}

/// A pair that says something whenever it is asked, to see that it still can.
struct Bystanders(Speaker, Speaker, u64);

impl Bystanders {
    fn of(to: SocketAddr) -> Self {
        let (a, b) = pair(to);
        Self(a, b, 0)
    }

    fn talk(&mut self) {
        let Self(a, b, n) = self;
        *n += 1;
        a.message(*n, "still here");
        b.expect_message(*n, "still here");
        b.message(*n, "here, too");
        a.expect_message(*n, "here, too");
        a.ack(*n);
        b.ack(*n);
    }
}

#[test]
fn whatever_is_malformed_gets_its_documented_error_in_every_state() {
    let house = House::open();
    let mut bystanders = Bystanders::of(house.address());
    let fixtures: Vec<Value> =
        serde_json::from_str(include_str!("../../../docs/fixtures/client.json")).unwrap();
    let wrong: Vec<_> = fixtures.iter().filter(|fixture| fixture["error"].is_string()).collect();
    assert!(wrong.len() > 200, "{} fixtures are wrong", wrong.len());
    for state in STATES {
        for some in wrong.chunks(BEARABLE) {
            let (mut speaker, _partner) = in_state(state, house.address());
            for fixture in some {
                let heard = answers(&mut speaker, fixture["text"].as_str().unwrap());
                let [error] = heard.as_slice() else { panic!("{state}: {fixture}: {heard:?}") };
                for (theirs, ours) in [("name", "error"), ("about", "about"), ("field", "field")] {
                    assert_eq!(error[theirs], fixture[ours], "{state}: {fixture}: {error}");
                }
            }
        }
        bystanders.talk();
    }
}

/// The rows of the table "What a client sends": type, and the states it may be sent in.
fn table() -> Vec<(String, Vec<String>)> {
    let protocol = include_str!("../../../docs/protocol.md");
    let (_, table) = protocol.split_once("| type | fields | in state | answer |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let states = match cells[3] {
            "any" => STATES.map(str::to_owned).to_vec(),
            some => some.split(", ").map(str::to_owned).collect(),
        };
        (cells[1].trim_matches('`').to_owned(), states)
    })
    .collect()
}

/// A sound envelope of this type, as far as one can be said without knowing the conversation.
fn sound(kind: &str, speaker: &Speaker) -> Value {
    let conversation = match &speaker.matched["conversation"] {
        Value::Null => json!("0123456789abcdef0123456789abcdef"),
        own => own.clone(),
    };
    let stream = "0123456789abcdef";
    match kind {
        "resume" => json!({
            "type": kind, "token": "AbC", "device": "AbC", "attempt": 1, "stream": stream,
            "partner_stream": null, "received": 0, "first": 1, "next": 1,
        }),
        "message" => json!({"type": kind, "n": 1, "payload": "a"}),
        "ack" => json!({"type": kind, "conversation": conversation, "stream": stream, "n": 0}),
        "read" => json!({"type": kind, "conversation": conversation, "stream": stream, "n": 1}),
        "typing" => json!({"type": kind, "on": true}),
        "signal" => json!({"type": kind, "payload": {}}),
        "block" | "history" => json!({"type": kind, "conversation": conversation}),
        "report" => json!({"type": kind, "conversation": conversation, "reason": "rude"}),
        "token" => json!({"type": kind, "epoch": 1}),
        _ => json!({"type": kind}),
    }
}

#[test]
fn every_type_is_taken_in_its_states_and_refused_in_the_others() {
    let house = House::open();
    let mut bystanders = Bystanders::of(house.address());
    let rows = table();
    assert_eq!(rows.len(), 15, "{rows:?}");
    for (kind, states) in &rows {
        for state in STATES {
            let (mut speaker, _partner) = in_state(state, house.address());
            let envelope = sound(kind, &speaker);
            let heard = answers(&mut speaker, &envelope.to_string());
            let refused = heard.iter().find(|heard| heard["name"] == "wrong_state");
            let crossing =
                matches!(&kind[..], "message" | "ack" | "read" | "typing" | "signal" | "token");
            let case = format!("{kind} when {state}: {heard:?}");
            if states.iter().any(|own| own == state) {
                assert!(refused.is_none(), "{case}");
            } else if state == "ended" && crossing {
                assert!(heard.is_empty(), "{case}");
            } else {
                let [error] = heard.as_slice() else { panic!("{case}") };
                assert_eq!(
                    (&error["name"], &error["about"]),
                    (&json!("wrong_state"), &json!(kind))
                );
            }
        }
        bystanders.talk();
    }
}

#[test]
fn numbers_that_cannot_be_are_told_and_change_nothing() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    a.message(1, "one");
    b.expect_message(1, "one");
    for n in [3, 4, 1 << 40, (1 << 53) - 1] {
        a.message(n, "skipped");
        assert_eq!(a.expect_error("n_skipped")["n"], n);
    }
    a.message(1 << 53, "too large");
    a.expect_error("bad_field");
    // Repeated: dropped in silence.
    a.message(1, "once more");
    for n in [2, 7, (1 << 53) - 1] {
        b.ack(n);
        assert_eq!(b.expect_error("bad_ack")["n"], n);
    }
    let (conversation, stream) = (&b.matched["conversation"], &b.matched["partner_stream"]);
    let read = json!({"type": "read", "conversation": conversation, "stream": stream, "n": 1});
    b.say(&read);
    b.expect_error("bad_ack");
    b.ack(1);
    b.say(&read);
    assert_eq!(a.expect("read")["n"], 1);
    b.say(&json!({"type": "token", "epoch": 9}));
    b.expect_error("bad_field");
    a.client.send(&common::wire::binary(&[0, 0, 0, 0, 0, 0, 2]));
    a.expect_error("bad_binary");
    a.message(2, "two");
    b.expect_message(2, "two");
}

#[test]
fn a_used_token_and_an_old_attempt_are_of_no_use_to_a_thief() {
    let house = House::open();
    let (a, mut b) = pair(house.address());
    let replayed = a.resume(5, 0, 1, 1);
    a.client.reset();
    assert_eq!(b.expect("partner")["state"], "away");
    let mut back = Speaker::connect(house.address());
    back.say(&replayed);
    back.expect("resumed");
    let mut thief = Speaker::connect(house.address());
    thief.say(&replayed);
    assert_eq!(thief.client.expect_close(4409), "Another connection has taken this place.");
    b.message(1, "only for you");
    back.expect("partner");
    back.expect_message(1, "only for you");
}

/// Both say as much as the credit allows while neither reads; once they do, everything is there.
#[test]
fn two_full_windows_in_front_of_stalled_readers_lose_nothing() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    // 256 KiB of credit, and 64 bytes a message on top of its text.
    let words = "w".repeat(4_000);
    let count = 60;
    for n in 1..=count {
        a.message(n, &words);
        b.message(n, &words);
    }
    for n in 1..=count {
        a.expect_message(n, &words);
        b.expect_message(n, &words);
    }
    // The acknowledgements are heard though both windows are full.
    a.ack(count);
    b.ack(count);
    for speaker in [&mut a, &mut b] {
        speaker.message(count + 1, "and on");
    }
    a.expect_message(count + 1, "and on");
    b.expect_message(count + 1, "and on");
}

#[test]
fn what_is_kept_for_all_together_is_bounded_and_who_sends_more_is_told_when_to_come_back() {
    let house = House::with(|config| config.replay_memory = 64 * 1024);
    let (mut a, mut b) = pair(house.address());
    // `b` reads, but acknowledges nothing.
    for n in 1..=40 {
        a.message(n, &"w".repeat(4_000));
    }
    let error = a.expect_error("replay_full");
    assert!(error["retry_after_ms"].as_u64() >= Some(1_000), "{error}");
    a.client.expect_close(1013);
    // What was taken is kept: it comes, and the news that its sender is away.
    let heard: Vec<_> = (0..2).map(|_| b.hear()["type"].clone()).collect();
    assert!(heard.contains(&json!("message")), "{heard:?}");
    // Once nobody wants it any more there is room for others.
    b.say(&json!({"type": "leave"}));
    while b.hear()["type"] != "ended" {}
    let mut other = Bystanders::of(house.address());
    other.talk();
}
