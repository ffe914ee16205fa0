//! Bars that need no forwarder: the server alone, and how it is built.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::bar::{Bar, Limit};
use crate::peers::case::Case;
use crate::peers::peer::{Peer, Placement, Running, vyoma};
use crate::peers::results::{CPU, EACH};
use crate::peers::rounds::{measure, progress};
use crate::process::{cargo, run, target};

/// Counts hardly vary.
const COUNTS: usize = 3;

/// System calls of the server a message, as perf counts them.
pub(crate) fn system_calls(case: &Case, most: f64, seconds: u32) -> Bar {
    let load = [case.arguments(seconds), vec!["--system-calls".to_owned()]].concat();
    let (mut counts, mut failures) = (Vec::new(), Vec::new());
    let bar = progress([COUNTS as u64 * case.expected(seconds)].into_iter());
    for _ in 0..COUNTS {
        match figure(&["--workers=1"], &load, Placement::Pinned, "/server_system_calls_each") {
            Ok(count) => counts.push(count),
            Err(error) => failures.push(format!("{error:#}")),
        }
        bar.inc(case.expected(seconds));
    }
    bar.finish_and_clear();
    let what = format!("system calls a message: {}", case.title);
    Bar::new(what, counts, Limit::AtMost(most)).failed(&failures)
}

/// CPU time a message with two workers, as a multiple of one worker's in the same round.
pub(crate) fn two_workers(case: &Case, rounds: usize, seconds: u32) -> Bar {
    let load = case.arguments(seconds);
    let cpu = |workers| figure(&[workers], &load, Placement::Anywhere, CPU);
    let what = format!("CPU time of two workers to one's, not pinned: {}", case.title);
    let each = case.expected(seconds);
    in_turns(what, rounds, each, || cpu("--workers=1"), || cpu("--workers=2"), 1.2)
}

/// CPU time a message of `vyoma.v1`, with delivery receipts, as a multiple of a plain one's in the
/// same round. The text has so many bytes in v1; what is around it has 42.
pub(crate) fn dialects(case: &Case, text: u32, rounds: usize, seconds: u32, most: f64) -> Bar {
    let plain = case.arguments(seconds);
    let mut v1: Vec<_> = plain.iter().filter(|word| !word.starts_with("--size")).cloned().collect();
    v1.extend([format!("--size={text}"), "--dialect=v1".to_owned()]);
    let cpu = |load: &[String]| figure(&["--workers=1"], load, Placement::Pinned, CPU);
    let what = format!("CPU time of vyoma.v1, {text} B of text, to plain's: {}", case.title);
    in_turns(what, rounds, case.expected(seconds), || cpu(&plain), || cpu(&v1), most)
}

/// Bytes that an idle connection in a conversation of `vyoma.v1` takes.
pub(crate) fn idle_v1(case: &Case, seconds: u32) -> Bar {
    let load = [case.arguments(seconds), vec!["--dialect=v1".to_owned()]].concat();
    let (mut values, mut failures) = (Vec::new(), Vec::new());
    match figure(&["--workers=1"], &load, Placement::Anywhere, EACH) {
        Ok(bytes) => values.push(bytes),
        Err(error) => failures.push(format!("{error:#}")),
    }
    let what = "bytes an idle connection of vyoma.v1 in a conversation".to_owned();
    Bar::new(what, values, Limit::AtMost(1536.0)).failed(&failures)
}

/// The second figure as a multiple of the first, taken in turns; each takes about so many seconds.
fn in_turns(
    what: String,
    rounds: usize,
    seconds: u64,
    first: impl Fn() -> Result<f64>,
    second: impl Fn() -> Result<f64>,
    most: f64,
) -> Bar {
    let (mut ratios, mut failures) = (Vec::new(), Vec::new());
    let bar = progress([2 * rounds as u64 * seconds].into_iter());
    for round in 0..rounds {
        // They take turns at being first.
        let pair = if round % 2 == 0 {
            first().and_then(|one| Ok((one, second()?)))
        } else {
            second().and_then(|two| Ok((first()?, two)))
        };
        match pair {
            Ok((one, two)) => ratios.push(two / one),
            Err(error) => failures.push(format!("{error:#}")),
        }
        bar.inc(2 * seconds);
    }
    bar.finish_and_clear();
    Bar::new(what, ratios, Limit::AtMost(most)).failed(&failures)
}

/// Milliseconds from starting the process to its saying that it is ready.
pub(crate) fn start_to_ready(rounds: usize) -> Bar {
    let (mut times, mut failures) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let began = Instant::now();
        match Running::start(Peer::Vyoma, &[], Placement::Anywhere).and_then(|s| ready(&s)) {
            Ok(()) => times.push(1000.0 * began.elapsed().as_secs_f64()),
            Err(error) => failures.push(format!("{error:#}")),
        }
    }
    let what = "milliseconds from start to ready".to_owned();
    Bar::new(what, times, Limit::AtMost(50.0)).failed(&failures)
}

/// MiB of the binary.
pub(crate) fn size() -> Result<Bar> {
    let bytes = fs::metadata(vyoma()?).context("the binary")?.len();
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    Ok(Bar::new("MiB of the binary".to_owned(), vec![mebibytes], Limit::AtMost(15.0)))
}

/// Seconds of a release build with nothing built before, but everything downloaded.
pub(crate) fn clean_build() -> Result<Bar> {
    let directory = target()?.join("clean-build");
    if directory.exists() {
        fs::remove_dir_all(&directory).context("removing an earlier build")?;
    }
    run(cargo().args(["fetch", "--locked"]))?;
    let began = Instant::now();
    let arguments = ["build", "--release", "--locked", "--package", "vyoma", "--target-dir"];
    run(cargo().args(arguments).arg(&directory))?;
    let seconds = began.elapsed().as_secs_f64();
    fs::remove_dir_all(&directory).context("removing the build")?;
    let what = "seconds of a clean release build".to_owned();
    Ok(Bar::new(what, vec![seconds], Limit::AtMost(300.0)))
}

/// One figure of our server under load.
fn figure(flags: &[&str], load: &[String], placement: Placement, figure: &str) -> Result<f64> {
    let report = measure(Peer::Vyoma, flags, load, placement)?;
    report.pointer(figure).and_then(|f| f.as_f64()).context("the report lacks the figure")
}

/// Fails unless the server says that it is ready.
fn ready(server: &Running) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 200 "), "it isn't ready: {answer}");
    Ok(())
}
