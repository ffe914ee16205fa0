//! The envelopes of `vyoma.v1`: what each may hold, read strictly and written compactly.
//!
//! Knows the words of the dialect (docs/protocol.md has the rules). Must not know sockets, or what an
//! envelope means in a conversation. Reading borrows from the text and never allocates.

mod codec;
mod fault;
mod ids;
mod kinds;
mod names;
mod profile;
mod rules;
mod scan;
mod table;
mod usual;

pub use codec::{Ending, Level, Presence, Side, Subject};
pub use fault::{ErrorReport, Fault};
pub use ids::{ConversationId, StreamId};
pub use kinds::{ClientEnvelope, ServerEnvelope};
pub use names::Names;
pub use profile::Profile;
pub use rules::Rules;
pub use table::{FieldSpec, TypeSpec};
pub use usual::usual_message;

/// The name of the dialect in `Sec-WebSocket-Protocol`.
pub const SUBPROTOCOL: &str = "vyoma.v1";

/// The version that `hello` tells.
pub const VERSION: u64 = 1;

/// The highest number, count or duration: 2^53 - 1, the highest integer that every JSON reader has
/// exactly (RFC 8259, section 6).
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// The most keys of an envelope: `matched` has 11, and as many of one's own are more than enough.
/// They are kept on the stack, 24 x 32 bytes.
pub const MAX_KEYS: usize = 24;

/// The longest `signal`, in bytes of the whole envelope: a WebRTC offer has some 4 KiB.
pub const MAX_SIGNAL: usize = 16 * 1024;

/// What a numbered message weighs beyond its length, in bytes: room for what the server notes of it.
pub const MESSAGE_OVERHEAD: usize = 16;

/// What a numbered message of this length as a WebSocket payload weighs against the credit, in bytes.
pub const fn weight(length: usize) -> usize {
    length + MESSAGE_OVERHEAD
}

impl Side {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// The length of the number at the front of a binary message, in bytes.
pub const BINARY_HEADER: usize = 8;

/// Reads the number at the front of a binary message; the rest is the payload.
///
/// # Errors
/// A [`Fault`] of reason `bad_binary` if it is shorter than its number, or that is 0 or over
/// [`MAX_NUMBER`].
pub fn parse_binary(message: &[u8]) -> Result<(u64, &[u8]), Fault<'static>> {
    let (n, payload) = message.split_first_chunk().ok_or(fault::BINARY)?;
    let n = u64::from_be_bytes(*n);
    if n == 0 || n > MAX_NUMBER { Err(fault::BINARY) } else { Ok((n, payload)) }
}

/// The front of a binary message.
pub fn binary_header(n: u64) -> [u8; BINARY_HEADER] {
    n.to_be_bytes()
}

/// Appends the `message` envelope that a plain client's text becomes.
pub fn push_text_message(n: u64, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"message\",\"n\":");
    codec::push_decimal(n, out);
    out.extend_from_slice(b",\"payload\":\"");
    crate::json::push_escaped(text, out);
    out.extend_from_slice(b"\"}");
}

/// Appends what a plain client hears of a `message` or `signal` payload, which must be valid JSON: a
/// string's text, anything else as compact JSON.
pub fn push_plain_text(payload: &str, out: &mut Vec<u8>) {
    match crate::json::JsonStr::from_value(payload) {
        Some(text) => text.push_text(out),
        None => crate::json::push_compact(payload, out),
    }
}
