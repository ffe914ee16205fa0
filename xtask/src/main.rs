//! The project's chores, each one command: `cargo xtask test`, `autobahn`, `fuzz`, `load`, `peers`,
//! `bars`, `page`, `screenshots`.
//!
//! Knows the tools that test the project from outside: cargo, Node, Python, browsers, Autobahn.
//! Must not know the server's code: what it runs is the binary an organiser runs.

mod autobahn;
mod bars;
mod fuzz;
mod interop_client;
mod load;
mod page;
mod peers;
mod prerequisites;
mod process;
mod server;
mod suites;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "The project's chores.", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run every test: the workspace's, pairs of common clients, and the page in a browser.
    Test,
    /// Run the Autobahn TestSuite through a pair whose partner echoes; needs a Python 2.7.
    Autobahn {
        /// Only these cases, for example `1.*,2.10`.
        #[arg(long, value_delimiter = ',')]
        cases: Vec<String>,
    },
    /// Run every fuzz target for a while; needs cargo-fuzz and a nightly toolchain.
    Fuzz {
        /// How long each target runs.
        #[arg(long, default_value_t = 600)]
        seconds: u32,
    },
    /// Show the server under load, with figures of its memory; takes some minutes.
    Load(load::Args),
    /// Measure the server beside others and write docs/performance.md; takes half an hour.
    Peers(peers::Args),
    /// Say whether the server keeps its promises of speed and size; takes half an hour.
    Bars(bars::Args),
    /// Say whether the page keeps its promises of speed, size and sturdiness; takes some minutes.
    Page,
    /// Make a picture of every view of the page, in docs/screens.
    Screenshots,
    /// The tungstenite client of tests/interop.
    #[command(hide = true)]
    InteropClient,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().chore {
        Chore::Test => suites::run(),
        Chore::Autobahn { cases } => autobahn::run(&cases),
        Chore::Fuzz { seconds } => fuzz::run(seconds),
        Chore::Load(args) => load::run(&args).map(|()| true),
        Chore::Peers(args) => peers::run(&args).map(|()| true),
        Chore::Bars(args) => bars::run(&args),
        Chore::Page => page::bars(),
        Chore::Screenshots => page::screenshots().map(|()| true),
        Chore::InteropClient => interop_client::run().map(|()| true),
    };
    exit_code(outcome)
}

/// 0 if everything passed, 1 if something failed, 2 if it could not be run.
fn exit_code(outcome: Result<bool>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
