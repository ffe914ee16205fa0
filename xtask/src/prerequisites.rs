//! What the tests outside cargo need: checked first, so that nothing is skipped in silence and a
//! missing tool is named with the command that installs it.
//!
//! Knows Node, Python, browsers and the kernel's tools. Must not know the tests. Installs into the working tree only
//! (`node_modules`, `target`); what belongs to the machine is left to whoever runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{answer, heading, root, run, target};

/// The oldest Node that all locked packages support, as their `engines` say.
const OLDEST_NODE: (u32, u32) = (20, 18);

/// Installs the packages that a directory of the project, named from its root, has locked.
pub(crate) fn node_packages(directory: &str) -> Result<()> {
    require_node()?;
    heading(&format!("npm ci in {directory}"));
    let directory = root().join(directory);
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(directory))
}

/// A Python in `target/` that has the pinned clients; installs them if the pins have changed.
pub(crate) fn python_with_clients() -> Result<PathBuf> {
    let requirements = root().join("tests/interop/requirements.txt");
    let pins = fs::read_to_string(&requirements).context("reading the pinned Python clients")?;
    let directory = target()?.join("interop-venv");
    let python = directory.join("bin/python");
    let stamp = directory.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == pins) {
        return Ok(python);
    }
    heading("the Python clients of tests/interop/requirements.txt");
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&directory))
        .context("Python 3 with venv is needed; on Debian: apt-get install python3-venv")?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&requirements))?;
    fs::write(&stamp, pins).context("noting what was installed")?;
    Ok(python)
}

/// Fails unless there are the browsers that people use, for the tests in them.
pub(crate) fn browsers() -> Result<()> {
    BROWSERS.iter().try_for_each(Browser::require)
}

/// Fails unless there is the one that the page's measurements are made in.
pub(crate) fn chromium() -> Result<()> {
    CHROMIUM.require()
}

/// Fails unless two processes can have a core each.
pub(crate) fn two_cores() -> Result<()> {
    ensure!(
        answer(Command::new("taskset").arg("--version")).is_some(),
        "taskset is needed, which is for Linux; on Debian: apt-get install util-linux"
    );
    // What this process may use, which is less than the machine has if it is pinned itself.
    let cores = answer(Command::new("taskset").args(["--cpu-list", "0,1", "true"]));
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    ensure!(
        cores.is_some() && at_once >= 2,
        "two cores are needed, 0 for the server and 1 for its load"
    );
    Ok(())
}

/// Fails unless perf can count the system calls of other processes.
pub(crate) fn perf() -> Result<()> {
    let count = ["stat", "-e", "raw_syscalls:sys_enter", "true"];
    ensure!(
        answer(Command::new("perf").args(count)).is_some(),
        "perf is needed, and the right to use it on tracepoints, which root has; on Debian: \
         apt-get install linux-perf"
    );
    Ok(())
}

/// Fails unless a process may have so many descriptors.
pub(crate) fn descriptors(count: u64) -> Result<()> {
    let (_, hard) = rlimit::Resource::NOFILE.get().context("reading the limit of descriptors")?;
    ensure!(
        hard >= count,
        "a process may have {hard} descriptors, and {count} are needed: `ulimit -Hn {count}`, as \
         root, before this"
    );
    Ok(())
}

/// A browser that Debian has as a package; all as in tests/browser/browser.mjs.
struct Browser {
    package: &'static str,
    /// Names one elsewhere.
    variable: &'static str,
    places: [&'static str; 2],
}

const CHROMIUM: Browser = Browser {
    package: "chromium",
    variable: "CHROMIUM",
    places: ["/usr/bin/chromium", "/usr/bin/chromium-browser"],
};
const FIREFOX: Browser = Browser {
    package: "firefox-esr",
    variable: "FIREFOX",
    places: ["/usr/bin/firefox-esr", "/usr/bin/firefox"],
};
const BROWSERS: [Browser; 2] = [CHROMIUM, FIREFOX];

impl Browser {
    fn require(&self) -> Result<()> {
        let Self { package, variable, places } = self;
        let named = std::env::var_os(variable).map(PathBuf::from);
        let mut found = named.iter().map(PathBuf::as_path).chain(places.iter().map(Path::new));
        ensure!(
            found.any(Path::exists),
            "no {package} for the tests in browsers: run `apt-get install {package}`, or name one \
             by the variable {variable}"
        );
        Ok(())
    }
}

fn require_node() -> Result<()> {
    let version = answer(Command::new("node").arg("--version"));
    match version.as_deref().map(parse_version) {
        Some(Some(version)) if version >= OLDEST_NODE => Ok(()),
        _ => bail!(
            "Node {}.{} or newer is needed, found {}",
            OLDEST_NODE.0,
            OLDEST_NODE.1,
            version.as_deref().unwrap_or("none")
        ),
    }
}

/// `v20.18.1` as (20, 18).
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim_start_matches('v').split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_browser_is_named_with_the_command_that_installs_it() {
        let none =
            Browser { package: "netscape", variable: "NETSCAPE", places: ["/no/1", "/no/2"] };
        let complaint = none.require().expect_err("there is none").to_string();
        assert!(complaint.contains("`apt-get install netscape`"), "{complaint}");
        assert!(complaint.contains("the variable NETSCAPE"), "{complaint}");
        let there = Browser { places: ["/no/1", "/"], ..none };
        assert!(there.require().is_ok());
    }

    #[test]
    fn node_versions_compare_by_number() {
        assert_eq!(parse_version("v20.18.1"), Some((20, 18)));
        assert!(parse_version("v20.9.0") < Some(OLDEST_NODE));
        assert!(parse_version("v100.0.0") > Some(OLDEST_NODE));
        assert_eq!(parse_version("no such command"), None);
    }
}
