//! The decision log: every call that matching heard, and what it decided, so that both can be gone
//! through again.
//!
//! Matching is deterministic: the same calls at the same times make the same decisions. So a log of the
//! calls is a log of the reasons. [`Recorded`] hands calls on to the pools and writes a line for each;
//! [`Replay`] reads such lines, makes the calls again and writes its own lines, which must be the same,
//! byte for byte; [`Story`] listens to a replay and tells why two were matched, or weren't.
//!
//! Knows the words of profiles that are compared, and ticket numbers. Must not know names, headlines,
//! devices or messages, nor where lines are kept: they come and go as text.

mod facts;
mod line;
mod read;
mod recorded;
mod replay;
mod story;

use std::time::Duration;

pub use facts::{Candidate, Met, Parts, Verdict};
pub use recorded::{Recorded, Sink};
pub use replay::{Call, Fault, NotALog, Outcome, Replay, Watch};
pub use story::{ALTERNATIVES, Event, Look, Match, Scout, Story, What};

use super::{MOST_POOLS, Patience, Pool, Pools, Relaxation, State, Ticket};

/// The version of the lines that are written, and the only one that is read.
pub const VERSION: u64 = 1;

/// What decisions depend on besides the calls.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Of every pool.
    pub patience: Patience,
    /// The pools, in the order of their numbers.
    pub pools: Vec<PoolRule>,
}

/// The rule of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolRule {
    /// Its name, by which tickets are written: without `/` and quotes.
    pub name: String,
    /// What will do, if scores decide.
    pub relaxation: Option<Relaxation>,
}

/// A log's first line.
#[derive(Debug, Clone)]
pub struct Header {
    /// The version of the program that wrote it.
    pub program: String,
    /// When it began, in milliseconds since 1970 (UTC).
    pub began: u64,
    /// By what was decided.
    pub rules: Rules,
}

/// Why a log ended before its server did, or that it didn't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The server stopped.
    Stopped,
    /// Lines came faster than they could be kept.
    Behind,
    /// They could not be kept, for example since the disk was full.
    Failed,
}

impl End {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Stopped, Self::Behind, Self::Failed];

    /// Its name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Behind => "behind",
            Self::Failed => "failed",
        }
    }

    /// The last line, with its line break.
    pub fn line(self) -> String {
        format!("{{\"end\":\"{}\"}}\n", self.name())
    }
}

/// What a ticket is doing in its pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// It looks for a partner, or is about to.
    Seeking,
    /// It may be handed out, and looks again then, if it is to.
    Waiting(Option<std::time::Instant>),
    /// It is kept for one that wants to know whether it is live.
    Kept {
        /// For whom.
        by: Ticket,
        /// Whether it has been heard since.
        answered: bool,
    },
    /// It did not answer its probe.
    Silent,
}

impl Rules {
    /// Empty pools.
    pub fn pools(&self) -> Pools {
        Pools::new(self.pools.iter().map(|pool| match pool.relaxation.clone() {
            None => Pool::new(self.patience),
            Some(relaxation) => Pool::scored(self.patience, relaxation),
        }))
    }

    /// A ticket as people write it: the name of its pool, and which of its pool's it is.
    pub fn show(&self, ticket: Ticket) -> String {
        let name = self.pools.get(ticket.pool()).map_or("?", |pool| &pool.name);
        format!("{name}/{}", ticket.sequence())
    }

    /// A ticket as [`Rules::show`] writes it, or of the first pool where only a number is given.
    pub fn ticket(&self, text: &str) -> Option<Ticket> {
        let (pool, sequence) = match text.split_once('/') {
            None => (0, text),
            Some((name, sequence)) => {
                (self.pools.iter().position(|pool| pool.name == name)?, sequence)
            }
        };
        let plain = !sequence.is_empty() && sequence.bytes().all(|byte| byte.is_ascii_digit());
        let sequence: u64 = sequence.parse().ok().filter(|_| plain)?;
        Some(Ticket(sequence.checked_mul(MOST_POOLS as u64)?.checked_add(pool as u64)?))
    }

    fn relaxation(&self, ticket: Ticket) -> Option<&Relaxation> {
        self.pools.get(ticket.pool())?.relaxation.as_ref()
    }
}

impl Ticket {
    /// Which of its pool's tickets it is: 0 for the first.
    pub fn sequence(self) -> u64 {
        self.0 / MOST_POOLS as u64
    }
}

impl Pool {
    /// What a ticket is doing, if it is in the pool.
    fn sight(&self, ticket: Ticket) -> Option<Sight> {
        self.tickets.get(&ticket).map(|entry| match &entry.state {
            State::Seeking(_) => Sight::Seeking,
            State::Waiting(wait) => Sight::Waiting(wait.again),
            State::Probed { by, answered } => Sight::Kept { by: *by, answered: *answered },
            State::Silent => Sight::Silent,
        })
    }

    /// All tickets, the oldest first.
    fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.tickets.keys().copied()
    }
}

/// In nanoseconds; what is longer than 584 years counts as that.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
