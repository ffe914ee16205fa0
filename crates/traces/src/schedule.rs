//! Threshold schedules: what will do after which wait, as the command line writes it.
//!
//! Knows the notation of `--pool`. Must not know what comes of it.

use std::time::Duration;

use vyoma_core::matching::Relaxation;

/// The schedule of a scored pool for which no other is given (`crates/cli/src/pools.rs`).
pub const USUAL: &str = "500/300@10s/100@20s/0@30s";

/// From thresholds as in `500/300@10s/0@30s`; the times may have fractions. `None` if it makes no sense.
pub fn parse(text: &str) -> Option<Relaxation> {
    let step = |step: &str| {
        let (score, after) = step.split_once('@').unwrap_or((step, "0s"));
        let seconds: f64 = after.strip_suffix('s')?.parse().ok()?;
        Some((Duration::try_from_secs_f64(seconds).ok()?, score.parse().ok()?))
    };
    Relaxation::new(text.split('/').map(step).collect::<Option<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read_and_nonsense_is_not() {
        let steps = [(0, 500), (10_000, 300), (20_000, 100), (30_000, 0)];
        let steps = steps.map(|(millis, score)| (Duration::from_millis(millis), score));
        assert_eq!(parse(USUAL), Relaxation::new(steps.to_vec()));
        assert_eq!(parse("500/0@0.5s").unwrap().steps()[1].0, Duration::from_millis(500));
        for bad in ["", "x", "500/0", "500/0@10", "500@1s", "500/600@1s", "500/0@-1s"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
