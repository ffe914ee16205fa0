//! How well the matcher matches: made-up crowds in virtual time, what ours and others make of them, and
//! the best that could have been done.
//!
//! Knows the public face of `core::matching`. Must not know how it searches, nor sockets, tasks or clocks:
//! time is a length since the start of a trace, and all randomness comes from a seed.

pub mod calibration;
pub mod chance;
pub mod crowd;
pub mod edmonds;
pub mod estimates;
pub mod fairness;
pub mod figures;
pub mod optimum;
pub mod plot;
pub mod report;
pub mod rivals;
pub mod schedule;
pub mod scored;
pub mod study;

use std::time::Duration;

use vyoma_core::matching::{Lists, Person, score};

/// Somebody who comes.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// When, since the start of the trace.
    pub at: Duration,
    /// How long they wait for a partner before they leave.
    pub patience: Duration,
    /// What they show of themselves.
    pub person: Person,
    /// The same with words as numbers, which is quicker to compare.
    pub lists: Lists<u32>,
}

/// Those who come, in the order of their coming.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// Whoever is named by a number elsewhere is at that place in here.
    pub arrivals: Vec<Arrival>,
}

impl Trace {
    /// How well two of them fit, in thousandths.
    pub fn score(&self, a: usize, b: usize) -> u16 {
        score(&self.arrivals[a].lists, &self.arrivals[b].lists)
    }

    /// When somebody leaves who has not been matched.
    pub fn leaves(&self, who: usize) -> Duration {
        self.arrivals[who].at + self.arrivals[who].patience
    }
}

/// What became of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// When they were matched, or left.
    pub end: Duration,
    /// With whom.
    pub partner: Option<usize>,
}

/// What became of each of a trace.
pub type Outcome = Vec<Fate>;
