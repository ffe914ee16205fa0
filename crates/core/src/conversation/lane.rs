//! One direction of a conversation: what one side has sent, and how far the other has it.
//!
//! Knows numbers, the window and the credit. Must not know who is connected, or how a resume is
//! answered.

use std::time::{Duration, Instant};

use vyoma_protocol::envelope::{StreamId, usual_message, weight};
use vyoma_protocol::{Framed, Kind, Reason};

use super::window::Window;

/// A message that isn't acknowledged is accepted after this long, so that its sender hears of it
/// within a second also where the acknowledgement doesn't come.
pub(super) const ACCEPT_AFTER: Duration = Duration::from_millis(500);

/// What a sender has been told of its own messages, and what it may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) acked: u64,
    pub(super) accepted: u64,
    pub(super) read: u64,
}

/// What a receiver said of the sender's numbering before the sender had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) stream: Option<StreamId>,
    pub(super) received: u64,
}

/// From one side to the other.
#[derive(Debug)]
pub(super) struct Lane {
    /// The sender's numbering; not known before it has come.
    pub(super) stream: Option<StreamId>,
    /// The next number that is taken.
    pub(super) expected: u64,
    /// The receiver's application has everything up to here.
    pub(super) acked: u64,
    /// The highest `next` that the sender has told, or `expected`.
    pub(super) limit: u64,
    /// A person has seen everything up to here.
    pub(super) read: u64,
    pub(super) told: Told,
    /// When the sender is to hear what was accepted.
    pub(super) accept_at: Option<Instant>,
    /// Said once in a conversation's life, if at all: not worth 32 bytes in each.
    pub(super) counted: Option<Box<Counted>>,
    /// The messages from `acked + 1` to `expected - 1`, unless the conversation is over.
    pub(super) window: Window,
}

impl Lane {
    /// A direction in which nothing was sent yet.
    pub(super) fn new(stream: Option<StreamId>) -> Self {
        Self {
            stream,
            expected: 1,
            acked: 0,
            limit: 1,
            read: 0,
            told: Told { acked: 0, accepted: 0, read: 0 },
            accept_at: None,
            counted: None,
            window: Window::default(),
        }
    }

    /// Takes a message: its number (`None`: the next), its frame as the receiver gets it, its weight.
    ///
    /// # Errors
    /// Why it isn't taken; `dropped_repeated` is no error to be told.
    pub(super) fn take(
        &mut self,
        n: Option<u64>,
        frame: [&[u8]; 2],
        weight: usize,
        credit: usize,
        now: Instant,
    ) -> Result<(), Reason> {
        match n.unwrap_or(self.expected) {
            n if n < self.expected => return Err(Reason::Repeated),
            n if n > self.expected => return Err(Reason::NumberSkipped),
            _ => {}
        }
        if n.is_some() && self.window.weight() + weight > credit {
            return Err(Reason::OverCredit);
        }
        self.window.push(frame, weight);
        self.expected += 1;
        self.limit = self.limit.max(self.expected);
        self.accept_at.get_or_insert(now + ACCEPT_AFTER);
        Ok(())
    }

    /// Takes the messages at the front of a run that are written as usual, have the next numbers and fit
    /// the credit; cuts them off, and returns how many they are and the bytes they say.
    pub(super) fn take_usual(
        &mut self,
        run: &mut &[u8],
        credit: usize,
        now: Instant,
    ) -> (u64, u64) {
        let (before, mut bytes, mut rest) = (self.expected, 0, *run);
        while let Some(Framed { kind: Kind::Text, payload, frame }) = Framed::split_off(&mut rest)
            && usual_message(payload) == Some(self.expected)
            && self.window.weight() + weight(payload.len()) <= credit
        {
            self.window.note(frame.len(), weight(payload.len()));
            self.expected += 1;
            bytes += payload.len();
        }
        // Copied together: that costs a third of copying them one by one.
        self.window.fill(run);
        if self.expected > before {
            self.limit = self.limit.max(self.expected);
            self.accept_at.get_or_insert(now + ACCEPT_AFTER);
        }
        (self.expected - before, bytes as u64)
    }

    /// The receiver has everything up to `n`, which was written to it.
    ///
    /// # Errors
    /// `bad_ack` if it wasn't.
    pub(super) fn acknowledge(&mut self, n: u64) -> Result<(), Reason> {
        if n > self.acked + self.window.written() as u64 {
            return Err(Reason::BadAck);
        }
        self.confirm(n);
        Ok(())
    }

    /// The receiver has everything up to `n`, whoever wrote it.
    pub(super) fn confirm(&mut self, n: u64) {
        if n > self.acked {
            self.window.drop_front(usize::try_from(n - self.acked).unwrap_or(usize::MAX));
            self.acked = n;
            self.expected = self.expected.max(n + 1);
            self.limit = self.limit.max(self.expected);
        }
    }

    /// A person has seen everything up to `n`.
    ///
    /// # Errors
    /// `bad_ack` if not even the application has that.
    pub(super) fn mark_read(&mut self, n: u64) -> Result<(), Reason> {
        if n > self.acked {
            return Err(Reason::BadAck);
        }
        self.read = self.read.max(n);
        Ok(())
    }

    /// The sender begins another numbering at `first`, and will assign `next`.
    pub(super) fn renumber(&mut self, stream: StreamId, first: u64, next: u64) {
        self.window.clear();
        let window = std::mem::take(&mut self.window);
        *self = Self { window, ..Self::new(Some(stream)) };
        (self.expected, self.acked, self.limit) = (first, first - 1, next);
    }

    /// The sender was told all there is, in `resumed`.
    pub(super) fn told_all(&mut self) {
        self.told = Told { acked: self.acked, accepted: self.acked, read: self.read };
    }

    /// What was accepted, and isn't known to the sender.
    pub(super) fn accepted_news(&self) -> Option<u64> {
        let accepted = self.expected - 1;
        (accepted > self.told.accepted.max(self.told.acked).max(self.acked)).then_some(accepted)
    }

    /// What was accepted, and never confirmed.
    pub(super) fn unconfirmed(&self) -> Option<(u64, u64)> {
        (self.acked + 1 < self.expected).then_some((self.acked + 1, self.expected - 1))
    }
}
