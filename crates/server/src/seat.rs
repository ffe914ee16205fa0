//! A client's seat: its socket and all that belongs to it, owned by one task at a time.
//!
//! Knows how to read, judge and write one socket. Must not know who the partner is, or why it was
//! chosen: it moves, whole, to the task of the conversation.

mod seeking;

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use vyoma_core::liveness::{Heartbeat, Verdict};
use vyoma_core::roster::ConnectionId;
use vyoma_protocol::{CloseCode, Control, Event, HEADROOM, READ_SIZE, Reason, Relay, Window};

use crate::admission::Permit;
use crate::buffer;
use crate::counters;
use crate::hold::{Held, Hold};
use crate::outbox::Outbox;
use crate::pools::NamedPool;
use crate::shared::Shared;
use crate::speaker::Speaker;
use crate::worker::Home;
pub(crate) use seeking::{Queued, Seeking};

/// The least a read asks for while a message is incomplete. What is held and what is read stay
/// under 64 KiB + 4 KiB together, so a stalled pair costs at most twice that a direction.
const LEAST_READ: usize = 4 * 1024;

/// What a read brought.
pub(crate) enum Received {
    /// Something, and perhaps there is more.
    More,
    /// Nothing (more) for now; the task is woken when there is.
    Nothing,
    /// The client goes, or has to go.
    Gone(Reason),
}

/// One connected client.
pub(crate) struct Seat {
    stream: TcpStream,
    pub(crate) relay: Relay,
    pub(crate) outbox: Outbox,
    pub(crate) heartbeat: Heartbeat,
    /// Not there in a conversation, so that it costs nothing then.
    seeking: Option<Box<Seeking>>,
    /// Since when the fence stands: everything that arrives was meant for a partner who has left,
    /// up to the pong with the number of the last fence.
    fence: Option<Instant>,
    fences: u32,
    farewell: Option<CloseCode>,
    /// Where in all that is written to it the ping that counts begins, in bytes.
    pinged_at: u64,
    /// What a client has besides that speaks `vyoma.v1`.
    pub(crate) speaker: Option<Box<Speaker>>,
    /// A pong has come that answers the question whether everything up to this number has; 0 if not.
    pub(crate) receipt: u64,
    /// How many bytes it had acknowledged when that was last looked at; the lower half of the
    /// number is enough to see it grow.
    acknowledged: u32,
    /// The number of the pool that it wants.
    pub(crate) pool: u8,
    /// It has come by an invitation in its address, and wants nobody else.
    pub(crate) invited: bool,
    home: Home,
    membership: Membership,
    _permit: Permit,
}

/// A connection's number, and its entry in the roster once the lobby has made one; removed on drop.
struct Membership {
    id: ConnectionId,
    shared: Arc<Shared>,
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.shared.lobby.forget(self.id);
        self.shared.pools.forget(self.id);
    }
}

impl Seat {
    /// A seat for a client that has just completed its handshake.
    pub(crate) fn new(
        stream: TcpStream,
        permit: Permit,
        home: Home,
        pool: Arc<NamedPool>,
        shared: &Arc<Shared>,
    ) -> Box<Self> {
        let id = shared.next_connection();
        let number = pool.number;
        shared.pools.hold(id, pool);
        Box::new(Self {
            stream,
            relay: Relay::new(shared.config.max_message_size as u64),
            outbox: Outbox::default(),
            heartbeat: Heartbeat::new(Instant::now()),
            seeking: None,
            fence: None,
            fences: 0,
            farewell: None,
            pinged_at: 0,
            speaker: None,
            receipt: 0,
            acknowledged: 0,
            pool: number,
            invited: false,
            home,
            membership: Membership { id, shared: Arc::clone(shared) },
            _permit: permit,
        })
    }

    /// Its number among the connections.
    pub(crate) fn id(&self) -> ConnectionId {
        self.membership.id
    }

    /// What it has besides, where it is known to speak `vyoma.v1`.
    ///
    /// # Panics
    /// If it speaks plain.
    pub(crate) fn speaker(&mut self) -> &mut Speaker {
        #[expect(clippy::expect_used, reason = "the dialect never changes")]
        self.speaker.as_deref_mut().expect("it speaks vyoma.v1")
    }

    /// Moves the socket to the runtime of the worker that polls it from now on.
    pub(crate) fn come_home(mut self: Box<Self>, shared: &Shared) -> io::Result<Box<Self>> {
        if self.home.is_here() {
            return Ok(self);
        }
        let seat = *self;
        let stream = TcpStream::from_std(seat.stream.into_std()?)?;
        *self = Self { stream, home: Home::here(shared), ..seat };
        Ok(self)
    }

    /// Reads once, and lets `take` have what came: the output of the frames that were complete.
    /// It may end the client's stay, too, by a reason of its own.
    pub(crate) fn receive(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        take: impl FnOnce(&mut Self, &mut Window<'_>, &mut Context<'_>) -> Option<Reason>,
    ) -> Received {
        buffer::with(|buf| {
            let (n, full) = match self.poll_read(cx, buf) {
                Poll::Pending => return Received::Nothing,
                Poll::Ready(Ok((n, full))) if n > 0 => (n, full),
                Poll::Ready(_) => return Received::Gone(Reason::ConnectionLost),
            };
            self.heartbeat.heard(now);
            let took = |seat: &mut Self, window: &mut Window<'_>| take(seat, window, cx);
            if let Some(reason) = self.work_through(&mut buf[..HEADROOM + n], took) {
                return Received::Gone(reason);
            }
            if full {
                // There is more. The task is woken when the kernel has been asked whom else to serve.
                let _ = pin!(yield_now()).poll(cx);
                return Received::Nothing;
            }
            Received::More
        })
    }

    /// Works through bytes that came earlier than the seat was made, right behind the handshake.
    pub(crate) fn receive_early(
        &mut self,
        early: &[u8],
        mut take: impl FnMut(&mut Self, &mut Window<'_>) -> Option<Reason>,
    ) -> Option<Reason> {
        early.chunks(READ_SIZE).find_map(|chunk| {
            buffer::with(|buf| {
                buf[HEADROOM..][..chunk.len()].copy_from_slice(chunk);
                self.work_through(&mut buf[..HEADROOM + chunk.len()], &mut take)
            })
        })
    }

    /// Decodes what was read, and lets `take` have the output. `Some` says why the client goes,
    /// or has to go.
    fn work_through(
        &mut self,
        read: &mut [u8],
        take: impl FnOnce(&mut Self, &mut Window<'_>) -> Option<Reason>,
    ) -> Option<Reason> {
        let mut window = Window::new(read);
        let gone = self.digest(&mut window);
        let ended = take(self, &mut window);
        gone.or(ended)
    }

    /// Writes a partner's words, as much as the socket takes now; the rest waits in the outbox.
    pub(crate) fn deliver(&mut self, window: &Window<'_>, cx: &mut Context<'_>) {
        if self.outbox.is_broken() {
            counters::reason(Reason::Undeliverable, window.messages);
            return;
        }
        counters::relayed(window.messages, window.bytes);
        self.outbox.write(&mut self.stream, cx, window.output());
    }

    /// Writes what waits, then whole frames, then a run of messages that somebody else keeps: returns
    /// how many bytes of those the socket took.
    pub(crate) fn offer(&mut self, cx: &mut Context<'_>, frames: &[u8], run: &[u8]) -> usize {
        self.outbox.offer(&mut self.stream, cx, frames, run)
    }

    /// Puts the words that were sent before pairing behind what waits for this client, and then the
    /// begin of a message that isn't complete.
    pub(crate) fn deliver_held(&mut self, mut hold: Hold, begun: &[u8]) {
        let Held { mut frames, messages, bytes, charge } = hold.take();
        counters::relayed(messages, bytes);
        frames.extend_from_slice(begun);
        self.outbox.push_held(&frames, charge);
    }

    /// Writes what waits in the outbox.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.outbox.poll_flush(&mut self.stream, cx)
    }

    /// Judges the client by its silence and its reading, and pings it where that is due. A
    /// client that is `excused` (we don't read from it) is not judged by silence.
    ///
    /// Returns when to judge again, or why the client has failed.
    pub(crate) fn judge(
        &mut self,
        now: Instant,
        excused: bool,
        shared: &Shared,
    ) -> Result<Instant, Reason> {
        let (silence, timing) = (shared.config.heartbeat, &shared.config.timing);
        let fenced_until = self.fence.map(|raised| raised + timing.fence);
        if fenced_until.is_some_and(|until| now >= until) {
            return Err(Reason::PingTimeout);
        }
        let blocked = self.outbox.is_blocked();
        let reading = if blocked { Some(self.judge_reading(now, shared)?) } else { None };
        // A ping behind bytes that the client hasn't taken says nothing about its silence.
        if excused || blocked {
            self.heartbeat.excuse(now);
        }
        let hearing = match self.heartbeat.judge(now, silence, timing.ping_answer) {
            Verdict::Fine(due) => {
                self.outbox.acquit();
                due
            }
            Verdict::Ping => {
                self.ping(now);
                now + timing.ping_answer
            }
            Verdict::Failed => self.judge_unanswered(now, shared)?,
        };
        Ok([reading, fenced_until].into_iter().flatten().fold(hearing, Instant::min))
    }

    /// Judges a client that hasn't answered its ping in time, by what its end has acknowledged: the
    /// kernel may still hold what was written before the ping.
    fn judge_unanswered(&mut self, now: Instant, shared: &Shared) -> Result<Instant, Reason> {
        let timing = &shared.config.timing;
        let acknowledged = self.outbox.acknowledged(&self.stream);
        if acknowledged >= self.pinged_at {
            return Err(Reason::PingTimeout);
        }
        if acknowledged as u32 != self.acknowledged {
            self.acknowledged = acknowledged as u32;
            self.heartbeat.extend(now);
            return Ok(self.judge_reading(now, shared)?.min(now + timing.ping_answer));
        }
        let since = self.heartbeat.pinged_at().unwrap_or(now);
        let until = since + timing.ping_answer + timing.unacknowledged;
        if now < until { Ok(until) } else { Err(Reason::PingTimeout) }
    }

    fn judge_reading(&mut self, now: Instant, shared: &Shared) -> Result<Instant, Reason> {
        match self.outbox.judge(&self.stream, now, shared.config.timing.progress_window) {
            Verdict::Fine(due) => Ok(due),
            Verdict::Ping | Verdict::Failed => Err(Reason::NotReading),
        }
    }

    /// Pings the client, and remembers since when an answer is due. While the fence stands every
    /// ping is one that takes it down: a client may answer the newest only (RFC 6455, section 5.5.3).
    pub(crate) fn ping(&mut self, now: Instant) {
        if self.heartbeat.pinged(now) {
            self.pinged_at = self.outbox.end();
            self.acknowledged = self.outbox.acknowledged(&self.stream) as u32;
        }
        let number = self.fences.to_be_bytes();
        self.outbox.ping(if self.is_fenced() { &number } else { &[] });
    }

    /// Raises the fence: from here to its pong, everything was meant for the partner who left.
    pub(crate) fn raise_fence(&mut self, now: Instant) {
        self.fences += 1;
        self.fence = Some(now);
        self.ping(now);
    }

    /// Whether the fence stands.
    pub(crate) fn is_fenced(&self) -> bool {
        self.fence.is_some()
    }

    /// Reads once into the window's part of `buf`: how many bytes came (0 at the end), and whether
    /// they were as many as were asked for.
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, bool)>> {
        let limit = READ_SIZE.saturating_sub(self.relay.held_len()).max(LEAST_READ);
        let mut space = ReadBuf::new(&mut buf[HEADROOM..HEADROOM + limit]);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut space))?;
        Poll::Ready(Ok((space.filled().len(), space.remaining() == 0)))
    }

    /// Works through what was read. `Some` says why the client is gone; what it sent before that
    /// is in the window's output.
    fn digest(&mut self, window: &mut Window<'_>) -> Option<Reason> {
        loop {
            match self.relay.advance(window) {
                Ok(Event::Drained) => return None,
                Ok(Event::Control(Control::Ping(body))) => self.outbox.answer(body),
                Ok(Event::Control(Control::Pong(body))) => self.hear_pong(&body, window),
                Ok(Event::Control(Control::Close(code))) => {
                    self.farewell = code;
                    return Some(Reason::ClientClosed);
                }
                Err(reason) => return Some(reason),
            }
        }
    }

    fn hear_pong(&mut self, pong: &[u8], window: &mut Window<'_>) {
        if let Ok(number) = pong.try_into() {
            self.receipt = u64::from_be_bytes(number);
        } else if self.is_fenced() && pong == self.fences.to_be_bytes() {
            self.fence = None;
            counters::reason(Reason::Fenced, self.relay.discard(window));
        }
    }

    /// Says goodbye: the Close frame is the last thing in the outbox.
    pub(crate) fn close_frame(&mut self, reason: Reason) {
        self.relay.mute();
        self.outbox.close(reason, self.farewell);
    }

    /// Ends the seat: the socket, and the guards that say the connection still exists.
    pub(crate) fn into_remains(self: Box<Self>) -> (TcpStream, Remains) {
        let Self { stream, home, membership, _permit, .. } = *self;
        (stream, Remains { _home: home, _membership: membership, _permit })
    }
}

/// What is left of a seat while its socket is being shut down.
pub(crate) struct Remains {
    _home: Home,
    _membership: Membership,
    _permit: Permit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_no_larger_than_its_room_at_the_allocator() {
        // One byte more and it takes 448.
        assert!(size_of::<Seat>() <= 384, "{}", size_of::<Seat>());
    }
}
