//! A client that does everything by hand, so that it can do it wrong.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockFilter, SockRef, Socket, Type};

use super::wire::{self, Decoder, Event};
use super::{CONNECTED, DISCONNECTED, PATIENCE, WAITING};

/// The key and its answer given as an example in RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Messages of 32 KiB that no chain of TCP buffers takes in.
const NEVER_FULL: u64 = 4 * 1024;

/// The head of a proper upgrade request, with more header lines (each ending in CRLF).
pub(crate) fn upgrade_head(path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{more}\r\n"
    )
}

/// How to connect.
#[derive(Default, Clone, Copy)]
pub(crate) struct Dial {
    /// The last byte of the loopback address to come from: 127.0.0.x.
    pub(crate) from: Option<u8>,
    /// The size of the receive buffer, in bytes, so that little suffices to fill it.
    pub(crate) receive_buffer: Option<usize>,
}

impl Dial {
    /// Connects without sending anything.
    pub(crate) fn open(self, to: SocketAddr) -> TcpStream {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None).unwrap();
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        if let Some(last) = self.from {
            let from = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0);
            socket.bind(&from.into()).unwrap();
        }
        socket.connect(&to.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Connects and upgrades.
    pub(crate) fn join(self, to: SocketAddr) -> Client {
        Client::upgrade(self.open(to), "/", "", &[])
    }
}

/// One WebSocket client.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    decoder: Decoder,
    unsent: Vec<u8>,
}

impl Client {
    pub(crate) fn join(to: SocketAddr) -> Self {
        Dial::default().join(to)
    }

    /// Joins and is told to wait.
    pub(crate) fn join_waiting(to: SocketAddr) -> Self {
        let mut client = Self::join(to);
        client.expect(WAITING);
        client
    }

    /// Upgrades, with more header lines; `early` goes out in the same packet as the head.
    pub(crate) fn upgrade(mut stream: TcpStream, path: &str, more: &str, early: &[u8]) -> Self {
        let head = upgrade_head(path, more);
        stream.write_all(&[head.as_bytes(), early].concat()).unwrap();
        Self::upgraded(stream)
    }

    /// Reads the answer to an upgrade that was sent already.
    pub(crate) fn upgraded(mut stream: TcpStream) -> Self {
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("an answer to the upgrade");
            answer.push(byte[0]);
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 101 "), "not upgraded: {answer}");
        let accept = answer
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-accept"));
        assert_eq!(accept.map(|(_, value)| value), Some(ACCEPT), "{answer}");
        Self { stream, decoder: Decoder::default(), unsent: Vec::new() }
    }

    /// Sends bytes, whatever they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server takes what is sent");
    }

    pub(crate) fn say(&mut self, words: &str) {
        self.send(&wire::text(words));
    }

    /// Sends `make(0)`, `make(1)` … until TCP has taken nothing for `calm`; returns how many were
    /// begun. What is left of the last one is kept for [`Client::send_rest`].
    pub(crate) fn send_until_stalled(
        &mut self,
        calm: Duration,
        mut make: impl FnMut(u64) -> Vec<u8>,
    ) -> u64 {
        self.stream.set_write_timeout(Some(calm)).unwrap();
        for begun in 0..NEVER_FULL {
            let bytes = make(begun);
            let mut sent = 0;
            while sent < bytes.len() {
                match self.stream.write(&bytes[sent..]) {
                    Ok(n) => sent += n,
                    Err(error) if is_timeout(&error) => {
                        self.unsent = bytes[sent..].to_vec();
                        self.stream.set_write_timeout(Some(PATIENCE)).unwrap();
                        return begun + 1;
                    }
                    Err(error) => panic!("sending message {begun}: {error}"),
                }
            }
        }
        panic!("{NEVER_FULL} messages, and TCP was never full");
    }

    /// Sends what a stalled [`Client::send_until_stalled`] has left.
    pub(crate) fn send_rest(&mut self) {
        let rest = std::mem::take(&mut self.unsent);
        self.send(&rest);
    }

    /// The next event as it comes, but for the pong behind each ping; nothing is answered.
    pub(crate) fn event(&mut self) -> Event {
        loop {
            match self.decoder.next() {
                Some(Event::Pong(body)) if body == b"nudge" => continue,
                Some(event) => return event,
                None => {}
            }
            let mut bytes = [0; 16 * 1024];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Event::Fin,
                Ok(n) => self.decoder.feed(&bytes[..n]),
                Err(error) if is_reset(&error) => return Event::Reset,
                Err(error) => panic!("nothing came for {PATIENCE:?}: {error}"),
            }
        }
    }

    /// The next event that isn't a ping; pings are answered.
    pub(crate) fn hear(&mut self) -> Event {
        loop {
            match self.event() {
                Event::Ping(payload) => self.send(&wire::pong(&payload)),
                other => return other,
            }
        }
    }

    /// The next thing heard is this text.
    #[track_caller]
    pub(crate) fn expect(&mut self, words: &str) {
        assert_eq!(self.hear(), Event::Text(words.to_owned()));
    }

    /// The next thing heard is this binary message.
    #[track_caller]
    pub(crate) fn expect_binary(&mut self, bytes: &[u8]) {
        match self.hear() {
            Event::Binary(heard) => assert!(heard == bytes, "{} other bytes", heard.len()),
            other => panic!("expected {} bytes, heard {other:?}", bytes.len()),
        }
    }

    /// The next event is a ping; returns its payload without answering.
    #[track_caller]
    pub(crate) fn expect_ping(&mut self) -> Vec<u8> {
        match self.event() {
            Event::Ping(payload) => payload,
            other => panic!("expected a ping, got {other:?}"),
        }
    }

    /// The partner has gone: the notice and the fence's ping, whose payload is returned.
    #[track_caller]
    pub(crate) fn expect_fence(&mut self) -> Vec<u8> {
        self.expect(DISCONNECTED);
        self.expect_ping()
    }

    /// The partner has gone, and nobody else is there: notice, fence, waiting again.
    #[track_caller]
    pub(crate) fn expect_requeued(&mut self) {
        let fence = self.expect_fence();
        self.send(&wire::pong(&fence));
        self.expect(WAITING);
    }

    /// The server closes with this code, then ends the stream. Data on the way there fails.
    #[track_caller]
    pub(crate) fn expect_close(&mut self, code: u16) -> String {
        let text = match self.hear() {
            Event::Close(Some(seen), text) if seen == code => text,
            other => panic!("expected Close {code}, got {other:?}"),
        };
        // The answer may cross a server that has stopped reading.
        let _ = self.stream.write_all(&wire::close(code, ""));
        self.expect_end();
        text
    }

    /// The stream ends, in order or by a reset.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let event = self.event();
        assert!(matches!(event, Event::Fin | Event::Reset), "expected the end, got {event:?}");
    }

    /// Nothing has come so far. Means something only after an event that orders it.
    #[track_caller]
    pub(crate) fn expect_silence(&mut self) {
        assert_eq!(self.decoder.next(), None);
        self.stream.set_nonblocking(true).unwrap();
        let mut bytes = [0; 1024];
        let read = self.stream.read(&mut bytes);
        self.stream.set_nonblocking(false).unwrap();
        match read {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => panic!("expected silence, read {other:?}: {bytes:02x?}"),
        }
    }

    /// Whether the server has sent something that wasn't looked at yet.
    pub(crate) fn has_something_to_read(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        peeked.is_ok()
    }

    /// Whether part of a message has come whose end has not.
    pub(crate) fn is_inside_message(&self) -> bool {
        self.decoder.is_inside_message()
    }

    /// Says goodbye properly and waits for the answer.
    #[track_caller]
    pub(crate) fn leave(mut self) {
        self.send(&wire::close(1000, ""));
        loop {
            match self.event() {
                Event::Close(code, _) => return assert_eq!(code, Some(1000)),
                Event::Fin | Event::Reset => panic!("no answer to the Close"),
                _ => {}
            }
        }
    }

    /// Ends our direction of the stream: a FIN.
    pub(crate) fn half_close(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Goes at once, by a reset.
    pub(crate) fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Cuts the cable: from now on this socket drops every packet that reaches it, so the server
    /// sees neither a FIN nor an acknowledgement.
    pub(crate) fn cut_the_cable(&self) {
        const RETURN_CONSTANT: u16 = 0x06; // BPF_RET | BPF_K: how many bytes to keep
        let drop_all = [SockFilter::new(RETURN_CONSTANT, 0, 0, 0)];
        SockRef::from(&self.stream).attach_filter(&drop_all).unwrap();
    }
}

/// Two clients that are talking with each other.
pub(crate) fn pair(to: SocketAddr) -> (Client, Client) {
    pair_by(Dial::default(), Dial::default(), to)
}

/// Two clients that are talking with each other, connected as told. Nobody else may be waiting.
pub(crate) fn pair_by(first: Dial, second: Dial, to: SocketAddr) -> (Client, Client) {
    let mut a = first.join(to);
    a.expect(WAITING);
    let mut b = second.join(to);
    b.expect(CONNECTED);
    a.expect(CONNECTED);
    (a, b)
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn is_reset(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}
