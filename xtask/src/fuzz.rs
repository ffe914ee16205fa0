//! `cargo xtask fuzz`: each fuzz target for the same time.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::process::{answer, heading, root, run as must};

/// Runs every target of fuzz/ for `seconds`; stops at the first finding.
///
/// # Errors
/// If cargo-fuzz or a nightly toolchain is missing, or a target finds something.
pub(crate) fn run(seconds: u32) -> Result<bool> {
    let targets = answer(fuzz().arg("list"));
    let targets = targets.filter(|targets| !targets.is_empty());
    ensure!(
        targets.is_some(),
        "`cargo +nightly fuzz list` lists no targets: it needs a nightly toolchain \
         (`rustup toolchain install nightly`) and cargo-fuzz (`cargo install cargo-fuzz --locked`)"
    );
    for target in targets.iter().flat_map(|targets| targets.lines()) {
        heading(&format!("fuzz target {target}, {seconds} s"));
        must(fuzz().args(["run", target, "--"]).arg(format!("-max_total_time={seconds}")))?;
    }
    Ok(true)
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
