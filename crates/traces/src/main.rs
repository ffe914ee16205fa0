//! `vyoma-traces`: what the matchers come to on made-up crowds, as tables, and as a plot.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use vyoma_traces::study::{RUNS, Study, WORLDS, study};
use vyoma_traces::{estimates, plot, report};

/// The page that the figures are in, and the plot beside it.
const PAGE: &str = "docs/matching.md";
const PLOT: &str = "docs/matching-quality.svg";

/// Compares our matcher with others on made-up crowds, or says how far estimates can be relied on; takes
/// some minutes. Fails where ours isn't as good as it has to be.
#[derive(Parser)]
struct Args {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Judges the estimate of the waiting time instead.
    #[arg(long)]
    estimates: bool,
    /// Writes the figures into docs/matching.md, and the plot beside it.
    #[arg(long)]
    write: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<bool> {
    let seeds: Vec<u64> = (args.from..args.from + args.seeds.max(1)).collect();
    if args.write {
        // Before the minutes that it takes, not after.
        std::fs::metadata(PAGE).with_context(|| format!("{PAGE}, from the project's root"))?;
    }
    if args.estimates {
        let bar = bar(seeds.len() * estimates::RUNS);
        let found = estimates::measure(&seeds, || bar.inc(1));
        bar.finish_and_clear();
        publish(args, &report::ESTIMATES, &found.text)?;
        return Ok(found.kept);
    }
    let bar = bar(WORLDS.len() * seeds.len() * RUNS);
    let studies: Vec<Study> =
        WORLDS.iter().map(|world| study(world, &seeds, || bar.inc(1))).collect();
    bar.finish_and_clear();
    publish(args, &report::QUALITY, &report::figures(&studies, &seeds))?;
    if args.write {
        std::fs::write(PLOT, plot::draw(&studies)).with_context(|| format!("writing {PLOT}"))?;
    }
    Ok(report::meets_the_bar(&studies))
}

/// Prints figures and, where that is asked for, puts them into the page.
fn publish(args: &Args, place: &report::Place, figures: &str) -> Result<()> {
    println!("{figures}");
    if args.write {
        let page = std::fs::read_to_string(PAGE).with_context(|| format!("reading {PAGE}"))?;
        let page = place.with_figures(&page, figures)?;
        std::fs::write(PAGE, page).with_context(|| format!("writing {PAGE}"))?;
    }
    Ok(())
}

fn bar(runs: usize) -> ProgressBar {
    let bar = ProgressBar::new(runs as u64);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} runs, {eta} left") {
        bar.set_style(style);
    }
    bar
}
