//! A raw TCP forwarder: pairs connections in the order of accepting, and carries bytes.
//!
//! Knows sockets. Must not know what the bytes mean: that is the point, since what it costs is the
//! least that a relay can cost, one wake-up, one read and one write for all that has come. One
//! thread, edge-triggered epoll, one buffer for all.
//!
//! `forwarder [PORT]` listens on 127.0.0.1 and prints the port.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};

use anyhow::Context as _;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};

/// For one read: the largest that is common among such proxies, so that no message is cut by it.
const BUFFER: usize = 256 * 1024;

/// Events taken from the kernel at once.
const EVENTS: usize = 1024;

/// The listener's token; those of connections are their places.
const LISTENER: Token = Token(usize::MAX);

fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse()).context("the port")?;
    rlimit::increase_nofile_limit(u64::MAX).context("raising the limit of open files")?;
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    writeln!(io::stdout(), "{}", listener.local_addr()?.port())?;
    let mut events = Events::with_capacity(EVENTS);
    let mut places = Places::new(poll.registry().try_clone()?);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            match event.token() {
                LISTENER => places.accept(&listener)?,
                Token(at) => {
                    let sides = (event.is_readable(), event.is_writable());
                    places.serve(at, sides, event.is_read_closed());
                }
            }
        }
        places.sweep();
    }
}

/// One end of a pair.
struct Side {
    stream: TcpStream,
    /// What its socket hasn't taken yet.
    unsent: Vec<u8>,
    /// It has sent its last byte, and the partner knows.
    ended: bool,
}

/// All connections; partners have neighbouring places, 2n and 2n + 1.
struct Places {
    registry: Registry,
    sides: Vec<Option<Side>>,
    /// Even places whose pair has gone.
    free: Vec<usize>,
    /// Pairs that went during this round: an event for them may still be in the list, so their
    /// places are given away after it.
    gone: Vec<usize>,
    /// The one that has no partner yet.
    waiting: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Places {
    fn new(registry: Registry) -> Self {
        let buffer = vec![0; BUFFER];
        let (sides, free, gone) = (Vec::new(), Vec::new(), Vec::new());
        Self { registry, sides, free, gone, waiting: None, buffer }
    }

    fn accept(&mut self, listener: &TcpListener) -> io::Result<()> {
        loop {
            match listener.accept() {
                Ok((stream, _)) => self.welcome(stream)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn welcome(&mut self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let Some(waiting) = self.waiting.take() else {
            self.waiting = Some(stream);
            return Ok(());
        };
        let first = self.free.pop().unwrap_or_else(|| {
            self.sides.extend([None, None]);
            self.sides.len() - 2
        });
        for (at, mut stream) in [(first, waiting), (first + 1, stream)] {
            let both = Interest::READABLE | Interest::WRITABLE;
            self.registry.register(&mut stream, Token(at), both)?;
            self.sides[at] = Some(Side { stream, unsent: Vec::new(), ended: false });
        }
        Ok(())
    }

    /// Does what an event allows. An error of one end ends the pair.
    fn serve(&mut self, at: usize, (readable, writable): (bool, bool), closed: bool) {
        let mut served = Ok(());
        if writable && self.sides[at].as_ref().is_some_and(|side| !side.unsent.is_empty()) {
            // What was stopped by the full socket goes on.
            served = self.flush(at).and_then(|()| self.carry(at ^ 1, true));
        }
        if readable {
            served = served.and_then(|()| self.carry(at, closed));
        }
        let ended = |side: &Option<Side>| side.as_ref().is_none_or(|s| s.ended);
        if served.is_err() || (ended(&self.sides[at]) && ended(&self.sides[at ^ 1])) {
            self.remove(at & !1);
        }
    }

    /// Reads from `from` and writes to its partner, until there is no more or the partner is full.
    /// A read that doesn't fill the buffer is the last one, unless more is known to follow.
    fn carry(&mut self, from: usize, to_the_end: bool) -> io::Result<()> {
        let (even, odd) = self.sides.split_at_mut(from | 1);
        let (Some(one), Some(other)) = (&mut even[from & !1], &mut odd[0]) else { return Ok(()) };
        let (from, to) = if from & 1 == 0 { (one, other) } else { (other, one) };
        while to.unsent.is_empty() && !from.ended {
            let read = match from.stream.read(&mut self.buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                read => read?,
            };
            if read == 0 {
                from.ended = true;
                return to.stream.shutdown(Shutdown::Write);
            }
            let written = write(&mut to.stream, &self.buffer[..read])?;
            to.unsent.extend_from_slice(&self.buffer[written..read]);
            if read < self.buffer.len() && !to_the_end {
                return Ok(());
            }
        }
        Ok(())
    }

    fn flush(&mut self, at: usize) -> io::Result<()> {
        let Some(side) = &mut self.sides[at] else { return Ok(()) };
        let written = write(&mut side.stream, &side.unsent)?;
        side.unsent.drain(..written);
        Ok(())
    }

    fn remove(&mut self, first: usize) {
        // Dropping closes; the kernel forgets a closed descriptor's registration by itself.
        if self.sides[first].take().is_some() {
            self.sides[first + 1] = None;
            self.gone.push(first);
        }
    }

    fn sweep(&mut self) {
        self.free.append(&mut self.gone);
    }
}

/// Writes what the socket takes.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            taken => written += taken?,
        }
    }
    Ok(written)
}
