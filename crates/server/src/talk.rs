//! A conversation: one task owns both sockets.
//!
//! Two lanes, one each way, polled independently. A lane reads what is there, decodes it in
//! place, and writes it straight to the other socket: one write for all that one read brought.
//! When the other socket is full the lane stops reading, and TCP slows the sender.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Instant;

use vyoma_protocol::{Reason, plain};

use crate::alarm::{Alarm, LOOK_EVERY};
use crate::bell::Bell;
use crate::counters::{self, Counter};
use crate::hold::Hold;
use crate::seat::{Received, Seat, Seeking};
use crate::shared::Shared;
use crate::shutdown::Phase;

/// How a conversation ended.
pub(crate) enum Ended {
    /// One went, for this reason; the other stays.
    Left { goer: Box<Seat>, stayer: Box<Seat>, reason: Reason },
    /// The server closes both.
    Both(Box<Seat>, Box<Seat>),
}

/// Who ends a conversation.
#[derive(Clone, Copy)]
enum End {
    A(Reason),
    B(Reason),
    Both,
}

/// A conversation under way.
pub(crate) struct Talk {
    a: Box<Seat>,
    b: Box<Seat>,
    alarm: Alarm,
    bell: Bell,
    end: End,
}

/// Tells a client that it has a partner. Returns what it has said so far, and the begin of a long
/// message that isn't complete.
fn greet(seat: &mut Seat) -> Option<(Hold, Vec<u8>)> {
    let begun = seat.relay.stream();
    seat.outbox.message(plain::CONNECTED);
    let Seeking { hold, queued, .. } = *seat.take_seeking()?;
    if let Some(queued) = queued {
        counters::pairing_wait(queued.since.elapsed());
    }
    Some((hold, begun))
}

impl Talk {
    /// Pairs two clients, and delivers what they said before.
    pub(crate) fn begin(mut a: Box<Seat>, mut b: Box<Seat>, shared: &Shared) -> Self {
        shared.lobby.pair(a.id(), b.id());
        a.spend_invitation();
        counters::add(Counter::ConversationsStarted, 1);
        tracing::debug!(a = a.id().0, b = b.id().0, "paired");
        let (of_a, of_b) = (greet(&mut a), greet(&mut b));
        of_b.into_iter().for_each(|(hold, begun)| a.deliver_held(hold, &begun));
        of_a.into_iter().for_each(|(hold, begun)| b.deliver_held(hold, &begun));
        Self { a, b, alarm: Alarm::new(Instant::now()), bell: Bell::default(), end: End::Both }
    }

    /// Carries the words of both until one goes, or the server closes both.
    pub(crate) async fn carry(&mut self, shared: &Shared) {
        self.end = poll_fn(|cx| self.poll(cx, shared)).await;
    }

    /// Takes it apart.
    pub(crate) fn end(self) -> Ended {
        counters::add(Counter::ConversationsEnded, 1);
        let Self { a, b, end, .. } = self;
        match end {
            End::A(reason) => Ended::Left { goer: a, stayer: b, reason },
            End::B(reason) => Ended::Left { goer: b, stayer: a, reason },
            End::Both => Ended::Both(a, b),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, shared: &Shared) -> Poll<End> {
        self.bell.hear(cx);
        let now = Instant::now();
        if let Some(reason) = lane(&mut self.a, &mut self.b, cx, now) {
            return Poll::Ready(End::A(reason));
        }
        if let Some(reason) = lane(&mut self.b, &mut self.a, cx, now) {
            return Poll::Ready(End::B(reason));
        }
        if shared.shutdown.phase() == Phase::Closing {
            return Poll::Ready(End::Both);
        }
        loop {
            for seat in [&mut self.a, &mut self.b] {
                // Pongs and pings; a lane flushes only the socket that it writes to.
                if seat.poll_flush(cx).is_pending() {
                    self.alarm.no_later_than(now + LOOK_EVERY);
                }
            }
            if !self.alarm.poll(cx, now) {
                return Poll::Pending;
            }
            let (a_waits, b_waits) = (self.b.outbox.is_blocked(), self.a.outbox.is_blocked());
            match (self.a.judge(now, a_waits, shared), self.b.judge(now, b_waits, shared)) {
                (Err(reason), _) => return Poll::Ready(End::A(reason)),
                (_, Err(reason)) => return Poll::Ready(End::B(reason)),
                (Ok(a), Ok(b)) => self.alarm.set(a.min(b)),
            }
        }
    }
}

/// Carries words one way. `Some` says why the sender is gone; all that it had completed is with
/// the receiver by then, or in its outbox.
fn lane(from: &mut Seat, to: &mut Seat, cx: &mut Context<'_>, now: Instant) -> Option<Reason> {
    loop {
        if to.poll_flush(cx).is_pending() {
            return None;
        }
        let received = from.receive(cx, now, |_, window, cx| {
            to.deliver(window, cx);
            counters::reason(Reason::Fenced, window.muted);
            None
        });
        match received {
            Received::More => {}
            Received::Nothing => return None,
            Received::Gone(reason) => return Some(reason),
        }
    }
}
