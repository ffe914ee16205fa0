//! A crowd that comes and goes: it is counted, and its memory is given back.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use common::client::Client;
use common::{House, eventually};

/// More than are worth giving memory back for, on the one worker.
const CROWD: usize = 300;

static GIVEN_BACK: AtomicUsize = AtomicUsize::new(0);

#[test]
fn memory_is_given_back_once_most_of_a_crowd_has_left() {
    let house = House::with(|config| {
        config.workers = 1;
        config.timing.crowd = Duration::from_millis(20);
        config.give_memory_back = || {
            GIVEN_BACK.fetch_add(1, Relaxed);
        };
    });
    let mut crowd: Vec<_> = (0..CROWD).map(|_| Client::join(house.address())).collect();
    assert_eq!(house.metric("vyoma_connections_accepted_total"), CROWD as u64);
    assert_eq!(GIVEN_BACK.load(Relaxed), 0, "nobody has left");
    crowd.drain(..).for_each(Client::reset);
    house.expect_empty();
    eventually("memory is given back", || GIVEN_BACK.load(Relaxed) > 0);
    // A few who come and go are no crowd.
    let before = GIVEN_BACK.load(Relaxed);
    (0..10).map(|_| Client::join(house.address())).for_each(Client::reset);
    house.expect_empty();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(GIVEN_BACK.load(Relaxed), before);
}
