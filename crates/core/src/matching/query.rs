//! One ticket's words, laid out to be compared with a great many others'.
//!
//! Knows scores, and what a score can be at most. Must not know who waits.

use super::score::points;
use super::signature::{Signature, part};
use super::words::{LANGUAGES, OFFERS, REQUIRED, SEEKS, TOPICS, Words};

/// The most words in a list of a profile.
const MOST: usize = 16;

/// What is compared: each of one's lists with one of the other's.
pub(super) const FACETS: usize = 3;

/// The list of the other that each of one's lists is compared with: what one offers with what the other
/// seeks, what one seeks with what the other offers, the topics of both.
pub(super) const MEETS: [usize; FACETS] = [SEEKS, OFFERS, TOPICS];

/// Far less than a thousandth, far more than what sums in another order differ by.
const NOISE: f64 = 1e-6;

/// No word's number.
const NO_WORD: u32 = u32::MAX;

/// Somebody who looks for a partner.
pub(super) struct Query<'a> {
    words: &'a Words,
    lists: [[u32; MOST]; LANGUAGES + 1],
    /// The bits of its words, where they meet the other's lists, and how many words share a bit.
    bits: [u64; FACETS],
    shared_bits: [u32; FACETS],
}

impl<'a> Query<'a> {
    pub(super) fn new(words: &'a Words) -> Self {
        let lists = [OFFERS, SEEKS, TOPICS, LANGUAGES].map(|list| {
            let mut padded = [NO_WORD; MOST];
            padded.iter_mut().zip(words.list(list)).for_each(|(to, word)| *to = *word);
            padded
        });
        let bits = [0, 1, 2].map(|facet| part(MEETS[facet], words.list(facet)));
        let shared_bits =
            [0, 1, 2].map(|facet| words.list(facet).len() as u32 - bits[facet].count_ones());
        Self { words, lists, bits, shared_bits }
    }

    /// Its words of a facet.
    pub(super) fn list(&self, facet: usize) -> &'a [u32] {
        self.words.list(facet)
    }

    /// All bits of its words.
    #[inline(always)]
    pub(super) fn bits(&self) -> u64 {
        self.bits.iter().fold(0, |all, bits| all | bits)
    }

    /// How many of its words share a bit with another.
    pub(super) fn shared_bits(&self) -> u32 {
        self.shared_bits.iter().sum()
    }

    /// Whether the languages that each requires allow it.
    pub(super) fn allows(&self, other: &Words) -> bool {
        let speaks = |required: &[u32], speaker: &Words| {
            let spoken = speaker.list(LANGUAGES);
            required.is_empty() || required.iter().any(|language| spoken.contains(language))
        };
        speaks(self.words.list(REQUIRED), other) && speaks(other.list(REQUIRED), self.words)
    }

    /// How well the two fit.
    pub(super) fn score(&self, other: &Words) -> u16 {
        let [given, taken, topics] = [0, 1, 2].map(|facet| {
            let theirs = other.list(MEETS[facet]);
            cosine(overlap(&self.lists[facet], theirs), self.list(facet).len() * theirs.len())
        });
        let language = overlap(&self.lists[LANGUAGES], other.list(LANGUAGES)) > 0;
        points(given, taken, topics, language)
    }

    /// Whether somebody of this signature may reach this score.
    #[inline(always)]
    pub(super) fn may_reach(&self, signature: Signature, score: u16) -> bool {
        let [given, taken, topics] = [0, 1, 2].map(|facet| {
            let common = signature.common(self.bits[facet]);
            let words = if common == 0 { 0 } else { common + self.shared_bits[facet] };
            let theirs = signature.at_least(MEETS[facet]) as usize;
            self.cosine_at_most(facet, words as usize, theirs)
        });
        reaches(given, taken, topics, self.speaks(), score)
    }

    /// Whether somebody may reach this score who has at most so many words in common in each facet, and
    /// lists of at least such lengths.
    pub(super) fn may_reach_with(
        &self,
        common: [usize; FACETS],
        least: [usize; FACETS],
        score: u16,
    ) -> bool {
        let [given, taken, topics] =
            [0, 1, 2].map(|facet| self.cosine_at_most(facet, common[facet], least[facet]));
        reaches(given, taken, topics, self.speaks(), score)
    }

    #[inline(always)]
    fn speaks(&self) -> bool {
        !self.words.list(LANGUAGES).is_empty()
    }

    #[inline(always)]
    fn cosine_at_most(&self, facet: usize, common: usize, theirs: usize) -> f64 {
        let own = self.list(facet).len();
        let common = common.min(own);
        cosine(common, own * theirs.max(common))
    }
}

#[inline(always)]
fn reaches(given: f64, taken: f64, topics: f64, language: bool, score: u16) -> bool {
    super::score::sum(given, taken, topics, language) + 0.5 + NOISE >= f64::from(score)
}

#[inline(always)]
fn cosine(common: usize, lengths: usize) -> f64 {
    if common == 0 { 0.0 } else { common as f64 / (lengths as f64).sqrt() }
}

/// How many of these words are in a list of its own; each list is without repeats.
#[inline]
fn overlap(own: &[u32; MOST], theirs: &[u32]) -> usize {
    let is_own = |word: u32| own.iter().map(|own| u32::from(*own == word)).sum::<u32>();
    theirs.iter().map(|word| is_own(*word)).sum::<u32>() as usize
}
