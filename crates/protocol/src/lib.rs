//! The bytes and words of VyomaChat on the wire.
//!
//! Knows RFC 6455 (both roles), the dialects, close codes, reasons and limits. Must not know
//! sockets, clocks, tokio, or who meets whom: bytes come in as slices, and go out as slices.

mod close;
pub mod plain;
mod reason;

pub use close::{CloseCode, MAX_CONTROL_PAYLOAD, parse_close};
pub use reason::Reason;
