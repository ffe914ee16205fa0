//! What a matcher's outcome comes to.
//!
//! Knows fates and scores. Must not know which matcher it was.

use std::time::Duration;

use crate::{Outcome, Trace};

/// The figures of one outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// The sum of the scores of all pairs, in thousandths.
    pub quality: f64,
    /// The mean wait of those who were matched, in seconds.
    pub mean: f64,
    /// The wait of those who were matched, in seconds, that half of them did not exceed.
    pub p50: f64,
    /// The same for 95 of 100.
    pub p95: f64,
    /// The same for 99 of 100.
    pub p99: f64,
    /// The part of all who left without a partner.
    pub unmatched: f64,
    /// The most that anybody was passed over.
    pub bypassed: f64,
}

impl Figures {
    /// Of an outcome, and how often each was passed over in it.
    pub fn new(trace: &Trace, outcome: &Outcome, bypasses: &[u32]) -> Self {
        let mut waits: Vec<_> = matched(trace, outcome).map(|(wait, _)| wait).collect();
        waits.sort_unstable();
        let twice: u64 = matched(trace, outcome).map(|(_, score)| u64::from(score)).sum();
        let wait = |part| quantile(&waits, part).unwrap_or_default().as_secs_f64();
        let people = outcome.len().max(1) as f64;
        let waited: Duration = waits.iter().sum();
        Self {
            quality: twice as f64 / 2.0,
            mean: waited.as_secs_f64() / waits.len().max(1) as f64,
            p50: wait(0.50),
            p95: wait(0.95),
            p99: wait(0.99),
            unmatched: (outcome.len() - waits.len()) as f64 / people,
            bypassed: f64::from(bypasses.iter().copied().max().unwrap_or_default()),
        }
    }

    /// The median of each figure over several outcomes.
    ///
    /// # Panics
    /// If there is none.
    pub fn median(all: &[Self]) -> Self {
        let median = |figure: fn(&Self) -> f64| median(all.iter().map(figure).collect());
        Self {
            quality: median(|figures| figures.quality),
            mean: median(|figures| figures.mean),
            p50: median(|figures| figures.p50),
            p95: median(|figures| figures.p95),
            p99: median(|figures| figures.p99),
            unmatched: median(|figures| figures.unmatched),
            bypassed: median(|figures| figures.bypassed),
        }
    }
}

/// The wait and the score of each who was matched.
fn matched(trace: &Trace, outcome: &Outcome) -> impl Iterator<Item = (Duration, u16)> {
    outcome.iter().enumerate().filter_map(|(who, fate)| {
        let wait = fate.end - trace.arrivals[who].at;
        fate.partner.map(|partner| (wait, trace.score(who, partner)))
    })
}

/// The smallest value that at least this part of them doesn't exceed.
pub fn quantile<T: Copy>(sorted: &[T], part: f64) -> Option<T> {
    let place = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied()
}

/// The middle one; of an even number the mean of both.
///
/// # Panics
/// If there is none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}
