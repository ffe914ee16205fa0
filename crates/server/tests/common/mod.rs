//! What the black-box tests share: a server of their own, raw clients, and patience.
//!
//! Knows the promises and RFC 6455, not how the server keeps them. Every test file is its
//! own crate and uses a part of this.
#![allow(dead_code, reason = "no test file uses all of it")]

pub(crate) mod client;
pub(crate) mod http;
pub(crate) mod speaker;
pub(crate) mod wire;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vyoma_server::{Config, Server};

use client::Client;

/// How long anything may take that should happen soon: far more than a busy machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The notices, in the bytes they have on the wire.
pub(crate) const WAITING: &str = "\u{231b} Waiting for another entrepreneur...";
pub(crate) const CONNECTED: &str = "\u{1f3af} Connected with an entrepreneur!";
pub(crate) const DISCONNECTED: &str = "\u{26a0}\u{fe0f} Partner disconnected.";

/// A server of the test's own. When it goes out of scope its books must balance.
#[derive(Clone)]
pub(crate) struct House {
    server: Arc<Server>,
}

impl House {
    pub(crate) fn open() -> Self {
        Self::with(|_| {})
    }

    /// A server on a free loopback port, configured by `adjust`.
    pub(crate) fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            bind: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            port: 0,
            workers: 2,
            ..Config::default()
        };
        adjust(&mut config);
        Self { server: Arc::new(Server::start(config).expect("the server starts")) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// The sum of the metrics whose labels hold this name, such as a reason's.
    pub(crate) fn counted(&self, name: &str) -> u64 {
        let quoted = format!("\"{name}\"");
        self.sum_metrics(|line| line.contains(&quoted))
    }

    /// The sum of the metrics with this name, over all labels.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        self.sum_metrics(|line| line.split(['{', ' ']).next() == Some(name))
    }

    /// How many messages the server says it passed on.
    pub(crate) fn relayed(&self) -> u64 {
        self.metric("vyoma_messages_relayed_total")
    }

    fn sum_metrics(&self, pick: impl Fn(&str) -> bool) -> u64 {
        let text = self.server.metrics();
        let lines = text.lines().filter(|line| !line.starts_with('#') && pick(line));
        let values = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
        values.sum::<f64>() as u64
    }

    /// Waits until nobody is connected.
    #[track_caller]
    pub(crate) fn expect_empty(&self) {
        eventually("everybody has gone", || self.census().total() == 0);
    }
}

impl Deref for House {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.server.check().expect("the server's books balance");
        }
    }
}

/// Waits until `holds`; fails when that takes longer than [`PATIENCE`].
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A pair that talks all the time, in a thread of its own, whatever happens around it.
pub(crate) struct Chatter {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Chatter {
    /// Pairs two clients and lets them talk. Nobody else may be waiting.
    pub(crate) fn start(to: SocketAddr) -> Self {
        let (a, b) = client::pair(to);
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || chat(a, b, &stop)
        });
        Self { stop, thread }
    }

    /// Ends the conversation, in which nothing may have been lost; returns its rounds.
    #[track_caller]
    pub(crate) fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let rounds = self.thread.join().expect("the healthy pair went on talking");
        assert!(rounds > 0, "the healthy pair never talked");
        rounds
    }
}

fn chat(mut a: Client, mut b: Client, stop: &AtomicBool) -> u64 {
    for round in 0.. {
        let words = format!("round {round}");
        a.say(&words);
        b.expect(&words);
        b.say(&words);
        a.expect(&words);
        if stop.load(Ordering::Relaxed) {
            return round + 1;
        }
    }
    unreachable!("a u64 doesn't run out")
}

/// A directory of the test's own, which goes with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("vyoma-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, with the directories above it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.0.join(path)).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
