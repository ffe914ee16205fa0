//! `cargo xtask page` and `cargo xtask screenshots`: the page measured, and the page shown.
//!
//! Knows which script does it and what that needs. Must not know the page.

use std::process::Command;

use anyhow::Result;

use crate::prerequisites::{chromium, node_packages};
use crate::process::{cargo, heading, root, run, target, watch};

/// Says whether the page keeps its promises of speed, size and sturdiness; whether it does.
///
/// # Errors
/// If something that this needs is missing, or the release binary can't be built.
pub(crate) fn bars() -> Result<bool> {
    node_packages("tests/bars")?;
    let mut script = prepare("tests/bars/bars.mjs")?;
    heading("the page's bars");
    watch(&mut script, |_| ())
}

/// Makes the pictures in docs/screens.
///
/// # Errors
/// As `bars`, or if the page doesn't come to a view.
pub(crate) fn screenshots() -> Result<()> {
    let mut script = prepare("tests/browser/screens.mjs")?;
    heading("docs/screens");
    run(script.arg(root().join("docs/screens")))
}

/// A script, with what people in a browser need and the binary they meet at.
fn prepare(path: &str) -> Result<Command> {
    chromium()?;
    node_packages("tests/browser")?;
    run(cargo().args(["build", "--release", "--package", "vyoma"]))?;
    let mut command = Command::new("node");
    command.arg(root().join(path)).env("VYOMA_BIN", target()?.join("release/vyoma"));
    Ok(command)
}
