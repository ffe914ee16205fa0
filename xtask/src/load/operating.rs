//! How the server ends, runs out of descriptors and recovers, and what it says to bad configuration.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};

use super::Healthy;
use super::child::{self, Server};
use super::client::{Client, Event, WAITING, dial, pair};

pub(crate) fn sigterm_under_load(binary: &Path) -> Result<()> {
    const PAIRS: usize = 50;
    let mut server = Server::start(binary, &["--drain-timeout", "3s"])?;
    let pairs: Vec<_> = (0..PAIRS).map(|_| pair(server.address, 2, None)).collect::<Result<_>>()?;
    let mut waiter = Client::join(server.address)?;
    waiter.expect(WAITING)?;
    let listeners: Vec<_> = pairs
        .into_iter()
        .map(|(a, b)| {
            std::thread::spawn(|| talk(a));
            std::thread::spawn(|| listen(b))
        })
        .collect();
    while server.counted("vyoma_messages_relayed_total")? < 100_000 {
        std::thread::sleep(Duration::from_millis(20));
    }
    server.terminate()?;
    let start = Instant::now();
    ensure!(waiter.hear()? == Event::Close(1001), "the waiter was not closed 1001");
    drop(waiter);
    let status = server.wait(Duration::from_secs(30))?;
    let took = start.elapsed();
    let mut heard = 0;
    for listener in listeners {
        heard += listener.join().map_err(|_| anyhow!("a listener panicked"))??;
    }
    println!(
        "{status} {:.1} s after SIGTERM (3 s to drain); {heard} messages arrived, without a hole",
        took.as_secs_f64()
    );
    let log = server.log()?;
    ensure!(took < Duration::from_secs(3 + 5), "later than the drain timeout and 5 s more: {log}");
    ensure!(status.success(), "not 0: {status}; {log}");
    Ok(())
}

/// Sends numbers until the server takes no more.
fn talk(mut client: Client) {
    let mut n = 0u64;
    while client.say(&n.to_string()).is_ok() {
        n += 1;
    }
}

/// Hears numbers without a hole until the Close; returns how many.
fn listen(mut client: Client) -> Result<u64> {
    for next in 0.. {
        match client.hear()? {
            Event::Text(words) => ensure!(words == next.to_string(), "{words} after {next}"),
            Event::Close(1001) => return Ok(next),
            other => bail!("{other:?} after {next}"),
        }
    }
    unreachable!("a u64 doesn't run out")
}

pub(crate) fn out_of_descriptors(binary: &Path) -> Result<()> {
    let mut server = Server::start_with_descriptors(binary, 64)?;
    let healthy = Healthy::start(server.address)?;
    let crowd: Vec<TcpStream> =
        (0..200).map(|_| dial(server.address, 2, None)).collect::<Result<_>>()?;
    let cpu = server.cpu()?;
    std::thread::sleep(Duration::from_secs(3));
    let busy = server.cpu()? - cpu;
    drop(crowd);
    healthy.finish()?;
    let (mut a, mut b) = pair(server.address, 3, None)?;
    a.say("it recovers")?;
    b.expect("it recovers")?;
    let log = server.log()?;
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("cannot accept")).collect();
    println!(
        "64 descriptors, 200 more connections: {busy} hundredths of CPU in 3 s, with a pair talking"
    );
    println!("it logged {} line(s), such as: {}", lines.len(), lines.first().unwrap_or(&"none"));
    ensure!(!lines.is_empty(), "it said nothing about it: {log}");
    Ok(())
}

/// What an organiser is told who starts it wrongly.
pub(crate) fn refusals(binary: &Path) -> Result<()> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port().to_string();
    for flags in [
        &["--bind", "127.0.0.1", "--port", &port][..],
        &["--no-such-flag"],
        &["--port", "http"],
        &["--port", "70000"],
        &["--bind", "nonsense"],
        &["--bind", "203.0.113.1", "--port", "0"],
        &["--max-message-size", "0"],
        &["--workers", "0"],
        &["--trusted-proxy", "10.0.0.0/99"],
        &["--survivor", "perish"],
        &["--heartbeat", "soon"],
        &["--drain-timeout=-1s"],
    ] {
        let output = child::run(binary, flags)?;
        let said = String::from_utf8_lossy(&output.stderr);
        println!(
            "vyoma {}\n  {}: {}",
            flags.join(" "),
            output.status,
            said.trim().replace('\n', "\n  ")
        );
        let code = output.status.code();
        ensure!(matches!(code, Some(1 | 2)), "{flags:?} ended with {}", output.status);
        ensure!(!said.contains("panicked"), "{flags:?} panicked");
    }
    Ok(())
}
