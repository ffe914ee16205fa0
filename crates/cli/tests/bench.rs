//! `vyoma bench` against a real server: every mode, its JSON, and what it refuses. Nothing here
//! asserts a speed.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers may panic")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use serde_json::Value;

/// The binary, in an environment of its own.
fn vyoma(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyoma"));
    command.env_clear().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A server on a port of its own. Killed if the test fails.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start() -> Self {
        let mut command = vyoma(&["--port", "0", "--bind", "127.0.0.1", "--workers", "1"]);
        let mut child = command.stderr(Stdio::null()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
        let port = lines.find_map(|line| {
            Some(line.unwrap().strip_prefix("  WebSocket:  ws://localhost:")?.to_owned())
        });
        Self { child, address: format!("127.0.0.1:{}", port.expect("it says where it is")) }
    }

    /// Runs the generator against it for a second, and returns what it reports.
    fn bench(&self, arguments: &[&str]) -> Value {
        let pid = self.child.id().to_string();
        let common = ["--server", &self.address, "--server-pid", &pid];
        report(&bench(&[&common[..], arguments].concat()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail if it has gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bench(arguments: &[&str]) -> Output {
    let common = ["bench", "--json", "--duration", "1s", "--warmup", "100ms"];
    vyoma(&[&common[..], arguments].concat()).output().expect("it runs")
}

/// The report of a run without an error.
fn report(output: &Output) -> Value {
    let message = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).expect(&message);
    assert!(output.status.success(), "{report:#}{message}");
    report
}

/// A forwarder of two connections, the first two that come.
fn forwarder() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (one, other) = (listener.accept().unwrap().0, listener.accept().unwrap().0);
        let (mut back, mut there) = (other.try_clone().unwrap(), one.try_clone().unwrap());
        thread::spawn(move || std::io::copy(&mut { one }, &mut { other }));
        std::io::copy(&mut back, &mut there)
    });
    address
}

#[test]
fn to_and_fro() {
    for (mode, text) in [
        ("ping-pong", "ascii"),
        ("ping-pong", "multibyte"),
        ("burst", "ascii"),
        ("burst", "binary"),
    ] {
        let report =
            Server::start().bench(&["--mode", mode, "--text", text, "--size=1KiB", "--pairs=5"]);
        assert_eq!((&report["mode"], &report["text"]), (&mode.into(), &text.into()));
        assert_eq!((&report["pairs"], &report["size"]), (&5.into(), &1024.into()));
        assert_eq!(report["in_flight"], if mode == "burst" { 64 } else { 1 });
        assert!(report["count"].as_u64() > Some(0));
        let micros = |name: &str| report["latency_us"][name].as_f64().unwrap();
        assert!(micros("p50") > 0.0 && micros("p50") <= micros("p99"));
        assert!(micros("p99") <= micros("max"));
        assert!(report["server_cpu_ns_each"].as_f64() > Some(0.0));
        assert!(report["generator_is_bottleneck"].is_boolean());
    }
}

#[test]
fn bursts_that_no_socket_takes_at_once() {
    let report =
        Server::start().bench(&["--mode=burst", "--size=64KiB", "--in-flight=400", "--pairs=1"]);
    assert!(report["count"].as_u64() > Some(0));
}

#[test]
fn at_a_fixed_rate() {
    let report = Server::start().bench(&["--mode=rate", "--rate=500", "--pairs=3"]);
    assert_eq!(report["rate"], 500);
    assert!(report["count"].as_u64() > Some(0));
    assert!(report["latency_us"]["p99"].as_f64() > Some(0.0));
}

#[test]
fn whole_sessions() {
    let report = Server::start().bench(&["--mode=sessions", "--pairs=5"]);
    assert!(report["count"].as_u64() > Some(0));
    assert!(report["server_cpu_ns_each"].as_f64() > Some(0.0));
}

#[test]
fn idle_twice() {
    let report = Server::start().bench(&["--mode=idle", "--pairs=50", "--settle=1s"]);
    let rounds = report["rounds"].as_array().unwrap();
    assert_eq!(rounds.len(), 2);
    for round in rounds {
        assert_eq!(round["connections"], 100);
        let memory = &round["memory"];
        assert!(memory["held"].as_u64() > Some(0) && memory["each"].is_number());
    }
}

#[test]
fn a_forwarder_gives_the_same_bytes_back() {
    for mode in ["ping-pong", "burst", "rate"] {
        let report =
            report(&bench(&["--raw", "--mode", mode, "--pairs=1", "--server", &forwarder()]));
        assert_eq!(report["raw"], true);
        assert!(report["count"].as_u64() > Some(0));
    }
}

#[test]
fn a_changed_byte_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut one, mut other) = (listener.accept().unwrap().0, listener.accept().unwrap().0);
        let mut frame = [0; 70];
        one.read_exact(&mut frame).unwrap();
        frame[69] ^= 1;
        other.write_all(&frame).unwrap();
        // Stays until the generator has gone.
        one.read(&mut frame)
    });
    let output = bench(&["--raw", "--pairs=1", "--server", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("message 0"));
}

#[test]
fn a_server_that_is_not_there_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let output = bench(&["--server", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&address));
}

#[test]
fn other_clients_are_noticed() {
    let server = Server::start();
    let mut waiter = TcpStream::connect(&server.address).unwrap();
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    waiter.write_all(request.as_bytes()).unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("Waiting") {
        let mut piece = [0; 512];
        let read = waiter.read(&mut piece).unwrap();
        seen.extend_from_slice(&piece[..read]);
    }
    let output = bench(&["--server", &server.address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("other clients"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (arguments, reason) in [
        // From a block reserved for documentation (RFC 5737).
        (vec!["--server", "192.0.2.1:3001"], "--remote"),
        (vec!["--remote", "--server-pid", "1"], "--server-pid"),
        (vec!["--size", "15"], "--size"),
        (vec!["--mode", "burst", "--size", "64MiB"], "--size"),
        (vec!["--pairs", "0"], "--pairs"),
        (vec!["--duration", "0s"], "--duration"),
        (vec!["--mode", "nonsense"], "--mode"),
    ] {
        let output = vyoma(&[&["bench"], &arguments[..]].concat()).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(reason), "{message}");
    }
}
