//! A small blocking WebSocket client for load: knows just enough of RFC 6455 to talk, to be a
//! nuisance, and to measure.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use socket2::{Domain, SockFilter, SockRef, Socket, Type};

pub(crate) const WAITING: &str = "⌛ Waiting for another entrepreneur...";
pub(crate) const CONNECTED: &str = "🎯 Connected with an entrepreneur!";
pub(crate) const DISCONNECTED: &str = "⚠️ Partner disconnected.";

/// The head of an upgrade; without its last line it is a handshake that never ends.
pub(crate) const HEAD: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const PATIENCE: Duration = Duration::from_secs(60);

/// What a server sends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Text(String),
    Binary(Vec<u8>),
    Close(u16),
    End,
}

/// Connects from 127.0.0.`from`, so that more connections than one address has ports are possible.
pub(crate) fn dial(to: SocketAddr, from: u8, receive_buffer: Option<usize>) -> Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.bind(&SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, from)), 0).into())?;
    socket.connect(&to.into())?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// One client that has joined.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    bytes: Vec<u8>,
    /// How much of `bytes` was taken.
    taken: usize,
}

impl Client {
    pub(crate) fn join(to: SocketAddr) -> Result<Self> {
        Self::upgrade(dial(to, 1, None)?)
    }

    pub(crate) fn upgrade(stream: TcpStream) -> Result<Self> {
        Self::upgrade_by(stream, HEAD)
    }

    /// As [`Client::upgrade`], asking by this head.
    pub(crate) fn upgrade_by(mut stream: TcpStream, head: &str) -> Result<Self> {
        stream.write_all(head.as_bytes())?;
        let mut client = Self { stream, bytes: Vec::new(), taken: 0 };
        let end = loop {
            if let Some(at) = client.bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            ensure!(client.read()?, "no answer to the upgrade");
        };
        let status = String::from_utf8_lossy(&client.bytes[..end]).into_owned();
        ensure!(status.starts_with("HTTP/1.1 101 "), "not upgraded: {status}");
        client.taken = end;
        Ok(client)
    }

    pub(crate) fn say(&mut self, words: &str) -> Result<()> {
        Ok(self.stream.write_all(&frame(0x81, words.as_bytes()))?)
    }

    /// The next event; pings are answered, pongs ignored.
    pub(crate) fn hear(&mut self) -> Result<Event> {
        loop {
            match self.take_frame() {
                Some((0x9, payload)) => self.stream.write_all(&frame(0x8A, &payload))?,
                Some((0x1, payload)) => return Ok(Event::Text(String::from_utf8(payload)?)),
                Some((0x2, payload)) => return Ok(Event::Binary(payload)),
                Some((0xA, _)) => {}
                Some((0x8, payload)) => return Ok(Event::Close(close_code(&payload))),
                Some((other, _)) => bail!("opcode {other}"),
                None if self.read()? => {}
                None => return Ok(Event::End),
            }
        }
    }

    /// The next event that has come already, on a stream that doesn't block; pings are answered.
    pub(crate) fn glance(&mut self) -> Result<Option<Event>> {
        loop {
            match self.take_frame() {
                Some((0x9, payload)) => self.stream.write_all(&frame(0x8A, &payload))?,
                Some((0x1, payload)) => return Ok(Some(Event::Text(String::from_utf8(payload)?))),
                Some((0xA, _)) => {}
                Some((0x8, payload)) => return Ok(Some(Event::Close(close_code(&payload)))),
                Some((other, _)) => bail!("opcode {other}"),
                None => match self.read() {
                    Ok(true) => {}
                    Ok(false) => return Ok(Some(Event::End)),
                    Err(error) if would_block(&error) => return Ok(None),
                    Err(error) => return Err(error),
                },
            }
        }
    }

    /// Answers the pings that have come, without waiting; returns how many. Besides them nothing
    /// but pongs may come.
    pub(crate) fn answer_pings(&mut self) -> Result<u64> {
        self.stream.set_nonblocking(true)?;
        let read = self.read();
        self.stream.set_nonblocking(false)?;
        if let Ok(more) = read {
            ensure!(more, "thrown out");
        }
        let mut pings = 0;
        while let Some((opcode, payload)) = self.take_frame() {
            match opcode {
                0x9 => self.stream.write_all(&frame(0x8A, &payload))?,
                0xA => continue,
                other => bail!("opcode {other}"),
            }
            pings += 1;
        }
        Ok(pings)
    }

    pub(crate) fn expect(&mut self, words: &str) -> Result<()> {
        let heard = self.hear().with_context(|| format!("waiting for {words:?}"))?;
        ensure!(heard == Event::Text(words.to_owned()), "expected {words:?}, heard {heard:?}");
        Ok(())
    }

    /// Writes `bytes` again and again until TCP has taken nothing for `calm`, or `limit` bytes are
    /// sent, or the server has ended it; returns how many were sent.
    pub(crate) fn pour(&mut self, bytes: &[u8], calm: Duration, limit: usize) -> Result<usize> {
        self.stream.set_write_timeout(Some(calm))?;
        let mut sent = 0;
        while sent < limit {
            match self.stream.write(&bytes[sent % bytes.len()..]) {
                Ok(n) => sent += n,
                Err(_) => break,
            }
        }
        self.stream.set_write_timeout(Some(PATIENCE))?;
        Ok(sent)
    }

    /// Drops every packet from now on: a peer that is gone without a word.
    pub(crate) fn cut_the_cable(&self) -> Result<()> {
        const RETURN_CONSTANT: u16 = 0x06; // BPF_RET | BPF_K: how many bytes to keep
        Ok(SockRef::from(&self.stream).attach_filter(&[SockFilter::new(
            RETURN_CONSTANT,
            0,
            0,
            0,
        )])?)
    }

    /// Reads something; `false` at the end of the stream.
    fn read(&mut self) -> Result<bool> {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        let mut some = [0; 16 * 1024];
        match self.stream.read(&mut some) {
            Ok(n) => {
                self.bytes.extend_from_slice(&some[..n]);
                Ok(n > 0)
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes one whole frame: its opcode and payload.
    fn take_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let bytes = &self.bytes[self.taken..];
        let (&first, &second) = (bytes.first()?, bytes.get(1)?);
        let (header, length) = match second {
            126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
            127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize),
            short => (2, usize::from(short)),
        };
        let payload = bytes.get(header..header + length)?.to_vec();
        self.taken += header + length;
        Some((first & 0x0F, payload))
    }
}

/// Two clients that talk with each other; nobody else may be waiting. The first one comes from
/// 127.0.0.`from` and the second one has the receive buffer.
pub(crate) fn pair(to: SocketAddr, from: u8, buffer: Option<usize>) -> Result<(Client, Client)> {
    let mut a = Client::upgrade(dial(to, from, None)?)?;
    a.expect(WAITING)?;
    let mut b = Client::upgrade(dial(to, from, buffer)?)?;
    b.expect(CONNECTED)?;
    a.expect(CONNECTED)?;
    Ok((a, b))
}

/// A client's frame; its mask is zero, which is a mask like any other.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        medium @ 126..=0xFFFF => {
            bytes.push(0x80 | 126);
            bytes.extend((medium as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

fn would_block(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::WouldBlock)
}

fn close_code(payload: &[u8]) -> u16 {
    payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))
}
