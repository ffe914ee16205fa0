//! Lists of stable names, as in `hello` and `matched`.

use super::codec::{Codec, Name, WRONG, Wrong};
use crate::json::Scanner;

/// A list of stable names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names<'a>(&'a str);

impl<'a> Names<'a> {
    /// A list from its JSON, as in `["typing","read"]`; `None` if it isn't one.
    pub fn from_json(json: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new(json);
        scanner.value(0).ok()?;
        scanner.end().ok()?;
        NameList::read(json.trim_ascii()).ok()
    }

    /// The names.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        self.0.split('"').skip(1).step_by(2)
    }

    /// The JSON of a list of names, each of `[a-z0-9_]`.
    pub fn json<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
        let quoted: Vec<_> = names.into_iter().map(|name| format!("\"{name}\"")).collect();
        format!("[{}]", quoted.join(","))
    }
}

impl Default for Names<'_> {
    /// No names.
    fn default() -> Self {
        Self("[]")
    }
}

/// [`Names`].
pub(super) struct NameList;

impl<'a> Codec<'a, Names<'a>> for NameList {
    const SCHEMA: &'static str =
        r#"{"type":"array","items":{"type":"string","pattern":"^[a-z0-9_]{1,32}$"}}"#;

    fn read(value: &'a str) -> Result<Names<'a>, Wrong> {
        let inside =
            value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or(WRONG)?;
        if !inside.trim_ascii().is_empty() {
            // A comma inside a string cuts it into two parts that are no words.
            inside.split(',').try_for_each(|name| Name::read(name.trim_ascii()).map(drop))?;
        }
        Ok(Names(value))
    }

    fn write(value: &Names<'a>, out: &mut Vec<u8>) {
        crate::json::push_compact(value.0, out);
    }
}
