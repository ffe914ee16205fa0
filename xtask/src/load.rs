//! `cargo xtask load`: the server under those who mean no good, with figures.
//!
//! Every scenario starts a release server of its own and prints what it cost, while a healthy pair
//! talks throughout; a promise that isn't kept is an error. Takes minutes, tens of thousands of
//! descriptors and a quiet machine: not for every day.

mod child;
mod client;
mod operating;
mod rush;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use child::{Memory, Server};
use client::{Client, DISCONNECTED, HEAD, WAITING, dial, frame, pair};

/// What `cargo xtask load` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The server to run; by default a release build is made.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Run this scenario only.
    #[arg(long)]
    only: Option<String>,
}

type Scenario = fn(&Path) -> Result<()>;

const SCENARIOS: [(&str, Scenario); 10] = [
    ("idle", idle_pairs),
    ("handshakes", half_finished_handshakes),
    ("slowloris", slowloris),
    ("deaf", deaf_pairs),
    ("pings", ping_flood),
    ("half-open", half_open),
    ("sigterm", operating::sigterm_under_load),
    ("descriptors", operating::out_of_descriptors),
    ("refusals", operating::refusals),
    ("rush", rush::into_a_scored_pool),
];

/// Runs the scenarios, one after the other.
pub(crate) fn run(args: &Args) -> Result<()> {
    rlimit::increase_nofile_limit(u64::MAX).context("raising the limit of descriptors")?;
    let binary = match &args.binary {
        Some(binary) => binary.clone(),
        None => build()?,
    };
    let mut ran = 0;
    for (name, scenario) in SCENARIOS {
        if args.only.as_deref().is_none_or(|only| only == name) {
            println!("\n== {name}");
            scenario(&binary).with_context(|| format!("scenario {name}"))?;
            ran += 1;
        }
    }
    ensure!(ran > 0, "no such scenario; there are {:?}", SCENARIOS.map(|(name, _)| name));
    println!("\nAll {ran} scenarios kept their promises.");
    Ok(())
}

fn build() -> Result<PathBuf> {
    let built =
        Command::new("cargo").args(["build", "--release", "--package", "vyoma"]).status()?;
    ensure!(built.success(), "the build failed");
    // This very program lies in the debug directory beside it.
    let target = std::env::current_exe()?;
    let target = target.ancestors().nth(2).context("no target directory")?;
    Ok(target.join("release").join("vyoma"))
}

/// As many as 20,000 descriptors a process allow.
fn idle_pairs(binary: &Path) -> Result<()> {
    const PAIRS: usize = 9_500;
    let server = Server::start(binary, &[])?;
    let healthy = Healthy::start(server.address)?;
    let before = server.memory()?;
    let start = Instant::now();
    let mut pairs = Vec::with_capacity(PAIRS);
    for n in 0..PAIRS {
        pairs.push(pair(server.address, 2 + (n % 8) as u8, None)?);
    }
    let after = server.memory()?;
    println!("{} idle connections, paired in {:.1} s", 2 * PAIRS, start.elapsed().as_secs_f64());
    report_memory(before, after, 2 * PAIRS as u64, "connection");
    sit_still(&server, &mut pairs)?;
    for (a, _) in pairs.iter_mut().step_by(97) {
        a.say("still there?")?;
    }
    for (_, b) in pairs.iter_mut().step_by(97) {
        b.expect("still there?")?;
    }
    healthy.finish()
}

/// Lets a heartbeat and more go by, in which idle clients do nothing but answer pings.
fn sit_still(server: &Server, pairs: &mut [(Client, Client)]) -> Result<()> {
    let (start, cpu) = (Instant::now(), server.cpu()?);
    let mut pings = 0;
    while start.elapsed() < Duration::from_secs(40) {
        for (a, b) in pairs.iter_mut() {
            pings += a.answer_pings()? + b.answer_pings()?;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    let busy = server.cpu()? - cpu;
    println!(
        "40 s of silence: {pings} pings answered, {busy} hundredths of CPU, healthy pair included"
    );
    println!("memory: anonymous {} KiB", server.memory()?.anonymous);
    ensure!(pings >= pairs.len() as u64, "idle clients were not pinged");
    Ok(())
}

fn half_finished_handshakes(binary: &Path) -> Result<()> {
    const HALVES: usize = 5_000;
    let server = Server::start(binary, &[])?;
    let healthy = Healthy::start(server.address)?;
    let before = server.memory()?;
    let start = Instant::now();
    let mut streams = Vec::with_capacity(HALVES);
    for n in 0..HALVES {
        let mut stream = dial(server.address, 2 + (n % 4) as u8, None)?;
        stream.write_all(&HEAD.as_bytes()[..n % HEAD.len()])?;
        streams.push(stream);
    }
    let after = server.memory()?;
    println!("{HALVES} half-finished handshakes in {:.1} s", start.elapsed().as_secs_f64());
    report_memory(before, after, HALVES as u64, "handshake");
    drain_all(&mut streams)?;
    println!(
        "all were ended by the server, the last one {:.1} s after the first came",
        start.elapsed().as_secs_f64()
    );
    report_memory(before, server.memory()?, HALVES as u64, "handshake, afterwards");
    healthy.finish()
}

fn slowloris(binary: &Path) -> Result<()> {
    const DRIPS: usize = 500;
    let server = Server::start(binary, &[])?;
    let healthy = Healthy::start(server.address)?;
    let before = server.memory()?;
    let start = Instant::now();
    let mut open: Vec<TcpStream> =
        (0..DRIPS).map(|_| dial(server.address, 2, None)).collect::<Result<_>>()?;
    for stream in &mut open {
        stream.write_all(b"GET / HTTP/1.1\r\n")?;
    }
    let mut lines = 0;
    while !open.is_empty() {
        ensure!(start.elapsed() < Duration::from_secs(30), "{} still drip", open.len());
        open.retain_mut(|stream| stream.write_all(b"X: 1\r\n").is_ok());
        lines += 1;
        std::thread::sleep(Duration::from_millis(200));
    }
    println!(
        "{DRIPS} drips were cut off after {lines} lines, {:.1} s",
        start.elapsed().as_secs_f64()
    );
    report_memory(before, server.memory()?, DRIPS as u64, "drip");
    healthy.finish()
}

/// Readers that never read, with senders that send all they can.
fn deaf_pairs(binary: &Path) -> Result<()> {
    const PAIRS: usize = 40;
    let server = Server::start(binary, &[])?;
    let healthy = Healthy::start(server.address)?;
    let before = server.memory()?;
    let start = Instant::now();
    let message = frame(0x82, &[7; 32 * 1024]);
    let mut pairs = Vec::new();
    let mut sent = 0;
    for _ in 0..PAIRS {
        let (mut a, b) = pair(server.address, 2, Some(8 * 1024))?;
        sent += a.pour(&message, Duration::from_millis(100), usize::MAX)?;
        pairs.push((a, b));
    }
    let after = server.memory()?;
    println!("{PAIRS} deaf pairs, {} MiB sent into them until TCP was full", sent >> 20);
    report_memory(before, after, PAIRS as u64, "pair");
    let each = after.anonymous.saturating_sub(before.anonymous) / PAIRS as u64;
    ensure!(each < 256, "{each} KiB per stalled pair");
    for (a, _) in &mut pairs {
        a.expect(DISCONNECTED)?;
        a.stream.shutdown(std::net::Shutdown::Both)?;
    }
    println!(
        "all given up and their partners told {:.1} s after the first; not_reading: {}",
        start.elapsed().as_secs_f64(),
        server.counted("\"not_reading\"")?
    );
    healthy.finish()
}

fn ping_flood(binary: &Path) -> Result<()> {
    const FLOODS: usize = 10;
    let server = Server::start(binary, &[])?;
    let healthy = Healthy::start(server.address)?;
    let before = server.memory()?;
    let packet = frame(0x89, &[7; 125]).repeat(500);
    let mut sent = 0;
    let mut pairs = Vec::new();
    for _ in 0..FLOODS {
        let (a, mut b) = pair(server.address, 2, Some(8 * 1024))?;
        // The one with the small buffer floods, and never reads its pongs.
        sent += b.pour(&packet, Duration::from_secs(1), 100 << 20)?;
        pairs.push((a, b));
    }
    println!("{FLOODS} floods, {} MiB of pings taken in", sent >> 20);
    report_memory(before, server.memory()?, FLOODS as u64, "flood");
    healthy.finish()
}

/// With the deadlines that organisers have: 25 s of silence and 8 s to answer.
fn half_open(binary: &Path) -> Result<()> {
    let server = Server::start(binary, &[])?;
    let (a, mut b) = pair(server.address, 2, None)?;
    a.cut_the_cable()?;
    let start = Instant::now();
    b.expect(DISCONNECTED)?;
    b.expect(WAITING)?;
    let took = start.elapsed();
    println!("a half-open partner was noticed after {:.1} s", took.as_secs_f64());
    ensure!(took < Duration::from_secs(40), "too late");
    Ok(())
}

/// Reads every stream to its end.
fn drain_all(streams: &mut [TcpStream]) -> Result<()> {
    for stream in streams {
        // A reset is an end, too.
        if let Err(error) = stream.read_to_end(&mut Vec::new()) {
            ensure!(error.kind() == std::io::ErrorKind::ConnectionReset, "no end: {error}");
        }
    }
    Ok(())
}

fn report_memory(before: Memory, after: Memory, units: u64, unit: &str) {
    let each = after.anonymous.saturating_sub(before.anonymous) as f64 / units as f64;
    println!(
        "memory: resident {} -> {} KiB (peak {}), anonymous {} -> {} KiB: {each:.1} KiB per {unit}",
        before.resident, after.resident, after.peak, before.anonymous, after.anonymous
    );
}

/// A pair that talks throughout, and takes the time.
struct Healthy {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<(u64, Duration)>>,
}

impl Healthy {
    fn start(to: SocketAddr) -> Result<Self> {
        let (a, b) = pair(to, 1, None)?;
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || ping_pong(a, b, &stop)
        });
        Ok(Self { stop, thread })
    }

    fn finish(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.join().map_err(|_| anyhow::anyhow!("the healthy pair panicked"))?;
        let (rounds, worst) = ended.context("the healthy pair")?;
        println!("the healthy pair talked throughout: {rounds} round trips, the worst {worst:.1?}");
        Ok(())
    }
}

fn ping_pong(mut a: Client, mut b: Client, stop: &AtomicBool) -> Result<(u64, Duration)> {
    let mut worst = Duration::ZERO;
    for round in 1.. {
        let words = format!("round {round}");
        let start = Instant::now();
        a.say(&words)?;
        b.expect(&words)?;
        b.say(&words)?;
        a.expect(&words)?;
        worst = worst.max(start.elapsed());
        if stop.load(Ordering::Relaxed) {
            return Ok((round, worst));
        }
        // Not to be the load itself.
        std::thread::sleep(Duration::from_millis(1));
    }
    unreachable!("a u64 doesn't run out")
}
