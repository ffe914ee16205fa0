//! The server's process: started, killed, replaced.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// For whatever a process should do at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that can be killed and started again on the same port.
#[derive(Debug)]
pub struct Process {
    binary: PathBuf,
    dir: PathBuf,
    port: u16,
    drain: Duration,
    child: Child,
    /// Processes that were taken over from, and drain.
    leaving: Vec<Child>,
}

impl Process {
    /// Starts this binary on a free port, with its data in a directory of its own under `dir`.
    ///
    /// # Errors
    /// If it doesn't start, or doesn't listen.
    pub fn start(binary: &Path, dir: &Path, drain: Duration) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir)?;
        // Free now; whoever takes it in between makes the start fail, and says so.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let (binary, dir) = (binary.to_owned(), dir.to_owned());
        let child = spawn(&binary, &dir, port, drain)?;
        let process = Self { binary, dir, port, drain, child, leaving: Vec::new() };
        process.await_port()?;
        Ok(process)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Kills it (SIGKILL), and starts it again.
    ///
    /// # Errors
    /// If it doesn't come back.
    pub fn kill_and_restart(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = spawn(&self.binary, &self.dir, self.port, self.drain)?;
        self.await_port()
    }

    /// Starts another one that takes over; the old one drains.
    ///
    /// # Errors
    /// If the new one doesn't take over.
    pub fn roll(&mut self) -> anyhow::Result<()> {
        let new = spawn(&self.binary, &self.dir, self.port, self.drain)?;
        self.leaving.push(std::mem::replace(&mut self.child, new));
        Ok(())
    }

    /// Waits until those that were taken over from have gone, each by itself and without complaint.
    ///
    /// # Errors
    /// If one doesn't go in time, or fails.
    pub fn await_leavers(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + self.drain + PATIENCE;
        for mut child in self.leaving.drain(..) {
            let status = loop {
                match child.try_wait()? {
                    Some(status) => break status,
                    None if Instant::now() > deadline => {
                        child.kill()?;
                        bail!("a server that was taken over from didn't go");
                    }
                    None => sleep(Duration::from_millis(20)),
                }
            };
            if !status.success() {
                bail!("a server that was taken over from ended with {status}");
            }
        }
        Ok(())
    }

    fn await_port(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(self.address()).is_err() {
            if Instant::now() > deadline {
                bail!("the server doesn't listen on {}", self.address());
            }
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        for child in self.leaving.iter_mut().chain([&mut self.child]) {
            // One that has gone by itself can't be killed.
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Starts a process, and waits for its greeting: then it accepts.
fn spawn(binary: &Path, dir: &Path, port: u16, drain: Duration) -> anyhow::Result<Child> {
    let mut child = Command::new(binary)
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--log", "error"])
        .args(["--max-connections-per-address", "0", "--max-attempts-per-address", "0"])
        .args(["--heartbeat", "2s", "--drain-timeout", &format!("{}ms", drain.as_millis())])
        .arg("--data-dir")
        .arg(dir)
        .arg("--takeover")
        .arg(dir.join("takeover.sock"))
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    let stdout = child.stdout.take().context("its output is piped")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    if !line.contains("running") {
        bail!("the server didn't start: {}", child.wait()?);
    }
    Ok(child)
}
