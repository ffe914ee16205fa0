//! `cargo xtask test`: every suite, one after the other, and a summary of what ran.
//!
//! Knows how each suite is started and how it counts. Must not know what it tests.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::prerequisites::{browsers, node_packages, python_with_clients};
use crate::process::{cargo, heading, root, run as must, target, watch};

/// Tests that ran, as their runner counts them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    passed: u32,
    failed: u32,
    skipped: u32,
}

struct Suite {
    name: &'static str,
    counts: Counts,
    took: Duration,
}

/// Runs everything; whether all of it passed.
///
/// # Errors
/// If something that the tests need is missing, or the release binary can't be built.
pub(crate) fn run() -> Result<bool> {
    browsers()?;
    node_packages("tests/interop")?;
    node_packages("tests/browser")?;
    node_packages("tests/sdk")?;
    node_packages("web")?;
    let python = python_with_clients()?;

    let workspace =
        suite("workspace", cargo().args(["test", "--workspace", "--no-fail-fast"]), count_libtest)?;
    heading("the release binaries");
    must(cargo().args(["build", "--release", "--package", "vyoma", "--package", "vyoma-faults"]))?;
    let interop = suite("interop", node_tests("interop")?.env("VYOMA_PYTHON", python), count_node)?;
    let sdk = suite("sdk", &mut node_tests("sdk")?, count_node)?;
    let browser = suite("browser", &mut node_tests("browser")?, count_node)?;
    Ok(summarise(&[workspace, interop, sdk, browser]))
}

/// Node's test runner in a directory of tests/, one file at a time, with what the tests look for.
fn node_tests(directory: &str) -> Result<Command> {
    let mut command = Command::new("node");
    command
        .args(["--test", "--test-reporter=spec", "--test-concurrency=1"])
        .current_dir(root().join("tests").join(directory))
        .env("VYOMA_BIN", target()?.join("release/vyoma"))
        .env("VYOMA_FAULTS", target()?.join("release/vyoma-faults"))
        .env("VYOMA_XTASK", std::env::current_exe()?);
    Ok(command)
}

fn suite(name: &'static str, command: &mut Command, count: fn(&str, &mut Counts)) -> Result<Suite> {
    heading(name);
    let started = Instant::now();
    let mut counts = Counts::default();
    let succeeded = watch(command, |line| count(line, &mut counts))?;
    // A runner that failed without a failed test, or ran none at all, did not do its job.
    let ran = counts.passed + counts.failed > 0;
    if counts.failed == 0 && !(succeeded && ran) {
        counts.failed = 1;
    }
    Ok(Suite { name, counts, took: started.elapsed() })
}

/// `test result: ok. 12 passed; 0 failed; 1 ignored; …`, one for each test binary.
fn count_libtest(line: &str, counts: &mut Counts) {
    let Some((_, numbers)) =
        line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
    else {
        return;
    };
    for part in numbers.split("; ") {
        if let Some((number, word)) = part.split_once(' ') {
            add(counts, word, number);
        }
    }
}

/// `ℹ pass 12`, `ℹ fail 0`, `ℹ skipped 0`, …, once at the end.
fn count_node(line: &str, counts: &mut Counts) {
    if let Some((word, number)) = line.strip_prefix("ℹ ").and_then(|rest| rest.split_once(' ')) {
        add(counts, word, number);
    }
}

fn add(counts: &mut Counts, word: &str, number: &str) {
    let field = match word {
        "passed" | "pass" => &mut counts.passed,
        "failed" | "fail" | "cancelled" => &mut counts.failed,
        "ignored" | "skipped" | "todo" => &mut counts.skipped,
        _ => return,
    };
    *field += number.parse::<u32>().unwrap_or(0);
}

/// Prints what ran, and last the line that a machine reads; whether everything passed.
fn summarise(suites: &[Suite]) -> bool {
    heading("summary");
    let mut total = Counts::default();
    for Suite { name, counts, took } in suites {
        let Counts { passed, failed, skipped } = *counts;
        let seconds = took.as_secs_f64();
        println!(
            "{name:<10} {passed:>5} passed {failed:>4} failed {skipped:>4} skipped {seconds:>7.1} s"
        );
        total.passed += passed;
        total.failed += failed;
        total.skipped += skipped;
    }
    let skipped =
        if total.skipped > 0 { format!(", {} skipped", total.skipped) } else { String::new() };
    println!("\n{} passed, {} failed{skipped}", total.passed, total.failed);
    total.failed == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_both_runners_are_counted() {
        let mut counts = Counts::default();
        let lines = [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        ];
        lines.iter().for_each(|line| count_libtest(line, &mut counts));
        assert_eq!(counts, Counts { passed: 4, failed: 2, skipped: 1 });

        let lines =
            ["✔ a test (1ms)", "ℹ tests 9", "ℹ pass 7", "ℹ fail 1", "ℹ cancelled 1", "ℹ skipped 0"];
        lines.iter().for_each(|line| count_node(line, &mut counts));
        assert_eq!(counts, Counts { passed: 11, failed: 4, skipped: 1 });
    }

    #[test]
    fn a_suite_that_runs_no_test_or_dies_has_failed() {
        let nothing = suite("nothing", &mut Command::new("true"), count_node);
        assert!(nothing.is_ok_and(|suite| suite.counts.failed == 1));
        let died =
            suite("died", Command::new("sh").args(["-c", "echo 'ℹ pass 3'; exit 1"]), count_node);
        assert!(
            died.is_ok_and(|suite| suite.counts == Counts { passed: 3, failed: 1, skipped: 0 })
        );
    }
}
