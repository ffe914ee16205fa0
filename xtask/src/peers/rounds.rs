//! Running cases on servers, round by round.
//!
//! Knows `vyoma bench`. Must not know what the figures mean.

use anyhow::{Context as _, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::case::Case;
use super::peer::{Peer, Placement, Running};
use super::results::{Record, Results};

/// Does the cases to the peers, which take turns within each round; every other round begins with
/// the last one. Failures are results, too.
pub(crate) fn run(cases: &[&Case], peers: &[Peer], rounds: usize, seconds: u32) -> Results {
    let bar = progress(
        cases
            .iter()
            .map(|case| (peers.len() * case.rounds(rounds)) as u64 * case.expected(seconds)),
    );
    let mut results = Results::default();
    for round in 0..rounds {
        for case in cases.iter().filter(|case| round < case.rounds(rounds)) {
            let mut order = peers.to_vec();
            if round % 2 == 1 {
                order.reverse();
            }
            for peer in order {
                let what = format!("round {}, {}, {}", round + 1, case.title, peer.name());
                bar.set_message(what.clone());
                if bar.is_hidden() {
                    // Not on a terminal: at least it shows in a log how far it is.
                    println!("{what}");
                }
                let flags = [&["--workers=1"], case.flags].concat();
                let outcome = measure(peer, &flags, &case.arguments(seconds), Placement::Pinned);
                let outcome = outcome.map_err(|error| format!("{error:#}"));
                if let Err(why) = &outcome {
                    bar.suspend(|| eprintln!("{what}: {why}"));
                }
                results.push(Record { case: case.key, peer, round, outcome });
                bar.inc(case.expected(seconds));
            }
        }
    }
    bar.finish_and_clear();
    results
}

/// Starts a server, loads it, and returns the generator's report. Only ours takes flags.
///
/// # Errors
/// If the server doesn't start, or the generator finds fault with it.
pub(crate) fn measure(
    peer: Peer,
    flags: &[&str],
    load: &[String],
    placement: Placement,
) -> Result<Value> {
    let server = Running::start(peer, flags, placement)?;
    let mut bench = placement.generator()?;
    bench.args(["bench", "--json"]).args(load);
    bench.arg(format!("--server=127.0.0.1:{}", server.port));
    bench.arg(format!("--server-pid={}", server.pid()));
    if peer == Peer::Forwarder {
        bench.arg("--raw");
    }
    let output = bench.output().context("cannot start the generator")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let why = said.trim().lines().next_back().unwrap_or("it ended without a word");
    ensure!(output.status.success(), "{}", why.trim_start_matches("error: "));
    serde_json::from_slice(&output.stdout).context("the generator's report")
}

/// A bar of so many seconds.
pub(crate) fn progress(seconds: impl Iterator<Item = u64>) -> ProgressBar {
    let bar = ProgressBar::new(seconds.sum());
    let template = "{bar:30} {percent} %, {eta} left: {msg}";
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
