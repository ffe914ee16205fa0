//! HTTP by hand: sends bytes, reads one answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::client::Dial;

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The body as it came, for one that isn't text.
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// The value of a header, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// `GET path`, with more header lines (each ending in CRLF).
pub(crate) fn get(to: SocketAddr, path: &str, more: &str) -> Answer {
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n");
    ask(to, head.as_bytes())
}

/// Sends these bytes on a connection of their own and reads one answer.
#[track_caller]
pub(crate) fn ask(to: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = Dial::default().open(to);
    stream.write_all(request).unwrap();
    answer(&mut stream).expect("an answer")
}

/// Reads one answer; `None` when the stream ends without one.
pub(crate) fn answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = find(&bytes, b"\r\n\r\n") {
            break at;
        }
        if !read_more(stream, &mut bytes) {
            assert!(bytes.is_empty(), "half an answer: {}", String::from_utf8_lossy(&bytes));
            return None;
        }
    };
    let mut lines = std::str::from_utf8(&bytes[..head]).expect("an ASCII head").split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")).expect("a status");
    let status = status[..3].parse().unwrap();
    let headers: Vec<_> = lines
        .map(|line| line.split_once(": ").expect("a header"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut answer = Answer { status, headers, body: String::new(), bytes: Vec::new() };
    let length: Option<usize> = answer.header("content-length").map(|n| n.parse().unwrap());
    let end = if status == 101 { head + 4 } else { length.map_or(usize::MAX, |n| head + 4 + n) };
    while bytes.len() < end && read_more(stream, &mut bytes) {}
    // Behind a 101 there may be frames already.
    answer.bytes = bytes.split_off(head + 4);
    answer.body = String::from_utf8_lossy(&answer.bytes).into_owned();
    Some(answer)
}

fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> bool {
    let mut some = [0; 4096];
    match stream.read(&mut some) {
        Ok(n) => {
            bytes.extend_from_slice(&some[..n]);
            n > 0
        }
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
        Err(error) => panic!("no answer: {error}"),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
