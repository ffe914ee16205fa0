//! The header fields of a head, looked up as RFC 9110, section 5, says.

use httparse::Header;

/// The header fields of one head, in the order they came. Borrows from the head.
#[derive(Debug, Clone)]
pub struct Fields<'a>(Vec<Header<'a>>);

impl<'a> Fields<'a> {
    pub(super) fn new(headers: &[Header<'a>]) -> Self {
        Self(headers.to_vec())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every field: its name as it was sent, and its value without the white space around it.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&'a str, &'a [u8])> + '_ {
        self.0.iter().map(|header| (header.name, header.value))
    }

    /// The values of all fields of this name, in any case of its letters.
    pub fn all<'f>(&'f self, name: &'f str) -> impl DoubleEndedIterator<Item = &'a [u8]> + 'f {
        self.iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name))
            .map(move |(_, value)| value)
    }

    /// Whether there is a field of this name.
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The value of a field that may come once.
    ///
    /// # Errors
    /// `Err(Repeated)` if it came more often.
    pub(super) fn once(&self, name: &str) -> Result<Option<&'a [u8]>, Repeated> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() { Err(Repeated) } else { Ok(first) }
    }

    /// The elements of a list field: comma-separated, over all its lines, without empty ones
    /// (RFC 9110, section 5.6.1). Not for fields whose elements may be quoted strings.
    pub fn list<'f>(&'f self, name: &'f str) -> impl DoubleEndedIterator<Item = &'a [u8]> + 'f {
        self.all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|element| !element.is_empty())
    }

    /// Whether a list field has this token among its elements, in any case of its letters.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.list(name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }
}

/// A field that may come once came more often.
#[derive(Debug)]
pub(super) struct Repeated;
