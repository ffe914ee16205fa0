//! What waits to be written to one socket: whole frames, so that a control frame fits behind them.
//!
//! Bounded by its users: a lane reads on only when the outbox is clear. Pings are answered one by
//! one while the socket takes the answers; once it doesn't, only the newest is kept (RFC 6455,
//! section 5.5.3 allows it), so a peer that pings and never reads costs nothing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use vyoma_core::liveness::{Progress, Verdict};
use vyoma_protocol::envelope::ServerEnvelope;
use vyoma_protocol::{
    CloseCode, Kind, MAX_CONTROL_PAYLOAD, Opcode, Reason, close_body, encode, encode_text,
};

use crate::counters::{self, Counter};
use crate::hold::Charge;
use crate::send_queue;

/// While fewer bytes than this wait, pongs line up behind them: sixteen of the largest.
const PONGS_AHEAD: usize = 16 * (MAX_CONTROL_PAYLOAD + 2);

/// The body of the pong behind a ping; it answers nothing (RFC 6455, section 5.5.3).
const NUDGE: &[u8] = b"nudge";

/// Frames for one socket.
#[derive(Default)]
pub(crate) struct Outbox {
    pending: Vec<u8>,
    /// Bytes the kernel has taken, in all.
    written: u64,
    /// Not there while nothing waits, which is nearly always.
    backlog: Option<Box<Backlog>>,
    /// The socket takes nothing any more; reading from it will say why.
    broken: bool,
}

/// What is known about bytes that wait.
#[derive(Default)]
struct Backlog {
    /// How many of them are written.
    sent: usize,
    /// The newest pong, behind many.
    pong: Option<Vec<u8>>,
    progress: Progress,
    /// What they are charged to, if they were held before pairing.
    charge: Option<Charge>,
}

impl Outbox {
    /// Appends a text message.
    pub(crate) fn message(&mut self, text: &str) {
        encode(&mut self.pending, true, Opcode::Data(Kind::Text), text.as_bytes(), None);
    }

    /// Appends an envelope of `vyoma.v1`.
    pub(crate) fn envelope(&mut self, envelope: &ServerEnvelope<'_>) {
        encode_text(&mut self.pending, |out| envelope.write(out));
    }

    /// Appends a ping, and an unsolicited pong: libcurl prepares its answer to a ping, but sends it
    /// only when it next has something to read.
    pub(crate) fn ping(&mut self, body: &[u8]) {
        encode(&mut self.pending, true, Opcode::Ping, body, None);
        encode(&mut self.pending, true, Opcode::Pong, NUDGE, None);
    }

    /// Appends the Close frame for a reason, the last of all frames; a client that closed gets its
    /// own code back.
    pub(crate) fn close(&mut self, reason: Reason, echo: Option<CloseCode>) {
        if let Some(pong) = self.backlog.as_mut().and_then(|backlog| backlog.pong.take()) {
            encode(&mut self.pending, true, Opcode::Pong, &pong, None);
        }
        let body = match (reason, echo) {
            (Reason::ClientClosed, Some(code)) => code.get().to_be_bytes().to_vec(),
            (Reason::ClientClosed, None) => Vec::new(),
            (Reason::ConnectionLost, _) => return,
            _ => close_body(reason),
        };
        encode(&mut self.pending, true, Opcode::Close, &body, None);
    }

    /// Appends whole frames.
    pub(crate) fn push(&mut self, frames: &[u8]) {
        self.pending.extend_from_slice(frames);
    }

    /// Appends whole frames that were held, and keeps their charge until all are written.
    pub(crate) fn push_held(&mut self, frames: &[u8], charge: Charge) {
        if !frames.is_empty() {
            self.push(frames);
            self.backlog().charge = Some(charge);
        }
    }

    /// Answers a ping, as soon as the socket takes it.
    pub(crate) fn answer(&mut self, ping: Vec<u8>) {
        let waits = self.backlog.as_ref().is_some_and(|backlog| backlog.pong.is_some());
        if !waits && self.pending.len() < PONGS_AHEAD {
            encode(&mut self.pending, true, Opcode::Pong, &ping, None);
        } else {
            self.backlog().pong = Some(ping);
        }
    }

    /// The bytes that wait for the socket.
    pub(crate) fn len(&self) -> usize {
        self.pending.len() - self.sent()
    }

    fn sent(&self) -> usize {
        self.backlog.as_ref().map_or(0, |backlog| backlog.sent)
    }

    fn backlog(&mut self) -> &mut Backlog {
        self.backlog.get_or_insert_default()
    }

    /// Whether bytes wait for the socket.
    pub(crate) fn is_blocked(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Whether the socket has failed for writing; what is written then is lost.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether the peer takes what waits for it, and when to ask again.
    pub(crate) fn judge(&mut self, stream: &TcpStream, now: Instant, window: Duration) -> Verdict {
        let acknowledged = self.acknowledged(stream);
        self.backlog().progress.judge(now, window, acknowledged)
    }

    /// Ends the judging, if nothing waits: the next time begins anew.
    pub(crate) fn acquit(&mut self) {
        if !self.is_blocked() {
            self.backlog = None;
        }
    }

    /// Where the next frame will begin in all that is ever written, in bytes.
    pub(crate) fn end(&self) -> u64 {
        self.written + self.len() as u64
    }

    /// Bytes the peer's end has acknowledged, in all.
    pub(crate) fn acknowledged(&self, stream: &TcpStream) -> u64 {
        self.written.saturating_sub(send_queue::len(stream))
    }

    /// Writes these frames at once, and keeps what the socket doesn't take.
    pub(crate) fn write(
        &mut self,
        stream: &mut TcpStream,
        cx: &mut Context<'_>,
        mut parts: [&[u8]; 2],
    ) {
        while !self.broken && !self.is_blocked() && parts.iter().any(|part| !part.is_empty()) {
            match poll_write(stream, cx, [parts[0], parts[1], &[]]) {
                Poll::Ready(Ok(n)) => {
                    self.written += n as u64;
                    skip(&mut parts, n);
                }
                Poll::Ready(Err(_)) => self.broken = true,
                Poll::Pending => {
                    self.pending.reserve_exact(parts[0].len() + parts[1].len());
                    break;
                }
            }
        }
        if !self.broken {
            parts.iter().for_each(|part| self.push(part));
        }
    }

    /// Writes what waits, then `frames`, then `run`, as much as the socket takes. What it doesn't take
    /// of `frames` waits; returns how much it took of `run`, which is the caller's.
    pub(crate) fn offer(
        &mut self,
        stream: &mut TcpStream,
        cx: &mut Context<'_>,
        mut frames: &[u8],
        mut run: &[u8],
    ) -> usize {
        let all = run.len();
        while !self.broken && (self.is_blocked() || !frames.is_empty() || !run.is_empty()) {
            let sent = self.sent();
            match poll_write(stream, cx, [&self.pending[sent..], frames, run]) {
                Poll::Ready(Ok(n)) => {
                    let of_pending = n.min(self.len());
                    let of_frames = (n - of_pending).min(frames.len());
                    self.written += (n - of_pending) as u64;
                    frames = &frames[of_frames..];
                    run = &run[n - of_pending - of_frames..];
                    if of_pending > 0 {
                        self.took(of_pending);
                    }
                }
                Poll::Ready(Err(_)) => self.broken = true,
                Poll::Pending => break,
            }
        }
        if !self.broken {
            self.push(frames);
        }
        all - run.len()
    }

    /// Writes what waits: ready when all is written, or nothing can be any more.
    pub(crate) fn poll_flush(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.pending.is_empty() {
                return Poll::Ready(());
            }
            if self.broken {
                counters::add(Counter::BytesUnsent, self.len() as u64);
                *self = Self { broken: true, written: self.written, ..Self::default() };
                return Poll::Ready(());
            }
            let sent = self.sent();
            match ready!(poll_write(stream, cx, [&self.pending[sent..], &[], &[]])) {
                Ok(n) => self.took(n),
                Err(_) => self.broken = true,
            }
        }
    }

    fn took(&mut self, n: usize) {
        self.written += n as u64;
        if n < self.len() {
            self.backlog().sent += n;
            return;
        }
        self.pending = Vec::new();
        if let Some(pong) = self.backlog.take().and_then(|backlog| backlog.pong) {
            encode(&mut self.pending, true, Opcode::Pong, &pong, None);
        }
    }
}

fn poll_write(
    stream: &mut TcpStream,
    cx: &mut Context<'_>,
    parts: [&[u8]; 3],
) -> Poll<io::Result<usize>> {
    let stream = Pin::new(stream);
    let mut filled = parts.iter().filter(|part| !part.is_empty());
    let written = match (filled.next(), filled.next()) {
        (first, None) => ready!(stream.poll_write(cx, first.unwrap_or(&parts[0]))),
        _ => ready!(stream.poll_write_vectored(cx, &parts.map(IoSlice::new))),
    };
    Poll::Ready(match written {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        other => other,
    })
}

fn skip(parts: &mut [&[u8]; 2], n: usize) {
    let of_front = n.min(parts[0].len());
    parts[0] = &parts[0][of_front..];
    parts[1] = &parts[1][n - of_front..];
}
