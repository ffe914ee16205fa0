//! The suite needs a Python 2.7 of its own: found here, never installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{answer, heading, run};

const SUITE: &str = "autobahntestsuite==25.10.1";
/// The last that can make an environment for Python 2.7.
const VIRTUALENV: &str = "virtualenv==20.15.1";

/// The suite's program, `wstest`, in an environment under `directory`; installed on first use.
///
/// # Errors
/// If there is no Python 2.7, or the suite can't be installed.
pub(super) fn suite(directory: &Path) -> Result<PathBuf> {
    let environment = directory.join("venv");
    let program = environment.join("bin/wstest");
    let stamp = environment.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == SUITE) {
        return Ok(program);
    }
    let python = python27()?;
    heading(&format!("{SUITE} into target/autobahn"));
    fs::create_dir_all(directory).context("making target/autobahn")?;
    // Not into the Python that was found: it isn't ours.
    let tools = directory.join("tools");
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--upgrade", "--target"])
        .arg(&tools)
        .arg(VIRTUALENV))?;
    run(Command::new(&python)
        .args(["-m", "virtualenv", "--quiet", "--clear"])
        .arg(&environment)
        .env("PYTHONPATH", &tools))?;
    run(Command::new(environment.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", SUITE]))?;
    fs::write(&stamp, SUITE).context("noting what was installed")?;
    Ok(program)
}

/// A Python 2.7: the one that `AUTOBAHN_PYTHON` names, else pyenv's, else the one on the path.
fn python27() -> Result<PathBuf> {
    let named = std::env::var_os("AUTOBAHN_PYTHON").map(PathBuf::from);
    let pyenv = answer(Command::new("pyenv").args(["prefix", "2.7.18"]));
    let pyenv = pyenv.map(|prefix| Path::new(&prefix).join("bin/python2.7"));
    let on_path = Some(PathBuf::from("python2.7"));
    for python in [named, pyenv, on_path].into_iter().flatten() {
        let version = ["-c", "import sys; print(sys.version_info[:2] == (2, 7))"];
        if answer(Command::new(&python).args(version)).as_deref() == Some("True") {
            return Ok(python);
        }
    }
    bail!(
        "the Autobahn TestSuite needs a Python 2.7, and there is none: run `pyenv install 2.7.18`, \
         or name one by the variable AUTOBAHN_PYTHON"
    )
}
