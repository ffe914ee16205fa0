//! `vyoma.v1` over real sockets, by a client that shares no code with the server: the course of
//! docs/protocol.md, and what becomes of input that is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::client::Client;
use common::speaker::{Speaker, pair};
use common::wire::{self, Event};
use common::{House, eventually};
use serde_json::{Value, json};
use vyoma_protocol::token::Keyring;

#[test]
fn messages_arrive_byte_for_byte_and_receipts_come_back() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    let odd = r#"{ "x_own":[1.0,{}], "payload" : "é\u0041" ,"n":1,"type":"message" }"#;
    a.client.say(odd);
    assert!(matches!(b.client.event(), Event::Text(text) if text == odd));
    assert_eq!(a.expect("accepted")["n"], 1);
    b.ack(1);
    assert_eq!(a.hear()["type"], "ack");
    a.client.send(&wire::binary(&[0, 0, 0, 0, 0, 0, 0, 2, 255, 0]));
    assert!(matches!(b.client.event(), Event::Binary(bytes) if bytes[7..] == [2, 255, 0]));
    a.say(&json!({"type": "leave"}));
    assert_eq!(a.expect("ended")["reason"], "left");
    let ended = b.expect("ended");
    assert_eq!((&ended["reason"], &ended["last"]), (&json!("partner_left"), &json!(2)));
}

#[test]
fn a_message_in_pieces_is_one_message_and_so_is_what_comes_behind_it() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    let frame = |n: u64| {
        let text = json!({"type": "message", "n": n, "payload": "x".repeat(200)}).to_string();
        wire::text(&text)
    };
    let bytes: Vec<u8> = (1..=40).flat_map(frame).collect();
    for piece in bytes.chunks(97) {
        a.client.send(piece);
        std::thread::sleep(Duration::from_micros(300));
    }
    for n in 1..=40 {
        b.expect_message(n, &"x".repeat(200));
    }
}

#[test]
fn whoever_was_away_gets_everything_and_then_the_end() {
    let house = House::open();
    let (mut a, b) = pair(house.address());
    let (resume, old) = (b.resume(1, 0, 1, 1), b.client);
    old.reset();
    assert_eq!(a.expect("partner")["state"], "away");
    (1..=100).for_each(|n| a.message(n, &n.to_string()));
    a.say(&json!({"type": "leave"}));
    a.expect("ended");
    let mut b = Speaker::connect(house.address());
    b.say(&resume);
    assert_eq!(b.expect("resumed")["expected"], 1);
    (1..=100).for_each(|n| b.expect_message(n, &n.to_string()));
    assert_eq!(b.expect("ended")["last"], 100);
    b.say(&json!({"type": "next"}));
    b.expect("waiting");
}

#[test]
fn only_a_higher_attempt_takes_a_seat_and_the_older_connection_is_closed() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    let resume = |attempt| a.resume(attempt, 0, 1, 1);
    let wishes = [resume(7), resume(7), resume(6)];
    let take = |wish: &Value| {
        let mut again = Speaker::connect(house.address());
        again.say(wish);
        again
    };
    let mut again = take(&wishes[0]);
    assert_eq!(again.expect("resumed")["received"], 0);
    a.client.expect_close(4409);
    assert_eq!(b.expect("partner")["state"], "back");
    take(&wishes[1]).client.expect_close(4409);
    take(&wishes[2]).client.expect_close(4409);
    again.message(1, "still here");
    b.expect_message(1, "still here");
}

#[test]
fn another_process_with_the_same_secret_goes_on_where_the_first_was() {
    let keys = Keyring::new([7; 32]);
    let first = House::with(|config| config.keys = keys.clone());
    let (mut a, mut b) = pair(first.address());
    a.message(1, "one");
    b.expect_message(1, "one");
    let second = House::with(|config| config.keys = keys);
    drop(first);
    let mut again = Speaker::connect(second.address());
    again.say(&b.resume(1, 1, 1, 1));
    assert_eq!(again.expect("resumed")["partner_stream"], Value::Null);
    assert_eq!(again.expect("partner")["state"], "away");
    let token = again.expect("token");
    again.say(&json!({"type": "token", "epoch": token["epoch"]}));
    let mut back = Speaker::connect(second.address());
    back.say(&a.resume(1, 0, 1, 3));
    let resumed = back.expect("resumed");
    assert_eq!((&resumed["received"], &resumed["expected"]), (&json!(1), &json!(2)));
    assert_eq!(again.expect("partner")["state"], "back");
    assert_eq!(back.expect("partner")["state"], "back");
    back.expect("token");
    back.message(2, "two");
    again.expect_message(2, "two");
    eventually("two are seated", || second.census().seated == 2);
}

#[test]
fn what_two_remember_and_cannot_both_be_true_is_said_to_both() {
    let house = House::open();
    let (a, mut b) = pair(house.address());
    let mut again = Speaker::connect(house.address());
    again.say(&a.resume(1, 5, 1, 1));
    assert_eq!(again.expect("ended")["reason"], "state_conflict");
    assert_eq!(b.expect("ended")["reason"], "state_conflict");
}

#[test]
fn a_device_has_one_place() {
    let house = House::open();
    let mut older = Speaker::connect(house.address());
    older.say(&json!({"type": "join"}));
    older.expect("waiting");
    let mut newer = Speaker::connect(house.address());
    newer.say(&json!({"type": "join", "device": older.device}));
    newer.expect("waiting");
    older.client.expect_close(4409);
    let mut partner = Speaker::connect(house.address());
    partner.say(&json!({"type": "join"}));
    let matched = newer.expect("matched");
    partner.expect("matched");
    let mut third = Speaker::connect(house.address());
    third.say(&json!({"type": "join", "device": older.device}));
    assert_eq!(third.expect_error("in_conversation")["conversation"], matched["conversation"]);
    third.say(&json!({
        "type": "join", "device": older.device, "leave": matched["conversation"]
    }));
    third.expect("waiting");
    assert_eq!(partner.expect("ended")["reason"], "partner_left");
    newer.client.expect_close(4409);
}

#[test]
fn blocked_devices_do_not_meet_again() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    a.say(&json!({"type": "block", "conversation": a.matched["conversation"]}));
    a.expect("ended");
    a.expect("done");
    b.expect("ended");
    a.say(&json!({"type": "next"}));
    a.expect("waiting");
    b.say(&json!({"type": "next"}));
    assert_eq!(b.expect("waiting")["ahead"], 1);
    let mut c = Speaker::connect(house.address());
    c.say(&json!({"type": "join"}));
    c.expect("matched");
    a.expect("matched");
    house.check().unwrap();
}

#[test]
fn a_plain_partner_hears_texts_and_its_words_are_numbered() {
    let house = House::open();
    let mut plain = Client::join_waiting(house.address());
    plain.say("early");
    let mut v1 = Speaker::connect(house.address());
    v1.say(&json!({"type": "join"}));
    v1.matched = v1.expect("matched");
    assert_eq!(v1.matched["reliable"], false);
    v1.expect_message(1, "early");
    plain.expect(common::CONNECTED);
    v1.message(1, "Grüße");
    plain.expect("Grüße");
    v1.say(&json!({"type": "message", "n": 2, "payload": {"a": [1, 2]}}));
    let ping = plain.expect_ping();
    plain.send(&wire::pong(&ping));
    assert_eq!(v1.expect("ack")["n"], 1);
    plain.expect(r#"{"a":[1,2]}"#);
    plain.leave();
    // Its end was never heard to have the second.
    assert_eq!(v1.expect("undelivered")["from"], 2);
    let ended = v1.expect("ended");
    assert_eq!((&ended["reason"], &ended["last"]), (&json!("partner_left"), &json!(1)));
}

#[test]
fn what_is_wrong_is_an_error_and_harms_nobody() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    let stream = a.matched["partner_stream"].clone();
    let conversation = a.matched["conversation"].clone();
    let ack =
        |n: u64| json!({"type": "ack", "conversation": conversation, "stream": stream, "n": n});
    for (envelope, name) in [
        ("nonsense".to_owned(), "bad_json"),
        (r#"{"type":"message","n":1,"n":1,"payload":0}"#.to_owned(), "repeated_key"),
        (r#"{"type":"message","n":1,"payload":0,"m":1}"#.to_owned(), "unknown_key"),
        (r#"{"type":"message","n":1}"#.to_owned(), "missing_field"),
        (r#"{"type":"message","n":9007199254740992,"payload":0}"#.to_owned(), "bad_field"),
        (format!(r#"{{"type":"message","n":1,"payload":{}}}"#, "[".repeat(70)), "too_deep"),
        (r#"{"type":"message","n":1,"payload":1e999}"#.to_owned(), "huge_number"),
        (r#"{"type":"message","n":1,"payload":"\ud800"}"#.to_owned(), "lone_surrogate"),
        (r#"{"type":"dance"}"#.to_owned(), "unknown_type"),
        (r#"{"type":"message","n":7,"payload":0}"#.to_owned(), "n_skipped"),
        (r#"{"type":"join"}"#.to_owned(), "wrong_state"),
        (
            r#"{"type":"history","conversation":"00000000000000000000000000000000"}"#.to_owned(),
            "feature_off",
        ),
        (
            r#"{"type":"block","conversation":"00000000000000000000000000000000"}"#.to_owned(),
            "unknown_conversation",
        ),
        (ack(1).to_string(), "bad_ack"),
    ] {
        a.client.say(&envelope);
        a.expect_error(name);
    }
    a.message(1, "fine");
    b.expect_message(1, "fine");
    (0..80).for_each(|_| a.client.say("nonsense"));
    while !matches!(a.client.event(), Event::Close(Some(4429), _)) {}
    assert_eq!(b.expect("partner")["state"], "away");
    house.check().unwrap();
}

#[test]
fn tokens_that_are_forged_foreign_or_for_another_device_are_refused() {
    let house = House::open();
    let (a, b) = pair(house.address());
    let refused = |envelope: Value, name: &str| {
        let mut thief = Speaker::connect(house.address());
        thief.say(&envelope);
        thief.expect_error(name);
    };
    let mut forged = a.resume(9, 0, 1, 1);
    forged["token"] = json!(format!("{}A", a.matched["token"].as_str().unwrap()));
    refused(forged, "bad_token");
    let mut stolen = a.resume(9, 0, 1, 1);
    stolen["device"] = b.device.clone();
    refused(stolen, "bad_device");
    let foreign = House::open();
    let (c, _d) = pair(foreign.address());
    refused(c.resume(9, 0, 1, 1), "bad_token");
    house.check().unwrap();
}

#[test]
fn a_server_that_leaves_sends_both_away_with_the_same_delay_and_ends_nothing() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    house.drain();
    assert_eq!(a.expect("goaway")["delay_ms"], b.expect("goaway")["delay_ms"]);
    a.message(1, "meanwhile");
    b.expect_message(1, "meanwhile");
}

#[test]
fn whoever_says_nothing_at_first_is_closed_and_so_is_an_absence_that_lasts() {
    let house = House::with(|config| {
        config.timing.join = Duration::from_millis(200);
        config.grace = Duration::from_millis(300);
    });
    Speaker::connect(house.address()).client.expect_close(4408);
    let (mut a, b) = pair(house.address());
    a.message(1, "lost");
    b.client.reset();
    assert_eq!(a.expect("partner")["state"], "away");
    let undelivered = a.expect("undelivered");
    assert_eq!((&undelivered["from"], &undelivered["to"]), (&json!(1), &json!(1)));
    assert_eq!(a.expect("ended")["reason"], "partner_gone");
}
