//! Counters: one block per worker, written by that worker only, folded when scraped.
//!
//! Each block has a single writer, so an increment is a plain load and store: no shared cache
//! line is fought over, however many workers there are. Knows numbers only, not what they mean.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use vyoma_protocol::Reason;
use vyoma_protocol::handshake::Refusal;

/// What is counted besides the [`Reason`]s and [`Refusal`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Counter {
    /// TCP connections accepted.
    Accepted,
    /// WebSocket handshakes completed.
    Upgraded,
    /// Requests that were not upgrades, answered by HTTP.
    HttpRequests,
    /// Refused connections that were not even answered, since too many were being answered.
    RefusedSilently,
    /// `accept` failed for want of descriptors or memory.
    AcceptFailed,
    /// Conversations begun.
    ConversationsStarted,
    /// Conversations ended.
    ConversationsEnded,
    /// Conversations of another process that were gone on with here.
    ConversationsAdopted,
    /// Seats that were taken again.
    Resumed,
    /// Messages relayed from one partner to the other.
    MessagesRelayed,
    /// Payload bytes of those messages.
    BytesRelayed,
    /// Bytes that a client did not take before its connection was closed.
    BytesUnsent,
    /// Bytes that a client still sent when its connection was being closed.
    BytesDiscarded,
    /// Waiters that were probed before a newcomer was given to them.
    Probes,
    /// Probes that were not answered in time.
    ProbesFailed,
    /// Decision logs that ended before the server did.
    DecisionLogsEnded,
}

impl Counter {
    /// How many there are.
    pub(crate) const COUNT: usize = Self::DecisionLogsEnded as usize + 1;
}

/// Upper bounds of the pairing-wait histogram, in seconds; a last bucket takes the rest.
pub(crate) const WAIT_BUCKETS: [f64; 10] =
    [0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 1800.0];

/// How many waits fell into each bucket of [`WAIT_BUCKETS`], then those above.
pub(crate) type Waits = [u64; WAIT_BUCKETS.len() + 1];

/// The bucket of a wait.
pub(crate) fn wait_bucket(wait: Duration) -> usize {
    WAIT_BUCKETS.partition_point(|bound| *bound < wait.as_secs_f64())
}

/// One worker's counters.
pub(crate) struct Counters {
    counts: [AtomicU64; Counter::COUNT],
    closed: Vec<AtomicU64>,
    refused: Vec<AtomicU64>,
    waits: [AtomicU64; WAIT_BUCKETS.len() + 1],
    wait_micros: AtomicU64,
}

impl Counters {
    fn new() -> Self {
        Self {
            counts: Default::default(),
            closed: Reason::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
            refused: Refusal::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
            waits: Default::default(),
            wait_micros: AtomicU64::new(0),
        }
    }
}

thread_local! {
    static MINE: RefCell<Option<Arc<Counters>>> = const { RefCell::new(None) };
}

/// Adds `n` to a counter of the worker this thread is. Does nothing on other threads.
pub(crate) fn add(counter: Counter, n: u64) {
    with_mine(|mine| bump(&mine.counts[counter as usize], n));
}

/// Counts messages relayed to a partner, and their payload bytes.
pub(crate) fn relayed(messages: u64, bytes: u64) {
    with_mine(|mine| {
        bump(&mine.counts[Counter::MessagesRelayed as usize], messages);
        bump(&mine.counts[Counter::BytesRelayed as usize], bytes);
    });
}

/// Counts `n` closes or drops of this reason.
pub(crate) fn reason(reason: Reason, n: u64) {
    with_mine(|mine| bump(&mine.closed[reason as usize], n));
}

/// Counts a connection refused before it became a WebSocket.
pub(crate) fn refusal(refusal: Refusal) {
    with_mine(|mine| bump(&mine.refused[refusal as usize], 1));
}

/// Records how long a client waited for its partner.
pub(crate) fn pairing_wait(wait: Duration) {
    let bucket = wait_bucket(wait);
    with_mine(|mine| {
        bump(&mine.waits[bucket], 1);
        bump(&mine.wait_micros, u64::try_from(wait.as_micros()).unwrap_or(u64::MAX));
    });
}

fn with_mine(act: impl FnOnce(&Counters)) {
    MINE.with_borrow(|mine| {
        if let Some(mine) = mine {
            act(mine);
        }
    });
}

fn bump(cell: &AtomicU64, n: u64) {
    cell.store(cell.load(Relaxed).wrapping_add(n), Relaxed);
}

/// All workers' counters.
#[derive(Default)]
pub(crate) struct Registry {
    workers: Mutex<Vec<Arc<Counters>>>,
}

/// The sums over all workers at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Totals {
    counts: [u64; Counter::COUNT],
    closed: Vec<u64>,
    refused: Vec<u64>,
    /// Pairings per bucket of [`WAIT_BUCKETS`], then those above.
    pub(crate) waits: Waits,
    /// The sum of all waits, in seconds.
    pub(crate) wait_seconds: f64,
}

impl Totals {
    /// The sum of one counter.
    pub(crate) fn get(&self, counter: Counter) -> u64 {
        self.counts[counter as usize]
    }

    /// How often this reason was the cause of a close or a drop.
    pub(crate) fn reason(&self, reason: Reason) -> u64 {
        self.closed[reason as usize]
    }

    /// How many connections were refused for this.
    pub(crate) fn refusal(&self, refusal: Refusal) -> u64 {
        self.refused[refusal as usize]
    }
}

impl Registry {
    /// Makes this thread a counting worker.
    pub(crate) fn enlist(&self) {
        let counters = Arc::new(Counters::new());
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&counters));
        MINE.set(Some(counters));
    }

    /// Folds all workers' counters.
    pub(crate) fn totals(&self) -> Totals {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |pick: &dyn Fn(&Counters) -> u64| workers.iter().map(|w| pick(w)).sum::<u64>();
        Totals {
            counts: std::array::from_fn(|i| sum(&|w| w.counts[i].load(Relaxed))),
            closed: (0..Reason::ALL.len()).map(|i| sum(&|w| w.closed[i].load(Relaxed))).collect(),
            refused: (0..Refusal::ALL.len())
                .map(|i| sum(&|w| w.refused[i].load(Relaxed)))
                .collect(),
            waits: std::array::from_fn(|i| sum(&|w| w.waits[i].load(Relaxed))),
            wait_seconds: sum(&|w| w.wait_micros.load(Relaxed)) as f64 / 1e6,
        }
    }
}
