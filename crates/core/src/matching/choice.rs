//! Which of those who wait a seeker would take first.
//!
//! Knows scores, thresholds and who never meets. Must not know who is live.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use smallvec::SmallVec;

use super::Ticket;
use super::index::{AT_ONCE, Best};
use super::invited::Invited;
use super::members::{Member, Members, Moment};
use super::person::Person;
use super::posting::Age;
use super::query::Query;
use super::relaxation::Relaxation;
use super::scored::Scored;
use super::words::Words;

/// Everybody who may be handed out.
#[derive(Debug)]
pub(super) struct Choice {
    rule: Rule,
    /// Pairs of tickets that don't meet, each in both orders, and until when; `None` for ever.
    barred: BTreeMap<(Ticket, Ticket), Option<Instant>>,
}

/// Whom a seeker prefers.
#[derive(Debug)]
enum Rule {
    /// The oldest, of these who wait.
    Oldest(BTreeSet<Ticket>),
    /// The one who fits best.
    Best(Box<Scored>),
    /// Only who is of the same invitation.
    Invited(Invited),
}

/// What a look at those who wait has brought.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Found {
    /// Whom the seeker could take, the best first.
    pub(super) candidates: Vec<Ticket>,
    /// Where to go on, if not all were looked at.
    pub(super) rest: Option<Ticket>,
}

impl FromIterator<Ticket> for Found {
    fn from_iter<T: IntoIterator<Item = Ticket>>(candidates: T) -> Self {
        Self { candidates: candidates.into_iter().collect(), rest: None }
    }
}

/// Who looks for the best.
struct Seeker<'a> {
    ticket: Ticket,
    member: &'a Member,
    /// Who is older was looked at.
    from: Option<Ticket>,
    most: usize,
    /// Whether the first that will do is enough.
    hasty: bool,
}

impl Choice {
    pub(super) fn oldest() -> Self {
        Self::by(Rule::Oldest(BTreeSet::new()))
    }

    pub(super) fn scored(relaxation: Relaxation) -> Self {
        Self::by(Rule::Best(Box::new(Scored::new(relaxation))))
    }

    pub(super) fn invited() -> Self {
        Self::by(Rule::Invited(Invited::default()))
    }

    fn by(rule: Rule) -> Self {
        Self { rule, barred: BTreeMap::new() }
    }

    /// A ticket is of this invitation.
    pub(super) fn admit(&mut self, ticket: Ticket, invitation: u64) {
        if let Rule::Invited(invited) = &mut self.rule {
            invited.enter(ticket, invitation);
        }
    }

    /// Of which invitation a ticket is.
    pub(super) fn invitation(&self, ticket: Ticket) -> Option<u64> {
        match &self.rule {
            Rule::Invited(invited) => invited.invitation(ticket),
            Rule::Oldest(_) | Rule::Best(_) => None,
        }
    }

    /// Which tickets are of an invitation.
    pub(super) fn guests(&self, invitation: u64) -> impl Iterator<Item = Ticket> {
        let invited = match &self.rule {
            Rule::Invited(invited) => Some(invited),
            Rule::Oldest(_) | Rule::Best(_) => None,
        };
        invited.into_iter().flat_map(move |invited| invited.guests(invitation))
    }

    /// Whether not everybody fits everybody.
    pub(super) fn is_choosy(&self) -> bool {
        !matches!(self.rule, Rule::Oldest(_))
    }

    fn scores(&self) -> Option<&Scored> {
        match &self.rule {
            Rule::Best(scored) => Some(scored),
            Rule::Oldest(_) | Rule::Invited(_) => None,
        }
    }

    fn scores_mut(&mut self) -> Option<&mut Scored> {
        match &mut self.rule {
            Rule::Best(scored) => Some(scored),
            Rule::Oldest(_) | Rule::Invited(_) => None,
        }
    }

    /// How many steps of relaxation there are behind somebody who waits since then.
    pub(super) fn widened(&self, since: Moment, now: Moment) -> usize {
        self.scores().map_or(0, |scored| scored.widened(since, now))
    }

    /// How many are older than a ticket.
    pub(super) fn ahead(&self, ticket: Ticket, members: &Members) -> usize {
        match self.scores() {
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
        match self.scores_mut() {
            Some(scored) => scored.enter(ticket.age(), person, since, next),
            None => (Words::default(), since),
        }
    }

    /// A ticket is of this person now.
    pub(super) fn describe(&mut self, age: Age, person: &Person, words: &mut Words, next: Age) {
        if let Some(scored) = self.scores_mut() {
            scored.describe(age, person, words, next);
        }
    }

    /// A ticket goes out of the pool.
    pub(super) fn leave(&mut self, ticket: Ticket, words: &Words, next: Age) {
        match &mut self.rule {
            Rule::Oldest(line) => _ = line.remove(&ticket),
            Rule::Best(scored) => scored.leave(ticket.age(), words, next),
            Rule::Invited(invited) => invited.leave(ticket),
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
        if let Rule::Oldest(line) = &mut self.rule {
            line.insert(ticket);
        }
    }

    /// It may not, for now.
    pub(super) fn hide(&mut self, ticket: Ticket) {
        if let Rule::Oldest(line) = &mut self.rule {
            line.remove(&ticket);
        }
    }

    /// Whether it may; where not age decides, its state alone tells.
    pub(super) fn shows(&self, ticket: Ticket) -> Option<bool> {
        match &self.rule {
            Rule::Oldest(line) => Some(line.contains(&ticket)),
            Rule::Best(_) | Rule::Invited(_) => None,
        }
    }

    /// These two don't meet, until then.
    pub(super) fn bar(&mut self, a: Ticket, b: Ticket, until: Option<Instant>) {
        self.barred.extend([((a, b), until), ((b, a), until)]);
    }

    /// Whether a ticket doesn't meet everybody, or didn't for a while.
    pub(super) fn bars(&self, ticket: Ticket) -> bool {
        self.barred.range(all_of(ticket)).next().is_some()
    }

    /// When a ticket that found nobody should look again because somebody may be met again.
    pub(super) fn meets_again(&self, ticket: Ticket, now: Instant) -> Option<Instant> {
        let own = self.barred.range(all_of(ticket));
        own.filter_map(|(_, until)| until.filter(|until| *until > now)).min()
    }

    /// When the threshold of somebody falls next who waits since then.
    pub(super) fn relaxes(&self, since: Moment, now: Moment) -> Option<Moment> {
        self.scores()?.relaxes(since, now)
    }

    /// The best `most` for a seeker, of those who wait from `from` on; in haste, the first that will do.
    pub(super) fn best(
        &self,
        members: &Members,
        ticket: Ticket,
        (from, most, hasty): (Option<Ticket>, usize, bool),
        (now, moment): (Instant, Moment),
    ) -> Found {
        let free = |other: &Ticket| !self.is_barred(ticket, *other, now);
        let waits = |other: &Ticket| members.get(*other).is_some_and(Member::waits);
        match (&self.rule, members.get(ticket)) {
            (Rule::Best(scored), Some(seeker)) => {
                let seeker = Seeker { ticket, member: seeker, from, most, hasty };
                self.fittest(scored, members, seeker, (now, moment))
            }
            (Rule::Best(_), None) => Found::default(),
            (Rule::Oldest(line), _) => line.iter().copied().filter(free).take(most).collect(),
            (Rule::Invited(invited), _) => {
                invited.others(ticket).filter(waits).filter(free).collect()
            }
        }
    }

    /// The best by their scores.
    fn fittest(
        &self,
        scored: &Scored,
        members: &Members,
        seeker: Seeker<'_>,
        (now, moment): (Instant, Moment),
    ) -> Found {
        let Seeker { ticket, member: seeker, from, most, hasty } = seeker;
        let (query, next) = (Query::new(&seeker.words), members.next());
        let own = scored.threshold(seeker, moment);
        let judge_one = |(age, other): (Age, &Member)| {
            let met = query.allows(&other.words) && age != ticket.age();
            if !met || self.is_barred(ticket, members.ticket_of(age), now) {
                return None;
            }
            let score = query.score(&other.words);
            let enough = score >= own.max(scored.threshold(other, moment));
            enough.then_some((score, age))
        };
        let mut judge = |ages: &[Age], judged: &mut Vec<(u16, Age)>| {
            let some: SmallVec<[(Age, &Member); AT_ONCE]> =
                members.aged(ages, Member::waits).collect();
            judged.extend(some.into_iter().filter_map(judge_one));
        };
        let mut best = Best::new(most, hasty, next);
        let from = from.map_or(members.oldest(), Ticket::age);
        let ranges = scored.ranges(own, from, moment, next);
        let rest = scored.search(&query, from, ranges, &mut best, &mut judge);
        Found {
            candidates: best.found.iter().map(|(_, age)| members.ticket_of(*age)).collect(),
            rest: rest.map(|age| members.ticket_of(age)),
        }
    }

    /// The youngest of those who wait beside an older one that they could meet; only where the oldest
    /// comes first.
    pub(super) fn younger(&self) -> Option<Ticket> {
        let Rule::Oldest(line) = &self.rule else { return None };
        if line.len() < 2 {
            return None;
        }
        let barred = |one: Ticket, other: Ticket| self.barred.contains_key(&(one, other));
        let meets_an_older =
            |ticket: &Ticket| line.range(..*ticket).any(|older| !barred(*ticket, *older));
        line.iter().rev().copied().find(meets_an_older)
    }

    fn is_barred(&self, a: Ticket, b: Ticket, now: Instant) -> bool {
        let until = if self.barred.is_empty() { None } else { self.barred.get(&(a, b)) };
        until.is_some_and(|until| until.is_none_or(|until| until > now))
    }
}

fn all_of(ticket: Ticket) -> std::ops::RangeInclusive<(Ticket, Ticket)> {
    (ticket, Ticket::OLDEST)..=(ticket, Ticket::YOUNGEST)
}
