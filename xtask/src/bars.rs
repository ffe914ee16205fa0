//! `cargo xtask bars`: whether the server is as fast and as small as it promises to be.
//!
//! Not for CI: the figures are of this machine in this half-hour, though as ratios to a forwarder
//! that takes turns with the server they vary little.

mod alone;
mod bar;

use anyhow::Result;
use clap::ValueEnum as _;

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

/// CPU time of a message of `vyoma.v1` as a multiple of a plain one's: by case, and with so much text.
/// Of 64 bytes, 42 are the envelope; a text of 64 makes the message longer, and is told as well.
const V1_AT_MOST: [(&str, u32, f64); 3] =
    [("1000", 64, 1.6), ("bursts", 22, 1.3), ("bursts", 64, 1.3)];

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The server beside the forwarder
    Forwarder,
    /// What idle connections take
    Memory,
    /// System calls a message
    Calls,
    /// Two workers beside one
    Workers,
    /// `vyoma.v1` beside plain
    Dialects,
    /// Starting, size, and a clean build
    Build,
}

/// What `cargo xtask bars` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often server and forwarder are measured in every case; memory is measured twice
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long each run is measured
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Measures only this; may be given several times
    #[arg(long, value_enum)]
    only: Vec<Part>,
}

/// Measures, and says of each bar whether it is kept. Whether all are.
pub(crate) fn run(args: &Args) -> Result<bool> {
    peers::check()?;
    perf()?;
    for peer in [Peer::Forwarder, Peer::Vyoma] {
        peer.build()?;
    }
    let mut bars = Vec::new();
    for part in Part::value_variants() {
        if args.only.is_empty() || args.only.contains(part) {
            bars.extend(part.measure(usize::from(args.rounds), args.seconds)?);
        }
    }
    heading("bars");
    bars.iter().for_each(|bar| println!("{bar}"));
    Ok(bars.iter().all(Bar::is_kept))
}

impl Part {
    fn measure(self, rounds: usize, seconds: u32) -> Result<Vec<Bar>> {
        let (idle, loads): (Vec<&Case>, Vec<&Case>) =
            CASES.iter().partition(|case| case.kind == Kind::Idle);
        Ok(match self {
            Self::Forwarder => {
                heading("server and forwarder in turns");
                let both = [Peer::Forwarder, Peer::Vyoma];
                against_the_forwarder(&rounds::run(&loads, &both, rounds, seconds))
            }
            Self::Memory => {
                heading("idle connections");
                let mut bars =
                    memory(&rounds::run(&idle, &[Peer::Vyoma], rounds, seconds)).to_vec();
                bars.extend(idle.iter().map(|case| alone::idle_v1(case, seconds)));
                bars
            }
            Self::Calls => {
                heading("system calls");
                let known = CALLS_AT_MOST.into_iter().filter_map(known);
                known.map(|(case, most)| alone::system_calls(case, most, seconds)).collect()
            }
            Self::Workers => {
                heading("two workers");
                let cases = ["100", "1000"].into_iter().filter_map(Case::named);
                cases.map(|case| alone::two_workers(case, rounds, seconds)).collect()
            }
            Self::Dialects => {
                heading("vyoma.v1 and plain in turns");
                let bar = |(key, text, most)| {
                    Some(alone::dialects(Case::named(key)?, text, rounds, seconds, most))
                };
                V1_AT_MOST.into_iter().filter_map(bar).collect()
            }
            Self::Build => {
                heading("starting, size, and a clean build");
                vec![alone::start_to_ready(rounds), alone::size()?, alone::clean_build()?]
            }
        })
    }
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
        assert!(V1_AT_MOST.iter().all(|(key, ..)| Case::named(key).is_some()));
    }

    #[test]
    fn what_was_not_measured_is_not_kept() {
        let bars = against_the_forwarder(&Results::default());
        assert_eq!(bars.len(), CPU_AT_MOST.len() + P99_AT_MOST.len());
        assert!(bars.iter().chain(&memory(&Results::default())).all(|bar| !bar.is_kept()));
    }
}
