//! The server as a process of its own, as an organiser runs it: what it costs, and how it ends.

use std::fs::File;
use std::io::{Read, Seek};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    log: File,
    pub(crate) address: SocketAddr,
}

/// What the kernel says a process takes, in KiB.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident: u64,
    /// Resident now, and its own: not mapped from files.
    pub(crate) anonymous: u64,
    /// The most that was ever resident.
    pub(crate) peak: u64,
}

impl Server {
    pub(crate) fn start(binary: &Path, flags: &[&str]) -> Result<Self> {
        Self::start_by(Command::new(binary), flags)
    }

    /// As [`Server::start`], with room for so many descriptors only.
    pub(crate) fn start_with_descriptors(binary: &Path, descriptors: u32) -> Result<Self> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"")).arg(binary);
        Self::start_by(shell, &[])
    }

    fn start_by(mut command: Command, flags: &[&str]) -> Result<Self> {
        // A port that was free a moment ago.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let log = scratch_file()?;
        let port = address.port().to_string();
        command.args(["serve", "--bind", "127.0.0.1", "--port", &port]).args(flags);
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .spawn()
            .context("the server doesn't start; is it built?")?;
        let mut server = Self { child, log, address };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}: {}", self.log()?);
            }
            ensure!(Instant::now() < deadline, "the server doesn't listen: {}", self.log()?);
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
            Ok(kib.with_context(|| format!("no {name} in {status}"))?.trim().parse()?)
        };
        let (resident, anonymous) = (field("VmRSS:")?, field("RssAnon:")?);
        Ok(Memory { resident, anonymous, peak: field("VmHWM:")? })
    }

    /// The CPU time it has used so far, in hundredths of a second.
    pub(crate) fn cpu(&self) -> Result<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // Fields 14 and 15, counted from behind the name, which may hold spaces.
        let fields = stat.rsplit_once(") ").context("no fields")?.1;
        let fields: Vec<&str> = fields.split(' ').collect();
        Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
    }

    /// The sum of the metrics whose line contains this.
    pub(crate) fn counted(&self, what: &str) -> Result<u64> {
        let text = get(self.address, "/metrics")?;
        let lines = text.lines().filter(|line| !line.starts_with('#') && line.contains(what));
        Ok(lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum::<f64>()
            as u64)
    }

    /// The metric of this name, if the server has it.
    pub(crate) fn metric(&self, name: &str) -> Result<Option<f64>> {
        let text = get(self.address, "/metrics")?;
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(found.map(str::parse).transpose()?)
    }

    /// Everything it has printed so far.
    pub(crate) fn log(&mut self) -> Result<String> {
        let mut text = String::new();
        self.log.rewind()?;
        self.log.read_to_string(&mut text)?;
        Ok(text)
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) -> Result<()> {
        let sent = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        ensure!(sent.success(), "kill: {sent}");
        Ok(())
    }

    /// Waits for it to end by itself.
    pub(crate) fn wait(&mut self, patience: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            ensure!(Instant::now() < deadline, "still running after {patience:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the binary to its end, which is expected soon.
pub(crate) fn run(binary: &Path, flags: &[&str]) -> Result<Output> {
    let mut timed = Command::new("timeout");
    Ok(timed.arg("10").arg(binary).args(flags).stdin(Stdio::null()).output()?)
}

/// The body of an HTTP answer.
pub(crate) fn get(to: SocketAddr, path: &str) -> Result<String> {
    use std::io::Write;
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
    Ok(body.to_owned())
}

/// A file without a name for the server's output; unlike a pipe it never fills up.
fn scratch_file() -> Result<File> {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("vyoma-load-{}-{number}", std::process::id()));
    let file = File::options().create_new(true).read(true).append(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
