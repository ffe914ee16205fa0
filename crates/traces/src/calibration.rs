//! How often estimates of the waiting time turn out right.
//!
//! Knows what became of whom, and the estimator. Must not know how either works.

use std::time::{Duration, Instant};

use vyoma_core::matching::estimate::{Estimator, Interval};

use crate::{Outcome, Trace};

/// An estimate somebody was given, and what became of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told {
    /// When they came.
    pub at: Duration,
    /// What they were told; `None` if nothing.
    pub interval: Option<Interval>,
    /// How long they waited.
    pub waited: Duration,
    /// Whether a match ended it; else they left.
    pub matched: bool,
}

/// What happens to somebody; at one time in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Comes,
    Asks,
    Ends,
}

/// Plays what became of whom to an estimator, and asks it for an estimate for each who still waits after so
/// long: after 0, for each who isn't matched on arrival.
#[expect(clippy::disallowed_methods, reason = "a start to count from; later times are made up")]
pub fn told(trace: &Trace, outcome: &Outcome, asked_after: Duration) -> Vec<Told> {
    let start = Instant::now();
    let mut events: Vec<_> = outcome
        .iter()
        .enumerate()
        .flat_map(|(who, fate)| {
            let at = trace.arrivals[who].at;
            [
                (at, Event::Comes, who),
                (at + asked_after, Event::Asks, who),
                (fate.end, Event::Ends, who),
            ]
        })
        .collect();
    events.sort_unstable();
    let (mut estimator, mut all) = (Estimator::new(), Vec::new());
    for (time, event, who) in events {
        let (now, at) = (start + time, trace.arrivals[who].at);
        let (waited, matched) = (outcome[who].end - at, outcome[who].partner.is_some());
        match event {
            Event::Comes => estimator.joined(now),
            Event::Asks if waited > asked_after => {
                let interval = estimator.estimate(asked_after, now);
                all.push(Told { at, interval, waited, matched });
            }
            Event::Asks => {}
            Event::Ends if matched => estimator.matched(waited, now),
            Event::Ends => estimator.left(waited, now),
        }
    }
    all
}

/// How estimates turned out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// How many estimates it is about.
    pub estimates: usize,
    /// The part of those who came, and were told something, that was matched within the interval.
    pub within: f64,
    /// The part that was matched before it.
    pub before: f64,
    /// The part that left unmatched, before it could be known.
    pub left: f64,
    /// The mean of the intervals' lengths, in seconds.
    pub width: f64,
}

/// How the first so many estimates turned out that were given.
///
/// Who leaves is *censored*: when they would have been matched isn't known, and leaving them out would
/// favour short waits. So each who was matched stands for all like them who left before they could be: it
/// counts `1 / G(t)`, where `G(t)` is the part of all that hasn't left before its wait `t` by the
/// Kaplan-Meier curve of leaving (inverse probability of censoring weighting; J. M. Robins and A.
/// Rotnitzky, 1992). The sum over those within their interval, over the number of *all* estimates, is the
/// part within.
pub fn calibration(all: &[Told], most: usize) -> Calibration {
    let given = all.iter().filter_map(|told| Some((told, told.interval?)));
    let mut given: Vec<_> = given.take(most).collect();
    // At one time matches come before leaves: who leaves then was still there.
    given.sort_by_key(|(told, _)| (told.waited, !told.matched));
    let estimates = given.len();
    let (mut still_there, mut within, mut before, mut left) = (1.0, 0.0, 0.0, 0.0);
    for (at, (told, interval)) in given.iter().enumerate() {
        if !told.matched {
            left += 1.0;
            still_there *= 1.0 - 1.0 / (estimates - at) as f64;
        } else if begun_millis(told.waited) < interval.from.as_millis() {
            before += 1.0 / still_there;
        } else if begun_millis(told.waited) <= interval.to.as_millis() {
            within += 1.0 / still_there;
        }
    }
    let part = |sum: f64| sum / estimates.max(1) as f64;
    let width: Duration = given.iter().map(|(_, interval)| interval.to - interval.from).sum();
    Calibration {
        estimates,
        within: part(within),
        before: part(before),
        left: part(left),
        width: part(width.as_secs_f64()),
    }
}

/// Estimates are in whole milliseconds, begun ones counted.
fn begun_millis(time: Duration) -> u128 {
    time.as_nanos().div_ceil(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Told 2 to 8 s each.
    fn told(waited: u64, matched: bool) -> Told {
        let [from, to, waited] = [2, 8, waited].map(Duration::from_secs);
        Told { at: Duration::ZERO, interval: Some(Interval { from, to }), waited, matched }
    }

    #[test]
    fn without_leavers_it_is_the_plain_share() {
        let all: Vec<_> = (1..=10).map(|waited| told(waited, true)).collect();
        let found = calibration(&all, 99);
        assert!((found.within - 0.7).abs() < 1e-9 && (found.before - 0.1).abs() < 1e-9);
        assert_eq!((found.estimates, found.left, found.width), (10, 0.0, 6.0));
        assert_eq!(calibration(&all, 4).estimates, 4);
    }

    #[test]
    fn who_is_matched_stands_for_those_who_left_before() {
        // One of two leaves at 1 s; the others would have been within by half.
        let mut all = vec![told(1, false); 4];
        all.extend([told(3, true), told(5, true), told(9, true), told(10, true)]);
        let found = calibration(&all, 99);
        assert!((found.within - 0.5).abs() < 1e-9, "{found:?}");
        assert_eq!(found.left, 0.5);
    }

    #[test]
    fn who_was_told_nothing_is_not_counted() {
        let silent = Told { interval: None, ..told(3, true) };
        assert_eq!(calibration(&[silent; 3], 9).estimates, 0);
    }
}
