//! Several pools beside each other.

use super::{MOST_POOLS, Order, Pool, Ticket};

/// Several pools, whose tickets tell which one they are of.
#[derive(Debug)]
pub struct Pools(Vec<Pool>);

impl Pools {
    /// These, in this order; what is beyond [`MOST_POOLS`] is dropped.
    pub fn new(pools: impl IntoIterator<Item = Pool>) -> Self {
        let numbered = (0..=u8::MAX).zip(pools).map(|(number, pool)| Pool { number, ..pool });
        Self(numbered.take(MOST_POOLS).collect())
    }

    /// The pool of this number.
    ///
    /// # Panics
    /// If there is none.
    pub fn pool(&mut self, number: usize) -> &mut Pool {
        &mut self.0[number]
    }

    /// The pool of a ticket.
    pub fn of(&mut self, ticket: Ticket) -> &mut Pool {
        self.pool(ticket.pool())
    }

    /// The pool of a ticket, to look at.
    pub fn at(&self, ticket: Ticket) -> &Pool {
        &self.0[ticket.pool()]
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Pool> {
        self.0.iter()
    }

    /// The orders that the calls so far gave rise to.
    pub fn take_orders(&mut self) -> Vec<(Ticket, Order)> {
        self.0.iter_mut().flat_map(Pool::take_orders).collect()
    }

    /// How many probes have failed so far.
    pub fn failed_probes(&self) -> u64 {
        self.iter().map(Pool::failed_probes).sum()
    }

    /// Whether this ticket is in its pool.
    pub fn contains(&self, ticket: Ticket) -> bool {
        self.0.get(ticket.pool()).is_some_and(|pool| pool.contains(ticket))
    }
}
