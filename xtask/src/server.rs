//! The real binary as a child process, on a port of the loopback address that it chose itself.
//!
//! Knows the flags and the line in which `vyoma` says where clients connect. Must not know why it
//! is started.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{cargo, run, target};

/// A hang guard: how long the server may take to say where it listens.
const START: Duration = Duration::from_secs(60);

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Builds the release binary and starts it with these flags besides `--bind` and `--port`.
    ///
    /// # Errors
    /// If it can't be built, can't be started, or doesn't say where it listens.
    pub(crate) fn start(flags: &[&str]) -> Result<Self> {
        run(cargo().args(["build", "--release", "--package", "vyoma"]))?;
        let mut child = Command::new(target()?.join("release/vyoma"))
            .args(["--bind", "127.0.0.1", "--port", "0"])
            .args(flags)
            .env_remove("PORT")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let (found, port) = channel();
        if let Some(stdout) = child.stdout.take() {
            look_for_port(stdout, found.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            look_for_port(stderr, found);
        }
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let port = port.recv_timeout(START).context("the server doesn't say where it listens")?;
        server.address.set_port(port);
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do, and nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end, so that the server never waits for a full pipe; sends on the first port seen.
fn look_for_port(output: impl Read + Send + 'static, found: Sender<u16>) {
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(port) = port_in(&line) {
                // Later lines find nobody listening any more.
                let _ = found.send(port);
            }
        }
    });
}

/// The port in a line like `… ws://127.0.0.1:3001/ …`.
fn port_in(line: &str) -> Option<u16> {
    let address = line.split("ws://").nth(1)?.split(['/', ' ']).next()?;
    address.rsplit_once(':')?.1.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_found_in_the_line_that_names_it() {
        assert_eq!(port_in("Connect a client to ws://127.0.0.1:3001/"), Some(3001));
        assert_eq!(port_in("clients: ws://localhost:80."), Some(80));
        assert_eq!(port_in("clients: ws://[::1]:4000/ws and more"), Some(4000));
        assert_eq!(port_in("open http://127.0.0.1:3001/"), None);
    }
}
