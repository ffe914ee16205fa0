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
//! possible partner: of two who come to do so, one is ordered to seek.

mod choice;
pub mod decisions;
mod person;
mod pools;
mod score;
mod search;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use choice::Choice;
pub use choice::{LOOKED_AT, Relaxation};
pub use person::{Common, Person, Tag, normalise};
pub use pools::Pools;
pub use score::{Lists, score};
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

#[derive(Debug)]
struct Entry {
    state: State,
    heard: Instant,
}

#[derive(Debug)]
enum State {
    Seeking(Search),
    /// May be handed out.
    Waiting(Wait),
    /// Reserved by a seeker that wants to know whether it is live.
    Probed {
        by: Ticket,
        answered: bool,
    },
    /// Did not answer its probe.
    Silent,
}

/// What a ticket that found nobody does by itself.
#[derive(Debug, Clone, Copy, Default)]
struct Wait {
    /// It looks again then.
    again: Option<Instant>,
    /// It hasn't looked at those from this one on.
    rest: Option<Ticket>,
}

/// A queue of tickets.
#[derive(Debug)]
pub struct Pool {
    patience: Patience,
    tickets: BTreeMap<Ticket, Entry>,
    choice: Choice,
    /// Its number among [`Pools`].
    number: u8,
    next: u64,
    orders: Vec<(Ticket, Order)>,
    failed_probes: u64,
}

impl Pool {
    /// An empty open pool.
    pub fn new(patience: Patience) -> Self {
        Self::choosing(patience, Choice::new(None))
    }

    /// An empty scored pool, where what will do falls like this.
    pub fn scored(patience: Patience, relaxation: Relaxation) -> Self {
        Self::choosing(patience, Choice::new(Some(relaxation)))
    }

    fn choosing(patience: Patience, choice: Choice) -> Self {
        Self {
            patience,
            tickets: BTreeMap::new(),
            choice,
            number: 0,
            next: 0,
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
        let ticket = Ticket(self.next * MOST_POOLS as u64 + u64::from(self.number));
        self.next += 1;
        ticket
    }

    /// How many tickets in the pool are older than this.
    pub fn ahead(&self, ticket: Ticket) -> usize {
        self.tickets.range(..ticket).count()
    }

    /// Puts a new ticket in, of this person, or a matched one back at its original place: its partner
    /// had gone. It waits since `since`.
    pub fn rejoin(&mut self, ticket: Ticket, person: &Person, since: Instant, now: Instant) {
        let state = State::Seeking(Search::default());
        self.tickets.insert(ticket, Entry { state, heard: now });
        self.choice.hide(ticket);
        self.choice.enter(ticket, person, since);
    }

    /// The person behind a ticket is this one from now on; where it waits, it is to seek anew.
    pub fn describe(&mut self, ticket: Ticket, person: &Person) {
        let Some(entry) = self.tickets.get_mut(&ticket) else { return };
        self.choice.describe(ticket, person);
        if let State::Waiting(_) = entry.state {
            entry.state = State::Seeking(Search::default());
            self.choice.hide(ticket);
        }
    }

    /// These two tickets don't meet until then (`None`: never) for as long as both are in the pool.
    pub fn bar(&mut self, a: Ticket, b: Ticket, until: Option<Instant>) {
        self.choice.bar(a, b, until);
    }

    /// How often what will do for this ticket has fallen.
    pub fn widened(&self, ticket: Ticket, now: Instant) -> usize {
        self.choice.widened(ticket, now)
    }

    /// The next step of a ticket that seeks, or whose time has come to. For any other (the order was
    /// overtaken by another event) it is to go on waiting.
    pub fn step(&mut self, ticket: Ticket, now: Instant) -> Step {
        let Some(entry) = self.tickets.get_mut(&ticket) else { return Step::Wait(None) };
        let heard = entry.heard;
        let mut search = match &mut entry.state {
            State::Seeking(search) => std::mem::take(search),
            State::Waiting(Wait { again: Some(at), rest }) if *at <= now => Search::from(*rest),
            State::Waiting(wait) => return Step::Wait(wait.again),
            State::Probed { .. } | State::Silent => return Step::Wait(None),
        };
        self.choice.hide(ticket);
        let step = match self.prove(ticket, heard, &mut search, now) {
            Some(step) => step,
            None => self.seek(ticket, &mut search, now),
        };
        match step {
            Step::Probing(_) => self.set(ticket, State::Seeking(search)),
            Step::Wait(_) => self.release(ticket, search.probed),
            Step::Pair(other) => {
                for ticket in [ticket, other] {
                    self.tickets.remove(&ticket);
                    self.choice.leave(ticket);
                }
                self.release(ticket, search.probed);
            }
        }
        self.settle();
        step
    }

    /// The client behind this ticket was heard from.
    pub fn heard(&mut self, ticket: Ticket, now: Instant) {
        let Some(entry) = self.tickets.get_mut(&ticket) else { return };
        entry.heard = now;
        match &mut entry.state {
            State::Waiting(_) => {}
            State::Seeking(search) => {
                if search.proving.take().is_some() {
                    self.orders.push((ticket, Order::Seek));
                }
            }
            State::Probed { by, answered } => {
                *answered = true;
                self.orders.push((*by, Order::Seek));
            }
            State::Silent => {
                self.readmit(ticket);
                self.settle();
            }
        }
    }

    /// Takes a ticket out; false if it has been matched (or was never in).
    pub fn leave(&mut self, ticket: Ticket) -> bool {
        let Some(entry) = self.tickets.remove(&ticket) else { return false };
        self.choice.leave(ticket);
        match entry.state {
            State::Probed { by, .. } => self.orders.push((by, Order::Seek)),
            State::Seeking(search) => self.release(ticket, search.probed),
            State::Waiting(_) | State::Silent => {}
        }
        self.settle();
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
        self.tickets.len()
    }

    /// Whether there are no tickets.
    pub fn is_empty(&self) -> bool {
        self.tickets.is_empty()
    }

    /// Whether this ticket is in the pool.
    pub fn contains(&self, ticket: Ticket) -> bool {
        self.tickets.contains_key(&ticket)
    }

    /// Checks what must always hold, and says what doesn't.
    ///
    /// # Errors
    /// The first violation found, in words.
    pub fn check(&self) -> Result<(), String> {
        for (ticket, entry) in &self.tickets {
            let listed = self.choice.shows(*ticket);
            if listed != matches!(entry.state, State::Waiting(_)) {
                return Err(format!(
                    "{ticket:?} is {:?}, listed as waiting: {listed}",
                    entry.state
                ));
            }
            if let State::Probed { by, .. } = entry.state
                && !self.reserves(by, *ticket)
            {
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
