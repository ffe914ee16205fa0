//! Commands that run to their end, and where the project keeps things.
//!
//! Knows processes and paths. Must not know what any command is for.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The root of the working tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Cargo's target directory: this program is `target/<profile>/xtask`.
pub(crate) fn target() -> Result<PathBuf> {
    let this = std::env::current_exe().context("where this program lies")?;
    let target = this.parent().and_then(Path::parent);
    target.map(Path::to_path_buf).context("this program lies in no target directory")
}

/// The cargo that runs this chore, to be run at the project's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command that must succeed, its output shown.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command.status().with_context(|| format!("cannot run `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs a command and hands each line it prints to `each`, after showing it. Whether it succeeded.
pub(crate) fn watch(command: &mut Command, mut each: impl FnMut(&str)) -> Result<bool> {
    let shown = show(command);
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot run `{shown}`"))?;
    let stdout = child.stdout.take().context("the output was not piped")?;
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.with_context(|| format!("reading from `{shown}`"))?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        each(&line);
    }
    Ok(child.wait()?.success())
}

/// What a command prints on standard output, or `None` if it can't be run or fails.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Prints a line that can be found again in a long output.
pub(crate) fn heading(text: &str) {
    println!("\n=== {text}");
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
