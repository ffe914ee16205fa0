//! Partners that go, in every way there is, and what the other one sees.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::Write;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use common::client::{Client, Dial, pair, upgrade_head};
use common::wire::{self, CONTINUATION, Event, TEXT};
use common::{CONNECTED, DISCONNECTED, House, WAITING, eventually};
use vyoma_server::Survivor;

/// The ways to go that need no patience.
#[derive(Debug, Clone, Copy)]
enum Exit {
    Close,
    Fin,
    Reset,
}

const EXITS: [Exit; 3] = [Exit::Close, Exit::Fin, Exit::Reset];

impl Exit {
    /// Sends `last` and goes, in one packet where TCP allows.
    fn take(self, mut client: Client, last: &[u8]) {
        match self {
            Exit::Close => client.send(&[last, &wire::close(1000, "")].concat()),
            Exit::Fin => {
                client.send(last);
                client.half_close();
            }
            Exit::Reset => {
                client.send(last);
                return client.reset();
            }
        }
        while !matches!(client.event(), Event::Fin | Event::Reset) {}
    }
}

#[test]
fn words_in_flight_arrive_before_the_notice() {
    let house = House::open();
    for exit in EXITS {
        let (a, mut b) = pair(house.address());
        let last: Vec<u8> =
            (0..500).flat_map(|n| wire::text(&format!("last words {n} by {exit:?}"))).collect();
        exit.take(a, &last);
        for n in 0..500 {
            b.expect(&format!("last words {n} by {exit:?}"));
        }
        b.expect_requeued();
        b.reset();
        house.expect_empty();
    }
}

#[test]
fn a_message_cut_in_its_middle_is_never_seen() {
    let house = House::open();
    let whole = wire::text("whole");
    let cut_frame = &wire::text("never seen")[..9];
    let cut_header = &wire::text(&"x".repeat(300))[..3];
    let cut_fragments = wire::frame(false, TEXT, b"never seen");
    for exit in EXITS {
        for cut in [cut_frame, cut_header, &cut_fragments] {
            // A Close can't stand within a frame; there it would be taken for payload.
            if matches!(exit, Exit::Close) && cut != cut_fragments {
                continue;
            }
            let (a, mut b) = pair(house.address());
            exit.take(a, &[&whole, cut].concat());
            b.expect("whole");
            b.expect_requeued();
            b.reset();
            house.expect_empty();
        }
    }
    assert!(house.counted("dropped_incomplete") > 0);
}

#[test]
fn half_a_close_is_a_leave() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    a.say("my last words");
    a.half_close();
    b.expect("my last words");
    b.expect_requeued();
    while !matches!(a.event(), Event::Fin | Event::Reset) {}
    assert_eq!(house.census().waiting, 1);
    assert_eq!(house.census().total(), 1);
}

#[test]
fn both_may_leave_at_once() {
    let house = House::open();
    for round in 0..60 {
        let (a, b) = pair(house.address());
        let (exit_a, exit_b) = (EXITS[round % 3], EXITS[round / 3 % 3]);
        let start = Arc::new(Barrier::new(2));
        let other = std::thread::spawn({
            let start = Arc::clone(&start);
            move || {
                start.wait();
                exit_b.take(b, &wire::text("from b"));
            }
        });
        start.wait();
        exit_a.take(a, &wire::text("from a"));
        other.join().unwrap();
        house.expect_empty();
        house.check().unwrap();
    }
}

/// A waiter goes at the very moment a newcomer comes: some microseconds after the last byte of the
/// newcomer's head, more each time, so that every step of its pairing is met in some round.
/// Whatever the newcomer is told, it isn't lost: the next one is paired with it.
#[test]
fn a_waiter_may_leave_while_it_is_being_paired() {
    const ROUNDS: u32 = 900;
    let house = House::open();
    let address = house.address();
    let head = upgrade_head("/", "");
    let (most, last) = head.as_bytes().split_at(head.len() - 1);
    for round in 0..ROUNDS {
        let exit = EXITS[round as usize % 3];
        let leaver = Client::join_waiting(address);
        let mut stream = Dial::default().open(address);
        stream.write_all(most).unwrap();
        stream.write_all(last).unwrap();
        spin(Duration::from_micros(u64::from(round % (ROUNDS / 3))));
        exit.take(leaver, &[]);
        let mut newcomer = Client::upgraded(stream);
        loop {
            match newcomer.hear() {
                Event::Text(words) if words == WAITING => break,
                Event::Text(words) if words == CONNECTED => newcomer.expect(DISCONNECTED),
                other => panic!("round {round}, {exit:?}: {other:?}"),
            }
        }
        let mut next = Client::join(address);
        next.expect(CONNECTED);
        newcomer.expect(CONNECTED);
        next.say("so we meet");
        newcomer.expect("so we meet");
        house.check().unwrap();
        next.reset();
        newcomer.reset();
        house.expect_empty();
    }
}

/// Passes some microseconds, more exactly than a sleep could.
fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

#[test]
fn a_waiter_that_leaves_is_never_handed_out() {
    let house = House::open();
    for exit in EXITS {
        let waiter = Client::join_waiting(house.address());
        exit.take(waiter, &wire::text("held in vain"));
        house.expect_empty();
        let mut next = Client::join_waiting(house.address());
        next.send(&wire::ping(b"nothing in between"));
        assert_eq!(next.event(), Event::Pong(b"nothing in between".to_vec()));
        next.reset();
        house.expect_empty();
    }
    assert_eq!(house.counted("dropped_held"), 3);
}

#[test]
fn survivors_are_queued_again_and_meet() {
    let house = House::open();
    let (a, mut b) = pair(house.address());
    let (c, mut d) = pair(house.address());
    a.leave();
    b.expect_requeued();
    c.reset();
    let fence = d.expect_fence();
    d.send(&wire::pong(&fence));
    d.expect(CONNECTED);
    b.expect(CONNECTED);
    b.say("so it goes");
    d.expect("so it goes");
    assert_eq!(house.census().talking, 2);
}

#[test]
fn words_before_the_fence_never_reach_the_next_partner() {
    let house = House::open();
    let (a, mut b) = pair(house.address());
    a.leave();
    let fence = b.expect_fence();
    let mut c = Client::join_waiting(house.address());
    assert_eq!(house.census().fenced, 1);

    b.say("for the old one");
    b.send(&wire::binary(b"for the old one, too"));
    b.send(&wire::pong(&fence));
    b.say("for the new one");
    c.expect(CONNECTED);
    c.expect("for the new one");
    b.expect(CONNECTED);
    c.say("hello");
    b.expect("hello");
    assert_eq!(house.counted("dropped_fenced"), 2);
}

/// Everything the survivor may have sent without knowing, in one write with the fence's answer.
#[test]
fn the_fence_holds_within_one_packet() {
    let house = House::open();
    let (a, mut b) = pair(house.address());
    a.reset();
    let fence = b.expect_fence();
    let old = wire::text("old").repeat(100);
    let packet = [old, wire::pong(&fence), wire::text("new"), wire::text("newer")].concat();
    b.send(&packet);
    b.expect(WAITING);
    let mut c = Client::join(house.address());
    c.expect(CONNECTED);
    c.expect("new");
    c.expect("newer");
    assert_eq!(house.counted("dropped_fenced"), 100);
}

#[test]
fn a_message_that_straddles_the_fence_is_dropped_whole() {
    let house = House::open();
    let (a, mut b) = pair(house.address());
    a.reset();
    let fence = b.expect_fence();
    b.send(&wire::frame(false, TEXT, b"begun for the old one, "));
    b.send(&wire::pong(&fence));
    b.send(&wire::frame(true, CONTINUATION, b"ended after"));
    b.say("clean");
    b.expect(WAITING);
    let mut c = Client::join(house.address());
    c.expect(CONNECTED);
    c.expect("clean");
    assert_eq!(house.counted("dropped_fenced"), 1);
}

#[test]
fn a_message_begun_before_the_partner_left_never_reaches_the_next() {
    let house = House::open();
    // By fragments, whose end comes after the fence.
    let (a, mut b) = pair(house.address());
    b.send(&wire::frame(false, TEXT, b"begun for the old one, "));
    b.send(&wire::ping(b"read"));
    assert_eq!(b.event(), Event::Pong(b"read".to_vec()));
    a.reset();
    let fence = b.expect_fence();
    b.send(&wire::pong(&fence));
    b.send(&wire::frame(true, CONTINUATION, b"ended after"));
    b.say("clean");
    b.expect(WAITING);
    let mut c = Client::join(house.address());
    c.expect(CONNECTED);
    b.expect(CONNECTED);
    c.expect("clean");

    // By a frame of which only a part had come.
    let cut = wire::text("begun for c, ended for d");
    b.send(&cut[..12]);
    c.reset();
    let fence = b.expect_fence();
    b.send(&[&cut[12..], &wire::pong(&fence), &wire::text("clean again")].concat());
    b.expect(WAITING);
    let mut d = Client::join(house.address());
    d.expect(CONNECTED);
    d.expect("clean again");
}

#[test]
fn only_the_right_pong_opens_the_fence() {
    let house = House::open();
    let (a, mut b) = pair(house.address());
    a.reset();
    let fence = b.expect_fence();
    b.send(&wire::pong(b"an answer to nothing"));
    b.say("still for the old one");
    b.send(&wire::ping(b"all read"));
    assert_eq!(b.event(), Event::Pong(b"all read".to_vec()));
    assert_eq!(house.census().fenced, 1);
    b.send(&wire::pong(&fence));
    b.expect(WAITING);
    assert_eq!(house.counted("dropped_fenced"), 1);
}

#[test]
fn a_fence_that_is_never_answered_closes_the_client() {
    let house = House::with(|config| config.timing.ping_answer = Duration::from_millis(300));
    let (a, mut b) = pair(house.address());
    a.reset();
    b.expect_fence();
    match b.event() {
        Event::Close(Some(1011), _) => {}
        other => panic!("{other:?}"),
    }
    drop(b);
    house.expect_empty();
    assert_eq!(house.counted("ping_timeout"), 1);
}

#[test]
fn a_fence_does_not_stand_for_ever_before_one_who_keeps_talking() {
    let house = House::with(|config| config.timing.fence = Duration::from_millis(500));
    let (a, mut b) = pair(house.address());
    a.reset();
    b.expect_fence();
    while !b.has_something_to_read() {
        b.say("anyone?");
    }
    match b.event() {
        Event::Close(Some(1011), _) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_survivor_may_leave_inside_its_fence() {
    let house = House::open();
    for exit in EXITS {
        let (a, mut b) = pair(house.address());
        a.reset();
        b.expect_fence();
        exit.take(b, &wire::text("too late"));
        house.expect_empty();
    }
}

#[test]
fn an_option_lets_survivors_stay_unpaired() {
    let house = House::with(|config| config.survivor = Survivor::Stay);
    let (a, mut b) = pair(house.address());
    a.leave();
    b.expect(DISCONNECTED);
    eventually("b is unpaired", || house.census().unpaired == 1);
    let mut c = Client::join_waiting(house.address());
    b.say("nobody hears this");
    b.send(&wire::ping(b"all read"));
    assert_eq!(b.hear(), Event::Pong(b"all read".to_vec()));
    assert_eq!(house.counted("dropped_unpaired") + house.counted("dropped_fenced"), 1);
    assert_eq!((house.census().unpaired, house.census().waiting), (1, 1));

    let mut d = Client::join(house.address());
    d.expect(CONNECTED);
    c.expect(CONNECTED);
    b.leave();
    eventually("b has gone", || house.census().total() == 2);
}
