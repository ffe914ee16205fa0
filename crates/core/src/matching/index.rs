//! Who has which word: whom a seeker has to look at, of a million who wait.
//!
//! Somebody fits well only with words in common. So a seeker looks through the posting lists of its own
//! words; and since a few words in common aren't enough, it may pass over the longest lists
//! ([`Plan`]). Knows words, ages and scores. Must not know who may be met: that is asked of a judge.

use smallvec::SmallVec;

use super::plan::{Lanes, Plan, collect};
use super::posting::{Age, Posting, back};
use super::query::{FACETS, MEETS, Query, Sieve};
use super::signature::Signature;
use super::words::{OFFERS, SEEKS, TOPICS, Words};

/// Who offers, or seeks, fewer words than this is kept apart: one word in common is much of a short
/// list, so less can be passed over.
const LONG: usize = 4;

/// To judge somebody costs as much as to pass so many entries: some cache misses.
pub(super) const JUDGING: usize = 200;

/// To plan costs as much as to pass so many entries, for each word of the seeker's.
const PLANNING: usize = 150;

/// So much work an entry is taken to be, before it is known: one in twenty is judged.
const EXPECTED: f64 = 10.0;

/// A word that one of so many has gets no list: to look through everybody is not much longer.
const MANY_IS_ONE_OF: usize = 32;

/// Where fewer have a word, it gets one all the same.
const MANY_AT_LEAST: usize = 1024;

/// Where everybody has to be looked through, so many are at once, before it is asked anew whether that is
/// still so.
const STRETCH: usize = 4096;

/// So many are judged in one go: the processor fetches what it needs of them side by side.
pub(super) const AT_ONCE: usize = 32;

/// Those that are judged in one go.
pub(super) type Hits = SmallVec<[Age; AT_ONCE]>;

/// Tells the scores of those who may be met, given so many ages.
pub(super) type Judge<'a> = dyn FnMut(&[Age], &mut Vec<(u16, Age)>) + 'a;

/// All members of a scored pool, by their words.
#[derive(Debug)]
pub(super) struct Index {
    shelves: [Shelf; 4],
    everyone: Posting,
}

/// Those whose lists have at least certain lengths: by list (offers, seeks, topics) and word.
#[derive(Debug)]
struct Shelf {
    lists: [Vec<Listing>; FACETS],
    least: [usize; FACETS],
}

/// Who has a word in a list.
#[derive(Debug)]
enum Listing {
    These(Posting),
    /// So many that it isn't worth a list: a third of all entries would be those of a few words that are
    /// passed over by nearly everybody.
    Many(usize),
}

/// The tickets issued from `from` on and before `to`; the next one will be `next`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Age,
    pub(super) to: Age,
    pub(super) next: Age,
}

/// How a search goes on.
pub(super) struct Way<'a, 'j> {
    pub(super) query: &'a Query<'a>,
    /// The score that is needed.
    score: u16,
    /// The work that is left, of which so much is spared for where an entry takes more than was thought.
    left: usize,
    spare: usize,
    /// So many entries were looked through.
    seen: usize,
    best: &'a mut Best,
    judge: &'a mut Judge<'j>,
}

/// The best so far, at most so many, and what is still worth looking at.
#[derive(Debug)]
pub(super) struct Best {
    most: usize,
    /// Whether the oldest is the best.
    pub(super) hasty: bool,
    /// The best first; of equals the older.
    pub(super) found: Vec<(u16, Age)>,
    pub(super) next: Age,
    judged: Vec<(u16, Age)>,
}

impl Default for Index {
    fn default() -> Self {
        let shelf =
            |offers, seeks| Shelf { lists: [const { Vec::new() }; 3], least: [offers, seeks, 1] };
        let shelves = [shelf(1, 1), shelf(LONG, 1), shelf(1, LONG), shelf(LONG, LONG)];
        Self { shelves, everyone: Posting::default() }
    }
}

impl Index {
    /// Puts somebody in.
    pub(super) fn insert(&mut self, age: Age, words: &Words, next: Age) {
        let signature = Signature::new(words);
        self.everyone.insert(age, signature, next);
        let many = MANY_AT_LEAST.max(self.everyone.len() / MANY_IS_ONE_OF);
        let shelf = &mut self.shelves[shelf_of(words)];
        for list in [OFFERS, SEEKS, TOPICS] {
            for word in words.list(list) {
                let (postings, word) = (&mut shelf.lists[list], word as usize);
                if postings.len() <= word {
                    postings.resize_with(word + 1, Listing::default);
                }
                postings[word].insert(age, signature, next, many);
            }
        }
    }

    /// Takes somebody out who is in, with these words.
    pub(super) fn remove(&mut self, age: Age, words: &Words, next: Age) {
        self.everyone.remove(age, next);
        let shelf = &mut self.shelves[shelf_of(words)];
        for list in [OFFERS, SEEKS, TOPICS] {
            words.list(list).for_each(|word| shelf.lists[list][word as usize].remove(age, next));
        }
    }

    /// How many are older.
    pub(super) fn older(&self, age: Age, next: Age) -> usize {
        self.everyone.older(age, next)
    }

    /// Looks for the best in a span, of those that reach `score`, for about so much work. `judge` tells
    /// the score of those who may be met. Returns the work done, and from where on nobody was looked at.
    pub(super) fn search(
        &self,
        query: &Query<'_>,
        span: Span,
        score: u16,
        work: usize,
        best: &mut Best,
        judge: &mut Judge<'_>,
    ) -> (usize, Age) {
        let spare = work / 2;
        let mut way = Way { query, score, left: work + spare, spare, seen: 0, best, judge };
        let (mut from, mut each) = (span.from, EXPECTED);
        while from != span.to && !way.is_done() && !way.is_content() {
            let part = Span { from, ..span };
            way.left = way.left.saturating_sub(PLANNING * query.len());
            from = match self.plans(query, part, way.floor()) {
                None => self.judge_some(part, &mut way),
                Some(plans) => self.follow(part, plans, &mut each, &mut way),
            };
        }
        (work - way.left.saturating_sub(spare), from)
    }

    /// What to look through, shelf by shelf; `None` if anybody may reach this score.
    fn plans(&self, query: &Query<'_>, span: Span, score: u16) -> Option<Vec<Plan<'_>>> {
        if query.may_reach([0; FACETS], [1; FACETS], score) {
            // Also where nobody has shown a word, so that there is no shelf to look at.
            return None;
        }
        let shelves =
            self.shelves.iter().filter(|shelf| shelf.lists.iter().any(|list| !list.is_empty()));
        shelves
            .map(|shelf| Plan::new(query, shelf.lanes(query, span), shelf.met(), score))
            .collect()
    }

    /// Looks through as much of a span as the work that is left allows, where each entry is thought to take
    /// so much. If that turns out to be far too much, it tries again with less, and at last with a little.
    /// Returns the end of what was looked at.
    fn follow<'a>(
        &'a self,
        span: Span,
        mut plans: Vec<Plan<'a>>,
        each: &mut f64,
        way: &mut Way<'_, '_>,
    ) -> Age {
        for _ in 0..2 {
            let cost = plans.iter().map(Plan::cost).sum::<usize>() as f64 * *each;
            let to = self.everyone.part(span, way.left.saturating_sub(way.spare) as f64 / cost);
            let (left, seen) = (way.left, way.seen);
            let whole = self.follow_to(to, span, plans, way);
            *each = (left - way.left) as f64 / (way.seen - seen).max(1) as f64;
            if whole {
                return to;
            }
            way.left = 2 * way.spare;
            plans = self.plans(way.query, span, way.floor()).unwrap_or_default();
        }
        way.left = usize::MAX;
        let to = self.everyone.part(span, 0.0);
        self.follow_to(to, span, plans, way);
        way.left = 0;
        to
    }

    /// Follows plans through a part of their span. Whether it came to its end.
    fn follow_to(
        &self,
        to: Age,
        span: Span,
        mut plans: Vec<Plan<'_>>,
        way: &mut Way<'_, '_>,
    ) -> bool {
        if to != span.to {
            plans.iter_mut().for_each(|plan| plan.narrow(Span { to, ..span }));
        }
        plans.iter_mut().all(|plan| plan.follow(way))
    }

    /// Judges the oldest of a span, where words in common aren't needed. Returns the end of what was looked
    /// at.
    fn judge_some(&self, span: Span, way: &mut Way<'_, '_>) -> Age {
        let range = self.everyone.span(span);
        let some = range.start..range.end.min(range.start + STRETCH);
        let (ages, signatures) = self.everyone.entries(some.clone());
        let mut at = 0;
        while at < ages.len() {
            let (mut hits, from) = (Hits::default(), at);
            at = collect(signatures, at, &way.sieve(), 0, &mut hits);
            hits.iter_mut().for_each(|hit| *hit = ages[*hit as usize]);
            way.took(at - from);
            way.judge(&hits);
            if way.is_done() {
                break;
            }
        }
        let end = some.start + at;
        if end == range.end { span.to } else { self.everyone.age(end) }
    }
}

impl Way<'_, '_> {
    /// Tells who is still worth judging.
    pub(super) fn sieve(&self) -> Sieve {
        self.query.sieve(self.floor())
    }

    /// The least score that is still worth looking for.
    pub(super) fn floor(&self) -> u16 {
        self.best.floor(self.score)
    }

    /// So many entries were looked through.
    pub(super) fn took(&mut self, entries: usize) {
        self.left = self.left.saturating_sub(entries);
        self.seen += entries;
    }

    /// Whether somebody was found, where the first is enough.
    fn is_content(&self) -> bool {
        self.best.hasty && !self.best.found.is_empty()
    }

    /// Whether but the spare work is left.
    fn is_done(&self) -> bool {
        self.left <= self.spare
    }

    /// Whether no work is left at all.
    pub(super) fn is_over(&self) -> bool {
        self.left == 0
    }

    /// Judges some.
    pub(super) fn judge(&mut self, some: &[Age]) {
        self.left = self.left.saturating_sub(some.len() * JUDGING);
        self.best.take(some, self.judge);
    }
}

impl Shelf {
    /// The lists of a query's words here.
    fn lanes(&self, query: &Query<'_>, span: Span) -> [Lanes<'_>; FACETS] {
        [0, 1, 2].map(|facet| {
            let mut lanes = Lanes::default();
            for word in query.list(facet) {
                match self.lists[MEETS[facet]].get(word as usize) {
                    Some(Listing::These(posting)) => lanes.add(posting, span),
                    Some(Listing::Many(_)) => lanes.unlisted += 1,
                    None => {}
                }
            }
            lanes
        })
    }

    /// The least lengths of the lists that each facet meets.
    fn met(&self) -> [usize; FACETS] {
        MEETS.map(|list| self.least[list])
    }
}

impl Default for Listing {
    fn default() -> Self {
        Self::These(Posting::default())
    }
}

impl Listing {
    fn insert(&mut self, age: Age, signature: Signature, next: Age, many: usize) {
        match self {
            Self::Many(count) => *count += 1,
            Self::These(posting) if posting.len() >= many => *self = Self::Many(posting.len() + 1),
            Self::These(posting) => posting.insert(age, signature, next),
        }
    }

    fn remove(&mut self, age: Age, next: Age) {
        match self {
            Self::These(posting) => posting.remove(age, next),
            Self::Many(1) => *self = Self::default(),
            Self::Many(count) => *count -= 1,
        }
    }
}

fn shelf_of(words: &Words) -> usize {
    let long = |list| usize::from(words.count(list) >= LONG);
    long(OFFERS) + 2 * long(SEEKS)
}

impl Best {
    pub(super) fn new(most: usize, hasty: bool, next: Age) -> Self {
        Self { most, hasty, found: Vec::with_capacity(most + 1), next, judged: Vec::new() }
    }

    /// The least score worth looking for, where `score` will do.
    pub(super) fn floor(&self, score: u16) -> u16 {
        match self.found.last() {
            Some((worst, _)) if self.found.len() == self.most && !self.hasty => score.max(*worst),
            _ => score,
        }
    }

    /// Judges some, and keeps the best.
    pub(super) fn take(&mut self, some: &[Age], judge: &mut Judge<'_>) {
        judge(some, &mut self.judged);
        for one in self.judged.drain(..) {
            let key = |(score, age): (u16, Age)| {
                (if self.hasty { 0 } else { score }, back(age, self.next))
            };
            let place = self.found.partition_point(|other| key(*other) > key(one));
            if place < self.most && self.found.get(place) != Some(&one) {
                self.found.insert(place, one);
                self.found.truncate(self.most);
            }
        }
    }
}

#[cfg(test)]
mod tests;
