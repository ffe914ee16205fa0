//! The one pass over an envelope: is it strict JSON, and where are its fields?

use super::MAX_KEYS;
use super::fault::Fault;
use crate::Reason;
use crate::json::Scanner;

/// The longest key of an envelope, in bytes.
const MAX_KEY: usize = 32;

/// An envelope of which is known that it is strict JSON, with sound and unique keys and a type.
pub(super) struct Scanned<'a> {
    pub(super) kind: &'a str,
    fields: [(&'a str, &'a str); MAX_KEYS],
    len: usize,
}

impl<'a> Scanned<'a> {
    /// Reads an envelope.
    pub(super) fn read(text: &'a str) -> Result<Self, Fault<'a>> {
        let mut scanned = Self { kind: "", fields: [("", ""); MAX_KEYS], len: 0 };
        scanned.fill(text)?;
        let kind = scanned.find("type").and_then(|value| value.strip_prefix('"'));
        let kind = kind.and_then(|value| value.strip_suffix('"'));
        match kind {
            Some(kind) if !kind.contains('\\') => Ok(Self { kind, ..scanned }),
            _ => Err(Fault::of_field(Reason::NoType, None, "type")),
        }
    }

    /// The value of a field, as it is written.
    pub(super) fn find(&self, key: &str) -> Option<&'a str> {
        let found = self.fields[..self.len].iter().find(|(own, _)| *own == key);
        found.map(|(_, value)| *value)
    }

    /// Checks that every key is `type`, among these, or one of the sender's own.
    pub(super) fn only(&self, known: &[&str], about: &'static str) -> Result<(), Fault<'a>> {
        let foreign = |(key, _): &&(&'a str, &'a str)| {
            *key != "type" && !known.contains(key) && !key.starts_with("x_")
        };
        match self.fields[..self.len].iter().find(foreign) {
            None => Ok(()),
            Some((key, _)) => Err(Fault::of_field(Reason::UnknownKey, Some(about), key)),
        }
    }

    fn fill(&mut self, text: &'a str) -> Result<(), Fault<'a>> {
        let mut scanner = Scanner::new(text);
        scanner.expect(b'{').map_err(Fault::new)?;
        if !scanner.take(b'}') {
            loop {
                let key = scanner.string().map_err(Fault::new)?;
                let sound = |byte| matches!(byte, b'a'..=b'z' | b'_');
                if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(sound) {
                    return Err(Fault::new(Reason::BadKey));
                }
                if self.find(key).is_some() {
                    return Err(Fault::of_field(Reason::RepeatedKey, None, key));
                }
                scanner.expect(b':').map_err(Fault::new)?;
                let value = scanner.value(1).map_err(Fault::new)?;
                let slot = self.fields.get_mut(self.len);
                *slot.ok_or(Fault::new(Reason::TooManyKeys))? = (key, value);
                self.len += 1;
                if !scanner.take(b',') {
                    break;
                }
            }
            scanner.expect(b'}').map_err(Fault::new)?;
        }
        scanner.end().map_err(Fault::new)
    }
}
