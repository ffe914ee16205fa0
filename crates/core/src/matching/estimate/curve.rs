//! The survival curve: which part of all still waits after which time.
//!
//! Knows waits. Must not know when they were.
//!
//! E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete observations", 1958.

use std::time::Duration;

use super::{FEWEST, Interval};

/// What part of all is to be within an interval, and on which side of it at most how much.
const WITHIN: f64 = 0.8 - ROUNDING;
const BEFORE: f64 = 0.1 + ROUNDING;
/// Parts are sums of fractions.
const ROUNDING: f64 = 1e-9;

/// A wait, in 4 bytes: whole milliseconds, begun ones counted, at most 24 days; the lowest bit tells whether a match ended it.
///
/// At one time those who were matched come before those who left, as is usual for such curves: whoever
/// left then could not have been matched before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wait(u32);

impl Wait {
    pub(super) fn matched(waited: Duration) -> Self {
        Self(millis(waited) << 1)
    }

    pub(super) fn left(waited: Duration) -> Self {
        Self(millis(waited) << 1 | 1)
    }

    pub(super) fn is_match(self) -> bool {
        self.0 & 1 == 0
    }

    pub(super) fn millis(self) -> u32 {
        self.0 >> 1
    }
}

fn millis(time: Duration) -> u32 {
    time.as_nanos().div_ceil(1_000_000).min(u128::from(u32::MAX >> 1)) as u32
}

/// One time at which some were matched.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    millis: u32,
    /// The part of all that still waits right after.
    waiting: f64,
    /// How many matches there were from here on.
    matches: u32,
}

/// The curve, by its steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Curve(Vec<Step>);

impl Curve {
    pub(super) fn new(waits: impl Iterator<Item = Wait>) -> Self {
        let mut waits: Vec<_> = waits.collect();
        waits.sort_unstable();
        let mut steps = Vec::new();
        let (mut waiting, mut at_risk) = (1.0, waits.len());
        let mut matches = waits.iter().filter(|wait| wait.is_match()).count() as u32;
        for same in waits.chunk_by(|a, b| a == b) {
            if same[0].is_match() {
                waiting *= 1.0 - same.len() as f64 / at_risk as f64;
                steps.push(Step { millis: same[0].millis(), waiting, matches });
                matches -= same.len() as u32;
            }
            at_risk -= same.len();
        }
        Self(steps)
    }

    /// In which interval [`WITHIN`] of those will be matched who have waited so long already. `None` if too
    /// few were, or so many leave that the upper end isn't known.
    ///
    /// Where many are matched after the very same time (a threshold falls), no interval has exactly what is
    /// promised; it is the smallest one then that has more, with that time at one end.
    pub(super) fn interval(&self, waited: Duration) -> Option<Interval> {
        let first = self.0.partition_point(|step| step.millis <= millis(waited));
        let all = first.checked_sub(1).map_or(1.0, |before| self.0[before].waiting);
        let steps = &self.0[first..];
        if (steps.first()?.matches as usize) < FEWEST {
            return None;
        }
        // The part that has been matched before a step, and after it.
        let before = |at: usize| at.checked_sub(1).map_or(0.0, |at| 1.0 - steps[at].waiting / all);
        let after = |at: usize| 1.0 - steps[at].waiting / all;
        let last_where = |fits: &dyn Fn(usize) -> bool| (0..steps.len()).rev().find(|at| fits(*at));
        let from = last_where(&|at| before(at) <= BEFORE)?;
        let to = (from..steps.len()).find(|at| after(*at) - before(from) >= WITHIN)?;
        // That may be more than it takes, so the lower end can rise.
        let from = last_where(&|at| at <= to && after(to) - before(at) >= WITHIN)?;
        let [from, to] = [from, to].map(|at| Duration::from_millis(u64::from(steps[at].millis)));
        Some(Interval { from, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(matched: &[u64], left: &[u64]) -> Curve {
        let seconds = |list: &[u64], wait: fn(Duration) -> Wait| {
            list.iter().map(|at| wait(Duration::from_secs(*at))).collect::<Vec<_>>()
        };
        Curve::new(seconds(matched, Wait::matched).into_iter().chain(seconds(left, Wait::left)))
    }

    fn told(curve: &Curve, waited: u64) -> Option<(u64, u64)> {
        let interval = curve.interval(Duration::from_secs(waited))?;
        Some((interval.from.as_secs(), interval.to.as_secs()))
    }

    #[test]
    fn the_curve_is_kaplan_and_meiers() {
        // The example that every textbook has: 6 at risk, one left in between.
        let steps: Vec<_> = curve(&[1, 2, 2, 5, 6], &[2])
            .0
            .iter()
            .map(|step| (step.millis / 1000, step.waiting))
            .collect();
        let expected = [(1, 5.0 / 6.0), (2, 3.0 / 6.0), (5, 1.0 / 4.0), (6, 0.0)];
        for ((at, waiting), (expected_at, expected)) in steps.iter().zip(expected) {
            assert_eq!(*at, expected_at);
            assert!((waiting - expected).abs() < 1e-12, "{steps:?}");
        }
    }

    #[test]
    fn four_of_five_are_within_and_one_of_ten_on_each_side() {
        let hundred: Vec<_> = (1..=100).collect();
        assert_eq!(told(&curve(&hundred, &[]), 0), Some((11, 90)));
        assert_eq!(told(&curve(&hundred, &[]), 50), Some((56, 95)), "of those who wait longer");
        assert_eq!(told(&curve(&hundred, &[]), 71), None, "of fewer than 30 nothing is said");
        assert_eq!(told(&curve(&hundred, &[]), 70), Some((74, 97)));
    }

    #[test]
    fn who_left_would_have_waited_longer() {
        let hundred: Vec<_> = (1..=100).collect();
        // Half of those who wait longer than 50 s have left then, unmatched.
        let kept: Vec<_> = (1..=50).chain((51..=100).filter(|at| at % 2 == 0)).collect();
        let left = [50; 25];
        let (all, some) =
            (told(&curve(&hundred, &[]), 0).unwrap(), told(&curve(&kept, &left), 0).unwrap());
        assert!(all.1.abs_diff(some.1) <= 2 && all.0 == some.0, "{all:?} {some:?}");
        assert_eq!(told(&curve(&hundred[..60], &[61; 40]), 0), None, "the end isn't known");
    }

    #[test]
    fn many_at_one_time_widen_it_no_more_than_they_must() {
        let mut waits: Vec<_> = (1..=50).collect();
        waits.extend([60; 50]);
        // All from 21 s on, the many included, are four of five.
        assert_eq!(told(&curve(&waits, &[]), 0), Some((21, 60)));
        assert_eq!(told(&curve(&[10; 40], &[]), 0), Some((10, 10)));
    }

    #[test]
    fn of_fewer_than_thirty_nothing_is_said() {
        assert_eq!(told(&curve(&[3; 29], &[4; 100]), 0), None);
        assert_eq!(told(&curve(&[], &[]), 0), None);
    }
}
