//! The figures as Markdown, and where they go in the page.
//!
//! What is outside the two marks was written by people, and stays.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::case::{Case, Kind, SETTLE};
use super::machine;
use super::peer::Peer;
use super::results::{CPU, EACH, GIVEN_BACK, P99, PER_SECOND, Results};
use super::statistics::Spread;

const BEGIN: &str = "<!-- The figures: written by `cargo xtask peers`, not by hand. -->\n";
const END: &str = "<!-- The end of the figures. -->\n";

/// The page with these figures instead of those that it has.
///
/// # Errors
/// If the page has not both marks, in their order.
pub(crate) fn with_figures(page: &str, figures: &str) -> Result<String> {
    let (before, rest) = page.split_once(BEGIN).context("the page has no mark for the figures")?;
    let (_, after) = rest.split_once(END).context("the page has no mark after the figures")?;
    Ok(format!("{before}{BEGIN}\n{figures}\n{END}{after}"))
}

/// Everything that was measured, as lines of Markdown.
pub(crate) fn figures(cases: &[&Case], results: &Results, rounds: u16, seconds: u32) -> String {
    let report = Report { cases, results };
    let mut text = machine::describe();
    let _ = writeln!(text, "- {rounds} interleaved rounds, {seconds} s each run; memory: 2 rounds");
    let sections = [report.cpu(), report.latency(), report.memory(), report.failures()];
    for section in sections.iter().filter(|section| !section.is_empty()) {
        let _ = write!(text, "\n{section}");
    }
    text
}

struct Report<'a> {
    cases: &'a [&'a Case],
    results: &'a Results,
}

impl Report<'_> {
    fn cpu(&self) -> String {
        self.compare(
            "The server's CPU time",
            "![Each server's CPU time as a multiple of the forwarder's](performance.svg)\n\n",
            "nanoseconds a message, or a session",
            CPU,
        )
    }

    fn latency(&self) -> String {
        self.compare("Latency, 99th percentile", "", "microseconds", P99)
    }

    /// A table of multiples, and one of the figures themselves.
    fn compare(&self, title: &str, plot: &str, unit: &str, figure: &str) -> String {
        let cases: Vec<_> = self.cases.iter().filter(|case| case.kind != Kind::Idle).collect();
        if cases.is_empty() {
            return String::new();
        }
        let mut multiples = head(&others());
        let mut medians = head(&Peer::ALL);
        for case in cases {
            let ratios = |peer| self.results.ratios(case.key, peer, figure);
            let values = |peer| self.results.values(case.key, peer, figure);
            row(&mut multiples, case.title, &others(), |peer| {
                self.cell(case, peer, Spread::of(&ratios(peer)).map(|s| s.to_string()))
            });
            row(&mut medians, case.title, &Peer::ALL, |peer| {
                let median = Spread::of(&values(peer)).map(|s| thousands(s.median));
                median.unwrap_or_else(|| "failed".to_owned())
            });
        }
        format!(
            "### {title}\n\n{plot}As a multiple of the forwarder's: median [quartiles] of the \
             rounds.\n\n{multiples}\nIn {unit}: medians.\n\n{medians}"
        )
    }

    /// What a run brought, with what went wrong besides.
    fn cell(&self, case: &Case, peer: Peer, figure: Option<String>) -> String {
        let Some(mut cell) = figure else { return "failed".to_owned() };
        let failed = self.results.failures(case.key, peer).len();
        if failed > 0 {
            let runs = self.results.count(case.key, peer);
            let _ = write!(cell, " ({failed} of {runs} runs failed)");
        }
        if let Kind::Rate(rate) = case.kind {
            let kept = Spread::of(&self.results.values(case.key, peer, PER_SECOND));
            if let Some(kept) = kept.filter(|kept| kept.median < 0.99 * rate) {
                let _ = write!(cell, " (only {} a second)", thousands(kept.median));
            }
        }
        cell
    }

    fn memory(&self) -> String {
        let Some(case) = self.cases.iter().find(|case| case.kind == Kind::Idle) else {
            return String::new();
        };
        let mut table = format!(
            "| server | bytes a connection | given back {SETTLE} s after they left | the same \
             number once more holds |\n| --- | --- | --- | --- |\n"
        );
        for peer in Peer::ALL {
            let median = |figure| Spread::of(&self.results.values(case.key, peer, figure));
            let each = median(EACH).map(|each| thousands(each.median));
            let back = median(GIVEN_BACK)
                .map_or_else(|| "—".to_owned(), |back| format!("{:.0} %", 100.0 * back.median));
            let again = Spread::of(&self.results.second_crowd(case.key, peer))
                .map_or_else(|| "—".to_owned(), |again| format!("{:.2} of that", again.median));
            let each = self.cell(case, peer, each);
            let _ = writeln!(table, "| {} | {each} | {back} | {again} |", peer.name());
        }
        format!(
            "### Memory, with {}\n\nThe server's own (anonymous) memory; what the kernel takes for \
             its sockets comes on top, the same for all.\n\n{table}",
            case.title
        )
    }

    fn failures(&self) -> String {
        let mut lines = String::new();
        for (case, peer) in self.cases.iter().flat_map(|c| Peer::ALL.map(|peer| (c, peer))) {
            let failures = self.results.failures(case.key, peer);
            if let Some(why) = failures.first() {
                let (failed, runs) = (failures.len(), self.results.count(case.key, peer));
                let (name, title) = (peer.name(), case.title);
                let _ = writeln!(lines, "- {name}, {title}: {failed} of {runs} runs, “{why}”");
            }
        }
        if lines.is_empty() { lines } else { format!("### What failed\n\n{lines}") }
    }
}

/// Those that are compared with the forwarder.
pub(crate) fn others() -> [Peer; 3] {
    [Peer::Vyoma, Peer::Node, Peer::Axum]
}

fn head(peers: &[Peer]) -> String {
    let names = peers.iter().map(|peer| format!(" {} |", peer.name())).collect::<String>();
    format!("| case |{names}\n|{}\n", " --- |".repeat(peers.len() + 1))
}

fn row(table: &mut String, title: &str, peers: &[Peer], cell: impl Fn(Peer) -> String) {
    let cells = peers.iter().map(|&peer| format!(" {} |", cell(peer))).collect::<String>();
    let _ = writeln!(table, "| {title} |{cells}");
}

/// `12345.6` as `12,346`.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::case::CASES;
    use super::super::results::Record;
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let page = format!("# Title\n\nprose\n\n{BEGIN}old\n{END}\nmore prose\n");
        let once = with_figures(&page, "new\n").unwrap();
        assert_eq!(once, format!("# Title\n\nprose\n\n{BEGIN}\nnew\n\n{END}\nmore prose\n"));
        assert_eq!(with_figures(&once, "new\n").unwrap(), once);
    }

    #[test]
    fn a_page_without_marks_is_left_alone() {
        for page in ["", BEGIN, END, &format!("{END}{BEGIN}")] {
            assert!(with_figures(page, "new\n").is_err(), "{page:?}");
        }
    }

    #[test]
    fn a_peer_that_fails_is_in_the_tables() {
        let (mut results, case) = (Results::default(), &CASES[0]);
        for (peer, cpu) in [(Peer::Forwarder, 1000.0), (Peer::Vyoma, 1100.0)] {
            let report = json!({ "server_cpu_ns_each": cpu, "latency_us": { "p99": 10.0 } });
            results.push(Record { case: case.key, peer, round: 0, outcome: Ok(report) });
        }
        let outcome = || Err("it lost a message".to_owned());
        for peer in [Peer::Node, Peer::Vyoma] {
            results.push(Record { case: case.key, peer, round: 1, outcome: outcome() });
        }
        let text = figures(&[case], &results, 2, 1);
        let row = "| 1.10 [1.10–1.10] (1 of 2 runs failed) | failed | failed |\n";
        assert!(text.contains(&format!("| {} {row}", case.title)), "{text}");
        assert!(text.contains("| 1,000 | 1,100 | failed | failed |\n"), "{text}");
        let line = format!("- Node ws, {}: 1 of 1 runs, “it lost a message”\n", case.title);
        assert!(text.contains(&line), "{text}");
    }

    #[test]
    fn long_numbers_are_grouped() {
        let written = [0.4, 12.0, 999.4, 1000.0, 1234567.8].map(thousands);
        assert_eq!(written, ["0", "12", "999", "1,000", "1,234,568"]);
    }
}
