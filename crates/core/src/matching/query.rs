//! One ticket's words, laid out to be compared with a great many others'.
//!
//! Knows scores, and what a score can be at most. Must not know who waits.

use super::score::{FIT, LANGUAGE, TOPICS as TOPICS_COUNT, points, sum};
use super::signature::{Bits, Signature};
use super::words::{LANGUAGES, MOST_IN_LIST as MOST, OFFERS, REQUIRED, SEEKS, TOPICS, Words};

/// What is compared: each of one's lists with one of the other's.
pub(super) const FACETS: usize = 3;

/// The list of the other that each of one's lists is compared with: what one offers with what the other
/// seeks, what one seeks with what the other offers, the topics of both.
pub(super) const MEETS: [usize; FACETS] = [SEEKS, OFFERS, TOPICS];

/// Scores are rounded, and sums in another order differ a little.
const ROUNDING: f64 = 0.5 + 1e-6;

/// No word's number.
const NO_WORD: u32 = u32::MAX;

/// Somebody who looks for a partner.
pub(super) struct Query<'a> {
    words: &'a Words,
    lists: [[u32; MOST]; LANGUAGES + 1],
    /// The bits of its words, where they meet the other's lists.
    bits: [Bits; FACETS],
    all_bits: Bits,
    language_bits: u64,
    required_bits: u64,
}

/// Tells by signatures who may reach a score.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sieve {
    bits: [Bits; FACETS],
    all_bits: Bits,
    language_bits: u64,
    /// Of the languages that it requires; all, if it requires none.
    required_bits: u64,
    /// By the topics in common, without and with a language: of the two numbers of other words in common, the
    /// product, squared, is at least this much of the product of the other's two lengths.
    needed: [[f64; 2]; MOST + 1],
}

impl<'a> Query<'a> {
    pub(super) fn new(words: &'a Words) -> Self {
        let lists = [OFFERS, SEEKS, TOPICS, LANGUAGES].map(|list| {
            let mut padded = [NO_WORD; MOST];
            padded.iter_mut().zip(words.list(list)).for_each(|(to, word)| *to = word);
            padded
        });
        let bits = [0, 1, 2].map(|facet| Bits::new(MEETS[facet], words.list(facet)));
        let all_bits = bits.into_iter().fold(Bits::default(), Bits::and);
        let language_bits = Bits::new(LANGUAGES, words.list(LANGUAGES)).any();
        let required_bits = match words.count(REQUIRED) {
            0 => u64::MAX,
            _ => Bits::new(LANGUAGES, words.list(REQUIRED)).any(),
        };
        Self { words, lists, bits, all_bits, language_bits, required_bits }
    }

    /// Its words of a facet.
    pub(super) fn list(&self, facet: usize) -> impl Iterator<Item = u32> {
        self.words.list(facet)
    }

    /// How many words it has to look for.
    pub(super) fn len(&self) -> usize {
        (0..FACETS).map(|facet| self.words.count(facet)).sum()
    }

    /// Whether the languages that each requires allow it.
    pub(super) fn allows(&self, other: &Words) -> bool {
        let speaks = |speaker: &Words, language| speaker.list(LANGUAGES).any(|l| l == language);
        let serves = |speaker: &Words, other: &Words| {
            other.count(REQUIRED) == 0 || other.list(REQUIRED).any(|l| speaks(speaker, l))
        };
        serves(self.words, other) && serves(other, self.words)
    }

    /// How well the two fit.
    pub(super) fn score(&self, other: &Words) -> u16 {
        let [given, taken, topics] = [0, 1, 2].map(|facet| {
            let common = overlap(&self.lists[facet], other.list(MEETS[facet]));
            cosine(common, self.words.count(facet) * other.count(MEETS[facet]))
        });
        let language = overlap(&self.lists[LANGUAGES], other.list(LANGUAGES)) > 0;
        points(given, taken, topics, language)
    }

    /// Whether somebody may reach a score who has at most so many words in common in each facet, and lists of
    /// at least such lengths.
    pub(super) fn may_reach(
        &self,
        common: [usize; FACETS],
        least: [usize; FACETS],
        score: u16,
    ) -> bool {
        let [given, taken, topics] = [0, 1, 2].map(|facet| {
            let own = self.words.count(facet);
            let common = common[facet].min(own);
            cosine(common, own * least[facet].max(common))
        });
        let language = self.words.count(LANGUAGES) > 0;
        sum(given, taken, topics, language) + ROUNDING >= f64::from(score)
    }

    /// Tells who may reach this score.
    pub(super) fn sieve(&self, score: u16) -> Sieve {
        let mut needed = [[0.0; 2]; MOST + 1];
        let own = (self.words.count(0) * self.words.count(1)) as f64;
        let own_topics = self.words.count(TOPICS);
        for (common, needed) in needed.iter_mut().enumerate().take(own_topics + 1) {
            // All of the other's topics may be among them.
            let topics = TOPICS_COUNT * cosine(common, own_topics * common);
            *needed = [0.0, LANGUAGE].map(|language| {
                let missing = f64::from(score) - ROUNDING - topics - language;
                (missing.max(0.0) / FIT).powi(4) * own
            });
        }
        let Self { bits, all_bits, language_bits, required_bits, .. } = *self;
        Sieve { bits, all_bits, language_bits, required_bits, needed }
    }
}

impl Sieve {
    /// Whether somebody of this signature may reach the score.
    #[inline(always)]
    pub(super) fn passes(&self, signature: Signature) -> bool {
        let [given, taken, topics] = [0, 1, 2].map(|facet| self.bits[facet].common(signature));
        let language = signature.has(self.language_bits);
        let needed = self.needed[(topics as usize).min(MOST)][usize::from(language)];
        let length = |facet: usize, common: u32| signature.at_least(MEETS[facet]).max(common);
        let lengths = length(0, given) * length(1, taken);
        let product = f64::from(given * taken);
        product * product >= needed * f64::from(lengths) && signature.has(self.required_bits)
    }

    /// So many of the seeker's words may be in lists of this signature, at most.
    #[inline(always)]
    pub(super) fn common(&self, signature: Signature) -> u32 {
        self.all_bits.common(signature)
    }
}

#[inline(always)]
fn cosine(common: usize, lengths: usize) -> f64 {
    if common == 0 { 0.0 } else { common as f64 / (lengths as f64).sqrt() }
}

/// How many of these words are in a list of its own; each list is without repeats.
#[inline]
fn overlap(own: &[u32; MOST], theirs: impl Iterator<Item = u32>) -> usize {
    let is_own = |word: u32| own.iter().map(|own| u32::from(*own == word)).sum::<u32>();
    theirs.map(is_own).sum::<u32>() as usize
}
