//! The servers that are compared: how each is built and started, and on which core.
//!
//! Must not know what is done to them.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result};

use crate::prerequisites::node_packages;
use crate::process::{cargo, heading, root, run, target};

/// The core of the server, and that of the generator.
const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";

/// A server to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Carries bytes between two connections: the limit.
    Forwarder,
    /// Ours.
    Vyoma,
    /// A relay on Node's `ws`.
    Node,
    /// A relay on axum and tungstenite.
    Axum,
}

impl Peer {
    /// In the order of the report.
    pub(crate) const ALL: [Self; 4] = [Self::Forwarder, Self::Vyoma, Self::Node, Self::Axum];

    /// Its name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Forwarder => "TCP forwarder",
            Self::Vyoma => "vyoma",
            Self::Node => "Node ws",
            Self::Axum => "axum",
        }
    }

    /// Makes it ready to be started.
    pub(crate) fn build(self) -> Result<()> {
        heading(&format!("building {}", self.name()));
        match self {
            Self::Forwarder => run(cargo().args(["build", "--release", "--package", "forwarder"])),
            Self::Vyoma => run(cargo().args(["build", "--release", "--package", "vyoma"])),
            Self::Node => node_packages("benches/peers/node"),
            Self::Axum => run(cargo()
                .args(["build", "--release", "--locked", "--target-dir"])
                .arg(axum_target()?)
                .current_dir(root().join("benches/peers/axum"))),
        }
    }

    /// The words of its command, with these flags if it is ours.
    fn words(self, flags: &[&str]) -> Result<Vec<PathBuf>> {
        Ok(match self {
            Self::Forwarder => vec![target()?.join("release/forwarder")],
            Self::Vyoma => {
                let words = ["--bind", "127.0.0.1", "--port", "0"];
                let words = words.iter().chain(flags).map(PathBuf::from);
                std::iter::once(vyoma()?).chain(words).collect()
            }
            Self::Node => vec!["node".into(), root().join("benches/peers/node/relay.mjs")],
            Self::Axum => vec![axum_target()?.join("release/axum-relay")],
        })
    }
}

/// Our server, which is the generator, too.
pub(crate) fn vyoma() -> Result<PathBuf> {
    Ok(target()?.join("release/vyoma"))
}

/// Apart from the workspace's, where other features of the same crates are built.
fn axum_target() -> Result<PathBuf> {
    Ok(target()?.join("peers"))
}

/// Where processes may run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Server and generator on a core each.
    Pinned,
    /// Where the kernel likes.
    Anywhere,
}

impl Placement {
    /// A command for the generator.
    pub(crate) fn generator(self) -> Result<Command> {
        Ok(self.command(LOAD_CORE, &[vyoma()?]))
    }

    fn command(self, core: &str, words: &[PathBuf]) -> Command {
        if self == Self::Pinned {
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", core]).args(words);
            return command;
        }
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }
}

/// A running server; it ends when this is dropped.
pub(crate) struct Running {
    child: Child,
    /// A port of 127.0.0.1 that it has chosen.
    pub(crate) port: u16,
}

impl Running {
    /// Starts a server and waits until it says its port.
    ///
    /// # Errors
    /// If it can't be started, or ends without having said where it listens.
    pub(crate) fn start(peer: Peer, flags: &[&str], placement: Placement) -> Result<Self> {
        let child = placement
            .command(SERVER_CORE, &peer.words(flags)?)
            .env_remove("PORT")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", peer.name()))?;
        let mut running = Self { child, port: 0 };
        let output = running.child.stdout.take().context("the output was not piped")?;
        running.port = port(output).with_context(|| format!("{} doesn't start", peer.name()))?;
        Ok(running)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port that the first line with one ends with. Reads on afterwards, so that a server never
/// writes into a pipe that is full or closed.
fn port(output: ChildStdout) -> Result<u16> {
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let port = lines.find_map(|line| port_in(&line)).context("it said no port")?;
    thread::spawn(move || lines.for_each(drop));
    Ok(port)
}

/// `4000` and `… ws://localhost:4000` as 4000.
fn port_in(line: &str) -> Option<u16> {
    line.rsplit(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_ends_with_a_port_tells_it() {
        assert_eq!(port_in("  WebSocket:  ws://localhost:4000"), Some(4000));
        assert_eq!(port_in("4000"), Some(4000));
        assert_eq!(port_in("VyomaChat is running. Stop it with Ctrl-C."), None);
    }
}
