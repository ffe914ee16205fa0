//! Who waits in a pool, and which of them a seeker would take first.
//!
//! Knows scores, thresholds and who never meets. Must not know who is live.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::Ticket;
use super::invited::Invited;
use super::person::{Person, Tag};
use super::score::{Lists, score};

/// So many waiting are looked at in one go, which takes some 100 µs; the rest right after, when others
/// have had their turn.
pub const LOOKED_AT: usize = 1024;

/// How much a score must be at least, by waiting time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relaxation(Vec<(Duration, u16)>);

impl Relaxation {
    /// Steps: from so long on, a score of so many thousandths will do. `None` unless the first is for a
    /// wait of 0, the times rise, and the scores fall.
    pub fn new(steps: Vec<(Duration, u16)>) -> Option<Self> {
        let begins = steps.first().is_some_and(|(after, _)| after.is_zero());
        let relaxes = steps.is_sorted_by(|(a, high), (b, low)| a < b && high > low);
        (begins && relaxes).then_some(Self(steps))
    }

    /// From which wait on which score will do.
    pub fn steps(&self) -> &[(Duration, u16)] {
        &self.0
    }

    /// What will do after this wait.
    pub fn threshold(&self, waited: Duration) -> u16 {
        let step = self.0.iter().rev().find(|(after, _)| *after <= waited);
        step.map_or(1000, |(_, threshold)| *threshold)
    }

    /// After which wait the next step comes.
    pub fn next(&self, waited: Duration) -> Option<Duration> {
        self.0.iter().map(|(after, _)| *after).find(|after| *after > waited)
    }

    /// How many steps have been taken after this wait.
    pub fn step(&self, waited: Duration) -> usize {
        self.0.iter().take_while(|(after, _)| *after <= waited).count().saturating_sub(1)
    }
}

/// A ticket of a scored pool.
#[derive(Debug)]
struct Member {
    since: Instant,
    lists: Lists<u32>,
}

/// What a scored pool knows besides who waits.
#[derive(Debug)]
struct Scored {
    relaxation: Relaxation,
    members: HashMap<Ticket, Member>,
    tags: Tags,
}

/// Everybody who may be handed out.
#[derive(Debug)]
pub(super) struct Choice {
    waiting: BTreeSet<Ticket>,
    /// Pairs of tickets that don't meet, each in both orders, and until when; `None` for ever.
    barred: BTreeMap<(Ticket, Ticket), Option<Instant>>,
    /// `None`: the oldest comes first.
    scored: Option<Scored>,
    /// If there: only those of one invitation meet.
    invited: Option<Invited>,
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
    pub(super) fn new(relaxation: Option<Relaxation>) -> Self {
        let scored = relaxation.map(|relaxation| Scored {
            relaxation,
            members: HashMap::new(),
            tags: Tags::default(),
        });
        Self { waiting: BTreeSet::new(), barred: BTreeMap::new(), scored, invited: None }
    }

    pub(super) fn invited() -> Self {
        Self { invited: Some(Invited::default()), ..Self::new(None) }
    }

    /// A ticket is of this invitation.
    pub(super) fn admit(&mut self, ticket: Ticket, invitation: u64) {
        if let Some(invited) = &mut self.invited {
            invited.enter(ticket, invitation);
        }
    }

    /// Of which invitation a ticket is.
    pub(super) fn invitation(&self, ticket: Ticket) -> Option<u64> {
        self.invited.as_ref()?.invitation(ticket)
    }

    /// Whether something else than age decides: not everybody fits everybody.
    pub(super) fn is_scored(&self) -> bool {
        self.scored.is_some() || self.invited.is_some()
    }

    /// How many steps of relaxation there are behind a ticket.
    pub(super) fn widened(&self, ticket: Ticket, now: Instant) -> usize {
        self.scored.as_ref().map_or(0, |scored| {
            let waited = scored.members.get(&ticket).map(|member| now - member.since);
            scored.relaxation.step(waited.unwrap_or_default())
        })
    }

    /// A ticket is in the pool, of this person, who waits since then.
    pub(super) fn enter(&mut self, ticket: Ticket, person: &Person, since: Instant) {
        if let Some(scored) = &mut self.scored {
            scored.leave(ticket);
            let lists = scored.tags.intern(person.lists());
            scored.members.insert(ticket, Member { since, lists });
        }
    }

    /// A ticket is of this person now.
    pub(super) fn describe(&mut self, ticket: Ticket, person: &Person) {
        let since = self.scored.as_ref().and_then(|scored| scored.members.get(&ticket));
        if let Some(since) = since.map(|member| member.since) {
            self.enter(ticket, person, since);
        }
    }

    /// A ticket isn't in the pool any more.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
        if let Some(scored) = &mut self.scored {
            scored.leave(ticket);
        }
        if let Some(invited) = &mut self.invited {
            invited.leave(ticket);
        }
        if !self.barred.is_empty() {
            self.barred.retain(|(a, b), _| *a != ticket && *b != ticket);
        }
    }

    /// It may be handed out.
    pub(super) fn show(&mut self, ticket: Ticket) {
        self.waiting.insert(ticket);
    }

    /// It may not, for now.
    pub(super) fn hide(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
    }

    pub(super) fn shows(&self, ticket: Ticket) -> bool {
        self.waiting.contains(&ticket)
    }

    /// These two don't meet, until then.
    pub(super) fn bar(&mut self, a: Ticket, b: Ticket, until: Option<Instant>) {
        self.barred.extend([((a, b), until), ((b, a), until)]);
    }

    /// When a ticket that found nobody should look again: its threshold falls, or somebody may be met
    /// again.
    pub(super) fn look_again(&self, ticket: Ticket, now: Instant) -> Option<Instant> {
        let relaxed = self.scored.as_ref().and_then(|scored| {
            let since = scored.members.get(&ticket)?.since;
            scored.relaxation.next(now - since).map(|after| since + after)
        });
        let own = self.barred.range((ticket, Ticket::OLDEST)..=(ticket, Ticket::YOUNGEST));
        let met_again = own.filter_map(|(_, until)| until.filter(|until| *until > now));
        met_again.chain(relaxed).min()
    }

    /// The best `most` for a seeker, of those who wait from `from` on.
    pub(super) fn best(
        &self,
        ticket: Ticket,
        from: Option<Ticket>,
        most: usize,
        now: Instant,
    ) -> Found {
        if let Some(invited) = &self.invited {
            let free = |other: &Ticket| self.shows(*other) && !self.is_barred(ticket, *other, now);
            return Found { candidates: invited.others(ticket).filter(free).collect(), rest: None };
        }
        let mut met = self
            .waiting
            .range(from.unwrap_or(Ticket::OLDEST)..)
            .copied()
            .filter(|other| !self.is_barred(ticket, *other, now));
        let Some(scored) = &self.scored else {
            return Found { candidates: met.take(most).collect(), rest: None };
        };
        let mut best: Vec<(u16, Ticket)> = Vec::with_capacity(most + 1);
        for other in met.by_ref().take(LOOKED_AT) {
            let Some(score) = scored.acceptable(ticket, other, now) else { continue };
            // The older comes first among equals, and was looked at first.
            let place = best.partition_point(|(better, _)| *better >= score);
            if place < most {
                best.insert(place, (score, other));
                best.truncate(most);
            }
        }
        Found { candidates: best.into_iter().map(|(_, other)| other).collect(), rest: met.next() }
    }

    /// The youngest of those who wait beside an older one that they could meet; only where the oldest
    /// comes first.
    pub(super) fn younger(&self) -> Option<Ticket> {
        if self.waiting.len() < 2 || self.is_scored() {
            return None;
        }
        self.waiting.iter().rev().copied().find(|ticket| self.meets_an_older(*ticket))
    }

    fn meets_an_older(&self, ticket: Ticket) -> bool {
        self.waiting.range(..ticket).any(|older| !self.barred.contains_key(&(ticket, *older)))
    }

    fn is_barred(&self, a: Ticket, b: Ticket, now: Instant) -> bool {
        let until = if self.barred.is_empty() { None } else { self.barred.get(&(a, b)) };
        until.is_some_and(|until| until.is_none_or(|until| until > now))
    }
}

impl Scored {
    /// The score of two, if that will do for both.
    fn acceptable(&self, a: Ticket, b: Ticket, now: Instant) -> Option<u16> {
        let [a, b] = [self.members.get(&a)?, self.members.get(&b)?];
        let threshold = |member: &Member| self.relaxation.threshold(now - member.since);
        let score = score(&a.lists, &b.lists);
        (score >= threshold(a).max(threshold(b))).then_some(score)
    }

    fn leave(&mut self, ticket: Ticket) {
        if let Some(member) = self.members.remove(&ticket) {
            self.tags.free(&member.lists);
        }
    }
}

/// Words as numbers, as long as somebody uses them.
#[derive(Debug, Default)]
struct Tags {
    numbers: HashMap<Tag, u32>,
    /// By number: the word, and how many use it.
    uses: Vec<(Tag, u32)>,
    free: Vec<u32>,
}

impl Tags {
    fn intern(&mut self, lists: &Lists<Tag>) -> Lists<u32> {
        lists.map(|words| {
            let mut numbers: Vec<_> = words.iter().map(|word| self.take(word)).collect();
            numbers.sort_unstable();
            numbers
        })
    }

    fn take(&mut self, word: &Tag) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            self.uses[*number as usize].1 += 1;
            return *number;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.uses.push(Default::default());
            self.uses.len() as u32 - 1
        });
        self.uses[number as usize] = (word.clone(), 1);
        self.numbers.insert(word.clone(), number);
        number
    }

    fn free(&mut self, lists: &Lists<u32>) {
        for number in lists.all() {
            let (word, uses) = &mut self.uses[*number as usize];
            *uses -= 1;
            if *uses == 0 {
                self.numbers.remove(word);
                self.free.push(*number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_fall_step_by_step() {
        let seconds = Duration::from_secs;
        let relaxation =
            Relaxation::new(vec![(seconds(0), 500), (seconds(10), 100), (seconds(30), 0)]);
        let relaxation = relaxation.expect("it falls");
        for (waited, threshold, next, step) in
            [(0, 500, Some(10), 0), (9, 500, Some(10), 0), (10, 100, Some(30), 1), (30, 0, None, 2)]
        {
            let waited = seconds(waited);
            assert_eq!(relaxation.threshold(waited), threshold);
            assert_eq!(relaxation.next(waited), next.map(seconds));
            assert_eq!(relaxation.step(waited), step);
        }
        for bad in [vec![], vec![(1, 500)], vec![(0, 500), (0, 100)], vec![(0, 500), (9, 500)]] {
            let steps = bad.into_iter().map(|(after, threshold)| (seconds(after), threshold));
            assert_eq!(Relaxation::new(steps.collect()), None);
        }
    }

    #[test]
    fn words_that_nobody_uses_are_forgotten() {
        let mut tags = Tags::default();
        let lists = |words: &[&str]| Lists {
            offers: words.iter().map(|word| Tag::from(*word)).collect(),
            ..Lists::default()
        };
        let first = tags.intern(&lists(&["a", "b"]));
        let second = tags.intern(&lists(&["b", "c"]));
        assert_eq!((first.offers, tags.numbers.len()), (vec![0, 1], 3));
        tags.free(&Lists { offers: vec![0, 1], ..Lists::default() });
        assert_eq!(tags.numbers.len(), 2, "b is still used");
        tags.free(&second);
        assert_eq!((tags.numbers.len(), tags.free.len()), (0, 3));
        assert_eq!(tags.intern(&lists(&["d"])).offers.len(), 1);
        assert_eq!(tags.uses.len(), 3, "numbers are used again");
    }
}
