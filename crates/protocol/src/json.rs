//! One strict pass over JSON (RFC 8259), without building a tree and without allocating.
//!
//! Knows syntax, and what `vyoma.v1` forbids beyond it: nesting over [`MAX_DEPTH`], numbers that
//! aren't finite as a 64-bit float, lone surrogates. Must not know what a value means. Its input is
//! `str`: that text is UTF-8 was established when it arrived.

use std::borrow::Cow;

use crate::Reason;

/// The deepest nesting of objects and arrays, the outermost included: each level is a bit of a
/// `u64`. The deepest document a person would write by hand has some ten.
pub const MAX_DEPTH: u32 = 64;

/// An integer part this long, without an exponent, is finite as a 64-bit float (its largest finite
/// value has 309 digits).
const SURELY_FINITE: usize = 308;

/// Reads JSON text from the front.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte, not taken.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes over white space (RFC 8259, section 2), then takes this byte if it is next.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    /// The same, where nothing else may come.
    pub(crate) fn expect(&mut self, byte: u8) -> Result<(), Reason> {
        if self.take(byte) { Ok(()) } else { Err(Reason::BadJson) }
    }

    /// Checks that nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<(), Reason> {
        self.skip_space();
        if self.peek().is_none() { Ok(()) } else { Err(Reason::BadJson) }
    }

    /// Takes a string, and returns what is between its quotes, escapes as they were sent.
    pub(crate) fn string(&mut self) -> Result<&'a str, Reason> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            self.at += plain_prefix(&self.text.as_bytes()[self.at..]);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return Err(Reason::BadJson),
            }
        }
        self.at += 1;
        Ok(&self.text[start..self.at - 1])
    }

    /// Takes a value that lies inside `outside` objects and arrays, and returns its text.
    pub(crate) fn value(&mut self, outside: u32) -> Result<&'a str, Reason> {
        self.skip_space();
        let start = self.at;
        // One bit for each open object (1) or array (0), the innermost lowest.
        let (mut kinds, mut depth) = (0_u64, outside);
        loop {
            self.skip_space();
            let opened = match self.peek() {
                Some(b'{') => Some(true),
                Some(b'[') => Some(false),
                _ => None,
            };
            if let Some(object) = opened {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Reason::TooDeep);
                }
                kinds = kinds << 1 | u64::from(object);
                self.at += 1;
                if !self.take(closer(object)) {
                    self.key(object)?;
                    continue;
                }
                (kinds, depth) = (kinds >> 1, depth - 1);
            } else {
                self.scalar()?;
            }
            loop {
                if depth == outside {
                    return Ok(&self.text[start..self.at]);
                }
                let object = kinds & 1 == 1;
                if self.take(b',') {
                    self.key(object)?;
                    break;
                }
                self.expect(closer(object))?;
                (kinds, depth) = (kinds >> 1, depth - 1);
            }
        }
    }

    /// Takes the key that precedes a value in an object; in an array, nothing.
    fn key(&mut self, object: bool) -> Result<(), Reason> {
        if object {
            self.string()?;
            self.expect(b':')?;
        }
        Ok(())
    }

    fn scalar(&mut self) -> Result<(), Reason> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => Err(Reason::BadJson),
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), Reason> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(Reason::BadJson);
        }
        self.at += word.len();
        Ok(())
    }

    /// RFC 8259, section 6.
    fn number(&mut self) -> Result<(), Reason> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let whole = if self.peek() == Some(b'0') {
            self.at += 1;
            1
        } else {
            self.digits()?
        };
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if exponent {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        let finite = (!exponent && whole <= SURELY_FINITE)
            || self.text[start..self.at].parse::<f64>().is_ok_and(f64::is_finite);
        if finite { Ok(()) } else { Err(Reason::HugeNumber) }
    }

    /// Takes one digit or more, and returns how many.
    fn digits(&mut self) -> Result<usize, Reason> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count > 0 { Ok(count) } else { Err(Reason::BadJson) }
    }

    /// Takes an escape (RFC 8259, section 7), with both halves of a surrogate pair.
    fn escape(&mut self) -> Result<(), Reason> {
        let rest = &self.text.as_bytes()[self.at..];
        let (_, length) = unescape(rest)?;
        self.at += length;
        Ok(())
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }
}

fn closer(object: bool) -> u8 {
    if object { b'}' } else { b']' }
}

/// How many bytes come before the first quote, backslash or control character; eight at a time.
fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    // Sets the top bit of the lowest byte that is zero; higher ones may be set wrongly.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & TOPS;
    let (words, _) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let special = zero(word ^ (ONES * u64::from(b'"')))
            | zero(word ^ (ONES * u64::from(b'\\')))
            | (word.wrapping_sub(ONES * 0x20) & !word & TOPS);
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let rest = &bytes[words.len() * 8..];
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
    words.len() * 8 + rest.iter().position(special).unwrap_or(rest.len())
}

/// Reads the escape at the front: the character, and how many bytes it takes.
fn unescape(bytes: &[u8]) -> Result<(char, usize), Reason> {
    let simple = match bytes.get(1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unescape_unicode(bytes),
        _ => return Err(Reason::BadJson),
    };
    Ok((simple, 2))
}

fn unescape_unicode(bytes: &[u8]) -> Result<(char, usize), Reason> {
    let first = hex4(bytes.get(2..6))?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, 6));
    }
    if first >= 0xDC00 || bytes.get(6..8) != Some(b"\\u") {
        return Err(Reason::LoneSurrogate);
    }
    let second = hex4(bytes.get(8..12))?;
    if !(0xDC00..0xE000).contains(&second) {
        return Err(Reason::LoneSurrogate);
    }
    let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    char::from_u32(code).map(|character| (character, 12)).ok_or(Reason::LoneSurrogate)
}

fn hex4(digits: Option<&[u8]>) -> Result<u32, Reason> {
    digits.ok_or(Reason::BadJson)?.iter().try_fold(0, |value, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(Reason::BadJson)?;
        Ok(value << 4 | digit)
    })
}

/// A JSON string as it is written, without its quotes: valid, escapes unresolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct JsonStr<'a>(&'a str);

impl<'a> JsonStr<'a> {
    /// A string from what stands between the quotes; `None` if that isn't valid there.
    pub fn from_escaped(escaped: &'a str) -> Option<Self> {
        let mut at = 0;
        loop {
            let rest = &escaped.as_bytes()[at..];
            at += plain_prefix(rest);
            match escaped.as_bytes().get(at) {
                None => return Some(Self(escaped)),
                Some(b'\\') => at += unescape(&escaped.as_bytes()[at..]).ok()?.1,
                Some(_) => return None,
            }
        }
    }

    /// A string from a whole JSON value, quotes included, which must be valid JSON; `None` if it is
    /// no string.
    pub(crate) fn from_value(value: &'a str) -> Option<Self> {
        value.strip_prefix('"')?.strip_suffix('"').map(Self)
    }

    /// What stands between the quotes.
    pub fn escaped(self) -> &'a str {
        self.0
    }

    /// The text, escapes resolved.
    pub fn text(self) -> Cow<'a, str> {
        if !self.0.contains('\\') {
            return Cow::Borrowed(self.0);
        }
        let mut text = String::with_capacity(self.0.len());
        self.for_each(|piece| text.push_str(piece));
        Cow::Owned(text)
    }

    /// The length of the text, in bytes of UTF-8.
    pub fn text_len(self) -> usize {
        let mut len = 0;
        self.for_each(|piece| len += piece.len());
        len
    }

    /// Appends the text.
    pub fn push_text(self, out: &mut Vec<u8>) {
        self.for_each(|piece| out.extend_from_slice(piece.as_bytes()));
    }

    /// The text in pieces: what is written plainly, and the characters of escapes.
    fn for_each(self, mut piece: impl FnMut(&str)) {
        let mut rest = self.0;
        while let Some(at) = rest.find('\\') {
            piece(&rest[..at]);
            rest = &rest[at..];
            // Was found valid when the string was made.
            let Ok((character, length)) = unescape(rest.as_bytes()) else { return };
            piece(character.encode_utf8(&mut [0; 4]));
            rest = &rest[length..];
        }
        piece(rest);
    }
}

/// Appends `text` as it must stand between the quotes of a JSON string (RFC 8259, section 7): at most
/// six times as long.
pub fn push_escaped(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain_prefix(rest));
        out.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else { return };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                let digit = |value: u8| b"0123456789abcdef"[usize::from(value & 15)];
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(*byte)]);
            }
        }
        rest = after;
    }
}

/// Appends a valid JSON value without the white space between its parts.
pub(crate) fn push_compact(value: &str, out: &mut Vec<u8>) {
    let mut rest = value.as_bytes();
    while let Some(quote) = rest.iter().position(|byte| *byte == b'"') {
        out.extend(rest[..quote].iter().filter(|byte| !byte.is_ascii_whitespace()));
        let mut end = quote + 1;
        loop {
            end += plain_prefix(&rest[end..]);
            match rest.get(end) {
                Some(b'\\') => end = (end + 2).min(rest.len()),
                _ => break,
            }
        }
        end = (end + 1).min(rest.len());
        out.extend_from_slice(&rest[quote..end]);
        rest = &rest[end..];
    }
    out.extend(rest.iter().filter(|byte| !byte.is_ascii_whitespace()));
}

#[cfg(test)]
mod tests;
