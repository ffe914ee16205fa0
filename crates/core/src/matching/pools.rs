//! Several pools beside each other.

use super::{MOST_POOLS, Order, Pool, Ticket};

/// The number of the pool for those who were invited: the last, so that the others have theirs from 0 on.
pub const INVITED: usize = MOST_POOLS - 1;

/// Several pools, whose tickets tell which one they are of.
#[derive(Debug)]
pub struct Pools {
    /// By number; where none was put there is none.
    open: Vec<Option<Pool>>,
    invited: Pool,
    /// Probes that failed in pools which are gone.
    failed_probes: u64,
}

impl Pools {
    /// These, in this order, and one for those who were invited; what has no number below [`INVITED`] is
    /// dropped.
    pub fn new(pools: impl IntoIterator<Item = Pool>, invited: Pool) -> Self {
        let number = INVITED as u8;
        let mut all =
            Self { open: Vec::new(), invited: invited.numbered(number), failed_probes: 0 };
        for (number, pool) in (0..number).zip(pools) {
            all.put(number, pool);
        }
        all
    }

    /// This is the pool of a number below [`INVITED`] from now on. One that had it must be empty, and none
    /// of its tickets may come back; the new one's are numbered from behind them on.
    pub fn put(&mut self, number: u8, pool: Pool) {
        let place = usize::from(number);
        debug_assert!(place < INVITED);
        if self.open.len() <= place {
            self.open.resize_with(place + 1, || None);
        }
        let mut pool = pool.numbered(number);
        if let Some(old) = self.open[place].take() {
            debug_assert!(old.is_empty());
            self.failed_probes += old.failed_probes();
            pool.members.issued = old.members.issued;
        }
        self.open[place] = Some(pool);
    }

    /// The pool of this number.
    ///
    /// # Panics
    /// If there is none.
    pub fn pool(&mut self, number: usize) -> &mut Pool {
        if number == INVITED {
            return &mut self.invited;
        }
        match &mut self.open[number] {
            Some(pool) => pool,
            None => unreachable!("there is no pool {number}"),
        }
    }

    /// The pool of a ticket.
    pub fn of(&mut self, ticket: Ticket) -> &mut Pool {
        self.pool(ticket.pool())
    }

    /// The pool of a ticket, to look at, if there is one.
    pub fn at(&self, ticket: Ticket) -> Option<&Pool> {
        self.get(ticket.pool())
    }

    /// The pool of this number, to look at, if there is one.
    pub fn get(&self, number: usize) -> Option<&Pool> {
        match number {
            INVITED => Some(&self.invited),
            number => self.open.get(number)?.as_ref(),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Pool> {
        self.open.iter().flatten().chain([&self.invited])
    }

    /// The orders that the calls so far gave rise to.
    pub fn take_orders(&mut self) -> Vec<(Ticket, Order)> {
        let all = self.open.iter_mut().flatten().chain([&mut self.invited]);
        all.flat_map(Pool::take_orders).collect()
    }

    /// How many probes have failed so far.
    pub fn failed_probes(&self) -> u64 {
        self.failed_probes + self.iter().map(Pool::failed_probes).sum::<u64>()
    }

    /// Whether this ticket is in its pool.
    pub fn contains(&self, ticket: Ticket) -> bool {
        self.at(ticket).is_some_and(|pool| pool.contains(ticket))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a time to count from")]
mod tests {
    use super::*;
    use crate::matching::{Patience, Step};
    use std::time::{Duration, Instant};

    const PATIENCE: Patience =
        Patience { fresh: Duration::from_secs(2), answer: Duration::from_secs(2) };

    #[test]
    fn a_pool_s_number_can_be_another_pool_s_later() {
        let mut pools = Pools::new([Pool::new(PATIENCE)], Pool::invited(PATIENCE));
        let now = Instant::now();
        pools.put(3, Pool::new(PATIENCE));
        let first = pools.pool(3).join(now);
        assert_eq!((first.pool(), pools.contains(first)), (3, true));
        // It fails a probe, which stays counted when its pool is gone.
        assert_eq!(pools.of(first).step(first, now), Step::Wait(None));
        let (asked, failed) = (now + PATIENCE.fresh, now + PATIENCE.fresh + PATIENCE.answer);
        let second = pools.pool(3).join(asked);
        assert_eq!(pools.of(second).step(second, asked), Step::Probing(failed));
        pools.of(second).heard(second, failed);
        assert_eq!(pools.of(second).step(second, failed), Step::Wait(None));
        assert_eq!(pools.failed_probes(), 1);
        assert!(pools.of(first).leave(first) && pools.of(second).leave(second));
        pools.put(3, Pool::new(PATIENCE));
        assert_eq!((pools.failed_probes(), pools.contains(first)), (1, false));
        assert!(pools.pool(3).join(failed) > second, "no ticket is given twice");
        assert_eq!(pools.iter().count(), 3, "the one of the invited, too");
        assert_eq!(pools.pool(INVITED).join(now).pool(), INVITED);
    }
}
