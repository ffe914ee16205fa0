//! What applications and drivers rely on, and vectors can't say.

#![expect(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::time::{Duration, Instant};

use vyoma_protocol::envelope::StreamId;
use vyoma_reliable::{Action, Body, Content, Event, Frame, Saved, Session, Settings, Standing};

const HELLO: &str = r#"{"type":"hello","version":1,"max_message":65536,"credit":262144,"heartbeat_ms":25000,"grace_ms":60000,"device":"dA","features":["typing","read","signal","block","report"]}"#;
const MATCHED: &str = r#"{"type":"matched","conversation":"0123456789abcdef0123456789abcdef","side":"a","stream":"00000000000000a0","partner_stream":"00000000000000b0","partner":null,"reliable":true,"why":[],"token":"SECRET","epoch":1,"grace_ms":60000}"#;

#[expect(clippy::disallowed_methods, reason = "a time to count from")]
fn talking() -> (Session, Instant) {
    let now = Instant::now();
    let mut session = Session::new(Settings::default(), Saved::default(), 1, now);
    session.join(None, now).unwrap();
    session.connected(1, now);
    session.text(HELLO, now);
    session.text(MATCHED, now);
    assert!(matches!(session.standing(), Standing::Talking(_)) && session.online());
    drain(&mut session);
    (session, now)
}

fn drain(session: &mut Session) -> Vec<Action> {
    std::iter::from_fn(|| session.next_action()).collect()
}

#[test]
fn payloads_pass_byte_for_byte_both_ways() {
    let (mut session, now) = talking();
    session.send(Body::Json(" {\"a\" : [1.50, \"\\u00e9\"] }\n"), now).unwrap();
    let written = drain(&mut session).into_iter().find_map(|action| match action {
        Action::Write(Frame::Text(text)) => Some(text),
        _ => None,
    });
    let expected = "{\"type\":\"message\",\"n\":1,\"payload\": {\"a\" : [1.50, \"\\u00e9\"] }\n}";
    assert_eq!(written.as_deref(), Some(expected));
    session.text("{\"payload\": {\"b\" : 1e2} , \"x_mine\":1,\"n\":1,\"type\":\"message\"}", now);
    let content = Content::Json("{\"b\" : 1e2}".to_owned());
    assert_eq!(drain(&mut session), [Action::Event(Event::Message { n: 1, content })]);
}

#[test]
fn a_message_is_in_memory_once_however_often_it_is_handed_on() {
    let (mut session, now) = talking();
    session.send(Body::Binary(&[1; 1000]), now).unwrap();
    let frames: Vec<_> = drain(&mut session)
        .into_iter()
        .filter_map(|action| match action {
            Action::Write(frame) => Some(frame),
            Action::Save(vyoma_reliable::Change::Sent(kept)) => Some(kept.frame),
            _ => None,
        })
        .collect();
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[0].as_bytes().as_ptr(), frames[1].as_bytes().as_ptr());
}

#[test]
fn bodies_and_tokens_are_not_in_what_is_printed_for_debugging() {
    let (mut session, now) = talking();
    session.send(Body::Json("\"my words\""), now).unwrap();
    session.text(r#"{"type":"message","n":1,"payload":"your words"}"#, now);
    session.text(r#"{"type":"signal","payload":"fleeting words"}"#, now);
    session.text(r#"{"type":"token","token":"SECRET2","epoch":2}"#, now);
    let printed = format!("{:?} {session:?} {:?}", drain(&mut session), session.saved());
    assert!(!printed.contains("words") && !printed.contains("SECRET"), "{printed}");
}

#[test]
fn two_sessions_with_different_seeds_wait_differently() {
    let waits: Vec<_> = (0..8)
        .map(|seed| {
            let (session, now) = talking();
            let mut session = Session::new(Settings::default(), session.saved(), seed, now);
            session.disconnected(None, now);
            session.deadline().unwrap() - now
        })
        .collect();
    assert!(waits.iter().all(|wait| *wait <= Duration::from_millis(500)));
    assert!(waits.iter().any(|wait| *wait != waits[0]));
}

#[test]
fn a_lost_state_begins_under_a_stream_of_its_own() {
    let (session, now) = talking();
    let mut saved = session.saved();
    saved.lose_state(StreamId(5));
    let mut session = Session::new(Settings::default(), saved, 1, now);
    session.connected(1, now);
    session.text(HELLO, now);
    let resume = drain(&mut session).into_iter().find_map(|action| match action {
        Action::Write(Frame::Text(text)) => Some(text.to_string()),
        _ => None,
    });
    let resume = resume.unwrap();
    assert!(resume.contains(r#""stream":"0000000000000005","partner_stream":null"#), "{resume}");
    assert!(resume.contains(r#""received":0,"first":1,"next":1,"fresh":true"#), "{resume}");
}
