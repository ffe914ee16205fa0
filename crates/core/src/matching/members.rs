//! The tickets of a pool, and what is known of each.
//!
//! Must not know who fits whom.

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use slab::Slab;
use smallvec::SmallVec;

use super::index::AT_ONCE;
use super::posting::{Age, back};
use super::words::Words;
use super::{MOST_POOLS, Ticket};

/// A time, in nanoseconds since the pool heard of the first one; 48 bytes a ticket are saved by this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

impl Moment {
    #[cfg(test)]
    pub(super) const ZERO: Self = Self(0);
    pub(super) const NEVER: Self = Self(u64::MAX);

    /// So much later.
    pub(super) fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time.as_nanos() as u64))
    }

    /// How long ago that is at `now`; nothing if it is yet to come.
    pub(super) fn elapsed(self, now: Self) -> Duration {
        Duration::from_nanos(now.0.saturating_sub(self.0))
    }
}

/// What a ticket does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It looks for a partner, and isn't handed out.
    Seeking,
    /// It may be handed out.
    Waiting,
    /// Reserved by a seeker that wants to know whether it is live.
    Probed,
    /// It did not answer its probe.
    Silent,
}

/// A ticket in the pool: 104 bytes, as a million may be.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) words: Words,
    pub(super) state: State,
    /// Since when it waits.
    pub(super) since: Moment,
    /// When it was last heard from.
    pub(super) heard: Moment,
    /// When it looks again by itself, while it waits.
    pub(super) again: Moment,
}

impl Member {
    /// Whether it may be handed out.
    pub(super) fn waits(&self) -> bool {
        self.state == State::Waiting
    }
}

/// All tickets of a pool.
#[derive(Debug, Default)]
pub(super) struct Members {
    slots: Slab<Member>,
    by_age: FxHashMap<Age, u32>,
    start: Option<Instant>,
    /// The pool's number among others, and how many tickets were issued.
    pub(super) number: u8,
    pub(super) issued: u64,
}

impl Members {
    /// A ticket younger than all others.
    pub(super) fn issue(&mut self) -> Ticket {
        self.issued += 1;
        self.ticket(self.issued - 1)
    }

    /// The age of the ticket that is issued next.
    pub(super) fn next(&self) -> Age {
        self.issued as Age
    }

    /// Older than every ticket.
    pub(super) fn oldest(&self) -> Age {
        self.next().wrapping_add(1)
    }

    /// The ticket of this age.
    pub(super) fn ticket_of(&self, age: Age) -> Ticket {
        self.ticket(self.issued - u64::from(back(age, self.next())))
    }

    fn ticket(&self, index: u64) -> Ticket {
        Ticket(index * MOST_POOLS as u64 + u64::from(self.number))
    }

    /// The pool counts from then on, if it doesn't yet.
    pub(super) fn begin(&mut self, at: Instant) {
        self.start.get_or_insert(at);
    }

    /// A time as the pool counts.
    pub(super) fn moment(&self, at: Instant) -> Moment {
        let since = self.start.map_or(Duration::ZERO, |start| at.saturating_duration_since(start));
        Moment(since.as_nanos() as u64)
    }

    /// And back.
    pub(super) fn instant(&self, at: Moment) -> Option<Instant> {
        (at != Moment::NEVER).then_some(self.start? + Duration::from_nanos(at.0))
    }

    pub(super) fn insert(&mut self, ticket: Ticket, member: Member) {
        // Four billion tickets at once don't fit into memory.
        let slot = self.slots.insert(member) as u32;
        self.by_age.insert(ticket.age(), slot);
    }

    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Member> {
        let slot = self.by_age.remove(&ticket.age())?;
        self.slots.try_remove(slot as usize)
    }

    pub(super) fn get(&self, ticket: Ticket) -> Option<&Member> {
        self.slots.get(*self.by_age.get(&ticket.age())? as usize)
    }

    pub(super) fn get_mut(&mut self, ticket: Ticket) -> Option<&mut Member> {
        let slot = *self.by_age.get(&ticket.age())?;
        self.slots.get_mut(slot as usize)
    }

    /// Those of these ages that are so: first all are found, so that they are fetched side by side.
    pub(super) fn aged<'a>(
        &'a self,
        ages: &[Age],
        so: impl Fn(&Member) -> bool + 'a,
    ) -> impl Iterator<Item = (Age, &'a Member)> {
        let slots = ages.iter().filter_map(|age| Some((*age, *self.by_age.get(age)?)));
        let slots: SmallVec<[_; AT_ONCE]> = slots.collect();
        let members = slots.into_iter();
        let members = members.filter_map(|(age, slot)| Some((age, self.slots.get(slot as usize)?)));
        members.filter(move |(_, member)| so(member))
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Every one, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Ticket, &Member)> {
        let all = self.by_age.iter();
        all.filter_map(|(age, slot)| Some((self.ticket_of(*age), self.slots.get(*slot as usize)?)))
    }
}
