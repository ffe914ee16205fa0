//! One connection of the generator.
//!
//! Knows sockets and the opening. Must not know what the messages are for. It spends as little as
//! it can, since it often shares the machine with the server: one read per wake-up into a buffer
//! that all connections share, one write per burst.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use vyoma_protocol::handshake::client_request;
use vyoma_protocol::{Opcode, encode};

use super::fault::Fault;
use super::inbound::{Inbound, KEY, Sink, Stage, offered};
use super::run::Run;
use super::voice::Matched;

/// Loopback addresses that connections come from, in turn, from 127.0.0.2 on: each has some 28,000
/// ports by default, and a closed connection may keep its port for a minute.
const SOURCES: u32 = 200;

/// One read: all that a server usually has for a client.
const READ_SIZE: usize = 256 * 1024;

/// For whatever should happen at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A client's goodbye: code 1000 (RFC 6455, section 7.4.1), masked by zeros.
const GOODBYE: [u8; 2] = 1000u16.to_be_bytes();

thread_local! {
    /// Lent for one poll, never across an await.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_SIZE]);
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Client {
    /// Its number in the run.
    pub(crate) id: u32,
    stream: TcpStream,
    inbound: Inbound,
    /// What the socket hasn't taken yet.
    unsent: Vec<u8>,
    sent: usize,
}

impl Client {
    /// Connects; with a server, it asks for a WebSocket but doesn't wait for the answer.
    pub(crate) async fn connect(run: &Run) -> Result<Self, Fault> {
        let (server, id) = (run.options.server, run.next_id());
        let stream = timeout(PATIENCE, dial(server, id)).await;
        let stream = stream.map_err(|_| Fault::Silence("connecting"))?;
        let stream = stream.map_err(|error| Fault::Connect(server, error))?;
        stream.set_nodelay(true)?;
        let dialect = run.options.dialect.dialect();
        let inbound = Inbound::new(run.options.raw, dialect, run.options.size.0);
        let mut client = Self { id, stream, inbound, unsent: Vec::new(), sent: 0 };
        if !run.options.raw {
            let request = client_request(&server.to_string(), "/", KEY, offered(dialect))
                .map_err(Fault::Url)?;
            client.stream.write_all(&request).await?;
        }
        Ok(client)
    }

    /// How far the pairing is.
    pub(crate) fn stage(&self) -> Stage {
        self.inbound.stage()
    }

    /// What it was told of its conversation, in `vyoma.v1`.
    pub(crate) fn matched(&self) -> Option<Matched> {
        self.inbound.matched()
    }

    /// Reads until the pairing has come this far; a message that came with it goes to `sink`.
    pub(crate) async fn until(&mut self, stage: Stage, sink: &mut dyn Sink) -> Result<(), Fault> {
        while self.stage() != stage && self.stage() != Stage::Paired {
            self.receive("pairing", sink).await?;
        }
        Ok(())
    }

    /// Reads once, and waits for it, but not for ever.
    pub(crate) async fn receive(
        &mut self,
        what: &'static str,
        sink: &mut dyn Sink,
    ) -> Result<(), Fault> {
        let received = timeout(PATIENCE, poll_fn(|cx| self.poll_receive(cx, sink))).await;
        received.map_err(|_| Fault::Silence(what))?
    }

    /// Reads once: what the partner said goes to `sink`. Answers to pings go out with the next write,
    /// [`Client::flush`] or reading: whoever leaves says so in the same write, or the server would
    /// take the answer to its fence for the wish to be queued again.
    pub(crate) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut dyn Sink,
    ) -> Poll<Result<(), Fault>> {
        self.flush(cx)?;
        BUFFER.with_borrow_mut(|buffer| {
            let mut space = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut space))?;
            let bytes = space.filled_mut();
            if bytes.is_empty() {
                return Poll::Ready(Err(Fault::Ended));
            }
            self.inbound.take(bytes, &mut self.unsent, sink)?;
            Poll::Ready(Ok(()))
        })
    }

    /// Writes as much as the socket takes; the rest waits for [`Client::flush`].
    pub(crate) fn send(&mut self, cx: &mut Context<'_>, mut bytes: &[u8]) -> Result<(), Fault> {
        while self.is_clear() && !bytes.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, bytes)? {
                Poll::Ready(taken) => bytes = &bytes[taken..],
                Poll::Pending => break,
            }
        }
        self.unsent.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes on what had to wait; the task is woken when it can go on.
    pub(crate) fn flush(&mut self, cx: &mut Context<'_>) -> Result<(), Fault> {
        while !self.is_clear() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.unsent[self.sent..])? {
                Poll::Ready(taken) => self.sent += taken,
                Poll::Pending => return Ok(()),
            }
            if self.sent == self.unsent.len() {
                (self.unsent, self.sent) = (Vec::new(), 0);
            }
        }
        Ok(())
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_clear(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Says goodbye, and waits until the other end has closed, too. What still comes was not meant
    /// to be answered.
    pub(crate) async fn close(mut self) -> Result<(), Fault> {
        match self.inbound {
            Inbound::Raw => self.stream.shutdown().await?,
            Inbound::Head(..) | Inbound::Frames(_) => {
                let mut goodbye = std::mem::take(&mut self.unsent).split_off(self.sent);
                encode(&mut goodbye, true, Opcode::Close, &GOODBYE, Some([0; 4]));
                self.stream.write_all(&goodbye).await?;
            }
        }
        let ended = timeout(PATIENCE, poll_fn(|cx| self.poll_end(cx))).await;
        ended.map_err(|_| Fault::Silence("closing"))?.map_err(Fault::Io)
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        BUFFER.with_borrow_mut(|buffer| {
            loop {
                let mut space = ReadBuf::new(buffer);
                ready!(Pin::new(&mut self.stream).poll_read(cx, &mut space))?;
                if space.filled().is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
        })
    }
}

async fn dial(server: SocketAddr, id: u32) -> std::io::Result<TcpStream> {
    let socket = if server.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if server.is_ipv4() && server.ip().is_loopback() {
        let last = 2 + (id % SOURCES) as u8;
        socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0))?;
    }
    socket.connect(server).await
}
