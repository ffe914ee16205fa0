//! What will do in a scored pool, by the time somebody has waited.
//!
//! Knows thresholds and waits. Must not know tickets or scores.

use std::time::Duration;

/// How much a score must be at least, by waiting time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relaxation(Vec<(Duration, u16)>);

impl Relaxation {
    /// Steps: from so long on, a score of so many thousandths will do. `None` unless the first is for a
    /// wait of 0, the times rise, and the scores fall.
    pub fn new(steps: Vec<(Duration, u16)>) -> Option<Self> {
        let begins = steps.first().is_some_and(|(after, _)| after.is_zero());
        let relaxes = steps.is_sorted_by(|(a, high), (b, low)| a < b && high > low);
        (begins && relaxes).then_some(Self(steps))
    }

    /// From which wait on which score will do.
    pub fn steps(&self) -> &[(Duration, u16)] {
        &self.0
    }

    /// What will do after this wait.
    pub fn threshold(&self, waited: Duration) -> u16 {
        let step = self.0.iter().rev().find(|(after, _)| *after <= waited);
        step.map_or(1000, |(_, threshold)| *threshold)
    }

    /// After which wait the next step comes.
    pub fn next(&self, waited: Duration) -> Option<Duration> {
        self.0.iter().map(|(after, _)| *after).find(|after| *after > waited)
    }

    /// How many steps have been taken after this wait.
    pub fn step(&self, waited: Duration) -> usize {
        self.0.iter().take_while(|(after, _)| *after <= waited).count().saturating_sub(1)
    }

    /// The shortest time between two steps, and the time of the last; `None` if there is but one.
    pub(super) fn pace(&self) -> Option<(Duration, Duration)> {
        let gaps = self.0.windows(2).map(|pair| pair[1].0 - pair[0].0);
        Some((gaps.min()?, self.0.last()?.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_fall_step_by_step() {
        let seconds = Duration::from_secs;
        let relaxation =
            Relaxation::new(vec![(seconds(0), 500), (seconds(10), 100), (seconds(30), 0)]);
        let relaxation = relaxation.expect("it falls");
        for (waited, threshold, next, step) in
            [(0, 500, Some(10), 0), (9, 500, Some(10), 0), (10, 100, Some(30), 1), (30, 0, None, 2)]
        {
            let waited = seconds(waited);
            assert_eq!(relaxation.threshold(waited), threshold);
            assert_eq!(relaxation.next(waited), next.map(seconds));
            assert_eq!(relaxation.step(waited), step);
        }
        assert_eq!(relaxation.pace(), Some((seconds(10), seconds(30))));
        for bad in [vec![], vec![(1, 500)], vec![(0, 500), (0, 100)], vec![(0, 500), (9, 500)]] {
            let steps = bad.into_iter().map(|(after, threshold)| (seconds(after), threshold));
            assert_eq!(Relaxation::new(steps.collect()), None);
        }
    }
}
