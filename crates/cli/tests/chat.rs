//! `vyoma chat` in a pipe: lines in, lines out, and an exit code that a script can trust.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

fn vyoma(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyoma"));
    command.args(arguments).env_remove("PORT");
    command
}

/// A server, which is killed in the end.
struct Server {
    child: Child,
    port: u16,
    data: PathBuf,
}

impl Server {
    fn start(data: &Path, port: u16) -> Self {
        let (port, data_dir) = (port.to_string(), data.to_str().unwrap());
        let flags = ["--bind", "127.0.0.1", "--port", &port, "--data-dir", data_dir];
        let mut child = vyoma(&flags).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines
            .find_map(|line| {
                let line = line.unwrap();
                let (_, rest) = line.split_once("ws://")?;
                let digits = rest.rsplit(':').next()?;
                digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
            })
            .unwrap();
        // It may write on without anybody reading.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port, data: data.to_owned() }
    }

    fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        *self = Self::start(&self.data.clone(), self.port);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Chat {
    child: Child,
    says: ChildStdin,
    hears: BufReader<std::process::ChildStdout>,
}

impl Chat {
    fn start(port: u16, name: &str) -> Self {
        let url = format!("ws://127.0.0.1:{port}");
        let mut child = vyoma(&["chat", &url, "--name", name, "--timeout", "30s"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (says, hears) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, says, hears: BufReader::new(hears) }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.says, "{line}").unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.hears.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    /// Says nothing more; its exit code, and what it told of itself.
    fn finish(mut self) -> (Option<i32>, String) {
        drop(self.says);
        let mut told = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        (self.child.wait().unwrap().code(), told)
    }
}

fn data(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("vyoma-chat-{name}-{}", std::process::id()))
}

#[test]
fn two_scripts_talk_and_both_succeed() {
    let server = Server::start(&data("two"), 0);
    let (mut a, mut b) = (Chat::start(server.port, "Ada"), Chat::start(server.port, "Ben"));
    for (line, heard) in [
        ("hello", "hello"),
        ("", ""),
        ("\u{1b}[2J\u{202e}x", "\\u{1b}[2J\\u{202e}x"),
        ("/next is only a word here", "/next is only a word here"),
    ] {
        a.say(line);
        assert_eq!(b.hear(), heard);
        b.say(line);
        assert_eq!(a.hear(), heard);
    }
    b.say("the last word");
    let (code, told) = b.finish();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("matched with Ada"), "{told}");
    assert_eq!(a.hear(), "the last word");
    let (code, told) = a.finish();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("matched with Ben"), "{told}");
}

#[test]
fn a_server_that_is_killed_in_between_costs_no_line() {
    let mut server = Server::start(&data("killed"), 0);
    let (mut a, mut b) = (Chat::start(server.port, "Ada"), Chat::start(server.port, "Ben"));
    a.say("0");
    assert_eq!(b.hear(), "0");
    server.kill_and_restart();
    (1..50).for_each(|n| a.say(&n.to_string()));
    (1..50).for_each(|n| assert_eq!(b.hear(), n.to_string()));
    assert_eq!(a.finish().0, Some(0));
    assert_eq!(b.finish().0, Some(0));
}

#[test]
fn without_a_server_it_says_so() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("ws://127.0.0.1:{}", listener.local_addr().unwrap().port());
    drop(listener);
    let output = vyoma(&["chat", &url]).stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("is the server running?"), "{told}");
    let output = vyoma(&["chat", "http://localhost"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn an_invitation_that_is_none_is_told_by_the_exit_code() {
    let data = data("no-invitation");
    let server = Server::start(&data, 0);
    let url = format!("ws://127.0.0.1:{}", server.port);
    let chat = |code: &str| {
        let mut chat = vyoma(&["chat", &url, "--invite", code]);
        chat.stdin(Stdio::null()).output().unwrap()
    };
    let wrong = chat("baba-baba-baba-baba");
    assert_eq!(wrong.status.code(), Some(3), "{wrong:?}");
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("no such invitation"), "{wrong:?}");
    let no_code = chat("17");
    assert_eq!(no_code.status.code(), Some(1), "{no_code:?}");
    assert!(String::from_utf8_lossy(&no_code.stderr).contains("--invite"), "{no_code:?}");
}

#[test]
fn what_did_not_arrive_in_time_is_told_by_the_exit_code() {
    let mut server = Server::start(&data("late"), 0);
    let url = format!("ws://127.0.0.1:{}", server.port);
    let mut a = vyoma(&["chat", &url, "--timeout", "300ms"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut b = Chat::start(server.port, "Ben");
    b.say("hello");
    let mut says = a.stdin.take().unwrap();
    writeln!(says, "hello").unwrap();
    assert_eq!(b.hear(), "hello");
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    writeln!(says, "and nobody hears this").unwrap();
    drop(says);
    assert_eq!(a.wait().unwrap().code(), Some(3));
    b.child.kill().unwrap();
    b.child.wait().unwrap();
}
