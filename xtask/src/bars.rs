//! `cargo xtask bars`: whether the server is as fast and as small as it promises to be.
//!
//! Not for CI: the figures are of this machine in this half-hour, though as ratios to a forwarder
//! that takes turns with the server they vary little.

mod alone;
mod bar;

use anyhow::Result;

use crate::peers;
use crate::peers::case::{CASES, Case, IDLE_CONNECTIONS, Kind, SETTLE};
use crate::peers::peer::Peer;
use crate::peers::results::{CPU, EACH, GIVEN_BACK, P99, Results};
use crate::peers::rounds;
use crate::prerequisites::perf;
use crate::process::heading;
use bar::{Bar, Limit};

/// CPU time of the server, as a multiple of the forwarder's, by case.
const CPU_AT_MOST: [(&str, f64); 7] = [
    ("100", 1.10),
    ("1000", 1.10),
    ("bursts", 1.15),
    ("ascii", 1.2),
    ("multibyte", 1.2),
    ("large", 1.8),
    ("sessions", 2.0),
];

/// The 99th percentile of latency, as a multiple of the forwarder's, by case.
const P99_AT_MOST: [(&str, f64); 3] = [("100", 2.0), ("1000", 2.0), ("rate", 2.0)];

/// System calls a message, by case.
const CALLS_AT_MOST: [(&str, f64); 2] = [("100", 2.1), ("bursts", 0.05)];

/// What `cargo xtask bars` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often server and forwarder are measured in every case; memory is measured twice
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long each run is measured
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
}

/// Measures, and says of each bar whether it is kept. Whether all are.
pub(crate) fn run(args: &Args) -> Result<bool> {
    peers::check()?;
    perf()?;
    let (rounds, seconds) = (usize::from(args.rounds), args.seconds);
    for peer in [Peer::Forwarder, Peer::Vyoma] {
        peer.build()?;
    }
    let (idle, loads): (Vec<&Case>, Vec<&Case>) =
        CASES.iter().partition(|case| case.kind == Kind::Idle);
    heading("server and forwarder in turns");
    let compared = rounds::run(&loads, &[Peer::Forwarder, Peer::Vyoma], rounds, seconds);
    heading("idle connections");
    let crowded = rounds::run(&idle, &[Peer::Vyoma], rounds, seconds);
    let mut bars = against_the_forwarder(&compared);
    heading("system calls");
    for (case, most) in CALLS_AT_MOST.into_iter().filter_map(known) {
        bars.push(alone::system_calls(case, most, seconds));
    }
    bars.extend(memory(&crowded));
    heading("two workers");
    for case in ["100", "1000"].into_iter().filter_map(Case::named) {
        bars.push(alone::two_workers(case, rounds, seconds));
    }
    heading("starting, size, and a clean build");
    bars.push(alone::start_to_ready(rounds));
    bars.push(alone::size()?);
    bars.push(alone::clean_build()?);
    heading("bars");
    bars.iter().for_each(|bar| println!("{bar}"));
    Ok(bars.iter().all(Bar::is_kept))
}

fn known((key, limit): (&str, f64)) -> Option<(&'static Case, f64)> {
    Some((Case::named(key)?, limit))
}

fn against_the_forwarder(results: &Results) -> Vec<Bar> {
    let cpu = CPU_AT_MOST.into_iter().map(|bar| (bar, CPU, "CPU time"));
    let p99 = P99_AT_MOST.into_iter().map(|bar| (bar, P99, "p99 latency"));
    let bar = |(bar, figure, name)| {
        let (case, most) = known(bar)?;
        let what = format!("{name} to the forwarder's: {}", case.title);
        let values = results.ratios(case.key, Peer::Vyoma, figure);
        let failures = [Peer::Forwarder, Peer::Vyoma].map(|p| results.failures(case.key, p));
        Some(Bar::new(what, values, Limit::AtMost(most)).failed(&failures.concat()))
    };
    cpu.chain(p99).filter_map(bar).collect()
}

fn memory(results: &Results) -> [Bar; 3] {
    /// The pages that are shared by what stays and what went: from the third crowd on it takes no
    /// more.
    const NO_HIGHER: f64 = 1.02;
    let values = |figure| results.values("idle", Peer::Vyoma, figure);
    let back = values(GIVEN_BACK).iter().map(|part| 100.0 * part).collect();
    let bars = [
        Bar::new(
            format!("bytes an idle connection, of {IDLE_CONNECTIONS}"),
            values(EACH),
            Limit::AtMost(1024.0),
        ),
        Bar::new(
            format!("% of them given back {SETTLE} s after they left"),
            back,
            Limit::AtLeast(80.0),
        ),
        Bar::new(
            "a second crowd's memory to the first's".to_owned(),
            results.second_crowd("idle", Peer::Vyoma),
            Limit::AtMost(NO_HIGHER),
        ),
    ];
    bars.map(|bar| bar.failed(&results.failures("idle", Peer::Vyoma)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bar_is_about_a_case() {
        for bars in [&CPU_AT_MOST[..], &P99_AT_MOST, &CALLS_AT_MOST] {
            assert!(bars.iter().all(|bar| known(*bar).is_some()));
        }
    }

    #[test]
    fn what_was_not_measured_is_not_kept() {
        let bars = against_the_forwarder(&Results::default());
        assert_eq!(bars.len(), CPU_AT_MOST.len() + P99_AT_MOST.len());
        assert!(bars.iter().chain(&memory(&Results::default())).all(|bar| !bar.is_kept()));
    }
}
