//! `cargo xtask autobahn`: the Autobahn TestSuite's server cases, through a pair.
//!
//! The suite expects a server that echoes; ours relays. So it talks to a shim, the shim to the
//! server, and the server to a partner that echoes:
//!
//! ```text
//! fuzzing client <-> shim <-> vyoma <-> echo partner
//! ```
//!
//! Every frame that is judged was parsed and written by our server; the shim only takes the notices
//! out. Knows how these four are put together. Must not know a single case.

mod partner;
mod python;
mod report;
mod shim;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use crate::process::{heading, run as must, target};
use crate::server::Server;

/// The server's own words in the plain dialect (docs/protocol.md).
const WAITING: &str = "⌛ Waiting for another entrepreneur...";
const CONNECTED: &str = "🎯 Connected with an entrepreneur!";
const DISCONNECTED: &str = "⚠️ Partner disconnected.";

/// The name under which the suite reports on us.
const AGENT: &str = "vyoma";
/// Framing, pings, reserved bits, opcodes, fragmentation, UTF-8, closing, sizes and throughput;
/// 8 is empty, 12 and 13 are compression, which the server doesn't offer.
const SECTIONS: [&str; 9] = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"];
/// Section 9 goes up to 16 MiB.
const MAX_MESSAGE_SIZE: &str = "32MiB";

/// Runs these cases, or all sections; whether every case passed.
///
/// # Errors
/// If there is no Python 2.7, the suite can't be installed or run, or leaves no report.
pub(crate) fn run(cases: &[String]) -> Result<bool> {
    let directory = target()?.join("autobahn");
    let suite = python::suite(&directory)?;
    let server = Server::start(&["--max-message-size", MAX_MESSAGE_SIZE])?;
    partner::start(server.address);
    let shim = shim::start(server.address)?;

    let reports = directory.join("reports");
    forget_last_run(&reports)?;
    let cases = if cases.is_empty() { SECTIONS.map(String::from).to_vec() } else { cases.to_vec() };
    let specification = json!({
        "outdir": reports,
        "servers": [{ "agent": AGENT, "url": format!("ws://{shim}/") }],
        "cases": cases,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    let file = directory.join("fuzzingclient.json");
    fs::write(&file, specification.to_string()).context("writing the suite's specification")?;

    heading(&format!("Autobahn cases {} through a pair", cases.join(", ")));
    must(Command::new(suite).args(["--mode", "fuzzingclient", "--spec"]).arg(&file))?;
    drop(server);
    report::judge(&reports, AGENT)
}

/// Old reports must not be taken for new ones.
fn forget_last_run(reports: &Path) -> Result<()> {
    if reports.exists() {
        fs::remove_dir_all(reports).context("removing the last run's reports")?;
    }
    Ok(())
}
