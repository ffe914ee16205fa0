//! What all connections of one run share: the options, the messages, and the tally.
//!
//! Everything runs on one thread; locks and atomics are there for the compiler, and never waited
//! for.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::fault::Fault;
use super::message::Template;
use super::options::BenchOptions;

/// The longest latency that is told apart, in nanoseconds: a minute.
const LONGEST: u64 = 60_000_000_000;

/// Significant decimal digits of latencies.
const DIGITS: u8 = 3;

/// One run of the generator.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) options: BenchOptions,
    pub(crate) template: Template,
    ids: AtomicU32,
    stopped: AtomicBool,
    tally: Mutex<Tally>,
}

/// What has arrived.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Messages, or whole sessions.
    pub(crate) count: u64,
    /// Latencies in nanoseconds, while they are measured.
    pub(crate) latencies: Histogram<u64>,
    pub(crate) measuring: bool,
    /// Clients whose only message has arrived, a bit each, in the mode `sessions`.
    heard: Vec<u64>,
}

impl Run {
    pub(crate) fn new(options: BenchOptions) -> anyhow::Result<Self> {
        let latencies = Histogram::new_with_bounds(1, LONGEST, DIGITS)?;
        Ok(Self {
            template: Template::new(options.text, options.size.0, options.raw),
            options,
            ids: AtomicU32::new(0),
            stopped: AtomicBool::new(false),
            tally: Mutex::new(Tally { count: 0, latencies, measuring: false, heard: Vec::new() }),
        })
    }

    /// A number for the next connection.
    pub(crate) fn next_id(&self) -> u32 {
        self.ids.fetch_add(1, Relaxed)
    }

    /// Tells everybody to finish what they are at, and begin nothing.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    /// Counts messages, or sessions, that took this long.
    pub(crate) fn add(&mut self, count: u32, latency: Duration) {
        self.count += u64::from(count);
        if self.measuring {
            let nanos = u64::try_from(latency.as_nanos()).unwrap_or(LONGEST);
            self.latencies.saturating_record_n(nanos, u64::from(count));
        }
    }

    /// Notes that this client's message has arrived: once, and not at itself.
    pub(crate) fn claim(&mut self, sender: Option<u32>, receiver: u32) -> Result<(), Fault> {
        let sender = sender.filter(|sender| *sender != receiver).ok_or(Fault::Unknown)? as usize;
        let (word, bit) = (sender / 64, 1 << (sender % 64));
        if self.heard.len() <= word {
            self.heard.resize(word + 1, 0);
        }
        if self.heard[word] & bit != 0 {
            return Err(Fault::Unknown);
        }
        self.heard[word] |= bit;
        Ok(())
    }
}
