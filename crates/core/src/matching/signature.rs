//! A ticket's words in 64 bits: enough to tell most of those who don't fit without looking at them.
//!
//! Each word sets one bit of its list's part. So two have at most as many words in common as the bits of
//! one that the other's words set, where a bit counts for each word of the seeker that has it. Knows words as
//! numbers. Must not know scores.

use super::words::{LANGUAGES, OFFERS, SEEKS, TOPICS, Words};

/// Where each list's part begins, and how many bits it has: offers, seeks, topics, languages.
const PARTS: [(u32, u32); 4] = [(0, 25), (25, 25), (50, 8), (58, 5)];

/// Set in every ticket's signature.
const PRESENT: u64 = 1 << 63;

/// The words of a ticket, folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signature(u64);

impl Signature {
    /// Nobody's.
    pub(super) const STRUCK: Self = Self(0);

    pub(super) fn new(words: &Words) -> Self {
        let lists = [OFFERS, SEEKS, TOPICS, LANGUAGES].into_iter();
        let words = lists.flat_map(|list| words.list(list).map(move |word| bit(list, word)));
        Self(words.fold(PRESENT, |all, bit| all | bit))
    }

    /// Whether it has one of these bits.
    #[inline(always)]
    pub(super) fn has(self, bits: u64) -> bool {
        self.0 & bits != 0
    }

    /// At least so many words are in this list.
    #[inline(always)]
    pub(super) fn at_least(self, list: usize) -> u32 {
        let (start, width) = PARTS[list];
        (self.0 & (((1 << width) - 1) << start)).count_ones()
    }
}

/// The bits that some words set if they are in a list, and those of them that several words set.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bits {
    once: u64,
    twice: u64,
    /// So many words share a bit with two others.
    more: u32,
}

impl Bits {
    pub(super) fn new(list: usize, words: impl Iterator<Item = u32>) -> Self {
        words.fold(Self::default(), |bits, word| {
            let bit = bit(list, word);
            Self {
                once: bits.once | bit,
                twice: bits.twice | bits.once & bit,
                more: bits.more + u32::from(bits.twice & bit != 0),
            }
        })
    }

    /// Those of two lists together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            once: self.once | other.once,
            twice: self.twice | other.twice,
            more: self.more + other.more,
        }
    }

    /// So many of the words may be in a list of this signature, at most.
    #[inline(always)]
    pub(super) fn common(self, signature: Signature) -> u32 {
        (signature.0 & self.once).count_ones() + (signature.0 & self.twice).count_ones() + self.more
    }

    /// Every bit.
    pub(super) fn any(self) -> u64 {
        self.once
    }
}

/// The bit that a word sets in a list. Numbers are given in the order of coming, and what is common comes
/// early: so common words seldom share a bit.
fn bit(list: usize, word: u32) -> u64 {
    let (start, width) = PARTS[list];
    1 << (start + word % width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_share_a_bit_count_each() {
        let (_, width) = PARTS[OFFERS];
        // Five words of one bit, and one of another.
        let words = (0..5).map(|round| 3 + round * width).chain([4]);
        let bits = Bits::new(OFFERS, words);
        assert_eq!((bits.once.count_ones(), bits.twice.count_ones(), bits.more), (2, 1, 3));
        let has = |word| Signature(PRESENT | bit(OFFERS, word));
        assert_eq!(bits.common(has(3)), 5);
        assert!(bits.common(has(4)) >= 1, "at most is never too few");
        assert_eq!(Bits::new(OFFERS, [3, 4].into_iter()).common(has(5)), 0);
        assert!(!Signature::STRUCK.has(u64::MAX));
    }
}
