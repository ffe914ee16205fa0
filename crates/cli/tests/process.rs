//! The binary as a shell sees it: what it prints, what it exits with, how it obeys signals.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers may panic")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};

/// The binary, in an environment of its own.
fn vyoma(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyoma"));
    command.env_clear().args(arguments).envs(environment.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    vyoma(arguments, environment).output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it prints UTF-8")
}

/// A server on a port of its own, as its greeting tells. Killed if the test fails.
struct Running {
    child: Child,
    port: u16,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut command = vyoma(&["--port", "0", "--bind", "127.0.0.1"], &[]);
        let mut child = command.args(arguments).stderr(Stdio::null()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
        let port = lines.find_map(|line| {
            line.unwrap().strip_prefix("  WebSocket:  ws://localhost:")?.parse().ok()
        });
        Self { child, port: port.expect("it says where it is") }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// A client that waits for a partner.
    fn join(&self) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has gone already, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads until this is among what has come.
fn read_until(stream: &mut TcpStream, end: &str) {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(end) {
        let mut piece = [0; 512];
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "{end:?} never came, only {:?}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&piece[..read]);
    }
}

#[test]
fn bad_configuration_is_refused_with_its_name_and_the_reason() {
    for (arguments, environment, name, reason) in [
        (vec!["--heartbeat", "0s"], vec![], "--heartbeat", "longer than 0"),
        (vec!["--workers", "0"], vec![], "--workers", "between 1 and"),
        (vec![], vec![("VYOMA_MAX_MESSAGE_SIZE", "0")], "VYOMA_MAX_MESSAGE_SIZE", "between 1"),
        (vec!["--max-message-size", "4GiB"], vec![], "--max-message-size", "64 MiB"),
        (vec!["--trusted-proxy", "10.0.0.0/99"], vec![], "--trusted-proxy", "10.0.0.0/8"),
        (vec![], vec![("PORT", "abc")], "PORT", "invalid digit"),
        (vec!["serve"], vec![("PORT", "70000")], "variable PORT", "65535"),
        (vec![], vec![("VYOMA_HEARTBEAT", "25")], "variable VYOMA_HEARTBEAT", "25s"),
        (vec!["--nonsense"], vec![], "--nonsense", "unexpected"),
    ] {
        let output = run(&arguments, &environment);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(name) && message.contains(reason), "{message}");
    }
}

#[test]
fn the_organiser_s_texts_and_files_are_checked_at_start_and_served() {
    let dir = std::env::temp_dir().join(format!("vyoma-place-{}", std::process::id()));
    let path = |name: &str| dir.join(name).display().to_string();
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("place.toml"), "name = \"Founders & Co\"\nminimum_age = 18\n").unwrap();
    std::fs::write(dir.join("bad.toml"), "minimum_age = 200\n").unwrap();
    std::fs::write(dir.join("index.html"), "%NAME% %PLACE%").unwrap();
    for (arguments, code, said) in [
        (["--place", &path("bad.toml")], 2, "bad.toml: minimum_age: must be a number of years"),
        (["--place", &path("no.toml")], 2, "error: --place: cannot read "),
        (["--web-dir", &path("nowhere")], 1, "cannot serve the page from "),
        (["--web-dir", &path("bad.toml")], 1, "not a directory"),
    ] {
        let output =
            run(&[&["--port", "0", "--data-dir", &path("data")], &arguments[..]].concat(), &[]);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{message}");
        assert!(message.contains(said), "{message}");
    }
    let place = path("place.toml");
    let printed = run(&["--print-config", "--place", &place], &[("VYOMA_WEB_DIR", &path(""))]);
    let printed = text(&printed.stdout);
    assert!(printed.contains(&format!("place = {place} ")), "{printed}");
    assert!(printed.contains("# VYOMA_WEB_DIR"), "{printed}");

    let server = Running::start(&["--place", &place, "--web-dir", &path("")]);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    read_until(&mut stream, "Founders &amp; Co {\"tree\":\"_/live/\"");
    drop(server);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_taken_port_or_a_foreign_address_is_told_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(&["--bind", "127.0.0.1"], &[("PORT", &port)]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains(&format!("port {port} is taken")) && message.contains("PORT="));
    // From a block reserved for documentation (RFC 5737): no machine has it.
    let output = run(&["--bind", "192.0.2.1"], &[("PORT", "0")]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("192.0.2.1") && message.contains("--bind"), "{message}");
}

#[test]
fn the_configuration_is_printed_with_where_it_comes_from() {
    let environment = [("PORT", "4000"), ("VYOMA_SURVIVOR", "stay")];
    let output = run(&["--print-config", "--heartbeat", "60s"], &environment);
    assert!(output.status.success());
    let printed = text(&output.stdout);
    let rows: Vec<Vec<&str>> = printed.lines().map(|l| l.split_whitespace().collect()).collect();
    for row in
        ["port = 4000 # PORT", "survivor = stay # VYOMA_SURVIVOR", "heartbeat = 1m # command line"]
    {
        assert!(rows.contains(&row.split(' ').collect()), "{row} is missing in\n{printed}");
    }
}

#[test]
fn health_is_told_by_the_exit_code() {
    let server = Running::start(&[]);
    let port = server.port.to_string();
    let output = run(&["healthcheck"], &[("PORT", &port)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("200"));
    let url = format!("http://127.0.0.1:{port}/nowhere");
    let output = run(&["healthcheck", "--url", &url], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("404"));
    drop(server);
    assert_eq!(run(&["healthcheck", "--port", &port], &[]).status.code(), Some(1));
}

#[test]
fn a_signal_ends_it_with_success() {
    for (name, log) in [("TERM", "info"), ("INT", "off")] {
        let mut server = Running::start(&["--log", log]);
        let mut waiter = server.join();
        read_until(&mut waiter, "Waiting for another entrepreneur");
        server.signal(name);
        read_until(&mut waiter, "The server is shutting down.");
        drop(waiter);
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn a_second_signal_ends_a_conversation_at_once() {
    let mut server = Running::start(&["--drain-timeout", "1h"]);
    let (mut one, mut other) = (server.join(), server.join());
    for stream in [&mut one, &mut other] {
        read_until(stream, "Connected with an entrepreneur!");
    }
    server.signal("TERM");
    // It says that it is draining as soon as the first signal has been obeyed.
    let port = server.port.to_string();
    while run(&["healthcheck", "--port", &port], &[]).status.success() {}
    assert!(server.child.try_wait().unwrap().is_none(), "the conversation goes on");
    server.signal("TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}
