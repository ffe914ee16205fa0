//! Who meets whom: the oldest live ticket, first in, first out.
//!
//! Knows tickets, their age and when each was last heard from. Must not know sockets, tasks or
//! clocks: time is an argument, and what others should do comes out as [`Order`]s.
//!
//! A newcomer *seeks*: it takes the oldest waiting ticket that is live, and if there is none, it
//! waits. *Live* means heard from within [`Patience::fresh`]; a staler one is probed, and given
//! [`Patience::answer`] to be heard. After a failed probe the next [`PROBES_AT_ONCE`] are probed
//! together and the oldest live one wins. A ticket that fails a probe is *silent*: it keeps its
//! place, but is not handed out until it is heard again. Whenever two tickets wait, the younger
//! is ordered to seek, so nobody waits beside a possible partner.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// After one failed probe, so many waiters are probed at once: one round of them covers a
/// network that took many clients down together, and costs at most this many pings.
pub const PROBES_AT_ONCE: usize = 8;

/// A place in the queue. Older tickets are smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

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
    /// It waits now.
    Wait,
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
    /// May be handed out; listed in `Pool::waiting`.
    Waiting,
    /// Reserved by a seeker that wants to know whether it is live.
    Probed {
        by: Ticket,
        answered: bool,
    },
    /// Did not answer its probe.
    Silent,
}

/// How far a seeking ticket has come.
#[derive(Debug, Default)]
struct Search {
    /// The candidates it has reserved, oldest first, and until when they may answer.
    probed: Vec<Ticket>,
    until: Option<Instant>,
    /// Until when it has to be heard itself.
    proving: Option<Instant>,
    /// Whether a probe has failed already.
    failed: bool,
}

/// A queue of tickets.
#[derive(Debug)]
pub struct Pool {
    patience: Patience,
    tickets: BTreeMap<Ticket, Entry>,
    waiting: BTreeSet<Ticket>,
    /// Pairs of tickets that never meet, each in both orders.
    barred: BTreeSet<(Ticket, Ticket)>,
    next: u64,
    orders: Vec<(Ticket, Order)>,
    failed_probes: u64,
}

impl Pool {
    /// An empty pool.
    pub fn new(patience: Patience) -> Self {
        Self {
            patience,
            tickets: BTreeMap::new(),
            waiting: BTreeSet::new(),
            barred: BTreeSet::new(),
            next: 0,
            orders: Vec::new(),
            failed_probes: 0,
        }
    }

    /// The youngest ticket yet, heard from just now; its holder calls [`Pool::step`] next.
    pub fn join(&mut self, now: Instant) -> Ticket {
        let ticket = self.issue();
        self.rejoin(ticket, now);
        ticket
    }

    /// A ticket younger than all others, which isn't in the pool yet.
    pub fn issue(&mut self) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        ticket
    }

    /// How many tickets in the pool are older than this.
    pub fn ahead(&self, ticket: Ticket) -> usize {
        self.tickets.range(..ticket).count()
    }

    /// Puts a new ticket in, or a matched one back at its original place: its partner had gone.
    pub fn rejoin(&mut self, ticket: Ticket, now: Instant) {
        let state = State::Seeking(Search::default());
        self.tickets.insert(ticket, Entry { state, heard: now });
    }

    /// These two tickets never meet, for as long as both are in the pool.
    pub fn bar(&mut self, a: Ticket, b: Ticket) {
        self.barred.extend([(a, b), (b, a)]);
    }

    /// The next step of a ticket that seeks. For one that doesn't (the order was overtaken by
    /// another event) it is to go on waiting.
    pub fn step(&mut self, ticket: Ticket, now: Instant) -> Step {
        let Some(entry) = self.tickets.get_mut(&ticket) else { return Step::Wait };
        let heard = entry.heard;
        let State::Seeking(search) = &mut entry.state else { return Step::Wait };
        let mut search = std::mem::take(search);
        let step = match self.prove(ticket, heard, &mut search, now) {
            Some(step) => step,
            None => self.seek(ticket, &mut search, now),
        };
        match step {
            Step::Probing(_) => self.set(ticket, State::Seeking(search)),
            Step::Wait => self.release(ticket, search.probed),
            Step::Pair(other) => {
                self.tickets.remove(&ticket);
                self.tickets.remove(&other);
                self.waiting.remove(&other);
                self.unbar(ticket);
                self.unbar(other);
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
            State::Waiting => {}
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
                self.wait(ticket);
                self.settle();
            }
        }
    }

    /// Takes a ticket out; false if it has been matched (or was never in).
    pub fn leave(&mut self, ticket: Ticket) -> bool {
        let Some(entry) = self.tickets.remove(&ticket) else { return false };
        self.waiting.remove(&ticket);
        self.unbar(ticket);
        match entry.state {
            State::Probed { by, .. } => self.orders.push((by, Order::Seek)),
            State::Seeking(search) => self.release(ticket, search.probed),
            State::Waiting | State::Silent => {}
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
            let listed = self.waiting.contains(ticket);
            if listed != matches!(entry.state, State::Waiting) {
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
        match self.waiting.iter().find(|ticket| self.meets_an_older(**ticket)) {
            Some(ticket) => Err(format!("{ticket:?} waits beside one that it could meet")),
            None => Ok(()),
        }
    }

    fn reserves(&self, seeker: Ticket, candidate: Ticket) -> bool {
        self.tickets.get(&seeker).is_some_and(|entry| {
            matches!(&entry.state, State::Seeking(search) if search.probed.contains(&candidate))
        })
    }

    fn is_fresh(&self, heard: Instant, now: Instant) -> bool {
        now.saturating_duration_since(heard) < self.patience.fresh
    }

    /// A seeker has to be live itself: `None` once it is.
    fn prove(
        &mut self,
        ticket: Ticket,
        heard: Instant,
        search: &mut Search,
        now: Instant,
    ) -> Option<Step> {
        if self.is_fresh(heard, now) {
            return None;
        }
        match search.proving {
            Some(until) if now < until => Some(Step::Probing(until)),
            Some(_) => {
                self.silence(ticket);
                Some(Step::Wait)
            }
            None => {
                let until = now + self.patience.answer;
                search.proving = Some(until);
                self.orders.push((ticket, Order::Probe));
                Some(Step::Probing(until))
            }
        }
    }

    fn seek(&mut self, ticket: Ticket, search: &mut Search, now: Instant) -> Step {
        if let Some(step) = self.judge_probes(ticket, search, now) {
            return step;
        }
        let width = if search.failed { PROBES_AT_ONCE } else { 1 };
        let stale = |t: &&Ticket| self.tickets.get(t).is_none_or(|e| !self.is_fresh(e.heard, now));
        let mut meets = self.waiting.iter().filter(|other| !self.is_barred(ticket, **other));
        search.probed = meets.clone().take_while(stale).take(width).copied().collect();
        if search.probed.is_empty() {
            let Some(oldest) = meets.next().copied() else {
                self.wait(ticket);
                return Step::Wait;
            };
            return Step::Pair(oldest);
        }
        for candidate in search.probed.clone() {
            self.waiting.remove(&candidate);
            self.set(candidate, State::Probed { by: ticket, answered: false });
            self.orders.push((candidate, Order::Probe));
        }
        let until = now + self.patience.answer;
        search.until = Some(until);
        Step::Probing(until)
    }

    /// The outcome of the probes under way, oldest first: `None` if there are none (any more).
    fn judge_probes(&mut self, ticket: Ticket, search: &mut Search, now: Instant) -> Option<Step> {
        let until = search.until?;
        for candidate in search.probed.clone() {
            let Some(entry) = self.tickets.get(&candidate) else { continue };
            match &entry.state {
                State::Probed { by, answered: true } if *by == ticket => {
                    if self.is_fresh(entry.heard, now) {
                        return Some(Step::Pair(candidate));
                    }
                    // It answered so long ago that it has to be asked again.
                    self.wait(candidate);
                }
                State::Probed { by, answered: false } if *by == ticket => {
                    if now < until {
                        return Some(Step::Probing(until));
                    }
                    self.silence(candidate);
                    search.failed = true;
                }
                _ => {}
            }
        }
        search.probed.clear();
        search.until = None;
        None
    }

    /// Lets the candidates go that a seeker still has reserved.
    fn release(&mut self, seeker: Ticket, probed: Vec<Ticket>) {
        for candidate in probed {
            let state = self.tickets.get(&candidate).map(|entry| &entry.state);
            if matches!(state, Some(State::Probed { by, .. }) if *by == seeker) {
                self.wait(candidate);
            }
        }
    }

    /// Whoever waits beside an older one that it could meet is told to seek.
    fn settle(&mut self) {
        while self.waiting.len() > 1
            && let Some(younger) =
                self.waiting.iter().rev().copied().find(|ticket| self.meets_an_older(*ticket))
        {
            self.waiting.remove(&younger);
            self.set(younger, State::Seeking(Search::default()));
            self.orders.push((younger, Order::Seek));
        }
    }

    /// Whether an older ticket waits that this one could meet.
    fn meets_an_older(&self, ticket: Ticket) -> bool {
        self.waiting.range(..ticket).any(|older| !self.is_barred(ticket, *older))
    }

    fn is_barred(&self, a: Ticket, b: Ticket) -> bool {
        !self.barred.is_empty() && self.barred.contains(&(a, b))
    }

    /// Forgets whom a ticket that leaves was barred from.
    fn unbar(&mut self, ticket: Ticket) {
        if !self.barred.is_empty() {
            self.barred.retain(|(a, b)| *a != ticket && *b != ticket);
        }
    }

    fn silence(&mut self, ticket: Ticket) {
        self.set(ticket, State::Silent);
        self.failed_probes += 1;
    }

    fn wait(&mut self, ticket: Ticket) {
        self.set(ticket, State::Waiting);
        self.waiting.insert(ticket);
    }

    fn set(&mut self, ticket: Ticket, state: State) {
        if let Some(entry) = self.tickets.get_mut(&ticket) {
            entry.state = state;
        }
    }
}

#[cfg(test)]
mod tests;
