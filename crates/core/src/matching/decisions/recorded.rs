//! The pools, and a line for each call that changes them, if that is asked for.
//!
//! Knows what each call was and what came of it. Must not know where lines go.

use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use super::line::{self, Line};
use super::{Header, Rules};
use crate::matching::{Order, Person, Pools, Step, Ticket, score};

/// Takes lines, each with its line break; false ends the log.
pub type Sink = Box<dyn FnMut(&[u8]) -> bool + Send>;

/// Pools whose calls can be recorded. While they aren't, that costs a branch for each.
#[derive(Debug)]
pub struct Recorded {
    pools: Pools,
    recorder: Option<Recorder>,
}

/// What is needed to write lines.
pub(super) struct Recorder {
    pub(super) rules: Rules,
    start: Instant,
    /// Of the tickets in scored pools: for the scores of matches.
    pub(super) known: HashMap<Ticket, Known>,
    /// The two who were matched last, if scores decided.
    pub(super) parted: Option<[Known; 2]>,
    /// The last line.
    pub(super) line: Vec<u8>,
    sink: Sink,
}

/// Who is behind a ticket, and since when it waits.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) person: Person,
    pub(super) since: Instant,
}

impl Recorded {
    /// Empty pools, which nobody records.
    pub fn new(rules: &Rules) -> Self {
        Self { pools: rules.pools(), recorder: None }
    }

    /// Empty pools that are recorded from `start` on, and the log's first line. No call tells of a time
    /// before that.
    pub fn recording(header: &Header, start: Instant, mut sink: Sink) -> Self {
        let mut recorded = Self::new(&header.rules);
        if sink(&line::header(header)) {
            recorded.recorder = Some(Recorder {
                rules: header.rules.clone(),
                start,
                known: HashMap::new(),
                parted: None,
                line: Vec::new(),
                sink,
            });
        }
        recorded
    }

    /// Records no more; what took the lines is returned, to be dropped in peace.
    pub fn end(&mut self) -> Option<Sink> {
        self.recorder.take().map(|recorder| recorder.sink)
    }

    /// The pools, to look at.
    pub fn pools(&self) -> &Pools {
        &self.pools
    }

    /// A newcomer: [`Pool::issue`](crate::matching::Pool::issue) and [`Pool::rejoin`](crate::matching::Pool::rejoin).
    pub fn join(&mut self, pool: usize, person: &Person, now: Instant) -> Ticket {
        let pool = self.pools.pool(pool);
        let ticket = pool.issue();
        pool.rejoin(ticket, person, now, now);
        self.record("join", |line| line.time("at", now).ticket("ticket", ticket).person(person));
        self.know(ticket, person, now);
        ticket
    }

    /// [`Pool::rejoin`](crate::matching::Pool::rejoin), of a ticket that was in the pool before.
    pub fn rejoin(&mut self, ticket: Ticket, person: &Person, since: Instant, now: Instant) {
        self.pools.of(ticket).rejoin(ticket, person, since, now);
        self.record("rejoin", |line| {
            line.time("at", now).ticket("ticket", ticket).time("since", since).person(person)
        });
        self.know(ticket, person, since);
    }

    /// [`Pool::describe`](crate::matching::Pool::describe).
    pub fn describe(&mut self, ticket: Ticket, person: &Person) {
        self.pools.of(ticket).describe(ticket, person);
        self.record("describe", |line| line.ticket("ticket", ticket).person(person));
        if let Some(known) = self.recorder.as_mut().and_then(|own| own.known.get_mut(&ticket)) {
            known.person = person.clone();
        }
    }

    /// [`Pool::bar`](crate::matching::Pool::bar), of two tickets of one pool.
    pub fn bar(&mut self, a: Ticket, b: Ticket, until: Option<Instant>) {
        self.pools.of(a).bar(a, b, until);
        self.record("bar", |line| {
            line.ticket("ticket", a).ticket("other", b).until("until", until)
        });
    }

    /// [`Pool::step`](crate::matching::Pool::step).
    pub fn step(&mut self, ticket: Ticket, now: Instant) -> Step {
        let step = self.pools.of(ticket).step(ticket, now);
        if let Some(recorder) = &mut self.recorder
            && !recorder.step(ticket, now, step)
        {
            self.end();
        }
        step
    }

    /// [`Pool::heard`](crate::matching::Pool::heard).
    pub fn heard(&mut self, ticket: Ticket, now: Instant) {
        self.pools.of(ticket).heard(ticket, now);
        self.record("heard", |line| line.time("at", now).ticket("ticket", ticket));
    }

    /// [`Pool::leave`](crate::matching::Pool::leave).
    pub fn leave(&mut self, ticket: Ticket) -> bool {
        let there = self.pools.of(ticket).leave(ticket);
        let word = if there { "true" } else { "false" };
        self.record("leave", |line| line.ticket("ticket", ticket).raw("there", word));
        if let Some(recorder) = &mut self.recorder {
            recorder.known.remove(&ticket);
        }
        there
    }

    /// [`Pools::take_orders`](crate::matching::Pools::take_orders).
    pub fn take_orders(&mut self) -> Vec<(Ticket, Order)> {
        let orders = self.pools.take_orders();
        if !orders.is_empty() {
            self.record("orders", |line| line.orders(&orders));
        }
        orders
    }

    /// The last line that was written.
    pub(super) fn last_line(&self) -> &[u8] {
        self.recorder.as_ref().map_or(&[], |recorder| &recorder.line)
    }

    pub(super) fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    fn know(&mut self, ticket: Ticket, person: &Person, since: Instant) {
        if let Some(recorder) = &mut self.recorder
            && recorder.rules.relaxation(ticket).is_some()
        {
            recorder.known.insert(ticket, Known { person: person.clone(), since });
        }
    }

    fn record(&mut self, call: &str, write: impl FnOnce(Line<'_>) -> Line<'_>) {
        if let Some(recorder) = &mut self.recorder
            && !recorder.record(call, write)
        {
            self.end();
        }
    }
}

impl Recorder {
    fn record(&mut self, call: &str, write: impl FnOnce(Line<'_>) -> Line<'_>) -> bool {
        write(Line::call(&mut self.line, &self.rules, self.start, call)).end();
        (self.sink)(&self.line)
    }

    fn step(&mut self, ticket: Ticket, now: Instant, step: Step) -> bool {
        let verdict = match step {
            Step::Pair(other) => self.verdict(ticket, other, now),
            _ => None,
        };
        let going = self.record("step", |line| {
            let line = line.time("at", now).ticket("ticket", ticket);
            match step {
                Step::Wait(again) => line.word("then", "wait").until("until", again),
                Step::Probing(until) => line.word("then", "probe").time("until", until),
                Step::Pair(other) => {
                    let line = line.word("then", "pair").ticket("with", other);
                    match verdict {
                        Some((score, [own, others])) => line
                            .number("score", score.into())
                            .number("wanted", own.into())
                            .number("wanted_by_other", others.into()),
                        None => line,
                    }
                }
            }
        });
        if let Step::Pair(other) = step {
            self.parted =
                self.known.remove(&ticket).zip(self.known.remove(&other)).map(<[_; 2]>::from);
        }
        going
    }

    /// The score of two of a scored pool, and what will do for each.
    pub(super) fn verdict(&self, a: Ticket, b: Ticket, now: Instant) -> Option<(u16, [u16; 2])> {
        let relaxation = self.rules.relaxation(a)?;
        let [a, b] = [self.known.get(&a)?, self.known.get(&b)?];
        let wanted = [a, b].map(|one| relaxation.threshold(now - one.since));
        Some((score(a.person.lists(), b.person.lists()), wanted))
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("rules", &self.rules).finish_non_exhaustive()
    }
}
