//! A posting list: who has a word, the oldest first.
//!
//! Knows ages and signatures. Must not know what they stand for.

use std::ops::Range;

use super::index::Span;
use super::signature::Signature;

/// A list grows by a sixteenth, not to its double: a million tickets have some ten million entries.
const GROWS_BY: usize = 16;

/// A search comes this far in one go, at least.
const FEW: usize = 64;

/// So many tickets were issued before one, as far as 32 bits tell. Compared by [`back`], so a pool runs
/// for ever, as long as nobody in it waits while four billion others come.
pub(super) type Age = u32;

/// How long ago a ticket was issued, in tickets, when `next` is issued next.
pub(super) fn back(age: Age, next: Age) -> u32 {
    next.wrapping_sub(age)
}

/// Entries in the order of age. Who leaves is struck out; once most are, the list is written anew.
#[derive(Debug, Default)]
pub(super) struct Posting {
    ages: Vec<Age>,
    signatures: Vec<Signature>,
    struck: u32,
}

impl Posting {
    /// Puts somebody in: at the end, unless it comes back to an older place.
    pub(super) fn insert(&mut self, age: Age, signature: Signature, next: Age) {
        let at = match self.ages.last() {
            Some(last) if back(*last, next) <= back(age, next) => self.find(age, next),
            _ => self.ages.len(),
        };
        if self.ages.get(at) == Some(&age) {
            self.signatures[at] = signature;
            self.struck -= 1;
            return;
        }
        if self.ages.len() == self.ages.capacity() {
            let more = (self.ages.len() / GROWS_BY).max(4);
            self.ages.reserve_exact(more);
            self.signatures.reserve_exact(more);
        }
        self.ages.insert(at, age);
        self.signatures.insert(at, signature);
    }

    /// Strikes somebody out who is in.
    pub(super) fn remove(&mut self, age: Age, next: Age) {
        let at = self.find(age, next);
        debug_assert_eq!(self.ages.get(at), Some(&age), "only who is in goes out");
        self.signatures[at] = Signature::STRUCK;
        self.struck += 1;
        if 2 * self.struck as usize > self.ages.len() {
            self.tidy();
        }
    }

    /// The entries of a span.
    pub(super) fn span(&self, span: Span) -> Range<usize> {
        self.find(span.from, span.next)..self.find(span.to, span.next)
    }

    /// Ages and signatures of these entries, also of those that are struck out.
    pub(super) fn entries(&self, range: Range<usize>) -> (&[Age], &[Signature]) {
        (&self.ages[range.clone()], &self.signatures[range])
    }

    /// How many are in.
    pub(super) fn len(&self) -> usize {
        self.ages.len() - self.struck as usize
    }

    /// How many are older.
    pub(super) fn older(&self, age: Age, next: Age) -> usize {
        let at = self.find(age, next);
        if at + 1 == self.ages.len() && self.signatures[at] != Signature::STRUCK {
            // The youngest: most who ask have just come.
            return self.len() - 1;
        }
        let older = &self.signatures[..at];
        older.iter().filter(|signature| **signature != Signature::STRUCK).count()
    }

    /// The age of an entry.
    pub(super) fn age(&self, at: usize) -> Age {
        self.ages[at]
    }

    /// The end of the oldest part of a span that has about this share of its entries, a few at least.
    pub(super) fn part(&self, span: Span, share: f64) -> Age {
        let range = self.span(span);
        let at = range.start + FEW + (range.len() as f64 * share.min(1.0)) as usize;
        if at < range.end { self.ages[at] } else { span.to }
    }

    /// The first entry of this age or a younger one.
    fn find(&self, age: Age, next: Age) -> usize {
        let limit = back(age, next);
        let is_older = |other: &Age| back(*other, next) > limit;
        // Mostly all are asked for, or the youngest.
        if !self.ages.first().is_some_and(is_older) {
            return 0;
        }
        if self.ages.last().is_some_and(is_older) {
            return self.ages.len();
        }
        self.ages.partition_point(is_older)
    }

    fn tidy(&mut self) {
        let mut kept = 0;
        for at in 0..self.ages.len() {
            if self.signatures[at] != Signature::STRUCK {
                self.ages[kept] = self.ages[at];
                self.signatures[kept] = self.signatures[at];
                kept += 1;
            }
        }
        self.ages.truncate(kept);
        self.signatures.truncate(kept);
        self.struck = 0;
        self.ages.shrink_to(kept + kept / GROWS_BY);
        self.signatures.shrink_to(kept + kept / GROWS_BY);
    }
}
