//! A client without a partner: still read, so that a leave, a close or a dead peer is noticed.

use std::task::{Context, Poll};
use std::time::Instant;

use vyoma_protocol::{Reason, Window};

use crate::alarm::{Alarm, LOOK_EVERY};
use crate::bell::Bell;
use crate::counters;
use crate::seat::{Received, Seat};
use crate::shared::Shared;

/// What becomes of a message that arrives while there is no partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// Held for the partner to come.
    Hold,
    /// Dropped: there is none to come.
    Drop,
}

/// What a lone client's task needs to be woken by.
pub(crate) struct Watch {
    alarm: Alarm,
    bell: Bell,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self { alarm: Alarm::new(Instant::now()), bell: Bell::default() }
    }

    /// Judges at `at` at the latest.
    pub(crate) fn no_later_than(&mut self, at: Instant) {
        self.alarm.no_later_than(at);
    }

    /// Wakes the task at `at` at the latest.
    pub(crate) fn wake_at(&mut self, cx: &mut Context<'_>, at: Instant) {
        self.alarm.no_later_than(at);
        if self.alarm.poll(cx, Instant::now()) {
            cx.waker().wake_by_ref();
        }
    }
}

impl Seat {
    /// Reads, answers, flushes and judges a lone client. Ready with the reason once it is gone,
    /// or is to be closed.
    pub(crate) fn poll_alone(
        &mut self,
        cx: &mut Context<'_>,
        watch: &mut Watch,
        words: Words,
        shared: &Shared,
    ) -> Poll<Reason> {
        watch.bell.hear(cx);
        if shared.shutdown.draining() {
            return Poll::Ready(Reason::Shutdown);
        }
        let now = Instant::now();
        if let Some(reason) = self.read_alone(cx, words, now, shared) {
            return Poll::Ready(reason);
        }
        loop {
            let _ = self.poll_flush(cx);
            if self.outbox.is_blocked() {
                watch.alarm.no_later_than(now + LOOK_EVERY);
            }
            if !watch.alarm.poll(cx, now) {
                return Poll::Pending;
            }
            match self.judge(now, false, shared) {
                Ok(due) => watch.alarm.set(due),
                Err(reason) => return Poll::Ready(reason),
            }
        }
    }

    /// Takes what the client sent right behind its handshake's head, before anything else.
    /// `Some` says why it is gone, or has to go.
    pub(crate) fn take_early(&mut self, early: &[u8], shared: &Shared) -> Option<Reason> {
        self.receive_early(early, |seat, window| seat.take_alone(window, Words::Hold, shared))
    }

    /// Reads what there is; `Some` says why the client is gone.
    fn read_alone(
        &mut self,
        cx: &mut Context<'_>,
        words: Words,
        now: Instant,
        shared: &Shared,
    ) -> Option<Reason> {
        loop {
            match self.receive(cx, now, |seat, window, _| seat.take_alone(window, words, shared)) {
                Received::More => {}
                Received::Nothing => return None,
                Received::Gone(reason) => return Some(reason),
            }
        }
    }

    fn take_alone(
        &mut self,
        window: &mut Window<'_>,
        words: Words,
        shared: &Shared,
    ) -> Option<Reason> {
        if self.speaker.is_some() {
            return self.take_aside(window, shared);
        }
        if self.is_fenced() || words == Words::Drop {
            let why = if self.is_fenced() { Reason::Fenced } else { Reason::Unpaired };
            let dropped = self.relay.discard(window) + window.muted;
            counters::reason(why, dropped);
            return None;
        }
        counters::reason(Reason::Fenced, window.muted);
        let incomplete = self.relay.held_len();
        self.seeking().hold.keep(window, incomplete, shared.config.max_message_size).err()
    }
}
