//! Which of those who wait a seeker would take first.
//!
//! Knows scores, thresholds and who never meets. Must not know who is live.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use smallvec::SmallVec;

use super::Ticket;
use super::index::{AT_ONCE, Best};
use super::members::{Member, Members, Moment, State};
use super::person::Person;
use super::posting::Age;
use super::query::Query;
use super::relaxation::Relaxation;
use super::scored::Scored;
use super::words::Words;

/// Everybody who may be handed out.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// In a pool where the oldest comes first: who waits.
    line: BTreeSet<Ticket>,
    /// Pairs of tickets that don't meet, each in both orders, and until when; `None` for ever.
    barred: BTreeMap<(Ticket, Ticket), Option<Instant>>,
    /// `None`: the oldest comes first.
    scored: Option<Scored>,
}

/// What a look at those who wait has brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Whom the seeker could take, the best first.
    pub(super) candidates: Vec<Ticket>,
    /// Where to go on, if not all were looked at.
    pub(super) rest: Option<Ticket>,
}

impl Choice {
    pub(super) fn scored(relaxation: Relaxation) -> Self {
        Self { scored: Some(Scored::new(relaxation)), ..Self::default() }
    }

    /// Whether scores decide.
    pub(super) fn is_scored(&self) -> bool {
        self.scored.is_some()
    }

    /// How many steps of relaxation there are behind somebody who waits since then.
    pub(super) fn widened(&self, since: Moment, now: Moment) -> usize {
        self.scored.as_ref().map_or(0, |scored| scored.widened(since, now))
    }

    /// How many are older than a ticket.
    pub(super) fn ahead(&self, ticket: Ticket, members: &Members) -> usize {
        match &self.scored {
            Some(scored) => scored.older(ticket.age(), members.next()),
            None => members.iter().filter(|(other, _)| *other < ticket).count(),
        }
    }

    /// A ticket comes into the pool, of this person, who waits since then.
    pub(super) fn enter(
        &mut self,
        ticket: Ticket,
        person: &Person,
        since: Moment,
        next: Age,
    ) -> (Words, Moment) {
        match &mut self.scored {
            Some(scored) => scored.enter(ticket.age(), person, since, next),
            None => (Words::default(), since),
        }
    }

    /// A ticket is of this person now.
    pub(super) fn describe(&mut self, age: Age, person: &Person, words: &mut Words, next: Age) {
        if let Some(scored) = &mut self.scored {
            scored.describe(age, person, words, next);
        }
    }

    /// A ticket goes out of the pool.
    pub(super) fn leave(&mut self, ticket: Ticket, words: &Words, next: Age) {
        self.hide(ticket);
        if let Some(scored) = &mut self.scored {
            scored.leave(ticket.age(), words, next);
        }
        if !self.barred.is_empty() {
            let own = self.barred.range(all_of(ticket)).map(|((_, other), _)| *other);
            for other in own.collect::<Vec<_>>() {
                self.barred.remove(&(ticket, other));
                self.barred.remove(&(other, ticket));
            }
        }
    }

    /// It may be handed out.
    pub(super) fn show(&mut self, ticket: Ticket) {
        if !self.is_scored() {
            self.line.insert(ticket);
        }
    }

    /// It may not, for now.
    pub(super) fn hide(&mut self, ticket: Ticket) {
        self.line.remove(&ticket);
    }

    /// Whether it may; where scores decide, its state alone tells.
    pub(super) fn shows(&self, ticket: Ticket) -> Option<bool> {
        (!self.is_scored()).then(|| self.line.contains(&ticket))
    }

    /// These two don't meet, until then.
    pub(super) fn bar(&mut self, a: Ticket, b: Ticket, until: Option<Instant>) {
        self.barred.extend([((a, b), until), ((b, a), until)]);
    }

    /// When a ticket that found nobody should look again because somebody may be met again.
    pub(super) fn meets_again(&self, ticket: Ticket, now: Instant) -> Option<Instant> {
        let own = self.barred.range(all_of(ticket));
        own.filter_map(|(_, until)| until.filter(|until| *until > now)).min()
    }

    /// When the threshold of somebody falls next who waits since then.
    pub(super) fn relaxes(&self, since: Moment, now: Moment) -> Option<Moment> {
        self.scored.as_ref()?.relaxes(since, now)
    }

    /// The best `most` for a seeker, of those who wait from `from` on; in haste, the first that will do.
    pub(super) fn best(
        &self,
        members: &Members,
        ticket: Ticket,
        from: Option<Ticket>,
        most: usize,
        (now, moment): (Instant, Moment),
        hasty: bool,
    ) -> Found {
        let (Some(scored), Some(seeker)) = (&self.scored, members.get(ticket)) else {
            let line = self.line.range(from.unwrap_or(Ticket::OLDEST)..).copied();
            let met = line.filter(|other| !self.is_barred(ticket, *other, now));
            return Found { candidates: met.take(most).collect(), rest: None };
        };
        let (query, next) = (Query::new(&seeker.words), members.next());
        let own = scored.threshold(seeker, moment);
        let judge_one = |(age, other): (Age, &Member)| {
            let score = query.score(&other.words);
            let enough = score >= own.max(scored.threshold(other, moment));
            let met = enough && query.allows(&other.words) && age != ticket.age();
            (met && !self.is_barred(ticket, members.ticket_of(age), now)).then_some((score, age))
        };
        let mut judge = |ages: &[Age], judged: &mut Vec<(u16, Age)>| {
            let waiting = |member: &Member| member.state == State::Waiting;
            let some: SmallVec<[(Age, &Member); AT_ONCE]> = members.aged(ages, waiting).collect();
            judged.extend(some.into_iter().filter_map(judge_one));
        };
        let mut best = Best::new(most, next);
        let from = from.map_or(members.oldest(), Ticket::age);
        let ranges = scored.ranges(own, from, moment, next);
        let rest = scored.search(&query, from, ranges, hasty, &mut best, &mut judge);
        Found {
            candidates: best.found.iter().map(|(_, age)| members.ticket_of(*age)).collect(),
            rest: rest.map(|age| members.ticket_of(age)),
        }
    }

    /// The youngest of those who wait beside an older one that they could meet; only where the oldest
    /// comes first.
    pub(super) fn younger(&self) -> Option<Ticket> {
        if self.line.len() < 2 {
            return None;
        }
        self.line.iter().rev().copied().find(|ticket| self.meets_an_older(*ticket))
    }

    fn meets_an_older(&self, ticket: Ticket) -> bool {
        self.line.range(..ticket).any(|older| !self.barred.contains_key(&(ticket, *older)))
    }

    fn is_barred(&self, a: Ticket, b: Ticket, now: Instant) -> bool {
        let until = if self.barred.is_empty() { None } else { self.barred.get(&(a, b)) };
        until.is_some_and(|until| until.is_none_or(|until| until > now))
    }
}

fn all_of(ticket: Ticket) -> std::ops::RangeInclusive<(Ticket, Ticket)> {
    (ticket, Ticket::OLDEST)..=(ticket, Ticket::YOUNGEST)
}
