//! The pools, and a line for each call that changes them, if that is asked for.
//!
//! Knows what each call was and what came of it. Must not know where lines go.

use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use super::line::{self, Line};
use super::{Header, PoolRule, Rules};
use crate::matching::{Order, Patience, Person, Pools, Step, Ticket, score};

/// Takes lines, each with its line break; false ends the log.
pub type Sink = Box<dyn FnMut(&[u8]) -> bool + Send>;

/// Pools whose calls can be recorded. While they aren't, that costs a branch for each.
#[derive(Debug)]
pub struct Recorded {
    pools: Pools,
    patience: Patience,
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
        Self { pools: rules.pools(), patience: rules.patience, recorder: None }
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

    /// [`Pool::issue`](crate::matching::Pool::issue): the ticket will [`rejoin`](Self::rejoin).
    pub fn issue(&mut self, pool: usize) -> Ticket {
        let ticket = self.pools.pool(pool).issue();
        self.record("issue", |line| line.ticket("ticket", ticket));
        ticket
    }

    /// [`Pools::put`]: an empty pool of this rule.
    pub fn put(&mut self, number: u8, rule: PoolRule) {
        self.pools.put(number, rule.pool(self.patience));
        self.record("put", |line| line.number("number", number.into()).pool(&rule));
        if let Some(recorder) = &mut self.recorder {
            let number = usize::from(number);
            // Who was in the one before isn't written about any more.
            recorder.rules.put.retain(|(other, _), _| *other != number);
            recorder.rules.put.insert((number, 0), rule);
        }
    }

    /// [`Pool::admit`](crate::matching::Pool::admit). The line tells only who else is there by the same
    /// invitation: its number could be the code.
    pub fn admit(&mut self, ticket: Ticket, invitation: u64) {
        let pool = self.pools.of(ticket);
        let with = pool.companion(ticket, invitation);
        pool.admit(ticket, invitation);
        self.record("admit", |line| {
            let line = line.ticket("ticket", ticket);
            with.into_iter().fold(line, |line, with| line.ticket("with", with))
        });
    }

    /// The same, of the invitation by which this other ticket is there, or of one of its own.
    pub(super) fn admit_with(&mut self, ticket: Ticket, with: Option<Ticket>) {
        let other = with.and_then(|with| self.pools.at(with)?.invitation(with));
        self.admit(ticket, other.unwrap_or(ticket.0));
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
        let wanted =
            [a, b].map(|one| relaxation.threshold(now.saturating_duration_since(one.since)));
        Some((score(a.person.lists(), b.person.lists()), wanted))
    }

    /// Whether one requires a language that the other doesn't speak, and the other way round.
    pub(super) fn unspoken(&self, a: Ticket, b: Ticket) -> [bool; 2] {
        let known = self.known.get(&a).zip(self.known.get(&b));
        known
            .map_or([false; 2], |(a, b)| [!a.person.allows(&b.person), !b.person.allows(&a.person)])
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("rules", &self.rules).finish_non_exhaustive()
    }
}
