//! How the server goes: told to drain, it lets conversations finish, and loses no words it read.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::Write;
use std::time::{Duration, Instant};

use common::client::{Client, Dial, pair, pair_by, upgrade_head};
use common::wire::{self, Event};
use common::{DISCONNECTED, House, eventually, http};

/// How much longer than its drain timeout a server may take.
const GRACE: Duration = Duration::from_secs(5);

fn draining_for(timeout: Duration) -> House {
    House::with(|config| config.drain_timeout = timeout)
}

/// Waits for the server to be closed, and says how long that took.
fn time_to_close(house: &House) -> Duration {
    let start = Instant::now();
    house.wait();
    start.elapsed()
}

#[test]
fn a_draining_server_answers_http_but_takes_nobody() {
    let house = draining_for(Duration::from_secs(60));
    let (a, b) = pair(house.address());
    let mut unfinished = Dial::default().open(house.address());
    unfinished.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n").unwrap();
    assert_eq!(http::get(house.address(), "/readyz", "").status, 200);
    house.drain();
    let not_ready = http::get(house.address(), "/readyz", "");
    assert_eq!(not_ready.status, 503, "{not_ready:?}");
    assert!(not_ready.header("retry-after").is_some(), "{not_ready:?}");
    assert_eq!(http::get(house.address(), "/healthz", "").status, 200);
    assert_eq!(http::get(house.address(), "/metrics", "").status, 200);
    let refused = http::ask(house.address(), upgrade_head("/", "").as_bytes());
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");

    let head = upgrade_head("/", "");
    let rest = head.split_once("Host: localhost\r\n").unwrap().1;
    unfinished.write_all(rest.as_bytes()).unwrap();
    assert_eq!(http::answer(&mut unfinished).unwrap().status, 503);

    a.leave();
    drop(b);
    house.wait();
    assert_eq!(house.census().total(), 0);
}

#[test]
fn a_waiter_is_closed_1001_with_a_reason() {
    let house = draining_for(Duration::from_secs(60));
    let mut waiter = Client::join_waiting(house.address());
    house.drain();
    assert!(!waiter.expect_close(1001).is_empty());
    house.wait();
}

#[test]
fn a_survivor_inside_its_fence_is_closed_1001() {
    let house = draining_for(Duration::from_secs(60));
    let (a, mut b) = pair(house.address());
    a.reset();
    b.expect_fence();
    house.drain();
    b.expect_close(1001);
    house.wait();
}

#[test]
fn conversations_may_finish_and_survivors_are_not_queued_again() {
    let house = draining_for(Duration::from_secs(60));
    let (mut a, mut b) = pair(house.address());
    let (mut c, mut d) = pair(house.address());
    house.drain();
    a.say("let me finish");
    b.expect("let me finish");
    c.say("us, too");
    d.expect("us, too");
    for (leaver, mut survivor) in [(a, b), (c, d)] {
        leaver.leave();
        survivor.expect(DISCONNECTED);
        survivor.expect_close(1001);
    }
    house.wait();
    assert_eq!(house.census().total(), 0);
}

#[test]
fn after_the_timeout_conversations_are_closed_1001() {
    let timeout = Duration::from_millis(500);
    let house = draining_for(timeout);
    let (mut a, mut b) = pair(house.address());
    house.drain();
    a.say("last words");
    b.expect("last words");
    let both = std::thread::spawn(move || {
        a.expect_close(1001);
        b.expect_close(1001);
    });
    assert!(time_to_close(&house) < timeout + GRACE);
    both.join().unwrap();
}

#[test]
fn nobody_can_hold_the_server_up() {
    let timeout = Duration::from_millis(500);
    let house = draining_for(timeout);
    let small = Dial { receive_buffer: Some(8 * 1024), ..Dial::default() };
    let (mut a, b) = pair_by(Dial::default(), small, house.address());
    a.send_until_stalled(Duration::from_millis(100), |_| wire::binary(&[1; 32 * 1024]));
    let (c, d) = pair(house.address());
    c.cut_the_cable();
    let waiter = Client::join_waiting(house.address());
    waiter.cut_the_cable();
    let silent = Dial::default().open(house.address());
    house.drain();
    let took = time_to_close(&house);
    assert!(took < timeout + GRACE, "{took:?}");
    drop((a, b, c, d, waiter, silent));
}

#[test]
fn the_second_signal_stops_at_once() {
    let house = draining_for(Duration::from_secs(3600));
    let (mut a, mut b) = pair(house.address());
    house.drain();
    a.say("still here");
    b.expect("still here");
    house.stop();
    assert!(time_to_close(&house) < GRACE);
    for mut client in [a, b] {
        while !matches!(client.event(), Event::Fin | Event::Reset) {}
    }
}

#[test]
fn an_empty_server_drains_at_once() {
    let house = draining_for(Duration::from_secs(3600));
    house.drain();
    assert!(time_to_close(&house) < GRACE);
}

/// Words in full flow when time is up: what the server has read and counted as relayed reaches the
/// reading partner, in order and without a hole, before the Close.
#[test]
fn under_load_every_relayed_message_arrives_before_the_close() {
    let house = draining_for(Duration::from_millis(500));
    let pairs: Vec<_> = (0..20).map(|_| pair(house.address())).collect();
    let threads: Vec<_> = pairs
        .into_iter()
        .map(|(a, b)| (std::thread::spawn(|| talk(a)), std::thread::spawn(|| listen(b))))
        .collect();
    eventually("words are in flow", || house.relayed() > 1_000);
    house.drain();
    let took = time_to_close(&house);
    assert!(took < Duration::from_millis(500) + GRACE, "{took:?}");
    let mut heard = 0;
    for (talker, listener) in threads {
        talker.join().unwrap();
        heard += listener.join().unwrap();
    }
    assert_eq!(heard, house.relayed(), "relayed, but not heard");
}

/// Sends numbers until the server takes no more.
fn talk(mut client: Client) {
    for n in 0u64.. {
        let words = format!("{n} {}", "x".repeat(n as usize % 500));
        if client.stream.write_all(&wire::text(&words)).is_err() {
            return;
        }
    }
}

/// Reads numbers without a hole until the Close; returns how many.
fn listen(mut client: Client) -> u64 {
    let mut next = 0;
    loop {
        match client.hear() {
            Event::Text(words) => {
                assert!(words.starts_with(&format!("{next} ")), "{next} expected, got {words}");
                next += 1;
            }
            Event::Close(code, _) => {
                assert_eq!(code, Some(1001));
                return next;
            }
            other => panic!("{other:?} after {next}"),
        }
    }
}
