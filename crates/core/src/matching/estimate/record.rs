//! Whether estimates have been right as often as they should.
//!
//! Knows intervals and what became of whom they were for. Must not know how they were made.

use std::collections::VecDeque;

use super::Interval;
use super::curve::Wait;

/// So many are remembered, the last ones.
const MOST: usize = 256;

/// Of fewer nothing is concluded.
const FEWEST: usize = 64;

/// Of so many at least the wait has to be within the interval. Eight of ten should be; that it is fewer than
/// this by chance, of so few that depend on each other, happens about once in a thousand.
const WITHIN: f64 = 0.68;

/// Whether each of the last tickets was matched within the interval of its time.
#[derive(Debug, Clone, Default)]
pub(super) struct Record(VecDeque<bool>);

impl Record {
    /// This became of somebody for whom it was this interval. Who left before its end tells nothing.
    pub(super) fn note(&mut self, interval: Interval, wait: Wait) {
        let waited = u128::from(wait.millis());
        let too_long = waited > interval.to.as_millis();
        if !wait.is_match() && !too_long {
            return;
        }
        self.0.push_back(!too_long && waited >= interval.from.as_millis());
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// Whether there is no reason to doubt.
    pub(super) fn holds(&self) -> bool {
        let within = self.0.iter().filter(|within| **within).count();
        self.0.len() < FEWEST || within as f64 >= WITHIN * self.0.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const INTERVAL: Interval =
        Interval { from: Duration::from_secs(2), to: Duration::from_secs(10) };

    fn record(matched: &[u64], left: &[u64], times: usize) -> Record {
        let mut record = Record::default();
        for _ in 0..times {
            matched
                .iter()
                .for_each(|at| record.note(INTERVAL, Wait::matched(Duration::from_secs(*at))));
            left.iter().for_each(|at| record.note(INTERVAL, Wait::left(Duration::from_secs(*at))));
        }
        record
    }

    #[test]
    fn it_holds_while_most_are_within_or_little_is_known() {
        assert!(record(&[2, 10, 5, 1], &[], 100).holds());
        assert!(!record(&[5, 10, 11, 1], &[], 100).holds());
        assert!(record(&[11, 1], &[], 31).holds(), "62 are too few to conclude from");
        assert!(!record(&[11, 1], &[], 32).holds());
    }

    #[test]
    fn who_left_in_time_tells_nothing_and_who_left_late_was_not_matched_in_time() {
        assert_eq!(record(&[], &[1, 9], 10).0.len(), 0);
        assert!(!record(&[5], &[11], 100).holds());
    }

    #[test]
    fn only_the_last_count() {
        let mut record = record(&[11], &[], 1000);
        assert!(!record.holds() && record.0.len() == MOST);
        (0..MOST).for_each(|_| record.note(INTERVAL, Wait::matched(Duration::from_secs(3))));
        assert!(record.holds());
    }
}
