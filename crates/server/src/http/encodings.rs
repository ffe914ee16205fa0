//! In which form a client takes a file (RFC 9110, section 12.5.3).
//!
//! Knows `Accept-Encoding`. Must not know files.

use hyper::HeaderMap;
use hyper::header::ACCEPT_ENCODING;

/// A form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Plain,
}

/// Those that a client takes, the best for it first; among equals the smaller file. The last is
/// always [`Encoding::Plain`], even for a client that refuses it: better than nothing at all.
pub(super) fn accepted(headers: &HeaderMap) -> Vec<Encoding> {
    let weights = Weights::read(headers);
    let mut takes =
        [(Encoding::Brotli, "br"), (Encoding::Gzip, "gzip"), (Encoding::Plain, "identity")]
            .map(|(encoding, name)| (encoding, weights.of(name)));
    takes.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let taken = takes.into_iter().filter(|(_, weight)| *weight > 0.0).map(|(encoding, _)| encoding);
    taken.chain([Encoding::Plain]).collect()
}

/// What a client says of each coding.
struct Weights<'h>(Vec<(&'h str, f32)>);

impl<'h> Weights<'h> {
    fn read(headers: &'h HeaderMap) -> Self {
        let values =
            headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        Self(values.flat_map(|value| value.split(',')).map(element).collect())
    }

    /// A coding that isn't named isn't taken, but the plain form is, as the last choice.
    fn of(&self, name: &str) -> f32 {
        let find = |name: &str| self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        let plain = name == "identity";
        match find(name).or_else(|| find("*")) {
            Some((_, weight)) => *weight,
            None if plain => f32::MIN_POSITIVE,
            None => 0.0,
        }
    }
}

/// A coding and its weight: 1 where none is given, 0 where it makes no sense.
fn element(text: &str) -> (&str, f32) {
    let (name, parameter) = text.split_once(';').unwrap_or((text, "q=1"));
    let weight = parameter.trim().strip_prefix(['q', 'Q']).and_then(|q| q.trim().strip_prefix('='));
    let weight = weight.and_then(|weight| weight.trim().parse().ok());
    (name.trim(), weight.filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::Encoding::{Brotli, Gzip, Plain};
    use super::*;

    fn first_choices(lines: &[&str]) -> Vec<Encoding> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT_ENCODING, line.parse().unwrap());
        }
        let mut all = accepted(&headers);
        assert_eq!(all.pop(), Some(Plain));
        all
    }

    #[test]
    fn the_smallest_that_is_taken_comes_first() {
        for (lines, expected) in [
            (&["gzip, deflate, br, zstd"][..], &[Brotli, Gzip, Plain][..]),
            (&["gzip", "BR"], &[Brotli, Gzip, Plain]),
            (&[], &[Plain]),
            (&[""], &[Plain]),
            (&["identity"], &[Plain]),
            (&["gzip;q=1.0, identity; q=0.5, *;q=0"], &[Gzip, Plain]),
            (&["br;q=0, gzip"], &[Gzip, Plain]),
            (&["br; q = 0.1, gzip;q=0.2"], &[Gzip, Brotli, Plain]),
            (&["identity, br;q=0.5"], &[Plain, Brotli]),
            (&["*"], &[Brotli, Gzip, Plain]),
            (&["*;q=0"], &[]),
            (&["br;q=2, gzip;q=x"], &[Plain]),
            (&["br;level=4"], &[Plain]),
            (&["brotli, xgzip"], &[Plain]),
        ] {
            assert_eq!(first_choices(lines), expected, "{lines:?}");
        }
    }
}
