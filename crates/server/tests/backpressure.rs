//! Clients that read slowly, or not at all.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::Read;
use std::time::{Duration, Instant};

use common::client::{Client, Dial, pair_by};
use common::wire::{self, Event};
use common::{Chatter, DISCONNECTED, House, eventually};

/// No byte taken for this long: TCP is full from end to end.
const CALM: Duration = Duration::from_millis(500);
/// Longer than any test waits.
const NEVER: Duration = Duration::from_secs(3600);

/// The n-th message: 32 KiB that say which they are.
fn message(n: u64) -> Vec<u8> {
    let mut bytes = vec![n as u8; 32 * 1024];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    bytes
}

fn pair_with_small_reader(house: &House) -> (Client, Client) {
    let small = Dial { receive_buffer: Some(8 * 1024), ..Dial::default() };
    pair_by(Dial::default(), small, house.address())
}

#[test]
fn a_slow_reader_slows_its_sender_and_gets_everything() {
    let house = House::with(|config| config.timing.progress_window = NEVER);
    let (mut a, mut b) = pair_with_small_reader(&house);
    let begun = a.send_until_stalled(CALM, |n| wire::binary(&message(n)));

    let sender = std::thread::spawn(move || {
        a.send_rest();
        for n in begun..begun + 50 {
            a.send(&wire::binary(&message(n)));
        }
        a.say("the end");
        a
    });
    for n in 0..begun + 50 {
        b.expect_binary(&message(n));
    }
    b.expect("the end");
    sender.join().unwrap();
}

/// Being paused for the partner's sake isn't silence, and neither is what a full socket holds up.
#[test]
fn a_paused_sender_is_not_judged_by_heartbeat() {
    let heartbeat = Duration::from_secs(1);
    let house = House::with(|config| {
        config.heartbeat = heartbeat;
        config.timing.ping_answer = heartbeat;
    });
    let (mut a, mut b) = pair_with_small_reader(&house);
    // Stalled for twice as long as a heartbeat takes to judge.
    let begun = a.send_until_stalled(4 * heartbeat, |n| wire::binary(&message(n)));
    let sender = std::thread::spawn(move || {
        a.send_rest();
        a.say("the end");
        a
    });
    for n in 0..begun {
        b.expect_binary(&message(n));
    }
    b.expect("the end");
    assert_eq!(house.counted("ping_timeout"), 0);
    sender.join().unwrap();
}

/// The other direction of a stalled conversation goes on.
#[test]
fn one_full_direction_does_not_stall_the_other() {
    let house = House::with(|config| config.timing.progress_window = NEVER);
    let (mut a, mut b) = pair_with_small_reader(&house);
    a.send_until_stalled(CALM, |n| wire::binary(&message(n)));
    for n in 0..100 {
        let words = format!("backwards {n}");
        b.say(&words);
        a.expect(&words);
    }
}

#[test]
fn a_client_that_never_reads_is_closed_and_its_partner_queued_again() {
    let house = House::with(|config| config.timing.progress_window = Duration::from_secs(1));
    let (mut a, mut b) = pair_with_small_reader(&house);
    for n in 0.. {
        a.send(&wire::binary(&message(n)));
        if a.has_something_to_read() {
            break;
        }
    }
    a.expect_requeued();
    assert_eq!(house.counted("not_reading"), 1);
    assert_eq!(house.census().waiting, 1);

    // What it didn't read before comes whole and in order, then the end.
    let mut expected = 0;
    loop {
        match b.event() {
            Event::Binary(bytes) => assert!(bytes == message(expected), "message {expected}"),
            Event::Ping(_) => continue,
            Event::Close(code, _) => {
                assert_eq!(code, Some(1008));
                break;
            }
            Event::Fin | Event::Reset => break,
            other => panic!("{other:?}"),
        }
        expected += 1;
    }
}

/// A reader that takes little, but more than 1 KiB/s, is left alone.
#[test]
fn a_reader_that_makes_progress_is_left_alone() {
    let window = Duration::from_secs(1);
    let house = House::with(|config| config.timing.progress_window = window);
    let (mut a, mut b) = pair_with_small_reader(&house);
    let begun = a.send_until_stalled(CALM / 5, |n| wire::binary(&message(n)));
    // Three windows long, 64 KiB at a time, ten times a second: slow, not dead.
    let until = Instant::now() + 3 * window;
    let mut some = vec![0; 64 * 1024];
    let mut read = Vec::new();
    while Instant::now() < until {
        let n = b.stream.read(&mut some).unwrap();
        assert!(n > 0, "closed after {} bytes", read.len());
        read.extend_from_slice(&some[..n]);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(house.counted("not_reading"), 0, "it had read {} bytes", read.len());
    let mut decoder = wire::Decoder::default();
    decoder.feed(&read);
    let messages = std::iter::from_fn(|| decoder.next());
    let messages = messages.filter(|event| !matches!(event, Event::Ping(_)));
    for (n, event) in messages.enumerate() {
        assert!(event == Event::Binary(message(n as u64)), "message {n} of {begun}");
    }
}

#[test]
fn forty_deaf_pairs_leave_a_healthy_one_alone() {
    let house = House::with(|config| config.timing.progress_window = Duration::from_secs(5));
    let healthy = Chatter::start(house.address());
    let deaf: Vec<_> = (0..40)
        .map(|_| {
            let (mut a, b) = pair_with_small_reader(&house);
            a.send_until_stalled(Duration::from_millis(50), |n| wire::binary(&message(n)));
            (a, b)
        })
        .collect();
    eventually("all deaf readers were given up", || house.counted("not_reading") == 40);
    healthy.finish();
    for (mut a, b) in deaf {
        drop(b);
        assert_eq!(a.event(), Event::Text(DISCONNECTED.to_owned()));
        a.reset();
    }
    house.expect_empty();
}
