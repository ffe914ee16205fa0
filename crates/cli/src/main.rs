//! The binary `vyoma`: options, logs, signals, exit codes.
//!
//! Knows the command line, the environment and the process. Must not know anything a library crate
//! could own: what a server does is in `vyoma-server`.

use std::process::ExitCode;

mod allocator;
mod bench;
mod chat;
mod config_view;
mod data;
mod healthcheck;
mod logs;
mod options;
mod place_file;
mod pools;
mod pools_file;
mod replay;
mod serve;
mod takeover;
mod values;

use options::{Command, Invocation};

/// What the shell gets when the command line or the configuration makes no sense, as with clap.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let invocation = match options::parse() {
        Ok(invocation) => invocation,
        // Asking for help is no mistake; clap knows which of the two it is.
        Err(answer) => {
            let usage = answer.use_stderr();
            let _ = answer.print();
            return if usage { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match invocation {
        Invocation { command: Command::Bench(options), .. } => bench::run(*options),
        Invocation { command: Command::Chat(options), .. } => chat::run(&options),
        Invocation { command: Command::Healthcheck(options), .. } => healthcheck::run(&options),
        Invocation { command: Command::Replay(options), .. } => replay::run(&options),
        Invocation { command: Command::Serve(options), settings } => {
            serve::run(*options, &settings)
        }
    }
}
