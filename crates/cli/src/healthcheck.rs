//! `vyoma healthcheck`: asks a server over plain HTTP whether it is ready, for containers.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::options::HealthcheckOptions;

/// For the whole question: a server that takes longer is not well.
const LIMIT: Duration = Duration::from_secs(3);

/// More of an answer than this is not read; its first line is what counts.
const MOST: u64 = 4096;

/// Asks, says what it saw, and tells it by the exit code.
pub(crate) fn run(options: &HealthcheckOptions) -> ExitCode {
    let url = options.url.clone().unwrap_or(format!("http://localhost:{}/readyz", options.port));
    match ask(&url) {
        Ok(seen) => {
            let _ = writeln!(io::stdout(), "ready: {url} answered {seen}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "not ready: {url}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The status line, if it is a 2xx.
fn ask(url: &str) -> anyhow::Result<String> {
    let rest = url.strip_prefix("http://").context("the URL must begin with http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    ensure!(visible(host) && visible(path) && !host.is_empty(), "the URL is malformed");
    let deadline = Instant::now() + LIMIT;
    let mut stream = connect(host, deadline)?;
    stream.set_write_timeout(Some(LIMIT))?;
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let line = first_line(stream, deadline)?;
    let status = line.strip_prefix("HTTP/1.1 ").context("this is no HTTP answer")?;
    ensure!(status.starts_with('2'), "it answered {status}");
    Ok(status.to_owned())
}

/// Tries every address of the host: `localhost` has two.
fn connect(host: &str, deadline: Instant) -> anyhow::Result<TcpStream> {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let with_port = if has_port { host.to_owned() } else { format!("{host}:80") };
    let mut failure = None;
    for address in with_port.to_socket_addrs().context("the host is not known")? {
        match TcpStream::connect_timeout(&address, left(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) => Err(error).context("nobody answers"),
        None => bail!("the host has no address"),
    }
}

fn first_line(mut stream: TcpStream, deadline: Instant) -> anyhow::Result<String> {
    let mut seen = Vec::new();
    while !seen.contains(&b'\n') && (seen.len() as u64) < MOST {
        stream.set_read_timeout(Some(left(deadline)?))?;
        let mut piece = [0; 512];
        let read = stream.read(&mut piece).context("no answer in time")?;
        ensure!(read > 0, "it closed without an answer");
        seen.extend_from_slice(&piece[..read]);
    }
    let line = seen.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).trim_end().to_owned())
}

fn left(deadline: Instant) -> anyhow::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    ensure!(!left.is_zero(), "no answer within {} s", LIMIT.as_secs());
    Ok(left)
}
