//! The open pool, first in, first out: how many join and are matched a second, on one core.
//!
//! `cargo bench -p vyoma-core --bench queue`. An item is one join or one match, so two who are matched are three.

#![allow(clippy::disallowed_methods, reason = "a time to count from")]

use std::time::{Duration, Instant};

use divan::Bencher;
use divan::counter::ItemsCount;
use vyoma_core::matching::{Patience, Pool, Step};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pairs in one iteration.
const PAIRS: usize = 1000;

fn main() {
    divan::main();
}

#[divan::bench]
fn joins_and_matches(bencher: Bencher<'_, '_>) {
    let patience = Patience { fresh: Duration::from_secs(2), answer: Duration::from_secs(2) };
    let (mut pool, now) = (Pool::new(patience), Instant::now());
    bencher.counter(ItemsCount::new(3 * PAIRS)).bench_local(|| {
        for _ in 0..PAIRS {
            let first = pool.join(now);
            assert_eq!(pool.step(first, now), Step::Wait(None));
            let second = pool.join(now);
            assert_eq!(pool.step(second, now), Step::Pair(first));
        }
        assert!(pool.take_orders().is_empty());
    });
}
