//! Threshold schedules: what will do after which wait, as the command line writes it.
//!
//! Knows the notation of `--pool`. Must not know what comes of it.

use std::time::Duration;

use vyoma_core::matching::Relaxation;

/// The schedule of a scored pool for which no other is given (`crates/cli/src/pools.rs`).
pub const USUAL: &str = "400/300@500ms/180@1s/100@10s/0@20s";

/// One that lets people wait for a good match as long as they just about put up with.
pub const PATIENT: &str = "500/300@10s/100@20s/0@30s";

/// From thresholds as in `500/300@500ms/0@30s`. `None` if it makes no sense.
pub fn parse(text: &str) -> Option<Relaxation> {
    let step = |step: &str| {
        let (score, after) = step.split_once('@').unwrap_or((step, "0s"));
        let (number, unit) = match after.strip_suffix("ms") {
            Some(number) => (number, 1),
            None => (after.strip_suffix('s')?, 1000),
        };
        let millis = number.parse::<u64>().ok()?.checked_mul(unit)?;
        Some((Duration::from_millis(millis), score.parse().ok()?))
    };
    Relaxation::new(text.split('/').map(step).collect::<Option<_>>()?)
}

/// The same thresholds after waits that are so many times as long. `None` if they come to nothing.
pub fn stretched(relaxation: &Relaxation, times: f64) -> Option<Relaxation> {
    let steps = relaxation.steps().iter().map(|(after, score)| (after.mul_f64(times), *score));
    Relaxation::new(steps.collect())
}

/// One threshold for so long, and anybody from then on.
pub fn flat(threshold: u16, anybody: Duration) -> Option<Relaxation> {
    Relaxation::new(vec![(Duration::ZERO, threshold), (anybody, 0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read_and_nonsense_is_not() {
        let steps = [(0, 500), (10_000, 300), (20_000, 100), (30_000, 0)];
        let steps = steps.map(|(millis, score)| (Duration::from_millis(millis), score));
        assert_eq!(parse(PATIENT), Relaxation::new(steps.to_vec()));
        assert_eq!(parse(USUAL).unwrap().steps()[1], (Duration::from_millis(500), 300));
        for bad in ["", "x", "500/0", "500/0@10", "500@1s", "500/600@1s", "500/0@-1s", "500/0@0.5s"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn stretching_moves_the_times_only() {
        let long = stretched(&parse("500/300@10s/0@30s").unwrap(), 0.5);
        assert_eq!(long, parse("500/300@5s/0@15s"));
        assert_eq!(stretched(&parse("500/0@1s").unwrap(), 0.0), None);
        assert_eq!(flat(300, Duration::from_secs(20)), parse("300/0@20s"));
    }
}
