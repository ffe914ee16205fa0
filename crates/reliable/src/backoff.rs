//! When to connect again.
//!
//! Knows failures and waits. Must not know connections, or what they are for.

use std::time::{Duration, Instant};

use crate::Settings;

/// A connection that held so long has earned a quick retry.
const STABLE: Duration = Duration::from_secs(10);

/// The longest that a server's `retry_after_ms` is believed.
const MOST_TOLD: Duration = Duration::from_secs(3600);

/// ... and the shortest, so that "at once" makes no hot loop.
const LEAST_RETRY: Duration = Duration::from_millis(100);

/// Why a connection is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It broke, or was closed.
    Lost,
    /// One end broke the protocol: the next connection might go the same way.
    Trouble,
    /// The server has had enough of what we send (4429).
    Fault,
}

/// Counts failures, and draws the waits.
#[derive(Debug)]
pub(crate) struct Backoff {
    failures: u32,
    /// When the last try began.
    tried: Option<Instant>,
    /// The server's word: not before this.
    not_before: Option<Instant>,
    /// Since when the place is held on the present connection.
    held: Option<Instant>,
    /// Messages went through on it.
    progressed: bool,
    rng: fastrand::Rng,
}

impl Backoff {
    pub(crate) fn new(seed: u64) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        Self { failures: 0, tried: None, not_before: None, held: None, progressed: false, rng }
    }

    pub(crate) fn trying(&mut self, now: Instant) {
        (self.tried, self.held, self.progressed) = (Some(now), None, false);
    }

    /// The place is held on the new connection.
    pub(crate) fn held(&mut self, now: Instant) {
        self.held.get_or_insert(now);
    }

    /// A message went through.
    pub(crate) fn progressed(&mut self) {
        self.progressed = true;
    }

    /// The server wants nothing before so many milliseconds.
    pub(crate) fn told(&mut self, after_ms: u64, now: Instant) {
        self.not_before = Some(later(after_ms, now));
    }

    /// The connection is no more: when to try again. A connection that served its purpose ends the
    /// series of failures; one that only came up doesn't, or we would run in circles.
    pub(crate) fn lost(
        &mut self,
        cause: Cause,
        grace_ms: u64,
        settings: &Settings,
        now: Instant,
    ) -> Instant {
        let stable = self.held.is_some_and(|since| now.saturating_duration_since(since) >= STABLE);
        if stable || (self.held.is_some() && self.progressed && cause == Cause::Lost) {
            self.failures = 0;
        }
        let most = settings.backoff_most.min(Duration::from_millis(grace_ms / 4));
        let ceiling = settings.backoff_first.saturating_mul(1 << self.failures.min(16)).min(most);
        let fraction = settings.jitter.unwrap_or_else(|| self.rng.f64());
        let wait = match cause {
            Cause::Fault => most,
            _ => ceiling.mul_f64(fraction.clamp(0.0, 1.0)),
        };
        self.failures = self.failures.saturating_add(1);
        // A tenth of the first ceiling at least, so that the worst luck is no hot loop.
        self.allowed(now + wait.max(settings.backoff_first / 10))
    }

    /// The same for a connection that the server asked to replace: at once, if it served for a while.
    pub(crate) fn replaced(&mut self, grace_ms: u64, settings: &Settings, now: Instant) -> Instant {
        let wait = self.lost(Cause::Lost, grace_ms, settings, now);
        if self.failures == 1 { self.hurried(settings, now) } else { wait }
    }

    /// The earliest that a person's impatience may have: the first wait counts from the last try.
    pub(crate) fn hurried(&self, settings: &Settings, now: Instant) -> Instant {
        let calm = self.tried.map_or(now, |tried| tried + settings.backoff_first);
        self.allowed(calm.max(now))
    }

    fn allowed(&self, at: Instant) -> Instant {
        self.not_before.map_or(at, |not_before| at.max(not_before))
    }
}

/// So many milliseconds from now, as far as a server is believed.
pub(crate) fn later(after_ms: u64, now: Instant) -> Instant {
    now + Duration::from_millis(after_ms).min(MOST_TOLD)
}

/// The same for what is to be tried again.
pub(crate) fn retry(after_ms: u64, now: Instant) -> Instant {
    later(after_ms, now).max(now + LEAST_RETRY)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a time to count from")]
mod tests {
    use super::*;

    #[test]
    fn waits_are_spread_over_the_whole_range_below_a_doubling_ceiling() {
        let (settings, now) = (Settings::default(), Instant::now());
        let waits = |failures: u32| {
            (0..2_000_u64).map(move |seed| {
                let mut backoff = Backoff::new(seed);
                backoff.failures = failures;
                (backoff.lost(Cause::Lost, 60_000, &Settings::default(), now) - now).as_millis()
            })
        };
        for (failures, ceiling) in [(0, 500), (1, 1_000), (4, 8_000), (5, 15_000), (40, 15_000)] {
            assert!(waits(failures).all(|wait| (50..=ceiling).contains(&wait)));
            let long = waits(failures).filter(|wait| *wait > ceiling / 2).count();
            assert!((900..1_100).contains(&long), "{long} of 2000");
        }
        let mut backoff = Backoff::new(1);
        let longest = backoff.lost(Cause::Fault, 20_000, &settings, now) - now;
        assert_eq!(longest, Duration::from_secs(5));
    }

    #[test]
    fn a_server_is_believed_within_reason() {
        let now = Instant::now();
        assert_eq!(later(u64::MAX, now), now + MOST_TOLD);
        assert_eq!(retry(0, now), now + LEAST_RETRY);
    }
}
