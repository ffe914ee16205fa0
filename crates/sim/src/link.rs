//! A connection: messages one way, a stream of bytes through a bounded buffer the other.

use std::collections::VecDeque;
use std::sync::Arc;

use vyoma_protocol::{CloseCode, Framed, Kind};

/// A connection's number.
pub(crate) type LinkId = u64;

/// What a client sends.
#[derive(Debug)]
pub(crate) enum Said {
    Text(Arc<str>),
    Binary(Arc<[u8]>),
    /// A plain client's end has everything up to this number.
    Pong(u64),
}

/// What a client gets.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) kind: Kind,
    pub(crate) payload: Vec<u8>,
}

/// A connection between one client and one process.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) client: usize,
    pub(crate) process: usize,
    /// Messages on their way to the server.
    pub(crate) to_server: VecDeque<Said>,
    /// Bytes that the server has to write, and those on their way.
    backlog: VecDeque<u8>,
    to_client: VecDeque<u8>,
    /// What arrived, up to the last whole message.
    arrived: Vec<u8>,
    /// What the socket's buffer holds; the smaller, the more often a write ends inside a frame.
    capacity: usize,
    /// Bytes that the server has written, and that the client has read, since the beginning.
    pushed: usize,
    read: usize,
    /// Pings of the server: behind so many bytes, about this number.
    pings: VecDeque<(usize, u64)>,
    /// The server has ended it, with a code or without a word; comes behind the bytes.
    pub(crate) end_for_client: Option<Option<u16>>,
    /// The client has ended it, or it broke; comes behind the messages.
    pub(crate) end_for_server: bool,
    pub(crate) client_gone: bool,
    pub(crate) server_gone: bool,
    /// Nothing passes any more, and nobody is told.
    pub(crate) half_open: bool,
    /// The client doesn't read.
    pub(crate) stalled: bool,
    /// What either end writes is lost.
    broken: bool,
}

impl Link {
    pub(crate) fn new(client: usize, process: usize, capacity: usize) -> Self {
        Self {
            client,
            process,
            capacity,
            to_server: VecDeque::new(),
            backlog: VecDeque::new(),
            to_client: VecDeque::new(),
            arrived: Vec::new(),
            pushed: 0,
            read: 0,
            pings: VecDeque::new(),
            end_for_client: None,
            end_for_server: false,
            client_gone: false,
            server_gone: false,
            half_open: false,
            stalled: false,
            broken: false,
        }
    }

    /// The client writes.
    pub(crate) fn send(&mut self, said: Said) {
        if !self.broken {
            self.to_server.push_back(said);
        }
    }

    /// The server writes: returns how much the socket takes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> usize {
        if self.broken {
            return bytes.len();
        }
        let taken = bytes.len().min(self.capacity.saturating_sub(self.to_client.len()));
        self.to_client.extend(&bytes[..taken]);
        self.pushed += taken;
        taken
    }

    /// The server writes all of this, as soon as the socket takes it.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.broken {
            return;
        }
        self.backlog.extend(bytes);
        self.pushed += bytes.len();
        self.flush();
    }

    /// Writes what waits; whether all is written.
    pub(crate) fn flush(&mut self) -> bool {
        while self.to_client.len() < self.capacity {
            let Some(byte) = self.backlog.pop_front() else { return true };
            self.to_client.push_back(byte);
        }
        self.backlog.is_empty()
    }

    /// The server asks whether all that was written has been read.
    pub(crate) fn ping(&mut self, number: u64) {
        if self.broken {
            return;
        }
        self.pings.push_back((self.pushed, number));
        self.pong();
    }

    fn pong(&mut self) {
        while self.pings.front().is_some_and(|(at, _)| *at <= self.read) {
            self.to_server.extend(self.pings.pop_front().map(|(_, number)| Said::Pong(number)));
        }
    }

    /// Whether the client could read something, or hear of the end.
    pub(crate) fn is_readable(&self) -> bool {
        let waits = !self.to_client.is_empty() || self.end_for_client.is_some();
        waits && !self.half_open && !self.stalled && !self.client_gone
    }

    /// Whether the server could read something, or hear of the end.
    pub(crate) fn is_heard(&self) -> bool {
        (!self.to_server.is_empty() || self.end_for_server) && !self.half_open && !self.server_gone
    }

    /// Whether the server waits for the client to read.
    pub(crate) fn is_blocked(&self) -> bool {
        !self.backlog.is_empty() && !self.server_gone
    }

    /// The client reads up to so many bytes: whole messages come out.
    pub(crate) fn read(&mut self, most: usize) -> Vec<Got> {
        let taken = most.min(self.to_client.len());
        self.arrived.extend(self.to_client.drain(..taken));
        self.read += taken;
        self.flush();
        let (mut got, mut rest) = (Vec::new(), &self.arrived[..]);
        while let Some(Framed { kind, payload, .. }) = Framed::split_off(&mut rest) {
            got.push(Got { kind, payload: payload.into() });
        }
        let used = self.arrived.len() - rest.len();
        self.arrived.drain(..used);
        self.pong();
        got
    }

    /// Whether the client has read all that there is.
    pub(crate) fn is_drained(&self) -> bool {
        self.to_client.is_empty() && self.backlog.is_empty()
    }

    /// It breaks: what is under way is lost.
    pub(crate) fn cut(&mut self) {
        self.to_server.clear();
        self.to_client.clear();
        self.backlog.clear();
        (self.half_open, self.broken) = (false, true);
        self.end_for_server = true;
        self.end_for_client.get_or_insert(None);
    }

    /// The server closes.
    pub(crate) fn close_by_server(&mut self, code: Option<CloseCode>) {
        self.server_gone = true;
        self.end_for_client.get_or_insert(code.map(CloseCode::get));
    }
}
