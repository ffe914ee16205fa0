//! The best that could have been done with a trace, by somebody who knew it in advance.
//!
//! Knows who was there together. Must not know any matcher.

use std::time::Duration;

use crate::edmonds::{Edge, Matching, matching};
use crate::{Fate, Outcome, Trace};

/// Two may be paired who come at most so far apart, if the first is still there when the second comes.
pub const APART: Duration = Duration::from_secs(60);

/// Each one's best partners that are looked at from the first round on.
const AT_FIRST: usize = 16;

/// Rounds after which what was found is given with a bound on what it may lack; 3 to 6 are usual.
const ROUNDS: usize = 30;

/// The best pairs, or nearly.
#[derive(Debug, Clone)]
pub struct Optimum {
    /// The sum of their scores.
    pub quality: u64,
    /// No choice of pairs has more. The same as `quality` where that is proved to be the most.
    pub bound: u64,
    /// What becomes of whom, each pair as soon as both are there.
    pub outcome: Outcome,
}

/// The pairs with the highest sum of scores.
///
/// There are up to fifty million possible pairs in a trace, so the problem is solved for the best of each one
/// at first. The prices that come with the solution tell which pairs left out could have made a difference:
/// they are put in, until there are none. Then it is the best of all.
pub fn optimum(trace: &Trace) -> Optimum {
    let mut edges = best_of_each(trace);
    for _ in 1..ROUNDS {
        let found = matching(trace.arrivals.len(), &edges);
        let missing = missing(trace, &found, &edges);
        if missing.is_empty() {
            return found.into_optimum(trace, 0);
        }
        edges.extend(missing);
        edges.sort_unstable();
    }
    let found = matching(trace.arrivals.len(), &edges);
    // Prices that are raised by what they lack are high enough for all pairs.
    let mut lack = vec![0; trace.arrivals.len()];
    for (a, b, weight) in missing(trace, &found, &edges) {
        lack[a as usize] = lack[a as usize].max(found.excess(a, b, weight));
    }
    found.into_optimum(trace, lack.iter().sum::<i64>().unsigned_abs().div_ceil(2))
}

impl Matching {
    /// By how much twice an edge's weight exceeds the prices of its ends.
    fn excess(&self, a: u32, b: u32, weight: u32) -> i64 {
        2 * i64::from(weight) - self.prices[a as usize] - self.prices[b as usize]
    }

    fn into_optimum(self, trace: &Trace, lack: u64) -> Optimum {
        let fate = |(who, mate): (usize, &Option<usize>)| match *mate {
            Some(mate) => Fate { end: trace.arrivals[who.max(mate)].at, partner: Some(mate) },
            None => Fate { end: trace.leaves(who), partner: None },
        };
        Optimum {
            quality: self.weight,
            bound: self.bound + lack,
            outcome: self.mates.iter().enumerate().map(fate).collect(),
        }
    }
}

/// All pairs of a trace that may be made and score anything.
pub fn pairs(trace: &Trace) -> impl Iterator<Item = Edge> {
    let people = &trace.arrivals;
    (0..people.len()).flat_map(move |first| {
        let last = (people[first].at + APART).min(trace.leaves(first));
        let later = (first + 1..people.len()).take_while(move |later| people[*later].at <= last);
        later.filter_map(move |later| {
            let score = trace.score(first, later);
            (score > 0).then_some((first as u32, later as u32, u32::from(score)))
        })
    })
}

fn best_of_each(trace: &Trace) -> Vec<Edge> {
    let mut best: Vec<Vec<(u32, u32)>> = vec![Vec::new(); trace.arrivals.len()];
    for (a, b, weight) in pairs(trace) {
        for (one, other) in [(a, b), (b, a)] {
            let best = &mut best[one as usize];
            let place = best.partition_point(|(better, _)| *better >= weight);
            if place < AT_FIRST {
                best.insert(place, (weight, other));
                best.truncate(AT_FIRST);
            }
        }
    }
    let edge = |(one, best): (usize, Vec<(u32, u32)>)| {
        let one = one as u32;
        best.into_iter().map(move |(weight, other)| (one.min(other), one.max(other), weight))
    };
    let mut edges: Vec<_> = best.into_iter().enumerate().flat_map(edge).collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// The pairs that aren't among these edges, and that the prices don't rule out.
fn missing(trace: &Trace, found: &Matching, edges: &[Edge]) -> Vec<Edge> {
    pairs(trace)
        .filter(|(a, b, weight)| found.excess(*a, *b, *weight) > 0)
        .filter(|edge| edges.binary_search(edge).is_err())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::{Rhythm, crowd};

    #[test]
    fn leaving_most_pairs_out_at_first_makes_no_difference() {
        for seed in 0..5 {
            let trace = crowd(Rhythm::Poisson(3.0), 150, seed);
            let all: Vec<_> = pairs(&trace).collect();
            assert!(best_of_each(&trace).len() < all.len() / 2);
            let (whole, optimum) = (matching(150, &all), optimum(&trace));
            assert_eq!((optimum.quality, optimum.bound), (whole.weight, whole.weight));
        }
    }

    #[test]
    fn only_those_are_paired_who_are_there_together_for_a_minute_at_most_apart() {
        let trace = crowd(Rhythm::Poisson(0.5), 300, 1);
        let optimum = optimum(&trace);
        let mut sum = 0;
        for (who, fate) in optimum.outcome.iter().enumerate() {
            let Some(partner) = fate.partner else { continue };
            assert_eq!(optimum.outcome[partner].partner, Some(who));
            let (first, second) = (who.min(partner), who.max(partner));
            assert!(trace.arrivals[second].at - trace.arrivals[first].at <= APART);
            assert!(trace.leaves(first) >= trace.arrivals[second].at);
            sum += u64::from(trace.score(who, partner));
        }
        assert_eq!(sum, 2 * optimum.quality);
    }
}
