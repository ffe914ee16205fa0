//! The figures as Markdown, and where they go in the page.
//!
//! Knows studies. Must not know how they were made. What is outside the two marks was written by
//! people, and stays.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use crate::figures::Figures;
use crate::study::{Matcher, Study, TABLED};

/// Where figures are in the page: between two lines.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    begin: &'static str,
    end: &'static str,
}

/// Where those of the quality are.
pub const QUALITY: Place = Place {
    begin: "<!-- The figures: written by `cargo run --release -p vyoma-traces -- --write`. -->\n",
    end: "<!-- The end of the figures. -->\n",
};

/// Where those of the estimates are.
pub const ESTIMATES: Place = Place {
    begin: "<!-- Estimates: written by `cargo run --release -p vyoma-traces -- --estimates --write`. -->\n",
    end: "<!-- The end of the estimates. -->\n",
};

impl Place {
    /// The page with these figures instead of those that it has.
    ///
    /// # Errors
    /// If the page has not both lines, in their order.
    pub fn with_figures(&self, page: &str, figures: &str) -> Result<String> {
        let Self { begin, end } = self;
        let (before, rest) =
            page.split_once(begin).context("the page has no mark for the figures")?;
        let (_, after) = rest.split_once(end).context("the page has no mark after the figures")?;
        Ok(format!("{before}{begin}\n{figures}\n{end}{after}"))
    }
}

/// What is asked of ours at 3 and at 20 a second: at least so much of the batch's quality, at less than
/// so much of its median wait.
pub const BAR: (f64, f64) = (0.9, 0.2);

/// The worlds to which the bar applies.
const BARRED: [&str; 2] = ["3 a second", "20 a second"];

/// Everything that came out, as lines of Markdown.
pub fn figures(studies: &[Study], seeds: &[u64]) -> String {
    let mut text = format!("Medians over the seeds {seeds:?}.\n");
    for study in studies {
        let _ = write!(text, "\n### {}\n\n{}", capital(study.title), table(study));
        let _ = writeln!(text, "\n{}", beside_the_batch(study));
    }
    text
}

/// Whether ours is as good as it is asked to be where it is asked.
pub fn meets_the_bar(studies: &[Study]) -> bool {
    studies.iter().filter(|study| BARRED.contains(&study.title)).all(|study| {
        let (quality, wait) = ratios(study);
        quality >= BAR.0 && wait < BAR.1
    })
}

fn table(study: &Study) -> String {
    let mut table =
        "| matcher | quality | of the best | mean wait | p50 | p95 | p99 | unmatched | \
                     passed over |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for row in study.rows.iter().filter(|row| TABLED.contains(&row.matcher)) {
        let Figures { quality, mean, p50, p95, p99, unmatched, bypassed } =
            Figures::median(&row.figures);
        let share = study.ratio(&row.matcher, &Matcher::Optimum, |figures| figures.quality);
        let bypassed =
            if row.matcher == Matcher::Optimum { "—".to_owned() } else { bypassed.to_string() };
        let _ = writeln!(
            table,
            "| {} | {:.1} | {:.1} % | {mean:.1} s | {p50:.2} s | {p95:.1} s | {p99:.1} s | {:.1} % | {bypassed} |",
            row.matcher.title(),
            quality / 1000.0,
            100.0 * share,
            100.0 * unmatched,
        );
    }
    table
}

fn beside_the_batch(study: &Study) -> String {
    let (quality, wait) = ratios(study);
    let mut text = format!(
        "Ours has {:.0} % of the batch's quality at {:.0} % of its median wait.",
        100.0 * quality,
        100.0 * wait
    );
    if BARRED.contains(&study.title) {
        let _ = write!(
            text,
            " Asked for: at least {:.0} % at less than {:.0} %.",
            100.0 * BAR.0,
            100.0 * BAR.1
        );
    }
    if study.doubt > 0.0 {
        let _ = write!(text, " The best may be up to {:.2} % better.", 100.0 * study.doubt);
    }
    text
}

fn ratios(study: &Study) -> (f64, f64) {
    let ratio = |figure| study.ratio(&Matcher::Usual, &Matcher::Batch, figure);
    (ratio(|figures| figures.quality), ratio(|figures| figures.p50))
}

fn capital(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::Row;

    /// Ours beside a batch of 1000 and 10 s, and an optimum of 2000.
    fn study(title: &'static str, quality: f64, p50: f64) -> Study {
        let figures = |quality, p50| {
            let rest = Figures::median(&[Figures::new(&Default::default(), &Vec::new(), &[])]);
            vec![Figures { quality, p50, ..rest }]
        };
        let row = |matcher, quality, p50| Row { matcher, figures: figures(quality, p50) };
        let rows = vec![
            row(Matcher::Usual, quality, p50),
            row(Matcher::Batch, 1000.0, 10.0),
            row(Matcher::Optimum, 2000.0, 0.0),
        ];
        Study { title, rows, doubt: 0.0 }
    }

    #[test]
    fn the_bar_is_met_only_where_both_figures_meet_it() {
        for (quality, p50, met) in
            [(900.0, 1.9, true), (899.0, 1.9, false), (900.0, 2.0, false), (1100.0, 1.0, true)]
        {
            assert_eq!(meets_the_bar(&[study("3 a second", quality, p50)]), met, "{quality} {p50}");
        }
        assert!(meets_the_bar(&[study("0.5 a second", 1.0, 99.0)]), "nothing is asked there");
    }

    #[test]
    fn the_table_has_shares_and_what_is_in_doubt() {
        let mut study = study("20 a second", 950.0, 1.5);
        let text = figures(std::slice::from_ref(&study), &[1]);
        assert!(text.contains("(the default) | 0.9 | 47.5 % |"), "{text}");
        assert!(text.contains("95 % of the batch's quality at 15 % of its median wait."), "{text}");
        assert!(!text.contains("may be up to"));
        study.doubt = 0.0123;
        assert!(figures(&[study], &[1]).contains("up to 1.23 % better"));
    }

    #[test]
    fn only_what_is_between_the_marks_changes() {
        for place in [QUALITY, ESTIMATES] {
            let Place { begin, end } = place;
            let page = format!("# Title\n\nprose\n\n{begin}old\n{end}\nmore prose\n");
            let once = place.with_figures(&page, "new\n").unwrap();
            assert_eq!(once, format!("# Title\n\nprose\n\n{begin}\nnew\n\n{end}\nmore prose\n"));
            assert_eq!(place.with_figures(&once, "new\n").unwrap(), once);
            for page in ["", begin, end, &format!("{end}{begin}")] {
                assert!(place.with_figures(page, "new\n").is_err(), "{page:?}");
            }
        }
    }
}
