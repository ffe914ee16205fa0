//! What `vyoma bench` can be asked for, and what makes no sense together.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;

use clap::{Args, ValueEnum};

use vyoma_protocol::Dialect;

use super::message::STAMP;
use crate::values::{ByteSize, Span};

/// What load to make, and how to tell.
#[derive(Debug, Clone, Args)]
pub(crate) struct BenchOptions {
    /// Server to load, which nobody else may use meanwhile
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3001", value_parser = server)]
    pub(crate) server: SocketAddr,

    /// Allows a server on another machine, which has to be yours
    #[arg(long)]
    pub(crate) remote: bool,

    /// What the connections speak
    #[arg(long, value_name = "DIALECT", default_value = "plain")]
    pub(crate) dialect: Tongue,

    /// What the pairs do
    #[arg(long, value_name = "MODE", default_value = "ping-pong")]
    pub(crate) mode: Mode,

    /// Pairs of connections; sessions at once
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) pairs: u32,

    /// Size of a message, at least 16: each carries its number
    #[arg(long, value_name = "SIZE", default_value = "64")]
    pub(crate) size: ByteSize,

    /// What the messages are made of
    #[arg(long, value_name = "KIND", default_value = "ascii")]
    pub(crate) text: Text,

    /// Messages in a burst; at most, in one write, in the mode `rate`
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) in_flight: u32,

    /// Messages a second over all pairs, in the mode `rate`
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) rate: u32,

    /// How long to measure; to stay, in the mode `idle`
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub(crate) duration: Span,

    /// How long to run before measuring
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub(crate) warmup: Span,

    /// How long a server may take to give memory back, in the mode `idle`
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub(crate) settle: Span,

    /// How many times to connect, in the mode `idle`
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,

    /// Process of the server, on this machine: tells its CPU time and memory, too
    #[arg(long, value_name = "PID")]
    pub(crate) server_pid: Option<u32>,

    /// Counts the server's system calls, too, by perf, instead of its CPU time, which that distorts
    #[arg(long, requires = "server_pid")]
    pub(crate) system_calls: bool,

    /// Expects a TCP forwarder that pairs connections, instead of a server, and the same bytes back
    #[arg(long)]
    pub(crate) raw: bool,

    /// Writes the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What the pairs do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// One message at a time, to and fro
    PingPong,
    /// Many messages at a time, to and fro
    Burst,
    /// Messages at fixed times, whether the server keeps up or not
    Rate,
    /// Connects, says a message each way, closes, and again
    Sessions,
    /// Stays connected and says nothing
    Idle,
}

impl Mode {
    /// As on the command line.
    pub(crate) fn name(self) -> String {
        name(self)
    }
}

/// What the connections speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tongue {
    /// Messages as they are
    Plain,
    /// The envelopes of vyoma.v1, with receipts
    V1,
}

impl Tongue {
    /// The same, as the protocol calls it.
    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Plain => Dialect::Plain,
            Self::V1 => Dialect::V1,
        }
    }
}

/// What messages are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Text {
    /// Text, a byte a character
    Ascii,
    /// Text, two to four bytes a character
    Multibyte,
    /// Binary messages
    Binary,
}

impl Text {
    /// As on the command line.
    pub(crate) fn name(self) -> String {
        name(self)
    }
}

fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// `HOST:PORT`, perhaps as a URL. IPv4 comes first where a name has both.
fn server(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix("ws://").unwrap_or(text).trim_end_matches('/');
    let found = bare
        .to_socket_addrs()
        .map_err(|error| format!("write it as 127.0.0.1:3001 or ws://localhost:3001 ({error})"))?;
    found.min_by_key(SocketAddr::is_ipv6).ok_or("the host has no address".into())
}

impl BenchOptions {
    /// Says what makes no sense.
    pub(crate) fn check(&self) -> Result<(), String> {
        /// Prepared bursts are held in memory, like what a pair's sockets don't take.
        const MOST: usize = 64 << 20;
        if !self.server.ip().is_loopback() && !self.remote {
            return Err(format!(
                "--server {} is not on this machine; give --remote if it is yours to load",
                self.server
            ));
        }
        if self.remote && self.server_pid.is_some() {
            return Err("--server-pid is about this machine, not about one that is remote".into());
        }
        if self.size.0 < STAMP || self.size.0.saturating_mul(self.burst() as usize) > MOST {
            return Err(format!("--size must be at least {STAMP}, and a burst at most 64MiB"));
        }
        let v1 = self.dialect == Tongue::V1;
        if v1 && (self.raw || self.mode == Mode::Sessions || self.text == Text::Binary) {
            return Err("--dialect v1 goes with a server, and with text; not with sessions".into());
        }
        if self.duration.0.is_zero() {
            return Err("--duration must be longer than 0".into());
        }
        if self.server_pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}/task")).exists()) {
            return Err("--server-pid: there is no such process to be read in /proc".into());
        }
        Ok(())
    }

    /// Messages that one write brings, in the modes that go to and fro; at most, at a fixed rate.
    pub(crate) fn burst(&self) -> u32 {
        if matches!(self.mode, Mode::Burst | Mode::Rate) { self.in_flight } else { 1 }
    }
}
