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

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> Saved {
        let frame = Frame::Text(Arc::from(r#"{"type":"message","n":4,"payload": {"a" : 1} }"#));
        let binary = Frame::Binary(Arc::from([0, 0, 0, 0, 0, 0, 0, 5, 255]));
        Saved {
            device: Some("dev-ice_1".to_owned()),
            attempt: 1_764_000_000_000,
            leaving: None,
            seat: Some(Seat {
                conversation: ConversationId([7; 16]),
                side: Side::B,
                partner: Some(r#"{"name":"Ben \u00e9"}"#.to_owned()),
                reliable: true,
                grace_ms: 60_000,
                token: "token".to_owned(),
                epoch: 3,
                stream: StreamId(0xa0),
                partner_stream: None,
                next: 6,
                received: 0,
                fresh: false,
                outbox: vec![Kept { n: 4, frame }, Kept { n: 5, frame: binary }],
            }),
        }
    }

    #[test]
    fn what_is_written_is_read_and_bodies_stay_byte_for_byte() {
        for saved in [Saved::default(), saved()] {
            assert_eq!(Saved::from_json(&saved.to_json()), Ok(saved));
        }
        let left = Saved { leaving: Some(ConversationId([1; 16])), seat: None, ..saved() };
        assert_eq!(Saved::from_json(&left.to_json()), Ok(left));
    }

    #[test]
    fn what_is_damaged_or_cant_be_true_is_refused() {
        let good = saved().to_json();
        let damage = [
            ("\"version\":1", "\"version\":2"),
            ("\"version\":1", "\"version\":1,\"more\":0"),
            ("\"attempt\":1764000000000", "\"attempt\":9007199254740992"),
            ("\"attempt\":1764000000000", "\"attempt\":-1"),
            ("\"next\":6", "\"next\":7"),
            ("\"next\":6", "\"next\":1"),
            ("\"next\":6", "\"next\":9007199254740992"),
            ("\"n\":5", "\"n\":6"),
            ("\"side\":\"b\"", "\"side\":\"c\""),
            ("00000000000000a0", "a0"),
            ("0707", "07g7"),
            ("dev-ice_1", "dev ice"),
            ("\"device\":\"dev-ice_1\"", "\"device\":null"),
            ("\"token\":\"token\"", "\"token\":\"\""),
            ("AAAAAAAAAAX/", "AAAAAAAAAAX"),
            ("\"payload\\\":", "\"payload\\\":,"),
            ("\"leaving\":null", "\"leaving\":\"01010101010101010101010101010101\""),
        ];
        for (from, to) in damage {
            assert!(good.contains(from), "{from} is not in {good}");
            assert!(Saved::from_json(&good.replacen(from, to, 1)).is_err(), "{to}");
        }
        assert!(Saved::from_json(&good[..good.len() - 1]).is_err());
    }

    #[test]
    fn losing_the_state_keeps_the_token_and_the_place() {
        let mut lost = saved();
        lost.lose_state(StreamId(9));
        let seat = lost.seat.as_ref().unwrap();
        assert_eq!((seat.next, seat.received, seat.outbox.len()), (1, 0, 0));
        assert_eq!((seat.stream, seat.partner_stream, seat.fresh), (StreamId(9), None, true));
        assert_eq!(seat.token, "token");
        assert_eq!(Saved::from_json(&lost.to_json()), Ok(lost));
    }
}
