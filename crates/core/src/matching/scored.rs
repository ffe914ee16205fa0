//! A scored pool: thresholds by age, and the search through those who wait, the oldest first.
//!
//! Knows words, thresholds and ages. Must not know who may be met: that is asked of a judge.

use super::index::{Best, Index, Judge, Span};
use super::marks::Marks;
use super::members::{Member, Moment};
use super::person::Person;
use super::posting::{Age, back};
use super::query::Query;
use super::relaxation::Relaxation;
use super::words::{Tags, Words};

/// So much is looked at in one go, in entries of posting lists, at about a nanosecond each; the rest right
/// after, when others have had their turn.
pub const LOOKED_AT: usize = 40_000;

/// What a scored pool knows besides its members.
#[derive(Debug)]
pub(super) struct Scored {
    relaxation: Relaxation,
    marks: Marks,
    tags: Tags,
    index: Index,
}

impl Scored {
    pub(super) fn new(relaxation: Relaxation) -> Self {
        let marks = Marks::new(&relaxation);
        Self { relaxation, marks, tags: Tags::default(), index: Index::default() }
    }

    /// Somebody comes. Returns its words as they are compared, and since when it waits.
    pub(super) fn enter(
        &mut self,
        age: Age,
        person: &Person,
        since: Moment,
        next: Age,
    ) -> (Words, Moment) {
        let words = self.tags.intern(person);
        self.index.insert(age, &words, next);
        (words, self.marks.came(age, since, next))
    }

    /// Somebody is of other words now.
    pub(super) fn describe(&mut self, age: Age, person: &Person, words: &mut Words, next: Age) {
        self.leave(age, words, next);
        *words = self.tags.intern(person);
        self.index.insert(age, words, next);
    }

    /// Somebody goes.
    pub(super) fn leave(&mut self, age: Age, words: &Words, next: Age) {
        self.index.remove(age, words, next);
        self.tags.free(words);
    }

    /// How many are older.
    pub(super) fn older(&self, age: Age, next: Age) -> usize {
        self.index.older(age, next)
    }

    /// What will do for somebody.
    pub(super) fn threshold(&self, member: &Member, now: Moment) -> u16 {
        self.relaxation.threshold(member.since.elapsed(now))
    }

    /// How often that has fallen.
    pub(super) fn widened(&self, since: Moment, now: Moment) -> usize {
        self.relaxation.step(since.elapsed(now))
    }

    /// When it falls next.
    pub(super) fn relaxes(&self, since: Moment, now: Moment) -> Option<Moment> {
        self.relaxation.next(since.elapsed(now)).map(|after| since.after(after))
    }

    /// Up to which age which score is needed for a seeker that is content with `own`: the oldest, for whom
    /// least will do, first; without those older than `from`.
    pub(super) fn ranges(&self, own: u16, from: Age, now: Moment, next: Age) -> Vec<(Age, u16)> {
        let mut ranges: Vec<(Age, u16)> = Vec::new();
        for (after, threshold) in self.relaxation.steps().iter().rev() {
            let to = self.marks.waited(*after, now, next);
            let score = own.max(*threshold);
            if back(to, next) >= back(from, next) {
                continue;
            }
            match ranges.last_mut() {
                Some((end, same)) if *same == score => *end = to,
                Some((end, _)) if back(to, next) >= back(*end, next) => {}
                _ => ranges.push((to, score)),
            }
        }
        ranges
    }

    /// Looks for the best from `from` on, range by range. Returns where to go on, if not all were looked
    /// at.
    pub(super) fn search(
        &self,
        query: &Query<'_>,
        mut from: Age,
        ranges: Vec<(Age, u16)>,
        best: &mut Best,
        judge: &mut Judge<'_>,
    ) -> Option<Age> {
        let (next, end, mut work) = (best.next, ranges.last()?.0, LOOKED_AT);
        for (to, score) in ranges {
            let span = Span { from, to, next };
            let (done, reached) = self.index.search(query, span, score, work, best, judge);
            (work, from) = (work.saturating_sub(done), reached);
            let content = best.hasty && !best.found.is_empty();
            if from != to || content {
                break;
            }
        }
        (from != end).then_some(from)
    }
}
