//! What a client keeps so that it can resume: as a value, as changes to it, and as JSON.
//!
//! Knows what is kept and when such a value can't be true. Must not know where it is kept.

mod json;

use vyoma_protocol::envelope::{ConversationId, MAX_NUMBER, Side, StreamId};

use crate::Frame;

pub use json::BadSaved;

/// All that a client keeps (docs/protocol.md, "Resume"). It holds the token, so it is a secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saved {
    /// The name of this installation, kept for good.
    pub device: Option<String>,
    /// The last attempt that was used, 0 if none.
    pub attempt: u64,
    /// The conversation that was left, if the server may not have heard of it.
    pub leaving: Option<ConversationId>,
    /// The seat in a conversation.
    pub seat: Option<Seat>,
}

/// A seat in a conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct Seat {
    /// The conversation.
    pub conversation: ConversationId,
    /// Which side.
    pub side: Side,
    /// The partner's profile as JSON.
    pub partner: Option<String>,
    /// Whether the partner speaks `vyoma.v1`.
    pub reliable: bool,
    /// How long the server keeps the seat without a connection, in milliseconds.
    pub grace_ms: u64,
    /// The token, a secret.
    pub token: String,
    /// Its epoch.
    pub epoch: u64,
    /// The own numbering.
    pub stream: StreamId,
    /// The partner's numbering, if it is known.
    pub partner_stream: Option<StreamId>,
    /// The number that is assigned next.
    pub next: u64,
    /// The last number of the partner that its application took.
    pub received: u64,
    /// All but the token was lost, and the server hasn't been told.
    pub fresh: bool,
    /// What isn't acknowledged, by rising numbers; the last is `next` - 1.
    pub outbox: Vec<Kept>,
}

/// A message in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub n: u64,
    /// What is written, its number included.
    pub frame: Frame,
}

/// A change to what is kept. All together, in order, make up the whole: see [`Saved::apply`].
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// The device, for good.
    Device(String),
    /// The attempt that is about to be used.
    Attempt(u64),
    /// The seat is this one.
    Seat(Box<Seat>),
    /// The seat has another token.
    Token {
        /// The token.
        token: String,
        /// Its epoch.
        epoch: u64,
    },
    /// A message is new in the outbox; `next` is one above its number.
    Sent(Kept),
    /// The partner has everything up to this number: the outbox loses it.
    Acked(u64),
    /// The partner has this numbering, of which nothing was received.
    Partner(StreamId),
    /// The application took everything up to this number.
    Received(u64),
    /// The seat was given up, and the server may not know.
    Left(ConversationId),
    /// There is no seat, and the server knows.
    Free,
}

impl Saved {
    /// Makes a change. One about a seat that isn't there has no effect.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Device(device) => self.device = Some(device.clone()),
            Change::Attempt(attempt) => self.attempt = *attempt,
            Change::Seat(seat) => (self.seat, self.leaving) = (Some((**seat).clone()), None),
            Change::Left(conversation) => (self.seat, self.leaving) = (None, Some(*conversation)),
            Change::Free => (self.seat, self.leaving) = (None, None),
            change => {
                if let Some(seat) = &mut self.seat {
                    seat.apply(change);
                }
            }
        }
    }

    /// For a client that finds its token, but not the rest (rule 11): the session will begin anew
    /// under `stream`, which has to be random, and the partner hears of a gap. Store the result, so
    /// that each attempt names the same stream.
    pub fn lose_state(&mut self, stream: StreamId) {
        if let Some(seat) = &mut self.seat {
            seat.outbox.clear();
            (seat.next, seat.received) = (1, 0);
            (seat.stream, seat.partner_stream, seat.fresh) = (stream, None, true);
        }
    }
}

impl Seat {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Token { token, epoch } => (self.token, self.epoch) = (token.clone(), *epoch),
            Change::Sent(kept) => {
                self.next = kept.n + 1;
                self.outbox.push(kept.clone());
            }
            Change::Acked(n) => self.outbox.retain(|kept| kept.n > *n),
            Change::Partner(stream) => {
                (self.partner_stream, self.received) = (Some(*stream), 0);
            }
            Change::Received(n) => self.received = *n,
            _ => {}
        }
    }
}

// The token is a secret here, too.
impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Device(device) => write!(f, "Device({device})"),
            Self::Attempt(attempt) => write!(f, "Attempt({attempt})"),
            Self::Seat(seat) => write!(f, "{seat:?}"),
            Self::Token { epoch, .. } => write!(f, "Token(epoch {epoch})"),
            Self::Sent(kept) => write!(f, "Sent({}, {:?})", kept.n, kept.frame),
            Self::Acked(n) => write!(f, "Acked({n})"),
            Self::Partner(stream) => write!(f, "Partner({stream})"),
            Self::Received(n) => write!(f, "Received({n})"),
            Self::Left(conversation) => write!(f, "Left({conversation})"),
            Self::Free => f.write_str("Free"),
        }
    }
}

// The token is a secret, and bodies are nobody's business.
impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seat")
            .field("conversation", &self.conversation)
            .field("epoch", &self.epoch)
            .field("stream", &self.stream)
            .field("partner_stream", &self.partner_stream)
            .field("next", &self.next)
            .field("received", &self.received)
            .field("fresh", &self.fresh)
            .field("outbox", &self.outbox.len())
            .finish_non_exhaustive()
    }
}
