//! What is wrong with an envelope, and the `error` that tells its sender.

use super::{ConversationId, ServerEnvelope};
use crate::Reason;
use crate::json::JsonStr;

/// Why an envelope was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault<'a> {
    /// The row of the table.
    pub reason: Reason,
    /// The envelope's type, if it got so far that this is known to be one.
    pub about: Option<&'static str>,
    /// The field that is missing or wrong; inside a profile with a dot, as in `profile.name`.
    pub field: Option<&'a str>,
}

pub(super) const BINARY: Fault<'static> =
    Fault { reason: Reason::BadBinary, about: Some("message"), field: None };

impl<'a> Fault<'a> {
    pub(super) const fn new(reason: Reason) -> Self {
        Self { reason, about: None, field: None }
    }

    pub(super) const fn of_field(
        reason: Reason,
        about: Option<&'static str>,
        field: &'a str,
    ) -> Self {
        Self { reason, about, field: Some(field) }
    }
}

impl<'a> From<Fault<'a>> for ErrorReport<'a> {
    fn from(fault: Fault<'a>) -> Self {
        Self { about: fault.about, field: fault.field, ..Self::new(fault.reason) }
    }
}

/// All that an `error` envelope can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorReport<'a> {
    /// The row of the table: its number, name and sentence are sent.
    pub reason: Reason,
    /// The type of the envelope that was refused.
    pub about: Option<&'a str>,
    /// The field that is to blame.
    pub field: Option<&'a str>,
    /// The number of the message that was refused.
    pub n: Option<u64>,
    /// The conversation that stands in the way.
    pub conversation: Option<ConversationId>,
    /// Before so many milliseconds it is no use to try again.
    pub retry_after_ms: Option<u64>,
}

impl<'a> ErrorReport<'a> {
    /// An error of which only the reason is told.
    pub const fn new(reason: Reason) -> Self {
        Self { reason, about: None, field: None, n: None, conversation: None, retry_after_ms: None }
    }

    /// The envelope to send.
    pub fn envelope(self) -> ServerEnvelope<'a> {
        // The table's test holds every sentence to what needs no escapes.
        let sentence = JsonStr::from_escaped(self.reason.sentence()).unwrap_or_default();
        ServerEnvelope::Error {
            code: u64::from(self.reason.number()),
            name: self.reason.name(),
            sentence,
            about: self.about,
            field: self.field,
            n: self.n,
            conversation: self.conversation,
            retry_after_ms: self.retry_after_ms,
        }
    }
}
