//! The mode `rate`: messages at fixed times, whether the server keeps up or not.
//!
//! A message's latency counts from when it should have been sent, so a server that stalls is
//! charged for everything that would have come meanwhile (no coordinated omission), and so is a
//! generator that is late.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::run::Run;

/// When all messages are due: in equal steps, the pairs taking turns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    start: Instant,
    /// Messages a second.
    rate: u32,
    pairs: u32,
}

/// One pair's part of the schedule.
#[derive(Debug)]
pub(crate) struct Beat {
    schedule: Schedule,
    pair: u32,
    /// Messages that should have been sent by now.
    due: AtomicU32,
    waker: Mutex<Option<Waker>>,
}

impl Schedule {
    /// The beats of all pairs, from now on.
    pub(crate) fn begin(run: &Run) -> (Self, Vec<Arc<Beat>>) {
        let (start, rate, pairs) = (Instant::now(), run.options.rate, run.options.pairs);
        let schedule = Self { start, rate, pairs };
        let beat = |pair| Beat { schedule, pair, due: AtomicU32::new(0), waker: Mutex::default() };
        (schedule, (0..pairs).map(|pair| Arc::new(beat(pair))).collect())
    }

    /// How many messages should have been sent so far.
    fn due(&self, now: Instant) -> u64 {
        (now - self.start).as_nanos() as u64 / 1000 * u64::from(self.rate) / 1_000_000
    }

    fn time(&self, number: u64) -> Instant {
        self.start + Duration::from_nanos(number * 1_000_000_000 / u64::from(self.rate))
    }

    /// Wakes the pairs on time until the run is stopped. It never sleeps: timers are a hundred
    /// times too coarse.
    pub(crate) async fn keep(self, run: Arc<Run>, beats: Vec<Arc<Beat>>) {
        let mut told = 0;
        while !run.is_stopped() {
            let due = self.due(Instant::now());
            while told < due {
                beats[(told % u64::from(self.pairs)) as usize].strike();
                told += 1;
            }
            tokio::task::yield_now().await;
        }
        beats.iter().for_each(|beat| beat.wake());
    }
}

impl Beat {
    /// How many messages of this pair should have been sent by now; the task is woken when there
    /// are more.
    pub(crate) fn due(&self, cx: &mut Context<'_>) -> u32 {
        let mut waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        self.due.load(Relaxed)
    }

    /// When this message of the pair is due.
    pub(crate) fn time(&self, number: u32) -> Instant {
        let Schedule { pairs, .. } = self.schedule;
        self.schedule.time(u64::from(number) * u64::from(pairs) + u64::from(self.pair))
    }

    fn strike(&self) {
        self.due.fetch_add(1, Relaxed);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.lock().unwrap_or_else(PoisonError::into_inner) {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_due_in_equal_steps_and_by_turns() {
        let start = Instant::now();
        let schedule = Schedule { start, rate: 1000, pairs: 4 };
        assert_eq!(schedule.due(start), 0);
        assert_eq!(schedule.due(start + Duration::from_micros(5999)), 5);
        assert_eq!(schedule.due(start + Duration::from_secs(3600)), 3_600_000);
        let beat = Beat { schedule, pair: 3, due: AtomicU32::new(0), waker: Mutex::default() };
        assert_eq!(beat.time(0), start + Duration::from_millis(3));
        assert_eq!(beat.time(2), start + Duration::from_millis(11));
    }
}
