//! Ours: a scored pool, driven as the server's tasks do.
//!
//! Knows the pool's public face and whose time comes next. Must not know how the pool chooses.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::{Duration, Instant};

use vyoma_core::matching::{Patience, Pool, Relaxation, Step, Ticket};

use crate::{Fate, Outcome, Trace};

/// Everybody is live for so long: what becomes of others is tested elsewhere.
const LIVE: Duration = Duration::from_secs(86_400 * 365);

/// What a scored pool makes of a trace.
pub fn run(trace: &Trace, relaxation: &Relaxation) -> Outcome {
    let mut drive = Drive::new(trace, relaxation.clone());
    while let Some(Reverse((at, _, event))) = drive.events.pop() {
        drive.now = at;
        drive.handle(event);
        drive.obey();
    }
    drive.fates.into_iter().flatten().collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Comes(usize),
    Leaves(usize),
    Steps(Ticket),
}

struct Drive<'a> {
    trace: &'a Trace,
    pool: Pool,
    /// What the pool takes for the start of the trace.
    start: Instant,
    now: Duration,
    /// By time, and at one time in the order of their making.
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    made: u64,
    people: HashMap<Ticket, usize>,
    tickets: Vec<Option<Ticket>>,
    fates: Vec<Option<Fate>>,
}

impl<'a> Drive<'a> {
    #[expect(clippy::disallowed_methods, reason = "a start to count from; later times are made up")]
    fn new(trace: &'a Trace, relaxation: Relaxation) -> Self {
        let people = trace.arrivals.len();
        let mut drive = Self {
            trace,
            pool: Pool::scored(Patience { fresh: LIVE, answer: LIVE }, relaxation),
            start: Instant::now(),
            now: Duration::ZERO,
            events: BinaryHeap::new(),
            made: 0,
            people: HashMap::new(),
            tickets: vec![None; people],
            fates: vec![None; people],
        };
        for (who, arrival) in trace.arrivals.iter().enumerate() {
            drive.expect(arrival.at, Event::Comes(who));
            drive.expect(trace.leaves(who), Event::Leaves(who));
        }
        drive
    }

    fn expect(&mut self, at: Duration, event: Event) {
        self.events.push(Reverse((at, self.made, event)));
        self.made += 1;
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Comes(who) => {
                let (ticket, now) = (self.pool.issue(), self.start + self.now);
                self.people.insert(ticket, who);
                self.tickets[who] = Some(ticket);
                self.pool.rejoin(ticket, &self.trace.arrivals[who].person, now, now);
                self.step(ticket);
            }
            Event::Leaves(who) => {
                if self.tickets[who].is_some_and(|ticket| self.pool.leave(ticket)) {
                    self.fates[who] = Some(Fate { end: self.now, partner: None });
                }
            }
            Event::Steps(ticket) => self.step(ticket),
        }
    }

    /// Whoever is ordered to seek does, and so does whom that gives an order.
    fn obey(&mut self) {
        loop {
            let orders = self.pool.take_orders();
            if orders.is_empty() {
                return;
            }
            for (ticket, _) in orders {
                self.step(ticket);
            }
        }
    }

    fn step(&mut self, ticket: Ticket) {
        match self.pool.step(ticket, self.start + self.now) {
            Step::Pair(other) => {
                let [a, b] = [ticket, other].map(|ticket| self.people[&ticket]);
                for (who, partner) in [(a, b), (b, a)] {
                    self.fates[who] = Some(Fate { end: self.now, partner: Some(partner) });
                }
            }
            Step::Wait(Some(at)) | Step::Probing(at) => {
                self.expect((at - self.start).max(self.now), Event::Steps(ticket));
            }
            Step::Wait(None) => {}
        }
    }
}
