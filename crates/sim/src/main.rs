//! `vyoma-sim`: looks for a broken promise in as many worlds as it is given time for.

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use vyoma_sim::{Flaw, Report, Story, Violation, matching, run, shrink, tell};

/// Simulates clients, servers and bad connections, and checks the promises of vyoma.v1; and beside that,
/// who meets whom.
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
    /// Only these worlds.
    #[arg(long)]
    only: Option<Worlds>,
    /// Puts a bug in on purpose, to see that it is found.
    #[arg(long, value_parser = Flaw::parse)]
    flaw: Option<Flaw>,
    /// Tells all that happens in the shortest story that was found.
    #[arg(long)]
    tell: bool,
}

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Worlds {
    /// What is said in conversations.
    Conversations,
    /// Who meets whom.
    Matching,
}

impl Args {
    fn includes(&self, worlds: Worlds) -> bool {
        self.only.is_none_or(|only| only == worlds)
    }
}

#[expect(clippy::print_stdout, reason = "what it finds is its output")]
fn main() -> ExitCode {
    let args = Args::parse();
    let bar = ProgressBar::new(args.seeds);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} seeds, {eta} left") {
        bar.set_style(style);
    }
    let (mut said, mut met) = (Report::default(), matching::Report::default());
    for seed in args.from..args.from + args.seeds {
        let story = Story::new(seed, args.steps, args.flaw);
        if args.includes(Worlds::Conversations) {
            match run(&story) {
                Ok(report) => said = said.and(report),
                Err(violation) => {
                    bar.finish_and_clear();
                    let short = explain(&story, &violation, run);
                    if args.tell {
                        let _ = tell(&short);
                    }
                    return ExitCode::FAILURE;
                }
            }
        }
        if args.includes(Worlds::Matching) {
            match matching::run(&story) {
                Ok(report) => met = met.and(report),
                Err(violation) => {
                    bar.finish_and_clear();
                    let short = explain(&story, &violation, matching::run);
                    if args.tell {
                        let _ = matching::tell(&short);
                    }
                    return ExitCode::FAILURE;
                }
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    println!("{} seeds, no violation: {said:#?}", args.seeds);
    println!("who meets whom: {met:#?}");
    ExitCode::SUCCESS
}

/// Prints what was broken, and the shortest story that breaks it. Returns that.
#[expect(clippy::print_stdout, reason = "what it finds is its output")]
fn explain<R>(
    story: &Story,
    violation: &Violation,
    run: fn(&Story) -> Result<R, Violation>,
) -> Story {
    println!("seed {}, step {}: {}", story.seed, violation.step, violation.what);
    let short = shrink(story, run);
    let what = run(&short).err().map(|violation| violation.what);
    println!("shrunk to {} steps: {}", short.steps.len(), what.unwrap_or_default());
    println!("Story {{ seed: {}, steps: vec!{:?}, flaw: None }}", story.seed, short.steps);
    short
}
