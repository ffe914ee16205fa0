//! The bytes and words of VyomaChat on the wire.
//!
//! Knows RFC 6455 (both roles), the dialects, close codes, reasons and limits. Must not know
//! sockets, clocks, tokio, or who meets whom: bytes come in as slices, and go out as slices.

mod close;
mod decoder;
mod dialect;
pub mod envelope;
mod frame;
pub mod handshake;
mod json;
mod mask;
pub mod plain;
mod reason;
mod relay;
pub mod token;
mod utf8;
mod window;

pub use close::{CloseCode, MAX_CONTROL_PAYLOAD, parse_close};
pub use decoder::{Control, Decoder, Item, Piece, Start};
pub use dialect::Dialect;
pub use frame::{
    Framed, Header, Kind, MAX_HEADER, MAX_UNMASKED_HEADER, Opcode, Role, close_body, encode,
    encode_text, unmasked_header_len,
};
pub use json::{JsonStr, MAX_DEPTH, push_escaped};
pub use mask::apply_mask;
pub use reason::Reason;
pub use relay::{Event, Relay, STREAM_ABOVE};
pub use utf8::{InvalidUtf8, Utf8};
pub use window::{HEADROOM, READ_SIZE, Window};
