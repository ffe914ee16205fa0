//! [`Saved`] and [`Change`] as JSON: versioned, and read strictly.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use vyoma_protocol::envelope::ClientEnvelope;

use super::{Change, ConversationId, Kept, MAX_NUMBER, Saved, Seat, Side, StreamId};
use crate::Frame;

/// The version of the format.
const VERSION: u64 = 1;

/// Why something stored can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what was saved can't be used: {0}")]
pub struct BadSaved(String);

impl BadSaved {
    fn new(why: impl ToString) -> Self {
        Self(why.to_string())
    }
}

impl Saved {
    /// As JSON, in one line.
    pub fn to_json(&self) -> String {
        let stored = StoredSaved {
            version: VERSION,
            device: self.device.clone(),
            attempt: self.attempt,
            leaving: self.leaving.map(|id| id.to_string()),
            seat: self.seat.as_ref().map(StoredSeat::from),
        };
        text(&stored)
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// [`BadSaved`] if it is of another version, damaged, or can't be true.
    pub fn from_json(json: &str) -> Result<Self, BadSaved> {
        let stored: StoredSaved = serde_json::from_str(json).map_err(BadSaved::new)?;
        if stored.version != VERSION {
            return Err(BadSaved(format!("it has version {}", stored.version)));
        }
        let saved = Self {
            device: stored.device.map(|device| opaque(device, "device")).transpose()?,
            attempt: count(stored.attempt, "attempt")?,
            leaving: stored.leaving.map(|id| conversation(&id)).transpose()?,
            seat: stored.seat.map(Seat::try_from).transpose()?,
        };
        match (&saved.seat, &saved.leaving, &saved.device) {
            (Some(_), Some(_), _) => Err(BadSaved::new("it has a seat, and is leaving")),
            (Some(_), _, None) => Err(BadSaved::new("it has a seat, but no device")),
            _ => Ok(saved),
        }
    }
}

impl Change {
    /// As JSON, in one line: for stores that keep a journal.
    pub fn to_json(&self) -> String {
        text(&match self {
            Self::Device(device) => StoredChange::Device { device: device.clone() },
            Self::Attempt(attempt) => StoredChange::Attempt { attempt: *attempt },
            Self::Seat(seat) => StoredChange::Seat { seat: Box::new(StoredSeat::from(&**seat)) },
            Self::Token { token, epoch } => {
                StoredChange::Token { token: token.clone(), epoch: *epoch }
            }
            Self::Sent(kept) => StoredChange::Sent { message: StoredKept::from(kept) },
            Self::Acked(n) => StoredChange::Acked { n: *n },
            Self::Partner(stream) => StoredChange::Partner { stream: stream.to_string() },
            Self::Received(n) => StoredChange::Received { n: *n },
            Self::Left(id) => StoredChange::Left { conversation: id.to_string() },
            Self::Free => StoredChange::Free {},
        })
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// [`BadSaved`] if it is damaged.
    pub fn from_json(json: &str) -> Result<Self, BadSaved> {
        Ok(match serde_json::from_str(json).map_err(BadSaved::new)? {
            StoredChange::Device { device } => Self::Device(opaque(device, "device")?),
            StoredChange::Attempt { attempt } => Self::Attempt(count(attempt, "attempt")?),
            StoredChange::Seat { seat } => Self::Seat(Box::new(Seat::try_from(*seat)?)),
            StoredChange::Token { token, epoch } => {
                Self::Token { token: opaque(token, "token")?, epoch: count(epoch, "epoch")? }
            }
            StoredChange::Sent { message } => Self::Sent(Kept::try_from(message)?),
            StoredChange::Acked { n } => Self::Acked(count(n, "n")?),
            StoredChange::Partner { stream } => Self::Partner(stream_id(&stream)?),
            StoredChange::Received { n } => Self::Received(count(n, "n")?),
            StoredChange::Left { conversation: id } => Self::Left(conversation(&id)?),
            StoredChange::Free {} => Self::Free,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSaved {
    version: u64,
    device: Option<String>,
    attempt: u64,
    leaving: Option<String>,
    seat: Option<StoredSeat>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSeat {
    conversation: String,
    side: String,
    partner: Option<String>,
    reliable: bool,
    grace_ms: u64,
    token: String,
    epoch: u64,
    stream: String,
    partner_stream: Option<String>,
    next: u64,
    received: u64,
    fresh: bool,
    outbox: Vec<StoredKept>,
}

/// A message: the text of its envelope, or base64 of the whole binary message.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKept {
    n: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    binary: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum StoredChange {
    Device { device: String },
    Attempt { attempt: u64 },
    Seat { seat: Box<StoredSeat> },
    Token { token: String, epoch: u64 },
    Sent { message: StoredKept },
    Acked { n: u64 },
    Partner { stream: String },
    Received { n: u64 },
    Left { conversation: String },
    Free {},
}

impl From<&Seat> for StoredSeat {
    fn from(seat: &Seat) -> Self {
        Self {
            conversation: seat.conversation.to_string(),
            side: seat.side.name().to_owned(),
            partner: seat.partner.clone(),
            reliable: seat.reliable,
            grace_ms: seat.grace_ms,
            token: seat.token.clone(),
            epoch: seat.epoch,
            stream: seat.stream.to_string(),
            partner_stream: seat.partner_stream.map(|stream| stream.to_string()),
            next: seat.next,
            received: seat.received,
            fresh: seat.fresh,
            outbox: seat.outbox.iter().map(StoredKept::from).collect(),
        }
    }
}

impl TryFrom<StoredSeat> for Seat {
    type Error = BadSaved;

    fn try_from(stored: StoredSeat) -> Result<Self, BadSaved> {
        let side = Side::ALL.iter().copied().find(|side| side.name() == stored.side);
        let outbox: Result<Vec<Kept>, _> = stored.outbox.into_iter().map(Kept::try_from).collect();
        let (next, outbox) = (number(stored.next, "next")?, outbox?);
        let first = next.checked_sub(outbox.len() as u64).filter(|first| *first > 0);
        let first = first.ok_or_else(|| BadSaved::new("its outbox has more than was numbered"))?;
        if outbox.iter().zip(first..).any(|(kept, n)| kept.n != n) {
            return Err(BadSaved::new("its outbox doesn't end right below next"));
        }
        Ok(Self {
            conversation: conversation(&stored.conversation)?,
            side: side.ok_or_else(|| BadSaved::new("side"))?,
            partner: stored.partner,
            reliable: stored.reliable,
            grace_ms: count(stored.grace_ms, "grace_ms")?,
            token: opaque(stored.token, "token")?,
            epoch: count(stored.epoch, "epoch")?,
            stream: stream_id(&stored.stream)?,
            partner_stream: stored.partner_stream.map(|stream| stream_id(&stream)).transpose()?,
            next,
            received: count(stored.received, "received")?,
            fresh: stored.fresh,
            outbox,
        })
    }
}

impl From<&Kept> for StoredKept {
    fn from(kept: &Kept) -> Self {
        let (text, binary) = match &kept.frame {
            Frame::Text(text) => (Some(text.to_string()), None),
            Frame::Binary(bytes) => (None, Some(STANDARD.encode(bytes))),
        };
        Self { n: kept.n, text, binary }
    }
}

impl TryFrom<StoredKept> for Kept {
    type Error = BadSaved;

    fn try_from(stored: StoredKept) -> Result<Self, BadSaved> {
        let frame = match (stored.text, stored.binary) {
            (Some(text), None) => Frame::Text(Arc::from(text)),
            (None, Some(base64)) => {
                Frame::Binary(Arc::from(STANDARD.decode(base64).map_err(BadSaved::new)?))
            }
            _ => return Err(BadSaved::new("a message must have either text or binary")),
        };
        let written = match &frame {
            Frame::Text(text) => match ClientEnvelope::parse(text) {
                Ok(ClientEnvelope::Message { n, .. }) => Some(n),
                _ => None,
            },
            Frame::Binary(bytes) => {
                vyoma_protocol::envelope::parse_binary(bytes).ok().map(|(n, _)| n)
            }
        };
        if written != Some(stored.n) {
            return Err(BadSaved(format!("message {} is not what it says", stored.n)));
        }
        Ok(Self { n: stored.n, frame })
    }
}

fn text(stored: &impl Serialize) -> String {
    // Structs of strings and numbers: nothing in them can fail to be written.
    serde_json::to_string(stored).unwrap_or_default()
}

fn count(value: u64, what: &str) -> Result<u64, BadSaved> {
    if value <= MAX_NUMBER { Ok(value) } else { Err(BadSaved::new(what)) }
}

fn number(value: u64, what: &str) -> Result<u64, BadSaved> {
    if value > 0 { count(value, what) } else { Err(BadSaved::new(what)) }
}

/// Tokens and devices: docs/protocol.md, "Messages and envelopes".
fn opaque(value: String, what: &str) -> Result<String, BadSaved> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let fits = (1..=256).contains(&value.len()) && value.bytes().all(sound);
    if fits { Ok(value) } else { Err(BadSaved::new(what)) }
}

fn conversation(text: &str) -> Result<ConversationId, BadSaved> {
    ConversationId::parse(text).ok_or_else(|| BadSaved::new("conversation"))
}

fn stream_id(text: &str) -> Result<StreamId, BadSaved> {
    StreamId::parse(text).ok_or_else(|| BadSaved::new("stream"))
}
