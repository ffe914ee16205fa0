//! How often people come, and whether that has changed all of a sudden.
//!
//! Knows arrivals by the second. Must not know what becomes of them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Arrivals are counted in these, in milliseconds.
const BUCKET: u64 = 1000;

/// The last so many buckets are kept, 4 bytes each.
const BUCKETS: usize = 360;

/// So many buckets just past are compared with so many before them, by short spans for what is quick and
/// by long ones for what is rare.
const SPANS: [(usize, usize); 4] = [(3, 30), (10, 60), (30, 150), (60, 300)];

/// How unlikely a difference must be to count as a jump: twice the logarithm of how much better two rates
/// explain the counts than one does. 24 means once in a million comparisons by chance, so once in three days
/// or so.
const UNLIKELY: f64 = 24.0;

/// Counts of arrivals.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrivals {
    /// When the first bucket began; `None` before anybody came.
    start: Option<Instant>,
    /// The number of the last bucket since the start.
    number: u64,
    /// The last ones, the one under way included.
    counts: VecDeque<u32>,
    /// Since when the rate has been the same, as far as is known.
    steady_since: Option<Instant>,
    /// The bucket after which jumps were last looked for.
    looked_at: u64,
}

impl Arrivals {
    /// Somebody came.
    pub(super) fn came(&mut self, now: Instant) {
        if self.start.is_none() {
            self.start = Some(now);
            self.steady_since = Some(now);
            self.counts.push_back(0);
        }
        self.advance(now);
        if let Some(count) = self.counts.back_mut() {
            *count += 1;
        }
    }

    /// Since when the rate has been the same; `None` if nobody has ever come.
    pub(super) fn steady_since(&self) -> Option<Instant> {
        self.steady_since
    }

    /// How many seconds after the first arrival this is.
    pub(super) fn second(&self, now: Instant) -> u32 {
        let since = self.start.map(|start| now.saturating_duration_since(start));
        since.unwrap_or_default().as_secs().min(u64::from(u32::MAX)) as u32
    }

    /// Whether the rate has just jumped; all before it is forgotten then.
    pub(super) fn jumped(&mut self, now: Instant) -> bool {
        self.advance(now);
        if self.number == self.looked_at {
            return false;
        }
        self.looked_at = self.number;
        let Some(recent) = SPANS.iter().find_map(|spans| self.differs(*spans)) else {
            return false;
        };
        // The jump was at the beginning of the short span, or later.
        self.counts.drain(..self.counts.len() - 1 - recent);
        let since = self.number.saturating_sub(recent as u64) * BUCKET;
        self.steady_since = self.start.map(|start| start + Duration::from_millis(since));
        true
    }

    /// The short span, if what came in it isn't what the long one before it makes one expect.
    fn differs(&self, (recent, before): (usize, usize)) -> Option<usize> {
        // The bucket under way isn't full.
        let full = self.counts.len().saturating_sub(1);
        let before = before.min(full.checked_sub(recent)?);
        // Not before there is as much to compare with.
        if before < recent {
            return None;
        }
        let sum = |from: usize, to: usize| {
            self.counts.range(from..to).map(|n| f64::from(*n)).sum::<f64>()
        };
        let middle = full - recent;
        let counts = [sum(middle, full), sum(middle - before, middle)];
        let unlikely = deviance(counts, [recent as f64, before as f64]);
        (unlikely > UNLIKELY).then_some(recent)
    }

    fn advance(&mut self, now: Instant) {
        let Some(start) = self.start else { return };
        let number = now.saturating_duration_since(start).as_millis() as u64 / BUCKET;
        let passed = number.saturating_sub(self.number).min(BUCKETS as u64) as usize;
        self.number = self.number.max(number);
        self.counts.extend(std::iter::repeat_n(0, passed));
        let old = self.counts.len().saturating_sub(BUCKETS);
        self.counts.drain(..old);
    }
}

/// Twice the logarithm of the likelihood ratio of two Poisson rates against one: about the square of how
/// many standard deviations the counts are apart.
fn deviance(counts: [f64; 2], spans: [f64; 2]) -> f64 {
    let rate = (counts[0] + counts[1]) / (spans[0] + spans[1]);
    let part = |count: f64, span: f64| {
        if count > 0.0 { count * (count / (rate * span)).ln() } else { 0.0 }
    };
    2.0 * (part(counts[0], spans[0]) + part(counts[1], spans[1]))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a start to count from; later times are made up")]
mod tests {
    use super::*;

    /// So many a second, evenly, for so many seconds; when a jump was noticed, in seconds from the start.
    fn jumps(phases: &[(u64, u64)]) -> Vec<u64> {
        let (mut arrivals, start) = (Arrivals::default(), Instant::now());
        let (mut noticed, mut second) = (Vec::new(), 0);
        for (rate, seconds) in phases {
            for _ in 0..*seconds {
                for at in 0..*rate {
                    arrivals.came(start + Duration::from_millis(1000 * second + 1000 * at / rate));
                }
                second += 1;
                if arrivals.jumped(start + Duration::from_secs(second)) {
                    noticed.push(second);
                }
            }
        }
        noticed
    }

    #[test]
    fn a_steady_rate_never_jumps() {
        assert!(jumps(&[(3, 2000)]).is_empty());
        assert!(jumps(&[(1000, 500)]).is_empty());
    }

    #[test]
    fn a_jump_is_noticed_within_seconds_and_once() {
        for (phases, within) in [
            ([(3, 300), (20, 300)], 3),
            ([(20, 300), (3, 300)], 4),
            ([(1, 300), (5, 300)], 8),
            ([(3, 300), (0, 300)], 10),
            ([(1, 300), (0, 300)], 30),
        ] {
            let noticed = jumps(&phases);
            let jump = noticed.first().copied().unwrap_or(u64::MAX);
            assert!((300..=300 + within).contains(&jump), "{phases:?}: {noticed:?}");
            assert!(noticed.len() <= 2, "{phases:?}: {noticed:?}");
        }
    }

    #[test]
    fn all_before_a_jump_is_forgotten() {
        let (mut arrivals, start) = (Arrivals::default(), Instant::now());
        let at = |second: u64| start + Duration::from_secs(second);
        (0..100).for_each(|second| arrivals.came(at(second)));
        assert_eq!(arrivals.steady_since(), Some(start));
        (0..50).for_each(|_| arrivals.came(at(100)));
        assert!(arrivals.jumped(at(101)));
        assert_eq!(arrivals.steady_since(), Some(at(98)));
        assert!(arrivals.counts.len() <= 4, "{:?}", arrivals.counts);
    }

    #[test]
    fn a_long_silence_costs_nothing() {
        let (mut arrivals, start) = (Arrivals::default(), Instant::now());
        arrivals.came(start);
        arrivals.came(start + Duration::from_secs(1_000_000));
        assert!(arrivals.counts.len() <= BUCKETS);
    }

    #[test]
    fn the_deviance_is_about_the_square_of_standard_deviations() {
        // 130 where 100 are expected: three standard deviations.
        assert!((deviance([130.0, 100_000.0], [1.0, 1000.0]) - 8.2).abs() < 0.3);
        assert!(deviance([100.0, 1000.0], [1.0, 10.0]).abs() < 1e-9);
        assert_eq!(deviance([0.0, 0.0], [1.0, 1.0]), 0.0);
    }
}
