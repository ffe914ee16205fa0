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

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use facts::{Candidate, Met, Parts, Verdict};
pub use recorded::{Recorded, Sink};
pub use replay::{Call, Fault, NotALog, Outcome, Replay, Watch};
pub use story::{ALTERNATIVES, Event, Look, Match, Scout, Story, What};

use super::members::State;
use super::{INVITED, MOST_POOLS, Patience, Pool, Pools, Relaxation, Ticket};

/// The version of the lines that are written, and the only one that is read.
pub const VERSION: u64 = 1;

/// By which tickets of those who were invited are written: no other pool may be called so.
pub const INVITED_NAME: &str = "@invited";

/// What decisions depend on besides the calls.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Of every pool.
    pub patience: Patience,
    /// The pools that are there from the beginning, in the order of their numbers.
    pub pools: Vec<PoolRule>,
    /// Those that were put later, by their number and the first ticket that is theirs.
    put: BTreeMap<(usize, u64), PoolRule>,
}

/// The rule of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolRule {
    /// Its name, by which tickets are written: without `/` and quotes, and nobody else's.
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

impl PoolRule {
    /// An empty pool.
    fn pool(&self, patience: Patience) -> Pool {
        match self.relaxation.clone() {
            None => Pool::new(patience),
            Some(relaxation) => Pool::scored(patience, relaxation),
        }
    }
}

impl Rules {
    /// With these pools from the beginning.
    pub fn new(patience: Patience, pools: Vec<PoolRule>) -> Self {
        Self { patience, pools, put: BTreeMap::new() }
    }

    /// Empty pools.
    pub fn pools(&self) -> Pools {
        let pools = self.pools.iter().map(|rule| rule.pool(self.patience));
        Pools::new(pools, Pool::invited(self.patience))
    }

    /// A ticket as people write it: the name of its pool, and which of its pool's it is.
    pub fn show(&self, ticket: Ticket) -> String {
        format!("{}/{}", self.name(ticket), ticket.sequence())
    }

    /// The names of all pools, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let declared = self.pools.iter().map(|rule| &*rule.name);
        let put: BTreeSet<_> = self.put.values().map(|rule| &*rule.name).collect();
        declared.chain(put).chain([INVITED_NAME])
    }

    /// The name of a ticket's pool.
    fn name(&self, ticket: Ticket) -> &str {
        match ticket.pool() {
            INVITED => INVITED_NAME,
            _ => self.rule(ticket).map_or("?", |rule| &rule.name),
        }
    }

    /// The rule of a ticket's pool, unless that is for those who were invited.
    fn rule(&self, ticket: Ticket) -> Option<&PoolRule> {
        let number = ticket.pool();
        if self.put.is_empty() {
            return self.pools.get(number);
        }
        let mut put = self.put.range((number, 0)..=(number, ticket.sequence()));
        put.next_back().map(|(_, rule)| rule).or_else(|| self.pools.get(number))
    }

    /// A ticket as [`Rules::show`] writes it, or of the first pool where only a number is given.
    pub fn ticket(&self, text: &str) -> Option<Ticket> {
        let (pool, sequence) = match text.split_once('/') {
            None => (0, text),
            Some((name, sequence)) => (self.number(name)?, sequence),
        };
        let plain = !sequence.is_empty() && sequence.bytes().all(|byte| byte.is_ascii_digit());
        let sequence: u64 = sequence.parse().ok().filter(|_| plain)?;
        Some(Ticket(sequence.checked_mul(MOST_POOLS as u64)?.checked_add(pool as u64)?))
    }

    /// The number of a pool of this name.
    fn number(&self, name: &str) -> Option<usize> {
        if name == INVITED_NAME {
            return Some(INVITED);
        }
        let declared = self.pools.iter().position(|pool| pool.name == name);
        let put = || self.put.iter().rev().find(|(_, rule)| rule.name == name);
        declared.or_else(|| put().map(|((number, _), _)| *number))
    }

    /// What will do in a ticket's pool, if scores decide.
    pub fn relaxation(&self, ticket: Ticket) -> Option<&Relaxation> {
        self.rule(ticket)?.relaxation.as_ref()
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
        let member = self.members.get(ticket)?;
        Some(match member.state {
            State::Seeking => Sight::Seeking,
            State::Waiting => Sight::Waiting(self.members.instant(member.again)),
            State::Probed => {
                let probe = self.probes.get(&ticket)?;
                Sight::Kept { by: probe.by, answered: probe.answered }
            }
            State::Silent => Sight::Silent,
        })
    }

    /// All tickets, in no order.
    fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.members.iter().map(|(ticket, _)| ticket)
    }

    /// How many tickets were issued.
    fn issued(&self) -> u64 {
        self.members.issued
    }

    /// Another ticket of an invitation.
    fn companion(&self, ticket: Ticket, invitation: u64) -> Option<Ticket> {
        self.choice.guests(invitation).find(|guest| *guest != ticket)
    }
}

/// In nanoseconds; what is longer than 584 years counts as that.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
