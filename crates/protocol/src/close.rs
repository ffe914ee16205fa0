//! Close codes (RFC 6455, section 7.4) and the body of a Close frame (section 5.5.1).

use crate::Reason;

/// The longest body of a control frame, in bytes (RFC 6455, section 5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;

/// A close code that may stand in a Close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The purpose was fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The endpoint goes away: a server shuts down, a browser navigates.
    pub const GOING_AWAY: Self = Self(1001);
    /// A protocol error.
    pub const PROTOCOL: Self = Self(1002);
    /// Data that doesn't fit its type: text that is not UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// A message that breaks the endpoint's policy.
    pub const POLICY: Self = Self(1008);
    /// A message too big to process.
    pub const TOO_BIG: Self = Self(1009);
    /// The server met a condition that keeps it from going on.
    pub const INTERNAL: Self = Self(1011);
    /// The server can't just now (registered by IANA; not in RFC 6455).
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// `vyoma.v1`: neither `join` nor `resume` came in time.
    pub const JOIN_TIMEOUT: Self = Self(4408);
    /// `vyoma.v1`: another connection holds this place; final.
    pub const SUPERSEDED: Self = Self(4409);
    /// `vyoma.v1`: too much was wrong.
    pub const TOO_MANY_ERRORS: Self = Self(4429);

    /// The code, if it may stand in a Close frame: 1000-1003, 1007-1014, 3000-4999 (sections
    /// 7.4.1 and 7.4.2, and the IANA registry); 1004-1006 and 1015 never travel.
    pub fn from_wire(code: u16) -> Option<Self> {
        matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999).then_some(Self(code))
    }

    /// The number as it travels.
    pub fn get(self) -> u16 {
        self.0
    }
}

/// Checks the body of a received Close frame: empty, or a valid code and a UTF-8 reason.
///
/// # Errors
/// [`Reason::CloseFrame`] for a body of one byte or a code that may not travel,
/// [`Reason::InvalidUtf8`] for a reason that is not UTF-8 (section 5.5.1).
pub fn parse_close(body: &[u8]) -> Result<Option<CloseCode>, Reason> {
    let (code, text) = match body {
        [] => return Ok(None),
        [_] => return Err(Reason::CloseFrame),
        [high, low, text @ ..] => (u16::from_be_bytes([*high, *low]), text),
    };
    let code = CloseCode::from_wire(code).ok_or(Reason::CloseFrame)?;
    std::str::from_utf8(text).map_err(|_| Reason::InvalidUtf8)?;
    Ok(Some(code))
}
