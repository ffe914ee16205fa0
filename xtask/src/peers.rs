//! `cargo xtask peers`: our server beside others, round by round, and the page about it.
//!
//! What a relay costs on a shared machine changes from minute to minute, so the servers take turns,
//! and what is compared is within one round: each server's figure divided by the forwarder's.

pub(crate) mod case;
mod machine;
pub(crate) mod peer;
mod plot;
mod report;
pub(crate) mod results;
pub(crate) mod rounds;
pub(crate) mod statistics;

use std::fs;

use anyhow::{Context as _, Result};

use crate::prerequisites::{descriptors, two_cores};
use crate::process::{root, target};
use case::{CASES, Case, IDLE_CONNECTIONS};
use peer::Peer;

/// Descriptors of a server and of the generator: the connections, and some for themselves.
const DESCRIPTORS: u64 = IDLE_CONNECTIONS as u64 + 500;

/// What `cargo xtask peers` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often every server is measured in every case, but for memory, which is measured twice
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long each run is measured
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Measures this case only, and shows the tables instead of writing docs/performance.md
    #[arg(long, value_parser = named)]
    only: Option<&'static Case>,
}

/// Builds, measures, and writes the page, or shows its tables.
pub(crate) fn run(args: &Args) -> Result<()> {
    check()?;
    for peer in Peer::ALL {
        peer.build()?;
    }
    let cases = args.only.map_or_else(|| CASES.iter().collect(), |case| vec![case]);
    let results = rounds::run(&cases, &Peer::ALL, args.rounds.into(), args.seconds);
    let runs = target()?.join("peers.json");
    fs::write(&runs, format!("{:#}\n", results.json())).context("writing all runs")?;
    println!("\nAll runs: {}", runs.display());
    let figures = report::figures(&cases, &results, args.rounds, args.seconds);
    if args.only.is_some() {
        println!("\n{figures}");
        return Ok(());
    }
    let page = root().join("docs/performance.md");
    let text = fs::read_to_string(&page).context("reading docs/performance.md")?;
    fs::write(&page, report::with_figures(&text, &figures)?).context("writing the page")?;
    fs::write(root().join("docs/performance.svg"), plot::draw(&cases, &results))
        .context("writing the plot")?;
    println!("Written: docs/performance.md, docs/performance.svg");
    Ok(())
}

/// Fails unless the machine allows to measure.
pub(crate) fn check() -> Result<()> {
    two_cores()?;
    descriptors(DESCRIPTORS)
}

fn named(key: &str) -> Result<&'static Case, String> {
    let names = || CASES.map(|case| case.key).join(", ");
    Case::named(key).ok_or_else(|| format!("there are {}", names()))
}
