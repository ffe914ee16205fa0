//! What may stand in a field: how each sort of value is read, bounded, and written.
//!
//! A codec's input is the text of a value that is known to be strict JSON.

use super::ids::push_hex;
use super::{ConversationId, MAX_NUMBER, Profile, Rules, StreamId};
use crate::Reason;
use crate::json::JsonStr;

/// Why a value was refused: the row of the table, and where inside the field, if not all of it.
pub(super) type Wrong = (Reason, Option<&'static str>);

pub(super) const WRONG: Wrong = (Reason::BadField, None);

/// Reads and writes one sort of value.
pub(super) trait Codec<'a, T> {
    /// The same as JSON Schema, as far as that can say it (it counts characters, not bytes).
    const SCHEMA: &'static str;

    /// Reads the text of a value.
    fn read(value: &'a str) -> Result<T, Wrong>;

    /// Appends the text of a value.
    fn write(value: &T, out: &mut Vec<u8>);
}

/// Appends a number's decimal digits.
pub(super) fn push_decimal(mut value: u64, out: &mut Vec<u8>) {
    // A u64 has at most 20 digits.
    let (mut digits, mut at) = ([0; 20], 20);
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

fn push_quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// A string without escapes, 1 to `most` bytes of a kind.
fn word(value: &str, most: usize, sound: impl Fn(u8) -> bool) -> Result<&str, Wrong> {
    let word = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(WRONG)?;
    let fits = !word.is_empty() && word.len() <= most && word.bytes().all(sound);
    if fits { Ok(word) } else { Err(WRONG) }
}

/// An integer from 0 to [`MAX_NUMBER`], digits only.
pub(super) struct Count;

impl<'a> Codec<'a, u64> for Count {
    const SCHEMA: &'static str = r#"{"type":"integer","minimum":0,"maximum":9007199254740991}"#;

    fn read(value: &'a str) -> Result<u64, Wrong> {
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        let count = if digits { value.parse().ok() } else { None };
        count.filter(|count| *count <= MAX_NUMBER).ok_or(WRONG)
    }

    fn write(value: &u64, out: &mut Vec<u8>) {
        push_decimal(*value, out);
    }
}

/// The same, from 1 on.
pub(super) struct Number;

impl<'a> Codec<'a, u64> for Number {
    const SCHEMA: &'static str = r#"{"type":"integer","minimum":1,"maximum":9007199254740991}"#;

    fn read(value: &'a str) -> Result<u64, Wrong> {
        let count = Count::read(value)?;
        if count > 0 { Ok(count) } else { Err(WRONG) }
    }

    fn write(value: &u64, out: &mut Vec<u8>) {
        push_decimal(*value, out);
    }
}

/// `true` or `false`.
pub(super) struct Flag;

impl<'a> Codec<'a, bool> for Flag {
    const SCHEMA: &'static str = r#"{"type":"boolean"}"#;

    fn read(value: &'a str) -> Result<bool, Wrong> {
        value.parse().map_err(|_| WRONG)
    }

    fn write(value: &bool, out: &mut Vec<u8>) {
        out.extend_from_slice(if *value { b"true" } else { b"false" });
    }
}

/// A [`ConversationId`].
pub(super) struct Conversation;

impl<'a> Codec<'a, ConversationId> for Conversation {
    const SCHEMA: &'static str = r#"{"type":"string","pattern":"^[0-9a-f]{32}$"}"#;

    fn read(value: &'a str) -> Result<ConversationId, Wrong> {
        ConversationId::parse(word(value, 32, |_| true)?).ok_or(WRONG)
    }

    fn write(value: &ConversationId, out: &mut Vec<u8>) {
        out.push(b'"');
        push_hex(&value.0, out);
        out.push(b'"');
    }
}

/// A [`StreamId`].
pub(super) struct Stream;

impl<'a> Codec<'a, StreamId> for Stream {
    const SCHEMA: &'static str = r#"{"type":"string","pattern":"^[0-9a-f]{16}$"}"#;

    fn read(value: &'a str) -> Result<StreamId, Wrong> {
        StreamId::parse(word(value, 16, |_| true)?).ok_or(WRONG)
    }

    fn write(value: &StreamId, out: &mut Vec<u8>) {
        out.push(b'"');
        push_hex(&value.0.to_be_bytes(), out);
        out.push(b'"');
    }
}

/// A token or a device: 1 to 256 of `[A-Za-z0-9_-]`.
pub(super) struct Opaque;

impl<'a> Codec<'a, &'a str> for Opaque {
    const SCHEMA: &'static str = r#"{"type":"string","pattern":"^[A-Za-z0-9_-]{1,256}$"}"#;

    fn read(value: &'a str) -> Result<&'a str, Wrong> {
        word(value, 256, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    }

    fn write(value: &&'a str, out: &mut Vec<u8>) {
        push_quoted(value, out);
    }
}

/// An invitation's code, as a person writes it: 1 to 64 letters, dashes, points and spaces.
pub(super) struct Spoken;

impl<'a> Codec<'a, &'a str> for Spoken {
    const SCHEMA: &'static str = r#"{"type":"string","pattern":"^[A-Za-z .-]{1,64}$"}"#;

    fn read(value: &'a str) -> Result<&'a str, Wrong> {
        word(value, 64, |byte| byte.is_ascii_alphabetic() || matches!(byte, b' ' | b'.' | b'-'))
    }

    fn write(value: &&'a str, out: &mut Vec<u8>) {
        push_quoted(value, out);
    }
}

/// A stable name: 1 to 32 of `[a-z0-9_]`.
pub(super) struct Name;

impl<'a> Codec<'a, &'a str> for Name {
    const SCHEMA: &'static str = r#"{"type":"string","pattern":"^[a-z0-9_]{1,32}$"}"#;

    fn read(value: &'a str) -> Result<&'a str, Wrong> {
        word(value, 32, |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    }

    fn write(value: &&'a str, out: &mut Vec<u8>) {
        push_quoted(value, out);
    }
}

/// Where something is in an envelope: names joined by dots, 1 to 64 bytes.
pub(super) struct Path;

impl<'a> Codec<'a, &'a str> for Path {
    const SCHEMA: &'static str = r#"{"type":"string","pattern":"^[a-z_.]{1,64}$"}"#;

    fn read(value: &'a str) -> Result<&'a str, Wrong> {
        word(value, 64, |byte| matches!(byte, b'a'..=b'z' | b'_' | b'.'))
    }

    fn write(value: &&'a str, out: &mut Vec<u8>) {
        push_quoted(value, out);
    }
}

/// A text of 1 to 500 bytes.
pub(super) struct Text;

impl Text {
    /// A string whose text has 1 to `most` bytes.
    pub(super) fn bounded(value: &str, most: usize) -> Result<JsonStr<'_>, Wrong> {
        let text = JsonStr::from_value(value).ok_or(WRONG)?;
        if (1..=most).contains(&text.text_len()) { Ok(text) } else { Err(WRONG) }
    }
}

impl<'a> Codec<'a, JsonStr<'a>> for Text {
    const SCHEMA: &'static str = r#"{"type":"string","minLength":1,"maxLength":500}"#;

    fn read(value: &'a str) -> Result<JsonStr<'a>, Wrong> {
        Self::bounded(value, 500)
    }

    fn write(value: &JsonStr<'a>, out: &mut Vec<u8>) {
        push_quoted(value.escaped(), out);
    }
}

/// Any JSON, as it is written.
pub(super) struct Json;

impl<'a> Codec<'a, &'a str> for Json {
    const SCHEMA: &'static str = "true";

    fn read(value: &'a str) -> Result<&'a str, Wrong> {
        Ok(value)
    }

    fn write(value: &&'a str, out: &mut Vec<u8>) {
        out.extend_from_slice(value.as_bytes());
    }
}

/// A [`Profile`].
pub(super) struct Person;

impl<'a> Codec<'a, Profile<'a>> for Person {
    const SCHEMA: &'static str = super::profile::SCHEMA;

    fn read(value: &'a str) -> Result<Profile<'a>, Wrong> {
        Profile::read(value)
    }

    fn write(value: &Profile<'a>, out: &mut Vec<u8>) {
        value.push_compact(out);
    }
}

/// [`Rules`].
pub(super) struct Demands;

impl<'a> Codec<'a, Rules<'a>> for Demands {
    const SCHEMA: &'static str = super::rules::SCHEMA;

    fn read(value: &'a str) -> Result<Rules<'a>, Wrong> {
        Rules::read(value)
    }

    fn write(value: &Rules<'a>, out: &mut Vec<u8>) {
        value.push_compact(out);
    }
}

/// A closed set of names: an enum, each variant with its name and what a person may be told.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident as $codec:ident, $schema:literal {
        $($(#[$each:meta])* $variant:ident = $word:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$each])* $variant,)+ }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        pub(super) struct $codec;

        impl<'a> Codec<'a, $name> for $codec {
            const SCHEMA: &'static str = $schema;

            fn read(value: &'a str) -> Result<$name, Wrong> {
                let word = Name::read(value)?;
                $name::ALL.iter().copied().find(|own| own.name() == word).ok_or(WRONG)
            }

            fn write(value: &$name, out: &mut Vec<u8>) {
                push_quoted(value.name(), out);
            }
        }
    };
}

names! {
    /// A side of a conversation.
    Side as SideName, r#"{"enum":["a","b"]}"# {
        /// The one that waited.
        A = "a",
        /// The one that came.
        B = "b",
    }
}

names! {
    /// Whether the partner's connection is there.
    Presence as PresenceName, r#"{"enum":["away","back"]}"# {
        /// It was lost; the partner may come back within its grace.
        Away = "away",
        /// It is there (again).
        Back = "back",
    }
}

names! {
    /// What `done` confirms.
    Subject as SubjectName, r#"{"enum":["block","report"]}"# {
        /// The partner is blocked.
        Block = "block",
        /// The report was taken.
        Report = "report",
    }
}

names! {
    /// What `accepted` promises.
    Level as LevelName, r#"{"enum":["memory"]}"# {
        /// It survives its sender's leaving, not the server's death.
        Memory = "memory",
    }
}

names! {
    /// Why a conversation ended.
    Ending as EndingName,
    r#"{"enum":["left","partner_left","partner_gone","over","state_conflict","server_shutdown"]}"# {
        /// The client itself left.
        Left = "left",
        /// The partner left.
        PartnerLeft = "partner_left",
        /// The partner didn't come back within its grace.
        PartnerGone = "partner_gone",
        /// A resume found that the conversation is over.
        Over = "over",
        /// What the two sides remember can't both be true.
        StateConflict = "state_conflict",
        /// The server is shutting down.
        ServerShutdown = "server_shutdown",
    }
}

impl Ending {
    /// The sentence a person reads, as in docs/protocol.md.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Left => "You left.",
            Self::PartnerLeft => "Your partner left.",
            Self::PartnerGone => "Your partner did not come back in time.",
            Self::Over => "That conversation is over.",
            Self::StateConflict => "What the two sides remember cannot both be true.",
            Self::ServerShutdown => "The server is shutting down.",
        }
    }
}
