//! A log, gone through again: the same calls, and whether the same came of them.
//!
//! Knows lines as text. Must not know where they are from.

use std::time::Instant;

use super::read::{self, Read};
use super::recorded::Recorded;
use super::{End, Header, PoolRule};
use crate::matching::{INVITED, Order, Person, Pool, Step, Ticket};

/// A call, as a line tells it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are the arguments of the calls")]
pub enum Call {
    /// [`Recorded::join`].
    Join { pool: usize, person: Person, now: Instant },
    /// [`Recorded::issue`].
    Issue { pool: usize },
    /// [`Recorded::put`].
    Put { number: u8, rule: PoolRule },
    /// [`Recorded::admit`], of the invitation by which that other ticket is there.
    Admit { ticket: Ticket, with: Option<Ticket> },
    /// [`Recorded::rejoin`].
    Rejoin { ticket: Ticket, person: Person, since: Instant, now: Instant },
    /// [`Recorded::describe`].
    Describe { ticket: Ticket, person: Person },
    /// [`Recorded::bar`].
    Bar { a: Ticket, b: Ticket, until: Option<Instant> },
    /// [`Recorded::step`].
    Step { ticket: Ticket, now: Instant },
    /// [`Recorded::heard`].
    Heard { ticket: Ticket, now: Instant },
    /// [`Recorded::leave`].
    Leave { ticket: Ticket },
    /// [`Recorded::take_orders`].
    TakeOrders,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This ticket is in.
    Joined(Ticket),
    /// This ticket will be.
    Issued(Ticket),
    /// The step of a decision.
    Stepped(Step),
    /// Whether there was such a ticket to leave.
    Left(bool),
    /// These were told something.
    Ordered(Vec<(Ticket, Order)>),
    /// Nothing that is seen.
    Done,
}

/// Looks on while a log is gone through.
pub trait Watch {
    /// A call is about to be made, as the line of this number tells it.
    fn before(&mut self, recorded: &Recorded, line: u64, call: &Call);

    /// This came of it; `at` is the time of this or the last call that had one.
    fn after(&mut self, recorded: &Recorded, at: Instant, call: &Call, outcome: &Outcome);
}

/// Nobody looks on.
impl Watch for () {
    fn before(&mut self, _: &Recorded, _: u64, _: &Call) {}

    fn after(&mut self, _: &Recorded, _: Instant, _: &Call, _: &Outcome) {}
}

/// Why a file is no log that can be gone through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotALog {
    /// Its first line isn't that of a decision log.
    Foreign,
    /// It is of a version that isn't known here.
    Version(u64),
    /// Its first line is damaged.
    Header,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It can't be read.
    Unreadable(&'static str),
    /// The same call, made again, makes this line. Empty if it makes none.
    Differs(Vec<u8>),
    /// The log had ended before.
    AfterEnd,
}

/// A log that is being gone through.
#[derive(Debug)]
pub struct Replay {
    header: Header,
    recorded: Recorded,
    start: Instant,
    at: Instant,
    /// Lines that were read, the first included.
    pub lines: u64,
    /// Steps that tickets took.
    pub decisions: u64,
    /// Two that were matched.
    pub matches: u64,
    /// Why the log ended, if it tells.
    pub end: Option<End>,
}

impl Replay {
    /// Begins with a log's first line, its line break included; its times count from `start`, whenever
    /// that is.
    ///
    /// # Errors
    /// Why that can't be the first line.
    pub fn begin(first: &[u8], start: Instant) -> Result<Self, NotALog> {
        let header = read::header(first)?;
        let recorded = Recorded::recording(&header, start, Box::new(|_| true));
        let (lines, decisions, matches) = (1, 0, 0);
        Ok(Self { header, recorded, start, at: start, lines, decisions, matches, end: None })
    }

    /// What the first line says, and which pools were put since.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// When the log began, as it was given to [`Replay::begin`].
    pub fn start(&self) -> Instant {
        self.start
    }

    /// The time of the last call that had one.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Makes the call of the next line, its line break included.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn line(&mut self, line: &[u8], watch: &mut impl Watch) -> Result<(), Fault> {
        if self.end.is_some() {
            return Err(Fault::AfterEnd);
        }
        self.lines += 1;
        let call = match read::line(line, &self.header.rules, self.start) {
            Ok(Read::Call(call)) => call,
            Ok(Read::End(end)) => return self.end(end, line),
            Err(why) => return Err(Fault::Unreadable(why)),
        };
        self.recorded.judge(&call).map_err(Fault::Unreadable)?;
        self.at = call.time().unwrap_or(self.at);
        watch.before(&self.recorded, self.lines, &call);
        self.note_pool(&call);
        let outcome = self.recorded.make(&call);
        self.decisions += u64::from(matches!(outcome, Outcome::Stepped(_)));
        self.matches += u64::from(matches!(outcome, Outcome::Stepped(Step::Pair(_))));
        // No orders were taken, no line is written.
        let nothing = matches!(&outcome, Outcome::Ordered(orders) if orders.is_empty());
        let found = if nothing { &[] } else { self.recorded.last_line() };
        if found != line {
            return Err(Fault::Differs(found.to_vec()));
        }
        watch.after(&self.recorded, self.at, &call, &outcome);
        Ok(())
    }

    /// Keeps the names of pools, also when another has a number.
    fn note_pool(&mut self, call: &Call) {
        if let Call::Put { number, rule } = call {
            let number = usize::from(*number);
            let first = self.recorded.pools().get(number).map_or(0, Pool::issued);
            self.header.rules.put.insert((number, first), rule.clone());
        }
    }

    fn end(&mut self, end: End, line: &[u8]) -> Result<(), Fault> {
        self.end = Some(end);
        let own = end.line().into_bytes();
        if own == line { Ok(()) } else { Err(Fault::Differs(own)) }
    }
}

impl Call {
    /// When it was made; some calls don't depend on that.
    pub fn time(&self) -> Option<Instant> {
        match self {
            Self::Join { now, .. }
            | Self::Rejoin { now, .. }
            | Self::Step { now, .. }
            | Self::Heard { now, .. } => Some(*now),
            Self::Issue { .. }
            | Self::Put { .. }
            | Self::Admit { .. }
            | Self::Describe { .. }
            | Self::Bar { .. }
            | Self::Leave { .. }
            | Self::TakeOrders => None,
        }
    }
}

impl Recorded {
    /// Whether a call can be made here; a damaged log tells of others, too.
    fn judge(&self, call: &Call) -> Result<(), &'static str> {
        let was_issued = |ticket: &Ticket| {
            let pool = self.pools().at(*ticket);
            pool.is_some_and(|pool| ticket.sequence() < pool.issued())
        };
        let sound = match call {
            Call::Join { .. } | Call::Issue { .. } | Call::TakeOrders => true,
            Call::Put { number, .. } => {
                return match self.pools().get(usize::from(*number)) {
                    Some(pool) if !pool.is_empty() => Err("its number is that of another pool"),
                    _ => Ok(()),
                };
            }
            Call::Rejoin { ticket, .. } => was_issued(ticket) && !self.pools().contains(*ticket),
            Call::Bar { a, b, .. } => was_issued(a) && was_issued(b),
            Call::Admit { ticket, .. } => was_issued(ticket) && ticket.pool() == INVITED,
            Call::Describe { ticket, .. }
            | Call::Step { ticket, .. }
            | Call::Heard { ticket, .. }
            | Call::Leave { ticket } => was_issued(ticket),
        };
        if sound { Ok(()) } else { Err("its ticket can't be there") }
    }

    fn make(&mut self, call: &Call) -> Outcome {
        match *call {
            Call::Join { pool, ref person, now } => {
                return Outcome::Joined(self.join(pool, person, now));
            }
            Call::Rejoin { ticket, ref person, since, now } => {
                self.rejoin(ticket, person, since, now);
            }
            Call::Issue { pool } => return Outcome::Issued(self.issue(pool)),
            Call::Put { number, ref rule } => self.put(number, rule.clone()),
            Call::Admit { ticket, with } => self.admit_with(ticket, with),
            Call::Describe { ticket, ref person } => self.describe(ticket, person),
            Call::Bar { a, b, until } => self.bar(a, b, until),
            Call::Step { ticket, now } => return Outcome::Stepped(self.step(ticket, now)),
            Call::Heard { ticket, now } => self.heard(ticket, now),
            Call::Leave { ticket } => return Outcome::Left(self.leave(ticket)),
            Call::TakeOrders => return Outcome::Ordered(self.take_orders()),
        }
        Outcome::Done
    }
}
