//! Where the session is: nowhere, queued, in a conversation, or on its way out.

use std::time::Instant;

use vyoma_protocol::envelope::{ConversationId, Side, StreamId};

use crate::Seat;
use crate::inbox::Inbox;
use crate::outbox::Outbox;
use crate::typing::Typing;

/// The place.
#[derive(Debug)]
pub(super) enum Place {
    /// Nothing is wished for.
    Idle,
    /// A partner is wished for.
    Queued(Queued),
    /// In a conversation, connected or not.
    Talking(Box<Talk>),
    /// On the way out; only on a connection, since without one nothing is confirmed.
    Leaving(Box<Leaving>),
}

/// How far the wish for a partner has come.
#[derive(Debug, Default)]
pub(super) struct Queued {
    /// `join` or `next` was written on this connection.
    pub(super) asked: bool,
    /// Not to be written before this.
    pub(super) not_before: Option<Instant>,
}

/// How far the wish for an invitation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inviting {
    No,
    /// To be asked for.
    Wished,
    /// `invite` was written on this connection, and has to be answered until then.
    Asked(Instant),
}

impl Inviting {
    /// On the next connection it has to be asked for again.
    pub(super) fn lose_line(&mut self) {
        if let Self::Asked(_) = self {
            *self = Self::Wished;
        }
    }

    /// Until when an answer has to come.
    pub(super) fn answer_by(self) -> Option<Instant> {
        match self {
            Self::Asked(by) => Some(by),
            Self::No | Self::Wished => None,
        }
    }
}

/// The envelope that ends a conversation or a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Next,
    Leave,
    Block,
}

/// What is left of a place that was given up, until the server confirms it.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) word: Word,
    /// The conversation whose end the application hasn't heard of.
    pub(super) talk: Option<Talk>,
    /// The application hasn't heard that its wait is over.
    pub(super) untold: bool,
    /// A partner is wished for after that.
    pub(super) queue: bool,
    /// The server refused the word for now; to be written again then.
    pub(super) again: Option<Instant>,
}

/// A token: not for anybody's eyes, so debugging doesn't tell it.
pub(super) struct Secret(pub(super) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// A conversation.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) conversation: ConversationId,
    pub(super) side: Side,
    pub(super) partner: Option<String>,
    pub(super) reliable: bool,
    pub(super) grace_ms: u64,
    pub(super) token: Secret,
    pub(super) epoch: u64,
    pub(super) stream: StreamId,
    pub(super) fresh: bool,
    pub(super) outbox: Outbox,
    pub(super) inbox: Inbox,
    pub(super) typing: Typing,
    /// Whether the partner is away; `None` if it hasn't been said.
    pub(super) away: Option<bool>,
    /// To be blocked as soon as there is a connection.
    pub(super) blocking: bool,
    /// When the server was last told what was seen.
    pub(super) read_at: Option<Instant>,
}

impl Talk {
    /// What is kept of it.
    pub(super) fn seat(&self) -> Seat {
        Seat {
            conversation: self.conversation,
            side: self.side,
            partner: self.partner.clone(),
            reliable: self.reliable,
            grace_ms: self.grace_ms,
            token: self.token.0.clone(),
            epoch: self.epoch,
            stream: self.stream,
            partner_stream: self.inbox.stream,
            next: self.outbox.next(),
            received: self.inbox.received,
            fresh: self.fresh,
            outbox: self.outbox.kept().cloned().collect(),
        }
    }
}

impl From<Seat> for Talk {
    fn from(seat: Seat) -> Self {
        Self {
            conversation: seat.conversation,
            side: seat.side,
            partner: seat.partner,
            reliable: seat.reliable,
            grace_ms: seat.grace_ms,
            token: Secret(seat.token),
            epoch: seat.epoch,
            stream: seat.stream,
            fresh: seat.fresh,
            outbox: Outbox::new(seat.next, seat.outbox),
            inbox: Inbox::new(seat.partner_stream, seat.received),
            typing: Typing::default(),
            away: None,
            blocking: false,
            read_at: None,
        }
    }
}
