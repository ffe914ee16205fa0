//! What a client asks of its partner, which never relaxes, and which the partner isn't shown.

use super::codec::Wrong;
use super::profile::{Part, check, find, items};
use crate::json::{JsonStr, Scanner, push_compact};

pub(super) const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"properties":{"languages":{"type":"array","maxItems":8,"items":{"type":"string","minLength":2,"maxLength":16}}}}"#;

/// What rules may hold.
const PARTS: [Part; 1] = [Part::languages("rules.languages")];

/// Rules that keep to their bounds: an object with known, unique keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules<'a>(&'a str);

impl<'a> Rules<'a> {
    /// Rules from their JSON; `None` if that is malformed or out of bounds.
    pub fn from_json(json: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new(json);
        scanner.value(0).ok()?;
        scanner.end().ok()?;
        Self::read(json.trim_ascii()).ok()
    }

    /// Appends their JSON, without white space between the parts.
    pub fn push_compact(self, out: &mut Vec<u8>) {
        push_compact(self.0, out);
    }

    /// Of these languages the partner has to speak one; none: any will do.
    pub fn languages(self) -> impl Iterator<Item = JsonStr<'a>> {
        let items = find(self.0, "languages").and_then(items);
        items.into_iter().flatten().filter_map(JsonStr::from_value)
    }

    pub(super) fn read(value: &'a str) -> Result<Self, Wrong> {
        check(value, &PARTS).map(|()| Self(value))
    }
}
