//! `vyoma-sim`: looks for a broken promise in as many worlds as it is given time for.

use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use vyoma_sim::{Flaw, Report, Story, run, shrink, tell};

/// Simulates clients, servers and bad connections, and checks the promises of vyoma.v1.
#[derive(Parser)]
struct Args {
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// How many steps each seed takes; every fourth to every 32nd is a fault.
    #[arg(long, default_value_t = 1_500)]
    steps: usize,
    /// Puts a bug in on purpose, to see that it is found.
    #[arg(long, value_parser = Flaw::parse)]
    flaw: Option<Flaw>,
    /// Tells all that is said in the shortest story that was found.
    #[arg(long)]
    tell: bool,
}

#[expect(clippy::print_stdout, reason = "what it finds is its output")]
fn main() -> ExitCode {
    let args = Args::parse();
    let bar = ProgressBar::new(args.seeds);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} seeds, {eta} left") {
        bar.set_style(style);
    }
    let mut total = Report::default();
    for seed in args.from..args.from + args.seeds {
        let story = Story::new(seed, args.steps, args.flaw);
        match run(&story) {
            Ok(report) => total = total.and(report),
            Err(violation) => {
                bar.finish_and_clear();
                println!("seed {seed}, step {}: {}", violation.step, violation.what);
                let short = shrink(&story);
                let what = run(&short).err().map(|violation| violation.what);
                println!("shrunk to {} steps: {}", short.steps.len(), what.unwrap_or_default());
                println!("Story {{ seed: {}, steps: vec!{:?}, flaw: None }}", seed, short.steps);
                if args.tell {
                    let _ = tell(&short);
                }
                return ExitCode::FAILURE;
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    println!("{} seeds, no violation: {total:#?}", args.seeds);
    ExitCode::SUCCESS
}
