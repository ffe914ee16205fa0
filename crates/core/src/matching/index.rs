//! Who has which word: whom a seeker has to look at, of a million who wait.
//!
//! Somebody fits well only with words in common. So a seeker looks through the posting lists of its own
//! words; and since a few words in common aren't enough, it may pass over the longest lists
//! ([`Plan`]). Knows words, ages and scores. Must not know who may be met: that is asked of a judge.

use super::plan::{Lane, Plan};
use super::posting::{Age, Posting};
use super::query::{FACETS, MEETS, Query};
use super::signature::Signature;
use super::words::{OFFERS, SEEKS, TOPICS, Words};

/// Who offers, or seeks, fewer words than this is kept apart: one word in common is much of a short
/// list, so less can be passed over.
const LONG: usize = 4;

/// To judge somebody costs as much as to pass so many entries: some cache misses.
pub(super) const JUDGING: usize = 16;

/// So many are judged, where anybody may do, before it is asked anew whether that is still so.
const AT_ONCE: usize = 256;

/// All members of a scored pool, by their words.
#[derive(Debug)]
pub(super) struct Index {
    shelves: [Shelf; 4],
    everyone: Posting,
}

/// Those whose lists have at least certain lengths: by list (offers, seeks, topics) and word.
#[derive(Debug)]
struct Shelf {
    lists: [Vec<Posting>; FACETS],
    least: [usize; FACETS],
}

/// The tickets issued from `from` on and before `to`; the next one will be `next`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Age,
    pub(super) to: Age,
    pub(super) next: Age,
}

/// The best so far, at most so many, and what is still worth looking at.
#[derive(Debug)]
pub(super) struct Best {
    most: usize,
    /// The best first; of equals the older.
    pub(super) found: Vec<(u16, Age)>,
    pub(super) next: Age,
}

impl Default for Index {
    fn default() -> Self {
        let shelf = |offers, seeks| Shelf { lists: [const { Vec::new() }; 3], least: [offers, seeks, 1] };
        let shelves = [shelf(1, 1), shelf(LONG, 1), shelf(1, LONG), shelf(LONG, LONG)];
        Self { shelves, everyone: Posting::default() }
    }
}

impl Index {
    /// Puts somebody in.
    pub(super) fn insert(&mut self, age: Age, words: &Words, next: Age) {
        let signature = Signature::new(words);
        self.everyone.insert(age, signature, next);
        let shelf = &mut self.shelves[shelf_of(words)];
        for list in [OFFERS, SEEKS, TOPICS] {
            for word in words.list(list) {
                let (postings, word) = (&mut shelf.lists[list], *word as usize);
                if postings.len() <= word {
                    postings.resize_with(word + 1, Posting::default);
                }
                postings[word].insert(age, signature, next);
            }
        }
    }

    /// Takes somebody out who is in, with these words.
    pub(super) fn remove(&mut self, age: Age, words: &Words, next: Age) {
        self.everyone.remove(age, next);
        let shelf = &mut self.shelves[shelf_of(words)];
        for list in [OFFERS, SEEKS, TOPICS] {
            words.list(list).iter().for_each(|word| {
                shelf.lists[list][*word as usize].remove(age, next);
            });
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
        judge: &mut dyn FnMut(Age) -> Option<u16>,
    ) -> (usize, Age) {
        let (mut done, mut from) = (0, span.from);
        while from != span.to && done < work {
            let part = Span { from, ..span };
            let (more, to) = match self.plans(query, part, best.floor(score)) {
                None => self.judge_some(query, part, score, best, judge),
                Some(plans) => {
                    let cost: usize = plans.iter().map(Plan::cost).sum();
                    self.follow(query, part, plans, cost, (score, work - done), best, judge)
                }
            };
            done += more;
            from = to;
        }
        (done, from)
    }

    /// What to look through, shelf by shelf; `None` if anybody may reach this score.
    fn plans(&self, query: &Query<'_>, span: Span, score: u16) -> Option<Vec<Plan<'_>>> {
        let shelves = self.shelves.iter().filter(|shelf| shelf.lists.iter().any(|l| !l.is_empty()));
        shelves.map(|shelf| Plan::new(query, shelf.lanes(query, span), shelf.met(), score)).collect()
    }

    /// Follows the plans, through as much of the span as the work allows.
    #[expect(clippy::too_many_arguments, reason = "one search's state, in one place")]
    fn follow(
        &self,
        query: &Query<'_>,
        span: Span,
        mut plans: Vec<Plan<'_>>,
        cost: usize,
        (score, work): (u16, usize),
        best: &mut Best,
        judge: &mut dyn FnMut(Age) -> Option<u16>,
    ) -> (usize, Age) {
        let mut to = span.to;
        if cost > work {
            to = self.everyone.part(span, work as f64 / cost as f64);
            plans.iter_mut().for_each(|plan| plan.narrow(Span { to, ..span }));
        }
        let done = plans.into_iter().map(|plan| plan.follow(query, score, best, judge));
        (done.sum::<usize>() + 1, to)
    }

    /// Judges the oldest of a span, where words in common aren't needed.
    fn judge_some(
        &self,
        query: &Query<'_>,
        span: Span,
        score: u16,
        best: &mut Best,
        judge: &mut dyn FnMut(Age) -> Option<u16>,
    ) -> (usize, Age) {
        let range = self.everyone.span(span);
        let some = range.start..range.end.min(range.start + AT_ONCE);
        let (ages, signatures) = self.everyone.entries(some.clone());
        let mut work = 0;
        for (age, signature) in ages.iter().zip(signatures) {
            work += 1;
            if *signature != Signature::STRUCK && query.may_reach(*signature, best.floor(score)) {
                work += JUDGING;
                best.take(*age, judge);
            }
        }
        let to = if some.end == range.end { span.to } else { self.everyone.age(some.end) };
        (work, to)
    }
}

impl Shelf {
    /// The lists of a query's words here.
    fn lanes(&self, query: &Query<'_>, span: Span) -> [Vec<Lane<'_>>; FACETS] {
        [0, 1, 2].map(|facet| {
            let postings = &self.lists[MEETS[facet]];
            let words = query.list(facet).iter();
            let postings = words.filter_map(|word| postings.get(*word as usize));
            postings.map(|posting| Lane::new(posting, span)).collect()
        })
    }

    /// The least lengths of the lists that each facet meets.
    fn met(&self) -> [usize; FACETS] {
        MEETS.map(|list| self.least[list])
    }
}

fn shelf_of(words: &Words) -> usize {
    let long = |list| usize::from(words.list(list).len() >= LONG);
    long(OFFERS) + 2 * long(SEEKS)
}

impl Best {
    pub(super) fn new(most: usize, next: Age) -> Self {
        Self { most, found: Vec::with_capacity(most + 1), next }
    }

    /// The least score worth looking for, where `score` will do.
    pub(super) fn floor(&self, score: u16) -> u16 {
        match self.found.last() {
            Some((worst, _)) if self.found.len() == self.most => score.max(*worst),
            _ => score,
        }
    }

    /// Judges somebody, and keeps it if it is among the best.
    pub(super) fn take(&mut self, age: Age, judge: &mut dyn FnMut(Age) -> Option<u16>) {
        let Some(score) = judge(age) else { return };
        let key = |(score, age): (u16, Age)| (score, super::posting::back(age, self.next));
        let place = self.found.partition_point(|other| key(*other) > key((score, age)));
        if place < self.most && self.found.get(place) != Some(&(score, age)) {
            self.found.insert(place, (score, age));
            self.found.truncate(self.most);
        }
    }
}
