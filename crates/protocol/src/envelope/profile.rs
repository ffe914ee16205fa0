//! The public profile that a client shows to its partner.

use super::codec::{Text, Wrong};
use crate::Reason;
use crate::json::{JsonStr, Scanner, push_compact};

pub(super) const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"properties":{"name":{"type":"string","minLength":1,"maxLength":64},"headline":{"type":"string","minLength":1,"maxLength":200},"offers":{"type":"array","maxItems":16,"items":{"type":"string","minLength":1,"maxLength":64}},"seeks":{"type":"array","maxItems":16,"items":{"type":"string","minLength":1,"maxLength":64}},"topics":{"type":"array","maxItems":16,"items":{"type":"string","minLength":1,"maxLength":64}},"languages":{"type":"array","maxItems":8,"items":{"type":"string","minLength":2,"maxLength":16}}}}"#;

/// What a profile may hold.
const PARTS: [Part; 6] = [
    Part::text("name", "profile.name", 64),
    Part::text("headline", "profile.headline", 200),
    Part::list("offers", "profile.offers", 16, 64),
    Part::list("seeks", "profile.seeks", 16, 64),
    Part::list("topics", "profile.topics", 16, 64),
    Part::languages("profile.languages"),
];

/// A key that an object may have, and the bounds of its strings.
pub(super) struct Part {
    key: &'static str,
    path: &'static str,
    /// The most strings; 0 for a string that is no list.
    items: usize,
    /// The fewest and the most bytes of each string.
    least: usize,
    most: usize,
}

impl Part {
    const fn text(key: &'static str, path: &'static str, most: usize) -> Self {
        Self { key, path, items: 0, least: 1, most }
    }

    const fn list(key: &'static str, path: &'static str, items: usize, most: usize) -> Self {
        Self { key, path, items, least: 1, most }
    }

    pub(super) const fn languages(path: &'static str) -> Self {
        Self { least: 2, ..Self::list("languages", path, 8, 16) }
    }

    fn check(&self, value: &str) -> Result<(), Wrong> {
        let wrong = (Reason::BadField, Some(self.path));
        let each = |text: &str| match Text::bounded(text, self.most) {
            Ok(text) if text.text_len() >= self.least => Ok(()),
            _ => Err(wrong),
        };
        if self.items == 0 {
            return each(value);
        }
        let mut count = 0;
        for item in items(value).ok_or(wrong)? {
            count += 1;
            if count > self.items {
                return Err(wrong);
            }
            each(item)?;
        }
        Ok(())
    }
}

/// A profile that keeps to its bounds: an object with known, unique keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile<'a>(&'a str);

impl<'a> Profile<'a> {
    /// A profile from its JSON; `None` if that is malformed or out of bounds.
    pub fn from_json(json: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new(json);
        scanner.value(0).ok()?;
        scanner.end().ok()?;
        Self::read(json.trim_ascii()).ok()
    }

    /// Appends its JSON, without white space between the parts.
    pub fn push_compact(self, out: &mut Vec<u8>) {
        push_compact(self.0, out);
    }

    /// The text of a key: `name` or `headline`.
    pub fn text(self, key: &str) -> Option<JsonStr<'a>> {
        JsonStr::from_value(find(self.0, key)?)
    }

    /// The texts of a list: `offers`, `seeks`, `topics` or `languages`; empty if it isn't there.
    pub fn list(self, key: &str) -> impl Iterator<Item = JsonStr<'a>> {
        let items = find(self.0, key).and_then(items);
        items.into_iter().flatten().filter_map(JsonStr::from_value)
    }

    pub(super) fn read(value: &'a str) -> Result<Self, Wrong> {
        check(value, &PARTS).map(|()| Self(value))
    }
}

/// Whether a value is an object of these parts, each at most once.
pub(super) fn check(value: &str, parts: &[Part]) -> Result<(), Wrong> {
    let mut seen = 0_u8;
    for (key, value) in pairs(value).ok_or((Reason::BadField, None))? {
        let found = parts.iter().enumerate().find(|(_, part)| part.key == key);
        let (index, part) = found.ok_or((Reason::UnknownKey, None))?;
        if seen & 1 << index != 0 {
            return Err((Reason::RepeatedKey, Some(part.path)));
        }
        seen |= 1 << index;
        part.check(value)?;
    }
    Ok(())
}

/// The value of a key of an object that is valid JSON.
pub(super) fn find<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    pairs(object)?.find(|(own, _)| *own == key).map(|(_, value)| value)
}

/// The keys, as they are written, and values of an object that is valid JSON.
fn pairs(object: &str) -> Option<impl Iterator<Item = (&str, &str)>> {
    let mut scanner = inside(object, b'{')?;
    Some(std::iter::from_fn(move || {
        let key = scanner.string().ok()?;
        scanner.expect(b':').ok()?;
        let value = scanner.value(0).ok()?;
        scanner.take(b',');
        Some((key, value))
    }))
}

/// The values of an array that is valid JSON.
pub(super) fn items(array: &str) -> Option<impl Iterator<Item = &str>> {
    let mut scanner = inside(array, b'[')?;
    Some(std::iter::from_fn(move || {
        let value = scanner.value(0).ok()?;
        scanner.take(b',');
        Some(value)
    }))
}

fn inside(value: &str, open: u8) -> Option<Scanner<'_>> {
    let mut scanner = Scanner::new(value);
    scanner.take(open).then_some(scanner)
}
