//! The one table of why something was closed or dropped.
//!
//! Every close, every drop and every error of `vyoma.v1` names a [`Reason`]; a counter of that name counts it. Numbers and
//! names are stable: clients, logs and dashboards may rely on them. Knows words only: not who
//! closes whom, nor when.

use crate::CloseCode;

/// Defines [`Reason`] and its table in one place, so that no row can be forgotten.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $close:expr, $sentence:literal;)+) => {
        /// Why a connection was closed by the server, or why something was dropped or refused.
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
    /// A plain client that came by an invitation, which has expired, or whose partner has left.
    InviteOver = 26, "invite_over", Some(CloseCode::POLICY), "Your invitation is over; come again with another one.";
    /// `vyoma.v1`: no `join` or `resume` came in time.
    JoinTimeout = 30, "join_timeout", Some(CloseCode::JOIN_TIMEOUT), "Neither join nor resume came in time.";
    /// `vyoma.v1`: a newer connection has taken this one's place, or the attempt was not the newest.
    Superseded = 31, "superseded", Some(CloseCode::SUPERSEDED), "Another connection has taken this place.";
    /// `vyoma.v1`: more errors than a client that works could cause.
    TooManyErrors = 32, "too_many_errors", Some(CloseCode::TOO_MANY_ERRORS), "Too much of what you sent was wrong.";
    /// `vyoma.v1`: all that is kept for resuming, over all conversations, is at its cap.
    ReplayFull = 33, "replay_full", Some(CloseCode::TRY_AGAIN_LATER), "The server keeps as much for resuming as it can; come back later.";
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
    /// Dropped: a message whose number was taken before; harmless after a resume.
    Repeated = 45, "dropped_repeated", None, "A message with this number was taken before.";
    /// Dropped: sent after `ended` and before `next`, so meant for the partner who had left.
    AfterEnd = 46, "dropped_after_end", None, "The conversation it was meant for was over.";
    /// Dropped: `typing`, `read` or `signal` for someone who can't take it now.
    Fleeting = 47, "dropped_fleeting", None, "Your partner could not take it just then.";
    /// Dropped: an `ack` or `read` for another conversation or stream than the present one.
    Stale = 48, "dropped_stale", None, "It concerned another conversation or stream.";
    /// Not JSON as RFC 8259 has it, or more than one value.
    BadJson = 100, "bad_json", None, "That is not one JSON object as RFC 8259 has it.";
    /// Nested over 64 deep.
    TooDeep = 101, "too_deep", None, "That is nested too deeply.";
    /// A number that is not finite as a 64-bit float.
    HugeNumber = 102, "huge_number", None, "A number is too large.";
    /// An escaped surrogate without its other half.
    LoneSurrogate = 103, "lone_surrogate", None, "A string contains half a surrogate pair.";
    /// A key of the envelope is not `[a-z_]{1,32}` without escapes.
    BadKey = 104, "bad_key", None, "A key must be 1 to 32 of the letters a to z and _, without escapes.";
    /// A key of the envelope (or of a profile) comes twice.
    RepeatedKey = 105, "repeated_key", None, "A key comes twice.";
    /// A key that this type doesn't have, and that doesn't begin with `x_`.
    UnknownKey = 106, "unknown_key", None, "This type has no such field; your own begin with x_.";
    /// `type` is missing, not a string, or has escapes.
    NoType = 107, "no_type", None, "The field type must be there, a string without escapes.";
    /// `type` names no envelope of a client.
    UnknownType = 108, "unknown_type", None, "There is no such type.";
    /// A field that the type must have is missing.
    MissingField = 109, "missing_field", None, "A field is missing.";
    /// A field has the wrong JSON type, or a value out of its bounds.
    BadField = 110, "bad_field", None, "A field has a value that it must not have.";
    /// A binary message without its eight bytes, or with a number out of bounds.
    BadBinary = 111, "bad_binary", None, "A binary message must begin with its number, in eight bytes.";
    /// More keys than an envelope may have.
    TooManyKeys = 112, "too_many_keys", None, "An envelope may have 24 keys.";
    /// This envelope has no meaning in the connection's state.
    WrongState = 120, "wrong_state", None, "That can't be sent now.";
    /// The device is in a conversation.
    InConversation = 121, "in_conversation", None, "This device is in a conversation already.";
    /// `block` or `report` for neither the present nor the last conversation.
    UnknownConversation = 122, "unknown_conversation", None, "That is not your present or last conversation.";
    /// The feature is off on this server.
    FeatureOff = 123, "feature_off", None, "This server does not offer that.";
    /// Too many envelopes of this kind.
    TooFast = 124, "too_fast", None, "That came too often; wait a little.";
    /// No invitation of this code in this pool, or it has expired.
    BadInvite = 125, "bad_invite", None, "There is no such invitation here, or it has expired.";
    /// Two others have presented it, or have met by it.
    InviteUsed = 126, "invite_used", None, "Two others have used that invitation.";
    /// The pool is for those who were invited.
    InviteNeeded = 127, "invite_needed", None, "Nobody is paired here without an invitation.";
    /// The device, or all together, have as many invitations open as there may be.
    TooManyInvites = 128, "too_many_invites", None, "Too many invitations are open; use one, or wait until one expires.";
    /// `rules` where profiles don't decide.
    NoRules = 129, "no_rules", None, "Profiles do not decide here, so no rules could be kept.";
    /// A number higher than the one expected.
    NumberSkipped = 130, "n_skipped", None, "A number was skipped.";
    /// The message doesn't fit the credit.
    OverCredit = 131, "window", None, "More is unacknowledged than your credit allows.";
    /// `ack` of what wasn't sent, or `read` of what wasn't acknowledged.
    BadAck = 132, "bad_ack", None, "That was never sent to you.";
    /// The token is no token of this server's.
    BadToken = 140, "bad_token", None, "That token is not valid here.";
    /// The token has expired.
    ExpiredToken = 141, "expired_token", None, "That token has expired.";
    /// The device is not signed by this server, or isn't the token's.
    BadDevice = 142, "bad_device", None, "That device is not valid here.";
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
            // An `error` envelope has it between quotes as it is.
            assert!(!reason.sentence().contains(['"', '\\']), "{reason:?}");
        }
    }
}
