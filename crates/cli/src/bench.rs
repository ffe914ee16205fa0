//! `vyoma bench`: loads a server, checks every message, and says what it costs.
//!
//! Knows the server from outside only: its address, its protocol and, where that is told, its
//! process. With `--raw` the same bytes go through anything that forwards TCP between every two
//! connections: what is the cheapest that a relay could be.

mod client;
mod fault;
mod idle;
mod inbound;
mod load;
mod message;
mod options;
mod pair;
mod process;
mod rate;
mod report;
mod run;
mod sessions;
mod voice;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use tokio::runtime::Builder;

use crate::EXIT_USAGE;
pub(crate) use options::BenchOptions;
use options::Mode;
use report::Report;
use run::Run;

/// Runs the load. The exit code says whether every message arrived as it was sent.
pub(crate) fn run(options: BenchOptions) -> ExitCode {
    if let Err(why) = options.check() {
        let _ = writeln!(io::stderr(), "error: {why}");
        return ExitCode::from(EXIT_USAGE);
    }
    match measure(&options) {
        Ok(report) if options.json => {
            let _ = writeln!(io::stdout(), "{}", report.json(&options));
            ExitCode::SUCCESS
        }
        Ok(report) => {
            let _ = write!(io::stdout(), "{}", report.text(&options));
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &BenchOptions) -> anyhow::Result<Report> {
    // Two connections a pair; if the limit is too low, connecting says so.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let run = Arc::new(Run::new(options.clone())?);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        Ok(match options.mode {
            Mode::Idle => Report::Idle(idle::measure(&run).await?),
            _ => Report::Load(load::measure(&run).await?),
        })
    })
}
