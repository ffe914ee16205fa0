//! The lobby: where clients without a partner are known to each other.
//!
//! One lock around the pool's rules and the roster, held for a few map operations, never across
//! an await, and never on the message path. Seats don't pass through here: a newcomer is given
//! its partner's desk, and moves there by itself.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use vyoma_core::matching::{self, Patience, Pool, Step, Ticket};
use vyoma_core::roster::{Census, ConnectionId, Place, Roster};

use crate::config::Timing;
use crate::counters::{self, Counter};
use crate::seat::Seat;

/// What reaches a queued client's task.
pub(crate) enum Note {
    /// A partner takes its place beside you.
    Partner(Box<Seat>),
    /// An order of the pool.
    Order(matching::Order),
}

/// Where a queued client's task is reached. At most one seat and a few orders ever lie here.
pub(crate) type Desk = UnboundedSender<Note>;

/// What a client in the queue does next.
pub(crate) enum Next {
    /// It moves to this desk.
    Move(Desk),
    /// Somebody is being probed until then; it asks again when told to, or at that time.
    Probing(Instant),
    /// It waits.
    Wait,
}

/// A client's stay in the queue.
pub(crate) struct Stay {
    pub(crate) ticket: Ticket,
    pub(crate) next: Next,
    pub(crate) notes: UnboundedReceiver<Note>,
}

struct State {
    pool: Pool,
    roster: Roster,
    desks: HashMap<Ticket, (ConnectionId, Desk)>,
    /// Failed probes that are counted.
    failed_probes: u64,
}

/// Everyone who waits, and where everyone is.
pub(crate) struct Lobby(Mutex<State>);

impl Lobby {
    pub(crate) fn new(timing: &Timing) -> Self {
        let patience = Patience { fresh: timing.fresh, answer: timing.probe_answer };
        Self(Mutex::new(State {
            pool: Pool::new(patience),
            roster: Roster::default(),
            desks: HashMap::new(),
            failed_probes: 0,
        }))
    }

    /// Queues a client: as the youngest, or at the place it had before. Finding no partner and
    /// being found by the next newcomer is one step, so no two wait past each other.
    pub(crate) fn enter(&self, id: ConnectionId, place: Option<Ticket>, now: Instant) -> Stay {
        let mut state = self.lock();
        let ticket = match place {
            Some(ticket) => {
                state.pool.rejoin(ticket, now);
                ticket
            }
            None => state.pool.join(now),
        };
        let (desk, notes) = mpsc::unbounded_channel();
        state.desks.insert(ticket, (id, desk));
        state.roster.set(id, Place::Queued(ticket));
        let next = state.step(ticket, now);
        Stay { ticket, next, notes }
    }

    /// The next step of a client that was told to ask, or whose time is up.
    pub(crate) fn step(&self, ticket: Ticket, now: Instant) -> Next {
        self.lock().step(ticket, now)
    }

    /// A queued client was heard from.
    pub(crate) fn heard(&self, ticket: Ticket, now: Instant) {
        let mut state = self.lock();
        state.pool.heard(ticket, now);
        state.dispatch();
    }

    /// A queued client goes. False if it had been matched: then a seat may be on its way.
    pub(crate) fn leave(&self, id: ConnectionId, ticket: Ticket) -> bool {
        let mut state = self.lock();
        state.roster.set(id, Place::Closing);
        state.desks.remove(&ticket);
        let left = state.pool.leave(ticket);
        state.dispatch();
        left
    }

    /// Two begin to talk.
    pub(crate) fn pair(&self, a: ConnectionId, b: ConnectionId) {
        self.lock().roster.pair(a, b);
    }

    /// A conversation ends: its two are elsewhere from now on.
    pub(crate) fn part(&self, a: (ConnectionId, Place), b: (ConnectionId, Place)) {
        let mut state = self.lock();
        state.roster.set(a.0, a.1);
        state.roster.set(b.0, b.1);
    }

    /// A connection is being closed.
    pub(crate) fn closing(&self, id: ConnectionId) {
        self.lock().roster.set(id, Place::Closing);
    }

    /// A connection is no more.
    pub(crate) fn forget(&self, id: ConnectionId) {
        self.lock().roster.remove(id);
    }

    /// How many are where.
    pub(crate) fn census(&self) -> Census {
        self.lock().roster.census()
    }

    /// Checks that every connection is in exactly one place, and the queue in order.
    pub(crate) fn check(&self) -> Result<(), String> {
        let state = self.lock();
        state.pool.check()?;
        state.roster.check(|ticket| state.pool.contains(ticket), state.pool.len())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn step(&mut self, ticket: Ticket, now: Instant) -> Next {
        let step = self.pool.step(ticket, now);
        self.dispatch();
        match step {
            Step::Wait => Next::Wait,
            Step::Probing(until) => Next::Probing(until),
            Step::Pair(other) => match (self.desks.remove(&ticket), self.desks.remove(&other)) {
                (Some((id, _)), Some((other, desk))) => {
                    self.roster.set(id, Place::Pairing);
                    self.roster.set(other, Place::Pairing);
                    Next::Move(desk)
                }
                _ => unreachable!("every ticket in the pool has a desk"),
            },
        }
    }

    /// Passes the pool's orders on. A desk that is gone has left the pool as well.
    fn dispatch(&mut self) {
        let failed = self.pool.failed_probes();
        counters::add(Counter::ProbesFailed, failed - self.failed_probes);
        self.failed_probes = failed;
        for (ticket, order) in self.pool.take_orders() {
            if order == matching::Order::Probe {
                counters::add(Counter::Probes, 1);
            }
            if let Some((_, desk)) = self.desks.get(&ticket) {
                let _ = desk.send(Note::Order(order));
            }
        }
    }
}
