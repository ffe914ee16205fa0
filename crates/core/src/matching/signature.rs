//! A ticket's words in 64 bits: enough to tell most of those who don't fit without looking at them.
//!
//! Each word sets one bit of its list's part. So the bits that one has in common with what the other
//! wants are at least as many as the words, less those of its own that share a bit. Knows words as
//! numbers. Must not know scores.

use super::words::{OFFERS, SEEKS, TOPICS, Words};

/// Where each list's part begins, and how many bits it has: offers, seeks, topics.
const PARTS: [(u32, u32); 3] = [(0, 26), (26, 26), (52, 11)];

/// Set in every ticket's signature.
const PRESENT: u64 = 1 << 63;

/// The words of a ticket, folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signature(u64);

impl Signature {
    /// Nobody's.
    pub(super) const STRUCK: Self = Self(0);

    pub(super) fn new(words: &Words) -> Self {
        let parts = [OFFERS, SEEKS, TOPICS].map(|list| part(list, words.list(list)));
        Self(parts.into_iter().fold(PRESENT, |all, part| all | part))
    }

    /// How many bits it has of these.
    #[inline(always)]
    pub(super) fn common(self, bits: u64) -> u32 {
        (self.0 & bits).count_ones()
    }

    /// At least so many words are in its list.
    #[inline(always)]
    pub(super) fn at_least(self, list: usize) -> u32 {
        let (start, width) = PARTS[list];
        self.common(((1 << width) - 1) << start)
    }
}

/// The bits that words set if they are in this list. Numbers are given in the order of coming, and what
/// is common comes early: so common words seldom share a bit.
pub(super) fn part(list: usize, words: &[u32]) -> u64 {
    let (start, width) = PARTS[list];
    words.iter().fold(0, |bits, word| bits | 1 << (start + word % width))
}
