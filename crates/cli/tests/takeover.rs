//! Deploys: the next process takes over, and nobody who connects meanwhile is refused.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers may panic")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_vyoma");

const PATIENCE: Duration = Duration::from_secs(20);

/// A process that serves. Killed if the test fails.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(command: &mut Command) -> Self {
        command.env_clear().stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
        let port = lines.find_map(|line| {
            line.unwrap().strip_prefix("  WebSocket:  ws://localhost:")?.parse::<u16>().ok()
        });
        let port = port.expect("it says where it is");
        Self { child, address: ([127, 0, 0, 1], port).into() }
    }

    fn with_takeover(post: &PathBuf) -> Self {
        let arguments =
            ["--port", "0", "--bind", "127.0.0.1", "--drain-timeout", "1h", "--takeover"];
        Self::start(Command::new(BINARY).args(arguments).arg(post))
    }

    fn exit_code(&mut self) -> Option<i32> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("it doesn't end");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that has asked for a WebSocket.
fn knock(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("nobody is refused");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// A client that is let in, and goes.
fn visit(address: SocketAddr) {
    read_until(&mut knock(address), "HTTP/1.1 101 ");
}

/// Reads until this is among what has come.
fn read_until(stream: &mut TcpStream, end: &str) {
    let mut seen = String::new();
    while !seen.contains(end) {
        let mut piece = [0; 512];
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "{end:?} never came, only {seen:?}");
        seen += &String::from_utf8_lossy(&piece[..read]);
    }
}

/// Two who talk.
fn pair(address: SocketAddr) -> [TcpStream; 2] {
    let mut both = [knock(address), knock(address)];
    both.iter_mut().for_each(|stream| read_until(stream, "Connected with an entrepreneur!"));
    both
}

/// A masked text frame (RFC 6455, section 5.7), with a mask of zeros.
fn text(words: &str) -> Vec<u8> {
    [&[0x81, 0x80 | words.len() as u8, 0, 0, 0, 0], words.as_bytes()].concat()
}

fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("vyoma-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn one_process_after_the_other_and_nobody_is_refused() {
    let directory = directory("rolling");
    let post = directory.join("post");
    // Somebody has left a socket behind.
    drop(std::os::unix::net::UnixListener::bind(&post).unwrap());
    let mut serving = Process::with_takeover(&post);
    let address = serving.address;
    let stop = Arc::new(AtomicBool::new(false));
    let visitors = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || {
            let mut joined = 0;
            while !stop.load(Relaxed) {
                visit(address);
                joined += 1;
            }
            joined
        })
    };
    for _ in 0..3 {
        let mut next = Process::with_takeover(&post);
        assert_eq!(next.address, address, "it serves on the same socket");
        std::mem::swap(&mut serving, &mut next);
        assert_eq!(next.exit_code(), Some(0), "its predecessor has gone");
    }
    stop.store(true, Relaxed);
    assert!(visitors.join().unwrap() > 3, "somebody came all the time");
    visit(address);
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_conversation_goes_on_in_the_process_that_it_began_in() {
    let directory = directory("talk");
    let post = directory.join("post");
    let mut old = Process::with_takeover(&post);
    let [mut a, mut b] = pair(old.address);
    let new = Process::with_takeover(&post);
    let [mut c, mut d] = pair(new.address);
    for (from, to) in [(&mut a, &mut b), (&mut c, &mut d)] {
        from.write_all(&text("still here")).unwrap();
        read_until(to, "still here");
    }
    assert!(old.child.try_wait().unwrap().is_none(), "two still talk there");
    drop(a);
    read_until(&mut b, "The server is shutting down.");
    drop(b);
    assert_eq!(old.exit_code(), Some(0));
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_successor_that_fails_changes_nothing() {
    let directory = directory("failing");
    let post = directory.join("post");
    let server = Process::with_takeover(&post);
    for last_words in [b"".as_slice(), b"nonsense"] {
        let mut successor = UnixStream::connect(&post).unwrap();
        // The offer, without taking the sockets.
        successor.read_exact(&mut [0; 5]).unwrap();
        successor.write_all(last_words).unwrap();
        drop(successor);
        drop(pair(server.address));
    }
    // Another port can't be taken over.
    let output = Command::new(BINARY)
        .env_clear()
        .args(["--port", "1", "--bind", "127.0.0.1", "--takeover"])
        .arg(&post)
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains(&format!("--port {}", server.address.port())), "{message}");
    drop(pair(server.address));
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_socket_that_systemd_opened_is_served_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // As systemd does: the socket is descriptor 3, and the process is told that it is meant.
    let script = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" --port 0";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, BINARY]).stdin(Stdio::from(OwnedFd::from(listener)));
    let server = Process::start(&mut command);
    assert_eq!(server.address.port(), address.port());
    drop(pair(address));
}
