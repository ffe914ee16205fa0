//! A bar: a figure, and what it may be at most or must be at least.

use std::fmt;

use crate::peers::statistics::Spread;

/// What a median is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// A promise, and what was measured.
#[derive(Clone)]
pub(crate) struct Bar {
    what: String,
    measured: Option<Spread>,
    limit: Limit,
    /// What went wrong while it was measured.
    failures: Vec<String>,
}

impl Bar {
    /// What is measured and in which unit, the figures of all runs, and the limit.
    pub(crate) fn new(what: String, values: Vec<f64>, limit: Limit) -> Self {
        Self { what, measured: Spread::of(&values), limit, failures: Vec::new() }
    }

    /// The same, with what went wrong.
    pub(crate) fn failed(mut self, why: &[impl ToString]) -> Self {
        self.failures.extend(why.iter().map(ToString::to_string));
        self
    }

    /// Whether the median is within the limit, and nothing went wrong.
    pub(crate) fn is_kept(&self) -> bool {
        let within = self.measured.is_some_and(|Spread { median, .. }| match self.limit {
            Limit::AtMost(most) => median <= most,
            Limit::AtLeast(least) => median >= least,
        });
        within && self.failures.is_empty()
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_kept() { "pass" } else { "FAIL" };
        let (word, limit) = match self.limit {
            Limit::AtMost(limit) => ("at most", limit),
            Limit::AtLeast(limit) => ("at least", limit),
        };
        // Enough to tell it from the limit.
        let decimals = match limit {
            ..1.05 => 3,
            ..10.0 => 2,
            _ => 0,
        };
        write!(f, "{verdict}  {}: ", self.what)?;
        match self.measured {
            Some(measured) => write!(f, "{measured:.decimals$}")?,
            None => write!(f, "nothing")?,
        }
        write!(f, ", {word} {limit}")?;
        match self.failures.as_slice() {
            [] => Ok(()),
            [why, ..] => write!(f, "; {} runs failed: {why}", self.failures.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(values: &[f64], limit: Limit) -> Bar {
        Bar::new("cost".to_owned(), values.to_vec(), limit)
    }

    #[test]
    fn the_median_decides() {
        assert!(bar(&[1.0, 1.1, 5.0], Limit::AtMost(1.1)).is_kept());
        assert!(!bar(&[1.0, 1.2, 1.2], Limit::AtMost(1.1)).is_kept());
        assert!(bar(&[70.0, 80.0, 90.0], Limit::AtLeast(80.0)).is_kept());
        assert!(!bar(&[79.0], Limit::AtLeast(80.0)).is_kept());
        assert!(!bar(&[], Limit::AtMost(1.0)).is_kept());
        assert!(!bar(&[1.0], Limit::AtMost(2.0)).failed(&["it broke"]).is_kept());
    }

    #[test]
    fn a_line_says_everything() {
        let kept = bar(&[1.0, 1.05, 1.1], Limit::AtMost(1.1)).to_string();
        assert_eq!(kept, "pass  cost: 1.05 [1.02–1.08], at most 1.1");
        let lost = bar(&[2.0], Limit::AtMost(1.2)).failed(&["it broke"]).to_string();
        assert_eq!(lost, "FAIL  cost: 2.00 [2.00–2.00], at most 1.2; 1 runs failed: it broke");
    }
}
