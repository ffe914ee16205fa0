//! The suite's verdicts: a table per section, and by name every case that isn't plainly OK.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::process::heading;

/// What the suite says of a case: of its messages, and of how the connection closed.
struct Verdict {
    case: String,
    behavior: String,
    closing: String,
}

impl Verdict {
    /// `NON-STRICT` is within the RFC, but later or looser than the suite prefers;
    /// `INFORMATIONAL` is not judged; `UNIMPLEMENTED` cases were not run, and so have not passed.
    fn passed(&self) -> bool {
        [&self.behavior, &self.closing]
            .iter()
            .all(|word| matches!(word.as_str(), "OK" | "NON-STRICT" | "INFORMATIONAL"))
    }

    fn plainly_ok(&self) -> bool {
        self.behavior == "OK" && self.closing == "OK"
    }

    fn section(&self) -> u32 {
        order(&self.case).first().copied().unwrap_or(0)
    }
}

/// Prints the verdicts of the run that wrote `reports`; whether every case passed.
///
/// # Errors
/// If the reports are missing or not understood, or there is no case in them.
pub(super) fn judge(reports: &Path, agent: &str) -> Result<bool> {
    let index = fs::read_to_string(reports.join("index.json")).context("reading the reports")?;
    let verdicts = parse(&index, agent)?;
    ensure!(!verdicts.is_empty(), "the suite ran no case");

    heading("verdicts");
    let mut sections = BTreeMap::<u32, (u32, u32, u32)>::new();
    for verdict in &verdicts {
        let (ok, tolerated, failed) = sections.entry(verdict.section()).or_default();
        match (verdict.plainly_ok(), verdict.passed()) {
            (true, _) => *ok += 1,
            (false, true) => *tolerated += 1,
            (false, false) => *failed += 1,
        }
    }
    println!("section     ok  tolerated  failed");
    for (section, (ok, tolerated, failed)) in &sections {
        println!("{section:>7} {ok:>6} {tolerated:>10} {failed:>7}");
    }
    for verdict in verdicts.iter().filter(|verdict| !verdict.plainly_ok()) {
        let Verdict { case, behavior, closing } = verdict;
        println!("case {case}: {behavior}, closing {closing}");
    }
    println!("full reports: {}", reports.join("index.html").display());

    let failed = verdicts.iter().filter(|verdict| !verdict.passed()).count();
    println!("\n{} passed, {failed} failed", verdicts.len() - failed);
    Ok(failed == 0)
}

/// The index is `{agent: {case: {"behavior": …, "behaviorClose": …}}}`.
fn parse(index: &str, agent: &str) -> Result<Vec<Verdict>> {
    let index: Value = serde_json::from_str(index).context("the index of the reports")?;
    let cases = index[agent].as_object().context("the index names no case")?;
    let word = |case: &Value, key: &str| case[key].as_str().unwrap_or("MISSING").to_owned();
    let mut verdicts: Vec<Verdict> = cases
        .iter()
        .map(|(name, case)| Verdict {
            case: name.clone(),
            behavior: word(case, "behavior"),
            closing: word(case, "behaviorClose"),
        })
        .collect();
    verdicts.sort_by_key(|verdict| order(&verdict.case));
    Ok(verdicts)
}

/// `9.10.2` as `[9, 10, 2]`, so that 9.10 comes after 9.2.
fn order(case: &str) -> Vec<u32> {
    case.split('.').filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_ordered_by_number_and_judged_by_both_verdicts() {
        let index = r#"{"us": {
            "9.10.1": {"behavior": "OK", "behaviorClose": "OK"},
            "9.2.1": {"behavior": "NON-STRICT", "behaviorClose": "INFORMATIONAL"},
            "1.1.1": {"behavior": "OK", "behaviorClose": "WRONG CODE"},
            "1.1.2": {"behavior": "OK"}
        }}"#;
        let verdicts = parse(index, "us").expect("a good index");
        let seen: Vec<_> = verdicts.iter().map(|v| (v.case.as_str(), v.passed())).collect();
        assert_eq!(seen, [("1.1.1", false), ("1.1.2", false), ("9.2.1", true), ("9.10.1", true)]);
        assert!(parse(index, "others").is_err());
    }
}
