//! `cargo xtask fuzz`: each fuzz target for the same time.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process::{answer, heading, root, run as must, target};

/// Runs every target of fuzz/ for `seconds`; stops at the first finding.
///
/// # Errors
/// If cargo-fuzz or a nightly toolchain is missing, or a target finds something.
pub(crate) fn run(seconds: u32) -> Result<bool> {
    let names = answer(fuzz().arg("list")).unwrap_or_default();
    ensure!(
        !names.is_empty(),
        "`cargo +nightly fuzz list` lists no targets: it needs a nightly toolchain \
         (`rustup toolchain install nightly`) and cargo-fuzz (`cargo install cargo-fuzz --locked`)"
    );
    for name in names.lines() {
        heading(&format!("fuzz target {name}, {seconds} s"));
        must(&mut one(name, seconds)?)?;
    }
    Ok(true)
}

/// One target, from the corpus that the tests replay; what it adds goes to `target/fuzz-corpus`, so
/// that a run changes no file of the working tree.
fn one(name: &str, seconds: u32) -> Result<Command> {
    let added = target()?.join("fuzz-corpus").join(name);
    fs::create_dir_all(&added).context("making a directory for new inputs")?;
    let mut command = fuzz();
    command.args(["run", name]).arg(added);
    let corpus = root().join("fuzz/corpus").join(name);
    if corpus.is_dir() {
        command.arg(corpus);
    }
    command.arg("--").arg(format!("-max_total_time={seconds}"));
    let dictionary = root().join(format!("fuzz/{name}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    Ok(command)
}

/// `cargo +nightly fuzz`, by rustup's cargo: the one that runs this chore has a fixed toolchain.
fn fuzz() -> Command {
    let mut command = Command::new("cargo");
    command.args(["+nightly", "fuzz"]).current_dir(root());
    // Set by the cargo that runs this chore; they would override `+nightly`.
    for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(variable);
    }
    command
}
