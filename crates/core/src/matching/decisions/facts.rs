//! What can be said about two tickets: their score part by part, and whether they could meet.
//!
//! Knows tickets that are in a pool at one moment. Must not know what came of it, nor how it is told.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{Call, Outcome, Recorded, Sight};
use crate::matching::score::Lists;
use crate::matching::{Person, Pool, Step, Tag, Ticket, score};

/// A score of two, part by part, each as it would be alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// Of 700, for what one offers and the other seeks.
    pub fit: u16,
    /// Of 200.
    pub topics: u16,
    /// Of 100.
    pub language: u16,
    /// What the first offers and the second seeks, and how much each of these lists has in all.
    pub given: Met,
    /// The other way round.
    pub taken: Met,
    /// Topics of both, of how many.
    pub shared: Met,
    /// Languages of both.
    pub languages: Vec<Tag>,
}

/// Words that are in two lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// Those in both.
    pub words: Vec<Tag>,
    /// How many are in the first list, and in the second.
    pub of: [usize; 2],
}

impl Parts {
    /// Of these two.
    pub fn new(a: &Person, b: &Person) -> Self {
        let [a, b] = [a.lists(), b.lists()];
        let alone = |pick: fn(&Lists<Tag>) -> Lists<Tag>| score(&pick(a), &pick(b));
        Self {
            fit: alone(|lists| Lists {
                offers: lists.offers.clone(),
                seeks: lists.seeks.clone(),
                ..Lists::default()
            }),
            topics: alone(|lists| Lists { topics: lists.topics.clone(), ..Lists::default() }),
            language: alone(|lists| Lists {
                languages: lists.languages.clone(),
                ..Lists::default()
            }),
            given: Met::new(&a.offers, &b.seeks),
            taken: Met::new(&b.offers, &a.seeks),
            shared: Met::new(&a.topics, &b.topics),
            languages: Met::new(&a.languages, &b.languages).words,
        }
    }
}

impl Met {
    fn new(a: &[Tag], b: &[Tag]) -> Self {
        let words = a.iter().filter(|word| b.binary_search(word).is_ok()).cloned().collect();
        Self { words, of: [a.len(), b.len()] }
    }
}

/// A score, and what would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The score of the two.
    pub score: u16,
    /// What will do for the one who looks.
    pub own: u16,
    /// What will do for the other.
    pub others: u16,
}

impl Verdict {
    /// Whether it will do for both.
    pub fn will_do(self) -> bool {
        self.score >= self.own.max(self.others)
    }
}

/// Somebody in the pool, as the one who looks for a partner has them before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub ticket: Ticket,
    /// What they are doing.
    pub sight: Sight,
    /// The two may not meet until then; `Some(None)`: never.
    pub barred: Option<Option<Instant>>,
    /// If scores decide.
    pub verdict: Option<Verdict>,
    /// Whether the one who looks requires a language that they don't speak, and the other way round.
    pub unspoken: [bool; 2],
    /// Whether they have come by another invitation.
    pub stranger: bool,
}

impl Candidate {
    /// Whether the one who looks could take them now.
    pub fn is_possible(&self) -> bool {
        let in_sight = matches!(self.sight, Sight::Waiting(_));
        let allowed = self.barred.is_none() && self.unspoken == [false; 2] && !self.stranger;
        in_sight && allowed && self.verdict.is_none_or(Verdict::will_do)
    }
}

/// What is known of all tickets besides what the pools tell.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    since: HashMap<Ticket, Instant>,
    /// Who doesn't meet whom, from both sides.
    bars: HashMap<Ticket, HashMap<Ticket, Option<Instant>>>,
}

impl Ledger {
    /// This came of a call.
    pub(super) fn note(&mut self, call: &Call, outcome: &Outcome) {
        match (call, outcome) {
            (Call::Join { now, .. }, Outcome::Joined(ticket)) => {
                self.since.insert(*ticket, *now);
            }
            (Call::Rejoin { ticket, since, .. }, _) => {
                self.since.insert(*ticket, *since);
            }
            (Call::Bar { a, b, until }, _) => {
                self.bars.entry(*a).or_default().insert(*b, *until);
                self.bars.entry(*b).or_default().insert(*a, *until);
            }
            (Call::Leave { ticket }, _) => self.forget(&[*ticket]),
            (Call::Step { ticket, .. }, Outcome::Stepped(Step::Pair(other))) => {
                self.forget(&[*ticket, *other]);
            }
            _ => {}
        }
    }

    fn forget(&mut self, tickets: &[Ticket]) {
        for ticket in tickets {
            self.since.remove(ticket);
            for other in self.bars.remove(ticket).into_iter().flatten().map(|(other, _)| other) {
                if let Some(theirs) = self.bars.get_mut(&other) {
                    theirs.remove(ticket);
                }
            }
        }
    }

    /// How long a ticket has waited by then.
    pub(super) fn waited(&self, ticket: Ticket, now: Instant) -> Duration {
        let since = self.since.get(&ticket);
        since.map_or(Duration::ZERO, |since| now.saturating_duration_since(*since))
    }

    /// What there is to say of another one in the pool, for one who looks.
    pub(super) fn candidate(
        &self,
        recorded: &Recorded,
        own: Ticket,
        other: Ticket,
        now: Instant,
    ) -> Option<Candidate> {
        let pool = recorded.pools().at(other)?;
        let sight = pool.sight(other)?;
        let bar = self.bars.get(&own).and_then(|bars| bars.get(&other)).copied();
        let barred = bar.filter(|until| until.is_none_or(|until| until > now));
        let verdict = recorded.recorder().and_then(|recorder| recorder.verdict(own, other, now));
        let verdict = verdict.map(|(score, [own, others])| Verdict { score, own, others });
        let unspoken = recorded.recorder().map(|recorder| recorder.unspoken(own, other));
        let unspoken = unspoken.unwrap_or_default();
        let stranger = pool.invitation(own) != pool.invitation(other);
        Some(Candidate { ticket: other, sight, barred, verdict, unspoken, stranger })
    }

    /// Everybody else in the pool, those first who could be taken, of them the best, of them the oldest.
    pub(super) fn ranked(&self, recorded: &Recorded, own: Ticket, now: Instant) -> Vec<Candidate> {
        let pool = recorded.pools().at(own).into_iter();
        let others = pool.flat_map(Pool::tickets).filter(|other| *other != own);
        let mut all: Vec<_> =
            others.filter_map(|other| self.candidate(recorded, own, other, now)).collect();
        all.sort_by_key(|candidate| {
            let score = candidate.verdict.map_or(0, |verdict| verdict.score);
            (!candidate.is_possible(), Reverse(score), candidate.ticket)
        });
        all
    }
}
