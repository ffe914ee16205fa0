//! Who is there, and who only seems to be.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::Write;
use std::time::Duration;

use common::client::{Client, pair};
use common::wire::{self, Event};
use common::{CONNECTED, Chatter, House, WAITING, eventually};
use vyoma_server::Timing;

const SOON: Duration = Duration::from_millis(500);
/// Heard from within this time: no probe.
const FRESH: Duration = Duration::from_millis(500);
/// Longer than any test waits.
const NEVER: Duration = Duration::from_secs(3600);

/// A server that asks after 0.5 s of silence and takes 0.5 s for an answer.
fn impatient() -> House {
    House::with(|config| {
        config.heartbeat = SOON;
        config.timing.ping_answer = SOON;
    })
}

/// A server that probes whoever was silent for 0.5 s.
fn probing(answer: Duration) -> House {
    House::with(|config| {
        config.timing = Timing { fresh: FRESH, probe_answer: answer, ..Timing::default() };
    })
}

/// Lets a client be silent for long enough to be doubted: no event tells of silence.
fn fall_silent() {
    std::thread::sleep(FRESH + FRESH / 4);
}

#[test]
fn a_half_open_partner_is_noticed() {
    let house = impatient();
    let (a, mut b) = pair(house.address());
    a.cut_the_cable();
    b.expect_requeued();
    assert_eq!(house.counted("ping_timeout"), 1);
    drop(a);
}

#[test]
fn a_half_open_waiter_is_noticed() {
    let house = impatient();
    let waiter = Client::join_waiting(house.address());
    waiter.cut_the_cable();
    eventually("the waiter was given up", || house.counted("ping_timeout") == 1);
    eventually("it is out of the books", || house.census().waiting == 0);
    Client::join_waiting(house.address());
}

#[test]
fn a_client_that_answers_no_ping_is_closed() {
    let house = impatient();
    let (mut a, mut b) = pair(house.address());
    let partner = std::thread::spawn(move || {
        b.expect_requeued();
        b
    });
    a.expect_ping();
    match a.event() {
        Event::Close(Some(1011), why) => assert!(!why.is_empty()),
        other => panic!("{other:?}"),
    }
    partner.join().unwrap();
    assert_eq!(house.counted("ping_timeout"), 1);
}

#[test]
fn a_client_that_answers_its_pings_stays() {
    let house = impatient();
    let (mut a, mut b) = pair(house.address());
    for _ in 0..4 {
        for client in [&mut a, &mut b] {
            let payload = client.expect_ping();
            client.send(&wire::pong(&payload));
        }
    }
    a.say("still here");
    b.expect("still here");
    assert_eq!(house.counted("ping_timeout"), 0);
}

#[test]
fn a_silent_waiter_is_probed_and_the_newcomer_hears_nothing_meanwhile() {
    let house = probing(NEVER);
    let mut a = Client::join_waiting(house.address());
    fall_silent();
    let mut b = Client::join(house.address());
    let probe = a.expect_ping();
    b.send(&wire::ping(b"are you there?"));
    assert_eq!(b.event(), Event::Pong(b"are you there?".to_vec()));
    b.expect_silence();
    a.send(&wire::pong(&probe));
    b.expect(CONNECTED);
    a.expect(CONNECTED);
}

#[test]
fn words_of_a_newcomer_are_held_while_the_waiter_is_probed() {
    let house = probing(NEVER);
    let mut a = Client::join_waiting(house.address());
    fall_silent();
    let mut b = Client::join(house.address());
    let probe = a.expect_ping();
    b.say("early");
    b.send(&wire::ping(b"read"));
    assert_eq!(b.event(), Event::Pong(b"read".to_vec()));
    a.send(&wire::pong(&probe));
    a.expect(CONNECTED);
    a.expect("early");
    b.expect(CONNECTED);
}

#[test]
fn a_newcomer_may_leave_while_the_waiter_is_probed() {
    let house = probing(NEVER);
    let mut a = Client::join_waiting(house.address());
    for round in 0..3 {
        fall_silent();
        let b = Client::join(house.address());
        let probe = a.expect_ping();
        b.reset();
        eventually("the newcomer has gone", || house.census().total() == 1);
        a.send(&wire::pong(&probe));
        a.send(&wire::ping(&[round]));
        assert_eq!(a.hear(), Event::Pong(vec![round]), "a was told nothing of it");
        eventually("a waits again", || house.census().waiting == 1);
    }
    fall_silent();
    let mut c = Client::join(house.address());
    let probe = a.expect_ping();
    a.send(&wire::pong(&probe));
    c.expect(CONNECTED);
    a.expect(CONNECTED);
}

#[test]
fn a_waiter_may_leave_while_it_is_probed() {
    let house = probing(NEVER);
    let mut a = Client::join_waiting(house.address());
    fall_silent();
    let mut b = Client::join(house.address());
    a.expect_ping();
    a.reset();
    b.expect(WAITING);
}

#[test]
fn a_dead_waiter_is_never_handed_out() {
    let house = probing(SOON);
    let dead = Client::join_waiting(house.address());
    dead.cut_the_cable();
    fall_silent();
    let mut b = Client::join(house.address());
    b.expect(WAITING);
    let mut c = Client::join(house.address());
    b.expect(CONNECTED);
    c.expect(CONNECTED);
    c.say("we are alive");
    b.expect("we are alive");
}

/// Those who come while a dead waiter is probed are not lost behind it.
#[test]
fn newcomers_meet_each_other_past_a_dead_waiter() {
    let house = probing(SOON);
    let dead = Client::join_waiting(house.address());
    dead.cut_the_cable();
    fall_silent();
    let talk = |_| {
        let address = house.address();
        std::thread::spawn(move || {
            let mut client = Client::join(address);
            loop {
                match client.hear() {
                    Event::Text(words) if words == WAITING => {}
                    Event::Text(words) if words == CONNECTED => break,
                    other => panic!("{other:?}"),
                }
            }
            client.say("hello");
            client.expect("hello");
            client
        })
    };
    let newcomers: Vec<_> = (0..4).map(talk).collect();
    let clients: Vec<_> = newcomers.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(house.census().talking, clients.len());
}

#[test]
fn only_the_newest_ping_is_answered() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    let pings: Vec<u8> = (0..1000u32).flat_map(|n| wire::ping(&n.to_be_bytes())).collect();
    a.send(&pings);
    a.say("after the pings");
    b.expect("after the pings");
    let mut answered = Vec::new();
    while answered.last() != Some(&999) {
        match a.event() {
            Event::Pong(payload) => {
                answered.push(u32::from_be_bytes(payload.try_into().unwrap()));
            }
            other => panic!("after {} pongs: {other:?}", answered.len()),
        }
    }
    assert!(answered.is_sorted_by(|one, next| one < next), "{answered:?}");
    assert!(answered.len() < 500, "{} pongs to 1000 pings", answered.len());
}

/// A client pings as fast as it can and reads nothing: that costs its partner nothing.
#[test]
fn a_ping_flood_that_never_reads_harms_nobody() {
    let house = House::open();
    let healthy = Chatter::start(house.address());
    let (mut flood, mut partner) = pair(house.address());
    let packet: Vec<u8> = wire::ping(&[b'x'; 125]).repeat(500);
    for _ in 0..500 {
        // The server may have lost patience with it, and that is fine, too.
        if flood.stream.write_all(&packet).is_err() {
            break;
        }
    }
    partner.send(&wire::ping(b"untouched"));
    assert_eq!(partner.event(), Event::Pong(b"untouched".to_vec()));
    flood.reset();
    partner.expect_requeued();
    healthy.finish();
}
