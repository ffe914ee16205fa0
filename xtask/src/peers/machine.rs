//! What the figures were measured on and with.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::process::{answer, root};

/// Lines of a Markdown list.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (processor, kernel) = (processor(), file("/proc/sys/kernel/osrelease"));
    let (rustc, node) = (version("rustc"), version("node"));
    let (ws, axum) = (ws(), locked("axum"));
    format!(
        "- {} UTC\n\
         - {processor}, {cores} cores, Linux {kernel}\n\
         - {rustc}; Node {node} with ws {ws}; axum {axum} with tungstenite {}\n",
        answer(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M"])).unwrap_or_default(),
        locked("tungstenite"),
    )
}

fn processor() -> String {
    let information = file("/proc/cpuinfo");
    let model = information.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map(|model| model.trim_start_matches([' ', '\t', ':']).to_owned());
    // Some architectures don't tell.
    model.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn version(program: &str) -> String {
    let said = answer(Command::new(program).arg("--version"));
    said.map_or_else(|| "unknown".to_owned(), |said| said.trim_start_matches('v').to_owned())
}

fn ws() -> String {
    let text = file("benches/peers/node/package.json");
    let package: Value = serde_json::from_str(&text).unwrap_or_default();
    package["dependencies"]["ws"].as_str().unwrap_or("unknown").to_owned()
}

/// The version of a crate that the axum relay is built with.
fn locked(name: &str) -> String {
    let lock = file("benches/peers/axum/Cargo.lock");
    let entry = format!("name = \"{name}\"\nversion = \"");
    let version = lock.split_once(&entry).and_then(|(_, rest)| rest.split('"').next());
    version.unwrap_or("unknown").to_owned()
}

/// What a file holds, from the project's root; empty if it can't be read.
fn file(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peers_versions_are_found() {
        assert!(ws().starts_with(|c: char| c.is_ascii_digit()), "{}", ws());
        assert!(locked("axum").starts_with("0."), "{}", locked("axum"));
        assert_eq!(locked("no such crate"), "unknown");
    }
}
