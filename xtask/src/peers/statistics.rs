//! Medians and quartiles.

use std::fmt;

/// The middle of some values, and between what the middle half of them lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) lower: f64,
    pub(crate) median: f64,
    pub(crate) upper: f64,
}

impl Spread {
    /// Of these values; `None` if there are none.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let [lower, median, upper] = [0.25, 0.5, 0.75].map(|part| quantile(&sorted, part));
        Some(Self { lower: lower?, median: median?, upper: upper? })
    }
}

/// Between the two neighbours where it falls between them, in proportion (Hyndman and Fan's type 7,
/// as in R and NumPy).
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let at = part * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(below + (above - below) * at.fract())
}

impl fmt::Display for Spread {
    /// As `1.05 [1.03–1.08]`, with as many decimals as asked for, two by default.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(2);
        let Self { lower, median, upper } = self;
        write!(f, "{median:.decimals$} [{lower:.decimals$}–{upper:.decimals$}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_and_the_quartiles_around_it() {
        let spread = Spread::of(&[5.0, 1.0, 4.0, 2.0, 3.0]).unwrap();
        assert_eq!(spread, Spread { lower: 2.0, median: 3.0, upper: 4.0 });
        let spread = Spread::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!(spread, Spread { lower: 1.75, median: 2.5, upper: 3.25 });
        let spread = Spread::of(&[7.0]).unwrap();
        assert_eq!(spread, Spread { lower: 7.0, median: 7.0, upper: 7.0 });
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_spread_is_written_with_its_quartiles() {
        let spread = Spread { lower: 1.034, median: 1.05, upper: 1.078 };
        assert_eq!(spread.to_string(), "1.05 [1.03–1.08]");
        assert_eq!(format!("{spread:.0}"), "1 [1–1]");
    }
}
