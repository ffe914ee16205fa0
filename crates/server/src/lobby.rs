//! The lobby: where clients without a partner are known to each other.
//!
//! One lock around the pools' rules and the roster, held for a few map operations, and for one go of a
//! search in a scored pool (some 100 µs in a crowd); never across an await, and never on the message path. Seats don't pass through here: a newcomer is given
//! its partner's desk, and moves there by itself.

mod arrival;
mod invited;
mod recording;
mod visit;
mod waits;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use vyoma_core::acquaintance::Acquaintances;
use vyoma_core::directory::{Directory, Resumption};
use vyoma_core::matching::decisions::{PoolRule, Recorded};
use vyoma_core::matching::{self, INVITED, Invitations, MOST_POOLS, Pool, Step, Ticket};
use vyoma_core::roster::{Census, ConnectionId, Place, Roster};
use vyoma_protocol::envelope::{ConversationId, Side};
use vyoma_protocol::token::{BootId, Claims, Identity};

use crate::blocks::Pair;
use crate::config::Config;
use crate::counters::{self, Counter};
use crate::decision_log::DecisionLog;
use crate::letterbox::Letterbox;
pub(crate) use invited::Invited;
pub(crate) use recording::rule;
pub(crate) use visit::{Desk, Entry, Newcomer, Next, Note, Stay, View};
use waits::Book;
pub(crate) use waits::Tally;

struct State {
    pools: Recorded,
    roster: Roster,
    directory: Directory<Letterbox>,
    acquaintances: Acquaintances,
    invitations: Invitations,
    desks: HashMap<Ticket, Held>,
    book: Book,
    /// Failed probes that are counted.
    failed_probes: u64,
}

/// Who has a ticket, where it is reached, and since when it waits.
struct Held {
    by: ConnectionId,
    desk: Desk,
    since: Instant,
}

/// Everyone who waits, and where everyone is.
pub(crate) struct Lobby(Mutex<State>);

impl Lobby {
    /// An empty one, in which those that are `blocked` never meet, and whose decisions go to this log.
    pub(crate) fn new(
        config: &Config,
        boot: BootId,
        blocked: Vec<Pair>,
        log: Option<DecisionLog>,
    ) -> Self {
        let mut acquaintances = Acquaintances::default();
        for [a, b] in blocked {
            acquaintances.block(a, b);
        }
        Self(Mutex::new(State {
            pools: recording::pools(config, log),
            roster: Roster::default(),
            directory: Directory::new(boot),
            acquaintances,
            invitations: Invitations::new(config.invite_expiry, Instant::now()),
            desks: HashMap::new(),
            book: Book::new(config),
            failed_probes: 0,
        }))
    }

    /// Makes a pool of this number, which no connection is in.
    pub(crate) fn open_pool(&self, number: u8, rule: PoolRule) {
        let mut state = self.lock();
        state.book.opened(number.into());
        state.pools.put(number, rule);
    }

    /// Queues a client: as the youngest, at the place it had before, or at that of its device's older
    /// connection. Finding no partner and being found by the next newcomer is one step, so no two wait
    /// past each other.
    pub(crate) fn enter(&self, newcomer: &Newcomer, now: Instant) -> Entry {
        let Newcomer { id, device, .. } = *newcomer;
        let mut state = self.lock();
        let (ticket, pass) = match state.place(newcomer, now) {
            Ok(placed) => placed,
            Err(entry) => return entry,
        };
        if let Some(device) = device {
            state.directory.wait(device, ticket);
            state.bar(device, ticket, now);
        }
        let (desk, notes) = mpsc::unbounded_channel();
        let since = state.since(ticket).unwrap_or(now);
        state.desks.insert(ticket, Held { by: id, desk, since });
        state.roster.set(id, Place::Queued(ticket));
        let next = state.step(ticket, now);
        Entry::Stay(Stay { ticket, since, pass, next, notes })
    }

    /// What a client that waits may know, if it was told something else; `told` is its `widened` then.
    pub(crate) fn view(&self, ticket: Ticket, told: Option<usize>, now: Instant) -> Option<View> {
        let mut state = self.lock();
        let number = ticket.pool();
        if number == INVITED {
            // The others there wait for others.
            return told.is_none().then_some(View { ahead: 0, widened: 0, estimate: None });
        }
        let pool = state.pools.pools().at(ticket)?;
        let widened = pool.widened(ticket, now);
        if told == Some(widened) {
            return None;
        }
        let ahead = pool.ahead(ticket);
        let waited = now.saturating_duration_since(pool.since(ticket)?);
        let estimate = state.book.estimate(number, waited, now);
        Some(View { ahead, widened, estimate })
    }

    /// The next step of a client that was told to ask, or whose time is up.
    pub(crate) fn step(&self, id: ConnectionId, ticket: Ticket, now: Instant) -> Next {
        let mut state = self.lock();
        if state.holds(id, ticket) { state.step(ticket, now) } else { Next::Wait(None) }
    }

    /// A queued client was heard from.
    pub(crate) fn heard(&self, ticket: Ticket, now: Instant) {
        let mut state = self.lock();
        state.pools.heard(ticket, now);
        state.dispatch();
    }

    /// A queued client goes. False if it had been matched (then a seat may be on its way), or if
    /// another connection has taken its place.
    pub(crate) fn leave(&self, id: ConnectionId, ticket: Ticket, device: Option<Identity>) -> bool {
        let mut state = self.lock();
        state.roster.set(id, Place::Closing);
        if !state.holds(id, ticket) {
            return false;
        }
        state.forget_ticket(ticket, device);
        state.dispatch();
        true
    }

    /// A matched client goes before its conversation has begun. If another connection of its device has
    /// the ticket by now, that keeps it.
    pub(crate) fn abandon(&self, ticket: Ticket, device: Option<Identity>) {
        let mut state = self.lock();
        if !state.desks.contains_key(&ticket) {
            state.forget_ticket(ticket, device);
        }
    }

    /// Two begin to talk.
    pub(crate) fn pair(&self, a: ConnectionId, b: ConnectionId) {
        self.lock().roster.pair(a, b);
    }

    /// A conversation ends: its two are elsewhere from now on.
    pub(crate) fn part(&self, places: [(ConnectionId, Place); 2]) {
        let mut state = self.lock();
        places.into_iter().for_each(|(id, place)| state.roster.set(id, place));
    }

    /// Two begin to talk, and are reached at this letterbox: side `a` and side `b`, with their devices.
    pub(crate) fn begin(
        &self,
        conversation: ConversationId,
        seats: [(ConnectionId, Option<Identity>); 2],
        letterbox: Letterbox,
    ) {
        let mut state = self.lock();
        seats.iter().for_each(|(id, _)| state.roster.set(*id, Place::Seated));
        state.directory.begin(conversation, seats.map(|(_, device)| device), letterbox);
    }

    /// Whether, and where, a client gets its seat again; `own` is where it is reached if it adopts its
    /// conversation, whose seats are kept until `until` then. An older connection of its device that
    /// still waits waits no longer; one that is just being matched goes first.
    pub(crate) fn resume(
        &self,
        claims: &Claims,
        own: &Letterbox,
        until: Instant,
    ) -> Resumption<Letterbox> {
        let mut state = self.lock();
        let first = state.directory.resume(claims, own, until);
        let Resumption::Waiting(ticket) = first else { return first };
        if !state.supersede(ticket) {
            return first;
        }
        state.forget_ticket(ticket, Some(claims.identity));
        state.dispatch();
        state.directory.resume(claims, own, until)
    }

    /// The connection of a seat has come, or was lost, and the seat is kept until then.
    pub(crate) fn note_presence(&self, id: ConversationId, side: Side, until: Option<Instant>) {
        self.lock().directory.note_presence(id, side, until);
    }

    /// A conversation has ended: its devices may join, and don't meet again for this time.
    pub(crate) fn note_end(
        &self,
        id: ConversationId,
        devices: [Option<Identity>; 2],
        cooldown: Duration,
        now: Instant,
    ) {
        let mut state = self.lock();
        state.directory.note_end(id);
        if let [Some(a), Some(b)] = devices {
            state.acquaintances.met(a, b, now + cooldown, now);
        }
    }

    /// A device has nothing to do with its conversation any more.
    pub(crate) fn release(&self, id: ConversationId, side: Side, device: Identity) {
        self.lock().directory.release(id, side, device);
    }

    /// Nobody sits in a conversation any more.
    pub(crate) fn forget_conversation(&self, id: ConversationId) {
        self.lock().directory.remove(id);
    }

    /// How many conversations are reached by a letterbox.
    pub(crate) fn conversations(&self) -> usize {
        self.lock().directory.conversations()
    }

    /// Two devices never meet again, also where both wait already; whether that is news.
    pub(crate) fn block(&self, a: Identity, b: Identity) -> bool {
        let mut state = self.lock();
        if let [Some(one), Some(other)] = [a, b].map(|device| state.directory.ticket(device))
            && one.pool() == other.pool()
        {
            state.pools.bar(one, other, None);
            state.dispatch();
        }
        state.acquaintances.block(a, b)
    }

    /// A connection is in this place now.
    pub(crate) fn place(&self, id: ConnectionId, place: Place) {
        self.lock().roster.set(id, place);
    }

    /// A connection is being closed.
    pub(crate) fn closing(&self, id: ConnectionId) {
        self.place(id, Place::Closing);
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
        let pools = state.pools.pools();
        pools.iter().try_for_each(Pool::check)?;
        let queued = pools.iter().map(Pool::len).sum();
        state.roster.check(|ticket| pools.contains(ticket), queued)
    }

    /// What happened in each pool so far, and for how long the oldest search has been going on.
    pub(crate) fn tallies(&self, now: Instant) -> (Vec<Tally>, Duration) {
        let state = self.lock();
        let pools = state.pools.pools();
        let all = (0..MOST_POOLS).filter_map(|number| Some((number, pools.get(number)?.len())));
        let lag = pools.iter().map(|pool| pool.lag(now)).max();
        (state.book.tallies(all), lag.unwrap_or_default())
    }

    /// Ends the decision log, and waits until it is written.
    pub(crate) fn end_log(&self) {
        let log = self.lock().pools.end();
        drop(log);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn step(&mut self, ticket: Ticket, now: Instant) -> Next {
        let step = self.pools.step(ticket, now);
        self.dispatch();
        match step {
            Step::Wait(again) => Next::Wait(again),
            Step::Probing(until) => Next::Probing(until),
            Step::Pair(other) => match (self.desks.remove(&ticket), self.desks.remove(&other)) {
                (Some(own), Some(other)) => {
                    let waited =
                        [own.since, other.since].map(|since| now.saturating_duration_since(since));
                    self.book.matched(ticket.pool(), waited, now);
                    self.roster.set(own.by, Place::Pairing);
                    self.roster.set(other.by, Place::Pairing);
                    Next::Move(other.desk)
                }
                _ => unreachable!("every ticket in the pool has a desk"),
            },
        }
    }

    /// Since when a ticket waits, if it is in its pool.
    fn since(&self, ticket: Ticket) -> Option<Instant> {
        self.pools.pools().at(ticket)?.since(ticket)
    }

    /// Whether this connection still has this ticket.
    fn holds(&self, id: ConnectionId, ticket: Ticket) -> bool {
        self.desks.get(&ticket).is_some_and(|held| held.by == id)
    }

    /// Takes a ticket out, wherever it is.
    fn forget_ticket(&mut self, ticket: Ticket, device: Option<Identity>) {
        self.desks.remove(&ticket);
        let since = self.since(ticket);
        if self.pools.leave(ticket)
            && let Some(since) = since
        {
            let now = Instant::now();
            self.book.left(ticket.pool(), now.saturating_duration_since(since), now);
        }
        if let Some(device) = device {
            self.directory.stop_waiting(device, ticket);
        }
    }

    /// Tells the connection that waits with a ticket that it doesn't any more. False if it has just been
    /// matched.
    fn supersede(&mut self, ticket: Ticket) -> bool {
        let Some(Held { by: older, desk, .. }) = self.desks.remove(&ticket) else { return false };
        let _ = desk.send(Note::Superseded);
        self.roster.set(older, Place::Closing);
        true
    }

    /// Keeps a device from those that it has met lately, or that one of the two has blocked. By an
    /// invitation two ask for each other: then it doesn't matter that they have met.
    fn bar(&mut self, device: Identity, ticket: Ticket, now: Instant) {
        for (other, until) in self.acquaintances.kept_from(device, now) {
            if until.is_some() && ticket.pool() == INVITED {
                continue;
            }
            if let Some(theirs) = self.directory.ticket(other)
                && theirs.pool() == ticket.pool()
            {
                self.pools.bar(ticket, theirs, until);
            }
        }
    }

    /// Passes the pool's orders on. A desk that is gone has left the pool as well.
    fn dispatch(&mut self) {
        let failed = self.pools.pools().failed_probes();
        counters::add(Counter::ProbesFailed, failed - self.failed_probes);
        self.failed_probes = failed;
        for (ticket, order) in self.pools.take_orders() {
            if order == matching::Order::Probe {
                counters::add(Counter::Probes, 1);
            }
            if let Some(Held { desk, .. }) = self.desks.get(&ticket) {
                let _ = desk.send(Note::Order(order));
            }
        }
    }
}

#[cfg(test)]
mod tests;
