//! Which posting lists a seeker looks through, and which it may pass over.
//!
//! Who is only in lists that were passed over has only those words in common. As long as they can't make
//! up the score that is needed, nobody is missed. The longest lists are those of the commonest words, so
//! passing over a few saves most of the work. Knows lists and scores. Must not know who may be met.

use std::ops::Range;

use multiversion::multiversion;

use super::index::{AT_ONCE, Hits, Span, Way};
use super::posting::Posting;
use super::query::{FACETS, Query, Sieve};
use super::signature::Signature;

/// A part of one posting list.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    posting: &'a Posting,
    range: Range<usize>,
}

impl<'a> Lane<'a> {
    pub(super) fn new(posting: &'a Posting, span: Span) -> Self {
        Self { posting, range: posting.span(span) }
    }
}

/// Lists to look through, the longest first, and how far one has come.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    lanes: [Vec<Lane<'a>>; FACETS],
    /// How long the lists are at least that each facet meets.
    least: [usize; FACETS],
    course: Course,
}

/// What is needed to find everybody who reaches some score.
#[derive(Debug, Clone, Copy)]
struct Course {
    /// How many of the longest lists of each facet may be passed over.
    passed: [usize; FACETS],
    /// The entries in the others.
    cost: usize,
    /// Who reaches the score has at least so many words in common.
    common: usize,
}

impl<'a> Plan<'a> {
    /// `None` if somebody without a word in common may reach the score.
    pub(super) fn new(
        query: &Query<'_>,
        mut lanes: [Vec<Lane<'a>>; FACETS],
        least: [usize; FACETS],
        score: u16,
    ) -> Option<Self> {
        for lanes in &mut lanes {
            lanes.retain(|lane| !lane.range.is_empty());
            lanes.sort_unstable_by_key(|lane| std::cmp::Reverse(lane.range.len()));
        }
        let course = course(query, &lanes, least, score)?;
        Some(Self { lanes, least, course })
    }

    /// How many entries it looks at, at most.
    pub(super) fn cost(&self) -> usize {
        self.course.cost
    }

    /// Looks at this span only.
    pub(super) fn narrow(&mut self, span: Span) {
        for lane in self.lanes.iter_mut().flatten() {
            lane.range = lane.posting.span(span);
        }
    }

    /// Looks through the lists, the shortest first: what is found soon may spare the others. Whether it came
    /// to the end, before that was too long.
    pub(super) fn follow(&mut self, way: &mut Way<'_, '_>) -> bool {
        let mut floor = way.floor();
        while let Some(lane) = self.next() {
            let (ages, signatures) = lane.posting.entries(lane.range);
            let (sieve, mut at) = (way.sieve(), 0);
            while at < ages.len() {
                let (mut hits, from) = (Hits::default(), at);
                at = collect(signatures, at, &sieve, self.course.common, &mut hits);
                way.took(at - from);
                hits.iter_mut().for_each(|hit| *hit = ages[*hit as usize]);
                way.judge(&hits);
                if way.is_too_much() {
                    return false;
                }
            }
            if way.floor() > floor {
                floor = way.floor();
                // A higher score needs more in common, never less.
                let better = course(way.query, &self.lanes, self.least, floor);
                self.course = better.unwrap_or(self.course);
            }
        }
        true
    }

    /// The shortest list that is still to be looked through.
    fn next(&mut self) -> Option<Lane<'a>> {
        let left =
            (0..FACETS).filter(|facet| self.lanes[*facet].len() > self.course.passed[*facet]);
        let length = |facet: &usize| self.lanes[*facet].last().map(|lane| lane.range.len());
        let facet = left.min_by_key(length)?;
        self.lanes[facet].pop()
    }
}

/// Finds the cheapest way to miss nobody: tries all numbers of lists to pass over. `None` if somebody
/// without a word in common may reach the score.
fn course(
    query: &Query<'_>,
    lanes: &[Vec<Lane<'_>>; FACETS],
    least: [usize; FACETS],
    score: u16,
) -> Option<Course> {
    if query.may_reach([0; FACETS], least, score) {
        return None;
    }
    // What is left of a facet once so many lists are passed over.
    let costs = [0, 1, 2].map(|facet: usize| {
        let lengths = lanes[facet].iter().map(|lane| lane.range.len());
        let all: usize = lengths.clone().sum();
        let passed = lengths.scan(all, |left, length| {
            *left -= length;
            Some(*left)
        });
        std::iter::once(all).chain(passed).collect::<Vec<_>>()
    });
    let mut best = Course { passed: [0; FACETS], cost: usize::MAX, common: usize::MAX };
    for given in 0..costs[0].len() {
        // The more of one facet is passed over, the less of another can be.
        let mut topics = costs[2].len() - 1;
        for taken in 0..costs[1].len() {
            let reaches = |topics| query.may_reach([given, taken, topics], least, score);
            if reaches(0) {
                best.common = best.common.min(given + taken);
                break;
            }
            while reaches(topics) {
                topics -= 1;
                best.common = best.common.min(given + taken + topics + 1);
            }
            let cost = costs[0][given] + costs[1][taken] + costs[2][topics];
            if cost < best.cost {
                best.passed = [given, taken, topics];
                best.cost = cost;
            }
        }
    }
    Some(best)
}

/// Collects those from `at` on that have so many words in common, and pass the sieve, until there are enough
/// for one go. Returns where it stopped. Several times as fast where the processor counts bits, which is
/// looked up at run time.
#[multiversion(targets("x86_64+popcnt"))]
fn collect(
    signatures: &[Signature],
    at: usize,
    sieve: &Sieve,
    common: usize,
    hits: &mut Hits,
) -> usize {
    for (at, signature) in signatures.iter().enumerate().skip(at) {
        if sieve.common(*signature) as usize >= common && sieve.passes(*signature) {
            hits.push(at as u32);
            if hits.len() == AT_ONCE {
                return at + 1;
            }
        }
    }
    signatures.len()
}
