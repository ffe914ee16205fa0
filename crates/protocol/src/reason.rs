//! The one table of why something was closed or dropped.
//!
//! Every close and every drop names a [`Reason`]; a counter of that name counts it. Numbers and
//! names are stable: clients, logs and dashboards may rely on them. Knows words only: not who
//! closes whom, nor when.

use crate::CloseCode;

/// Defines [`Reason`] and its table in one place, so that no row can be forgotten.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $close:expr, $sentence:literal;)+) => {
        /// Why a connection was closed by the server, or why something was dropped.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Reason { $($(#[$doc])* $variant,)+ }

        impl Reason {
            /// Every reason, in the order of the table; `reason as usize` is its index here.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)+];

            const ROWS: &'static [Row] = &[$(Row { number: $number, name: $name, close: $close, sentence: $sentence },)+];
        }
    };
}

struct Row {
    number: u16,
    name: &'static str,
    close: Option<CloseCode>,
    sentence: &'static str,
}

reasons! {
    /// The client said goodbye with a Close frame.
    ClientClosed = 1, "client_closed", None, "The client closed; its own code is sent back.";
    /// The client's TCP stream ended, or was reset, without a Close frame.
    ConnectionLost = 2, "connection_lost", None, "The connection was lost.";
    /// The server is shutting down.
    Shutdown = 3, "server_shutdown", Some(CloseCode::GOING_AWAY), "The server is shutting down.";
    /// A frame had a reserved bit set (RFC 6455, section 5.2).
    ReservedBits = 10, "reserved_bits", Some(CloseCode::PROTOCOL), "A reserved bit was set.";
    /// A frame had an opcode that is not defined (section 5.2).
    UnknownOpcode = 11, "unknown_opcode", Some(CloseCode::PROTOCOL), "The opcode is not known.";
    /// A client's frame was not masked, or a server's was (section 5.1).
    Masking = 12, "masking", Some(CloseCode::PROTOCOL), "The frame's masking is wrong for its sender.";
    /// A control frame was fragmented, or longer than 125 bytes (section 5.5).
    ControlFrame = 13, "control_frame", Some(CloseCode::PROTOCOL), "A control frame was too long or fragmented.";
    /// A length was not encoded in the fewest bytes, or had its top bit set (section 5.2).
    LengthEncoding = 14, "length_encoding", Some(CloseCode::PROTOCOL), "The frame's length is not encoded as it must be.";
    /// A continuation without a message, or a new message inside another (section 5.4).
    Fragmentation = 15, "fragmentation", Some(CloseCode::PROTOCOL), "The frame does not continue the message as it must.";
    /// A Close frame with a bad code or a body of one byte (section 5.5.1 and 7.4).
    CloseFrame = 16, "close_frame", Some(CloseCode::PROTOCOL), "The Close frame is malformed.";
    /// Text that is not UTF-8 (section 8.1).
    InvalidUtf8 = 17, "invalid_utf8", Some(CloseCode::INVALID_DATA), "The text is not valid UTF-8.";
    /// A message over the limit.
    MessageTooBig = 18, "message_too_big", Some(CloseCode::TOO_BIG), "The message is larger than this server takes.";
    /// More was sent before pairing than is held for one client.
    HoldFull = 20, "hold_full", Some(CloseCode::POLICY), "Too much was sent before a partner came.";
    /// More was sent before pairing than is held for all clients together.
    HoldFullTotal = 21, "hold_full_total", Some(CloseCode::POLICY), "The server holds as much for waiting clients as it can.";
    /// The client takes too little of what is sent to it.
    NotReading = 22, "not_reading", Some(CloseCode::POLICY), "You took too little of what was sent to you.";
    /// The client did not answer a ping in time.
    PingTimeout = 23, "ping_timeout", Some(CloseCode::INTERNAL), "You did not answer a ping in time.";
    /// The partner failed in the middle of a message that was already being forwarded.
    PartnerFailed = 24, "partner_failed", Some(CloseCode::INTERNAL), "Your partner was cut off in the middle of a message.";
    /// The server could not go on with this connection (no descriptor, no memory for a socket).
    Internal = 25, "internal", Some(CloseCode::INTERNAL), "The server could not go on with this connection.";
    /// Dropped: sent before the fence's pong, so meant for the partner who had left.
    Fenced = 40, "dropped_fenced", None, "It was meant for the partner who had left.";
    /// Dropped: sent by a client without a partner that is not queued (`--survivor stay`).
    Unpaired = 41, "dropped_unpaired", None, "There was no partner to send it to.";
    /// Dropped: it could not be delivered any more, since the receiver had gone.
    Undeliverable = 42, "dropped_undeliverable", None, "The receiver had gone.";
    /// Dropped: its sender failed before the message was complete.
    Incomplete = 43, "dropped_incomplete", None, "Its sender failed before it was complete.";
    /// Dropped: sent to a waiting client's partner-to-be, by a client that left before pairing.
    Held = 44, "dropped_held", None, "Its sender left before a partner came.";
}

impl Reason {
    /// The stable number of this reason.
    pub fn number(self) -> u16 {
        self.row().number
    }

    /// The stable name, as in logs and metrics: `[a-z0-9_]+`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The code a Close frame for this reason carries; `None` where no Close frame is sent.
    pub fn close_code(self) -> Option<CloseCode> {
        self.row().close
    }

    /// What a person reads, also the text of the Close frame: at most 123 bytes.
    pub fn sentence(self) -> &'static str {
        self.row().sentence
    }

    fn row(self) -> &'static Row {
        &Self::ROWS[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_and_names_are_unique_and_sentences_fit_a_close_frame() {
        let numbers: HashSet<_> = Reason::ALL.iter().map(|r| r.number()).collect();
        let names: HashSet<_> = Reason::ALL.iter().map(|r| r.name()).collect();
        assert_eq!(numbers.len(), Reason::ALL.len());
        assert_eq!(names.len(), Reason::ALL.len());
        for (index, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index);
            assert!(reason.sentence().len() <= 123, "{reason:?}");
        }
    }
}
