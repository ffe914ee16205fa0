//! Ten thousand join and leave at random, in every way there is, and nobody is lost or misled.
//!
//! `SEED=n` repeats a run's plans (not its interleaving); `JOINERS=n` makes it shorter or longer.
//! What every client sees is judged by `ledger`, against what the others know they did.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod guest;
mod ledger;
mod plan;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use common::{House, eventually};
use ledger::Ledger;
use plan::Plan;

/// Clients connected at once: each takes two descriptors of this process.
const AT_ONCE: usize = 2_000;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_join_and_leave_at_random() {
    rlimit::increase_nofile_limit(4 * AT_ONCE as u64).expect("descriptors");
    let seed = from_environment("SEED").unwrap_or_else(rand::random);
    let joiners = from_environment("JOINERS").unwrap_or(10_000);
    println!("SEED={seed} JOINERS={joiners}");
    let house = House::open();
    let auditor = Auditor::start(&house);
    let ledger = Arc::new(Ledger::default());
    let stayers = run(&house, &ledger, seed, joiners).await;

    let checks = auditor.finish();
    println!("{stayers} stayed; the books were checked {checks} times; {}", ledger.summary());
    ledger.settle();
    assert!(joiners < 10_000 || house.counted("dropped_fenced") > 0, "no fence was ever used");
}

/// Lets them all come and go; returns how many stayed to the end.
async fn run(house: &House, ledger: &Arc<Ledger>, seed: u64, joiners: u64) -> usize {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let (home_time, waiting_for_it) = watch::channel(false);
    let mut leavers = JoinSet::new();
    let mut stayers = JoinSet::new();
    for id in 0..joiners {
        let plan = Plan::draw(seed, id);
        let place = Arc::clone(&places).acquire_owned().await.expect("a place");
        let tasks = if plan.is_stayer() { &mut stayers } else { &mut leavers };
        let visit = guest::visit(house.address(), plan, Arc::clone(ledger), waiting_for_it.clone());
        tasks.spawn(async move {
            visit.await;
            drop(place);
        });
        while let Some(done) = leavers.try_join_next() {
            done.expect("no guest was mistreated");
        }
    }
    while let Some(done) = leavers.join_next().await {
        done.expect("no guest was mistreated");
    }
    let staying = stayers.len();
    expect_all_paired(house, staying).await;
    home_time.send(true).expect("somebody stayed");
    while let Some(done) = stayers.join_next().await {
        done.expect("no guest was mistreated");
    }
    house.expect_empty();
    staying
}

/// Nobody is stuck: all talk, or exactly the odd one waits.
async fn expect_all_paired(house: &House, staying: usize) {
    let house = house.clone();
    let wait = move || {
        eventually("all who stayed are paired", || {
            let census = house.census();
            let settled = (census.talking, census.waiting) == (staying - staying % 2, staying % 2);
            settled && census.total() == staying
        });
    };
    tokio::task::spawn_blocking(wait).await.expect("nobody is stuck");
}

/// Checks the server's books all the time.
struct Auditor {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<u64>,
}

impl Auditor {
    fn start(house: &House) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (stop, house) = (Arc::clone(&stop), house.clone());
            move || {
                let mut checks = 0;
                while !stop.load(Ordering::Relaxed) {
                    let start = Instant::now();
                    house.check().expect("the books balance");
                    checks += 1;
                    // At most a tenth of one core goes into checking.
                    std::thread::sleep((start.elapsed() * 9).max(Duration::from_millis(1)));
                }
                checks
            }
        });
        Self { stop, thread }
    }

    fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the books always balanced")
    }
}
