//! Peers that are gone without a word, while something else keeps the server busy with them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::time::{Duration, Instant};

use common::client::{Client, Dial, pair};
use common::wire::{self, Event};
use common::{House, WAITING, eventually};
use vyoma_server::{Config, Timing};

const SILENCE: Duration = Duration::from_millis(1000);
const ANSWER: Duration = Duration::from_millis(300);
/// Far longer than the rest, so that what waits for it is told apart.
const WINDOW: Duration = Duration::from_secs(15);

fn house() -> House {
    House::with(|config| {
        config.heartbeat = SILENCE;
        config.timing = Timing {
            ping_answer: ANSWER,
            unacknowledged: ANSWER,
            fresh: SILENCE / 2,
            probe_answer: ANSWER,
            progress_window: WINDOW,
            ..Timing::default()
        };
    })
}

#[test]
fn the_defaults_notice_a_half_open_peer_in_under_40_s() {
    let Config { heartbeat, timing, .. } = Config::default();
    let worst = heartbeat + timing.ping_answer + timing.unacknowledged;
    assert!(worst < Duration::from_secs(40), "{worst:?}");
}

#[test]
fn what_was_written_to_it_since_hides_nobody() {
    let house = house();
    let (a, mut b) = pair(house.address());
    a.cut_the_cable();
    let cut = Instant::now();
    std::thread::sleep(SILENCE - ANSWER / 3);
    b.say("are you there?");
    b.expect_requeued();
    assert!(cut.elapsed() < WINDOW / 2, "{:?}", cut.elapsed());
    assert_eq!(house.counted("ping_timeout"), 1);
}

#[test]
fn a_second_ping_hides_nobody() {
    let house = house();
    let waiter = Client::join_waiting(house.address());
    waiter.cut_the_cable();
    let cut = Instant::now();
    // Into the time that the heartbeat's ping has: the newcomer has the waiter probed.
    std::thread::sleep(SILENCE + ANSWER / 3);
    let mut newcomer = Client::join(house.address());
    newcomer.expect(WAITING);
    eventually("it is given up", || house.counted("ping_timeout") == 1);
    assert!(cut.elapsed() < WINDOW / 2, "{:?}", cut.elapsed());
}

#[test]
fn a_dead_waiter_that_blocks_its_socket_is_not_handed_out() {
    let house = House::open();
    let mut waiter = Dial { receive_buffer: Some(4096), ..Dial::default() }.join(house.address());
    waiter.expect(WAITING);
    // The answers fill its socket, which it never reads.
    let flood = wire::ping(&[1; 125]).repeat(500);
    (0..400).for_each(|_| waiter.send(&flood));
    waiter.cut_the_cable();
    std::thread::sleep(Timing::default().fresh + Duration::from_secs(1));
    let mut newcomer = Client::join(house.address());
    assert_eq!(newcomer.hear(), Event::Text(WAITING.to_owned()));
    assert!(house.metric("vyoma_probes_total") > 0);
}

#[test]
fn whoever_answers_only_the_newest_ping_gets_through_its_fence() {
    let house = house();
    let (mut a, b) = pair(house.address());
    drop(b);
    a.expect_fence();
    a.say("still busy");
    let newest = a.expect_ping();
    a.send(&wire::pong(&newest));
    a.expect(WAITING);
}
