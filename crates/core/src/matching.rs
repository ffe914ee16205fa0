//! Who meets whom: the oldest live ticket, or the one that fits best.
//!
//! Knows tickets, their age and when each was last heard from. Must not know sockets, tasks or
//! clocks: time is an argument, and what others should do comes out as [`Order`]s.
//!
//! A newcomer *seeks*: it takes the best waiting ticket that is live, and if there is none, it
//! waits. In an *open* pool the oldest is the best. In a *scored* one it is the one that fits best, of
//! those whose score will do for both; what will do falls with the time that each has waited
//! ([`Relaxation`]), and whoever's falls seeks anew. *Live* means heard from within [`Patience::fresh`]; a
//! staler one is probed, and given [`Patience::answer`] to be heard. After a failed probe the next
//! [`PROBES_AT_ONCE`] are probed together and the best live one wins. A ticket that fails a probe is
//! *silent*: it keeps its place, but is not handed out until it is heard again. Nobody waits beside a
//! possible partner: of two who come to do so, one is ordered to seek. In the pool of those who were
//! *invited* ([`Invitations`]) only the two of one invitation may meet.

mod choice;
mod code;
pub mod decisions;
pub mod estimate;
mod index;
mod invitations;
mod invited;
mod marks;
mod members;
mod person;
mod plan;
mod pools;
mod posting;
mod query;
mod relaxation;
mod rests;
mod score;
mod scored;
mod search;
mod signature;
mod words;

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use choice::Choice;
pub use code::{CODE_BITS, CODE_BYTES, Code};
pub use invitations::{
    FAILURES, Invitations, MOST_OPEN, MOST_OPEN_PER_DEVICE, MOST_SPENT, Pass, Uninvited,
};
use members::{Member, Members, Moment, State};
pub use person::{Common, Person, Tag, normalise};
pub use pools::{INVITED, Pools};
pub use relaxation::Relaxation;
use rests::Rests;
pub use score::{Lists, score};
pub use scored::LOOKED_AT;
use search::Search;

/// After one failed probe, so many waiters are probed at once: one round of them covers a
/// network that took many clients down together, and costs at most this many pings.
pub const PROBES_AT_ONCE: usize = 8;

/// The most pools beside each other: a ticket's lowest byte tells its pool.
pub const MOST_POOLS: usize = 256;

/// A place in the queue. Older tickets are smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

impl Ticket {
    const OLDEST: Self = Self(0);
    const YOUNGEST: Self = Self(u64::MAX);

    /// How many were issued before it, as far as 32 bits tell.
    fn age(self) -> posting::Age {
        (self.0 / MOST_POOLS as u64) as posting::Age
    }

    /// The number of its pool among [`Pools`].
    pub fn pool(self) -> usize {
        (self.0 % MOST_POOLS as u64) as usize
    }
}

/// How long before a waiter is doubted, and then given up.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Heard from within this time: live without a probe.
    pub fresh: Duration,
    /// The time a probe may take to be answered.
    pub answer: Duration,
}

/// What a seeking ticket does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It was matched with this ticket; both have left the pool.
    Pair(Ticket),
    /// Somebody is being probed: step again when ordered to, and at this time.
    Probing(Instant),
    /// It waits now, and steps again when ordered to, and at this time, if there is one.
    Wait(Option<Instant>),
}

/// What the holder of a ticket is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Ping the client, and report when it is heard.
    Probe,
    /// Call [`Pool::step`]: there is news, or a possible partner.
    Seek,
}

/// Who asks whether a ticket is live, and whether it has answered.
#[derive(Debug)]
struct Probe {
    by: Ticket,
    answered: bool,
}

/// A queue of tickets.
#[derive(Debug)]
pub struct Pool {
    patience: Patience,
    members: Members,
    choice: Choice,
    /// What those are at who seek, or are probed.
    searches: FxHashMap<Ticket, Search>,
    probes: FxHashMap<Ticket, Probe>,
    rests: Rests,
    orders: Vec<(Ticket, Order)>,
    failed_probes: u64,
}

impl Pool {
    /// An empty open pool.
    pub fn new(patience: Patience) -> Self {
        Self::choosing(patience, Choice::oldest())
    }

    /// An empty scored pool, where what will do falls like this.
    pub fn scored(patience: Patience, relaxation: Relaxation) -> Self {
        Self::choosing(patience, Choice::scored(relaxation))
    }

    /// An empty pool in which only those meet who were [admitted](Pool::admit) by the same invitation.
    pub fn invited(patience: Patience) -> Self {
        Self::choosing(patience, Choice::invited())
    }

    fn numbered(mut self, number: u8) -> Self {
        self.members.number = number;
        self
    }

    fn choosing(patience: Patience, choice: Choice) -> Self {
        Self {
            patience,
            members: Members::default(),
            choice,
            searches: FxHashMap::default(),
            probes: FxHashMap::default(),
            rests: Rests::default(),
            orders: Vec::new(),
            failed_probes: 0,
        }
    }

    /// The youngest ticket yet, heard from just now; its holder calls [`Pool::step`] next.
    pub fn join(&mut self, now: Instant) -> Ticket {
        let ticket = self.issue();
        self.rejoin(ticket, &Person::default(), now, now);
        ticket
    }

    /// A ticket younger than all others, which isn't in the pool yet.
    pub fn issue(&mut self) -> Ticket {
        self.members.issue()
    }

    /// How many tickets in the pool are older than this.
    pub fn ahead(&self, ticket: Ticket) -> usize {
        self.choice.ahead(ticket, &self.members)
    }

    /// Puts a new ticket in, of this person, or a matched one back at its original place: its partner
    /// had gone. It waits since `since`.
    pub fn rejoin(&mut self, ticket: Ticket, person: &Person, since: Instant, now: Instant) {
        debug_assert!(!self.contains(ticket), "{ticket:?} is in already");
        self.members.begin(since);
        let (since, heard) = (self.members.moment(since), self.members.moment(now));
        let next = self.members.next();
        let (words, since) = self.choice.enter(ticket, person, since, next);
        let state = State::Seeking;
        self.members.insert(ticket, Member { words, state, since, heard, again: Moment::NEVER });
    }

    /// The person behind a ticket is this one from now on; unless it is silent, it is to seek anew.
    pub fn describe(&mut self, ticket: Ticket, person: &Person) {
        let next = self.members.next();
        if self.choice.is_choosy() {
            self.call_off(ticket);
        }
        let Some(member) = self.members.get_mut(ticket) else { return };
        if member.state == State::Waiting {
            member.state = State::Seeking;
            self.rests.finish(ticket);
        }
        self.choice.describe(ticket.age(), person, &mut member.words, next);
    }

    /// These two tickets don't meet until then (`None`: never) for as long as both are in the pool.
    pub fn bar(&mut self, a: Ticket, b: Ticket, until: Option<Instant>) {
        self.choice.bar(a, b, until);
        for (seeker, candidate) in [(a, b), (b, a)] {
            let Some(search) = self.searches.get_mut(&seeker) else { continue };
            if search.probed.contains(&candidate) {
                search.probed.retain(|probed| *probed != candidate);
                self.orders.push((seeker, Order::Seek));
                self.readmit(candidate);
            }
        }
        self.settle();
    }

    /// A ticket has come for whoever is of the same invitation; to be said each time it (re)joins.
    pub fn admit(&mut self, ticket: Ticket, invitation: u64) {
        self.choice.admit(ticket, invitation);
    }

    /// By which invitation a ticket was admitted.
    pub fn invitation(&self, ticket: Ticket) -> Option<u64> {
        self.choice.invitation(ticket)
    }

    /// Since when a ticket waits.
    pub fn since(&self, ticket: Ticket) -> Option<Instant> {
        self.members.instant(self.members.get(ticket)?.since)
    }

    /// How often what will do for this ticket has fallen.
    pub fn widened(&self, ticket: Ticket, now: Instant) -> usize {
        let now = self.members.moment(now);
        self.members.get(ticket).map_or(0, |member| self.choice.widened(member.since, now))
    }

    /// For how long the oldest search has been going on that couldn't look at everybody at once.
    pub fn lag(&self, now: Instant) -> Duration {
        self.rests.lag(self.members.moment(now))
    }

    /// The next step of a ticket that seeks, or whose time has come to. For any other (the order was
    /// overtaken by another event) it is to go on waiting.
    pub fn step(&mut self, ticket: Ticket, now: Instant) -> Step {
        let moment = self.members.moment(now);
        let Some(member) = self.members.get(ticket) else { return Step::Wait(None) };
        let mut search = match member.state {
            State::Seeking => self.searches.remove(&ticket).unwrap_or_default(),
            State::Waiting if member.again <= moment => self.rests.search(ticket, moment),
            State::Waiting => return Step::Wait(self.members.instant(member.again)),
            State::Probed | State::Silent => return Step::Wait(None),
        };
        let heard = member.heard;
        self.choice.hide(ticket);
        let step = match self.prove(ticket, heard, &mut search, moment) {
            Some(step) => step,
            None => self.seek(ticket, &mut search, now),
        };
        match step {
            Step::Probing(_) => {
                self.set(ticket, State::Seeking);
                self.searches.insert(ticket, search);
            }
            Step::Wait(_) => self.release(ticket, search.probed),
            Step::Pair(other) => {
                for ticket in [ticket, other] {
                    self.forget(ticket);
                }
                self.release(ticket, search.probed);
            }
        }
        self.settle();
        step
    }

    /// The client behind this ticket was heard from.
    pub fn heard(&mut self, ticket: Ticket, now: Instant) {
        let now = self.members.moment(now);
        let Some(member) = self.members.get_mut(ticket) else { return };
        member.heard = now;
        match member.state {
            State::Waiting => {}
            State::Seeking => {
                let search = self.searches.get_mut(&ticket);
                if search.is_some_and(|search| search.proving.take().is_some()) {
                    self.orders.push((ticket, Order::Seek));
                }
            }
            State::Probed => {
                if let Some(probe) = self.probes.get_mut(&ticket) {
                    probe.answered = true;
                    self.orders.push((probe.by, Order::Seek));
                }
            }
            State::Silent => {
                self.readmit(ticket);
                self.settle();
            }
        }
    }

    /// Takes a ticket out; false if it has been matched (or was never in).
    pub fn leave(&mut self, ticket: Ticket) -> bool {
        let (probe, search) = (self.probes.remove(&ticket), self.searches.remove(&ticket));
        if !self.forget(ticket) {
            return false;
        }
        if let Some(probe) = probe {
            self.orders.push((probe.by, Order::Seek));
        }
        if let Some(search) = search {
            self.release(ticket, search.probed);
        }
        self.settle();
        true
    }

    /// Drops all that is known of a ticket; whether there was anything.
    fn forget(&mut self, ticket: Ticket) -> bool {
        let next = self.members.next();
        let Some(member) = self.members.remove(ticket) else { return false };
        self.choice.leave(ticket, &member.words, next);
        self.rests.finish(ticket);
        self.searches.remove(&ticket);
        self.probes.remove(&ticket);
        true
    }

    /// The orders that the calls so far gave rise to.
    pub fn take_orders(&mut self) -> Vec<(Ticket, Order)> {
        std::mem::take(&mut self.orders)
    }

    /// How many probes have failed so far.
    pub fn failed_probes(&self) -> u64 {
        self.failed_probes
    }

    /// How many tickets there are, in whatever state.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are no tickets.
    pub fn is_empty(&self) -> bool {
        self.members.len() == 0
    }

    /// Whether this ticket is in the pool.
    pub fn contains(&self, ticket: Ticket) -> bool {
        self.members.get(ticket).is_some()
    }

    /// Checks what must always hold, and says what doesn't.
    ///
    /// # Errors
    /// The first violation found, in words.
    pub fn check(&self) -> Result<(), String> {
        for (ticket, member) in self.members.iter() {
            let state = member.state;
            if self.choice.shows(ticket).is_some_and(|shown| shown != (state == State::Waiting)) {
                return Err(format!("{ticket:?} is {state:?}, and listed as otherwise"));
            }
            let by = self.probes.get(&ticket).map(|probe| probe.by);
            if by.is_some() != (state == State::Probed) {
                return Err(format!("{ticket:?} is {state:?}, and reserved by {by:?}"));
            }
            if by.is_some_and(|by| !self.reserves(by, ticket)) {
                return Err(format!("{ticket:?} is reserved by {by:?}, which doesn't know"));
            }
        }
        match self.choice.younger() {
            Some(ticket) => Err(format!("{ticket:?} waits beside one that it could meet")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
