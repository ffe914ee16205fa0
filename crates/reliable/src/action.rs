//! What goes in and out of a session: bodies, actions, events, refusals.

use std::sync::Arc;

use vyoma_protocol::Reason;
use vyoma_protocol::envelope::{ConversationId, Ending, Side, Subject, push_plain_text};

use crate::Change;

/// What the application says in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// A JSON value, any (strict as in docs/protocol.md, "Strict input").
    Json(&'a str),
    /// Any bytes.
    Binary(&'a [u8]),
}

/// What the partner said in a message.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// A JSON value, byte for byte as the partner wrote it.
    Json(String),
    /// Any bytes.
    Binary(Vec<u8>),
}

/// One WebSocket message to write; cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    /// A text message.
    Text(Arc<str>),
    /// A binary message.
    Binary(Arc<[u8]>),
}

impl Frame {
    /// The payload's length in bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether the payload is empty; no frame of a session is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The payload.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

impl Content {
    /// What a person reads: the text of a string, other JSON as it is, bytes as their number.
    pub fn text(&self) -> String {
        match self {
            Self::Json(json) => {
                let mut text = Vec::new();
                push_plain_text(json, &mut text);
                String::from_utf8_lossy(&text).into_owned()
            }
            Self::Binary(bytes) => format!("({} bytes)", bytes.len()),
        }
    }
}

// A message's body is never logged, so debugging tells only its length.
impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if matches!(self, Self::Text(_)) { "Text" } else { "Binary" };
        write!(f, "{kind}({} bytes)", self.len())
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(text) => write!(f, "Json({} bytes)", text.len()),
            Self::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
        }
    }
}

/// What the driver has to do, in the order in which it was returned.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Open a WebSocket connection with the subprotocol `vyoma.v1`; then call
    /// [`connected`](crate::Session::connected), or [`disconnected`](crate::Session::disconnected) if
    /// it can't be.
    Connect,
    /// Write one WebSocket message. Consecutive ones may share a write. If writing fails, the
    /// connection is lost.
    Write(Frame),
    /// Store this before any later action is carried out. A driver that keeps nothing beyond its
    /// process passes over it.
    Save(Change),
    /// Close the connection, or stop opening it, and report nothing more of it. The code is 1000 (it
    /// isn't needed any more) or 1001 (another one follows). Browsers refuse to send 1001; there 1000
    /// stands for both.
    Close(u16),
    /// Tell the application.
    Event(Event),
}

/// What the application hears. Numbers are the application's own messages', where not said otherwise.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It waits for a partner. Comes again after each new connection while waiting, and when what will
    /// do has fallen.
    Waiting {
        /// The pool's name.
        pool: String,
        /// How many came before.
        ahead: u64,
        /// How often what will do has fallen, where profiles decide.
        widened: Option<u64>,
        /// Four of five who wait like this are matched so many milliseconds from now, at the earliest and
        /// at the latest; `None` while that can't be said.
        estimate_ms: Option<[u64; 2]>,
    },
    /// A conversation begins.
    Matched {
        /// Its id.
        conversation: ConversationId,
        /// Which side this is.
        side: Side,
        /// The partner's profile as JSON, if it has one.
        partner: Option<String>,
        /// Whether the partner speaks `vyoma.v1`.
        reliable: bool,
        /// Why these two.
        why: Vec<String>,
        /// What the two have in common, as JSON like a profile, where that decided: of the own offers and
        /// seeks those that the other's meet, and the topics and languages of both.
        common: Option<String>,
    },
    /// A message of the partner. Once the application's callback for it has returned, failed or
    /// not, call [`taken`](crate::Session::taken) with this number, in the order of these events:
    /// only then is it noted as received, and acknowledged. What the application can't decode is
    /// to be shown as such, and taken as well, or the conversation is stuck.
    Message {
        /// The partner's number.
        n: u64,
        /// What it says.
        content: Content,
    },
    /// The messages up to this one were written to a connection.
    Written {
        /// The number.
        n: u64,
    },
    /// The server answers for the messages up to this one.
    Accepted {
        /// The number.
        n: u64,
    },
    /// The partner's application has the messages up to this one.
    Delivered {
        /// The number.
        n: u64,
    },
    /// The person has seen the messages up to this one.
    Read {
        /// The number.
        n: u64,
    },
    /// These messages were not confirmed, and never will be; the partner may have seen them.
    Undelivered {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// These messages of the partner will never come.
    Gap {
        /// The first, by the partner's numbers.
        from: u64,
        /// The last; `None` if nobody knows how many.
        to: Option<u64>,
    },
    /// The partner types, or no longer.
    Typing {
        /// Whether it types.
        on: bool,
    },
    /// Something opaque and fleeting of the partner.
    Signal {
        /// A JSON value.
        payload: Content,
    },
    /// The partner's connection was lost; it may come back.
    Away,
    /// The partner is there again.
    Back,
    /// There is no connection; the session is trying. Comes once, however many tries fail.
    Lost,
    /// There is a connection again, and the place (in the queue, or in the conversation) is held.
    Restored {
        /// The conversation; `None` in the queue.
        conversation: Option<ConversationId>,
    },
    /// The conversation, or the wait, is over. Nothing more of it follows, but for [`Event::Done`].
    Ended {
        /// The conversation; `None` if there was none.
        conversation: Option<ConversationId>,
        /// Why.
        reason: End,
        /// Whether all that the partner said is known to have come, but for the gaps that were told.
        /// It can be known only if the partner left.
        complete: bool,
    },
    /// The invitation that was asked for: two who present its code meet each other.
    Invitation {
        /// The code, to be told to somebody.
        code: String,
        /// It holds for so many milliseconds from now on.
        expires_ms: u64,
    },
    /// `block` or `report` was done.
    Done {
        /// Which of the two.
        about: Subject,
    },
    /// Something that was sent had no effect.
    Error(ServerError),
    /// The server said, or was told, what can't be; the session closes the connection, and tries again.
    Trouble(Trouble),
    /// After [`SendError::Full`]: half of the outbox is free again.
    Writable,
}

/// Why a conversation, or a wait, is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As the server said, or the application wished ([`Ending::Left`]).
    Told(Ending),
    /// Another connection holds this place: a copy of this tab, say (Close 4409).
    Superseded,
    /// The server didn't take the token or the device: `bad_token`, `expired_token`, `bad_device` or
    /// `in_conversation`.
    Refused(Reason),
}

impl End {
    /// A stable name: the word on the wire, or that of the row in the table of reasons.
    pub fn name(self) -> &'static str {
        match self {
            Self::Told(ending) => ending.name(),
            Self::Superseded => Reason::Superseded.name(),
            Self::Refused(reason) => reason.name(),
        }
    }

    /// A sentence that a person may read.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Told(ending) => ending.sentence(),
            Self::Superseded => Reason::Superseded.sentence(),
            Self::Refused(reason) => reason.sentence(),
        }
    }
}

/// An `error` of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    /// The number of the row in the table of reasons.
    pub code: u64,
    /// Its name.
    pub name: String,
    /// What a person may read.
    pub sentence: String,
    /// The type of the envelope that had no effect.
    pub about: Option<String>,
    /// The number of the message that had no effect.
    pub n: Option<u64>,
    /// Before so many milliseconds it is no use to try again.
    pub retry_after_ms: Option<u64>,
}

/// What was wrong between this session and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// An envelope or a binary message that breaks the protocol's form.
    Malformed,
    /// An envelope that can't come in this state.
    Unexpected,
    /// A message of the partner was left out.
    Skipped,
    /// The server heard a number that it didn't expect, or more than the credit.
    LostCount,
    /// More messages than the application took in, by far.
    Flooded,
}

impl Trouble {
    /// A stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unexpected => "unexpected",
            Self::Skipped => "skipped",
            Self::LostCount => "lost_count",
            Self::Flooded => "flooded",
        }
    }
}

/// Why a message was not taken into the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is no conversation, or it is being left.
    #[error("there is no partner to send this to")]
    NoPartner,
    /// The outbox is full; [`Event::Writable`] tells when to try again.
    #[error("too much is waiting to be sent; try again once it was delivered")]
    Full,
    /// The message is longer than the server takes.
    #[error("the message has {length} bytes on the wire, and the server takes {most}")]
    TooBig {
        /// Its length as a WebSocket payload, in bytes.
        length: usize,
        /// The longest that the server takes.
        most: usize,
    },
    /// The body is not JSON as the protocol wants it.
    #[error("{}", .0.sentence())]
    BadJson(Reason),
    /// The numbers of this conversation are used up.
    #[error("no number is left in this conversation")]
    Exhausted,
}

impl SendError {
    /// A stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoPartner => "no_partner",
            Self::Full => "full",
            Self::TooBig { .. } => "too_big",
            Self::BadJson(_) => "bad_json",
            Self::Exhausted => "exhausted",
        }
    }
}

/// Whom the application asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// What the partner is shown (JSON as in docs/protocol.md).
    pub profile: Option<&'a str>,
    /// The code of an invitation: the one who presents the same, and nobody else.
    pub invite: Option<&'a str>,
    /// What the partner has to be like (JSON as in docs/protocol.md).
    pub rules: Option<&'a str>,
}

/// Why a wish of the application had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not in this state: `join` in a conversation, `next` while waiting, `signal` without a partner.
    #[error("that can't be done now")]
    WrongState,
    /// It can't wait for a connection, and there is none.
    #[error("there is no connection just now")]
    Offline,
    /// This server doesn't offer it.
    #[error("this server does not offer that")]
    FeatureOff,
    /// The profile, the rules, the reason of a report, or the signal is malformed or out of bounds.
    #[error("that has a value that it must not have")]
    BadValue,
}

impl Refusal {
    /// A stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongState => "wrong_state",
            Self::Offline => "offline",
            Self::FeatureOff => "feature_off",
            Self::BadValue => "bad_value",
        }
    }
}
