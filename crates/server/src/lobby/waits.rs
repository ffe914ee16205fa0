//! How long people wait in each pool: for those who wait, an estimate; for metrics, figures.
//!
//! Knows pools by number, joins, matches and waits. Must not know who waits, nor how a match is made.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use vyoma_core::matching::INVITED;
use vyoma_core::matching::decisions::INVITED_NAME;
use vyoma_core::matching::estimate::{Estimator, Interval};

use crate::config::Config;
use crate::counters::{Waits, wait_bucket};

/// What all pools that were made on demand are called together, so that their names, which anybody makes up,
/// don't become labels. No pool can be called so.
const ON_DEMAND: &str = "@on_demand";

/// What happened in a pool so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// The pool's name.
    pub(crate) pool: String,
    /// How many are in it now.
    pub(crate) waiting: usize,
    /// How many came.
    pub(crate) joins: u64,
    /// How many pairs were made.
    pub(crate) matches: u64,
    /// How long the two of each had waited.
    pub(crate) waits: Waits,
    /// The sum of these waits.
    pub(crate) waited: Duration,
}

/// What is known about the waits in all pools.
pub(super) struct Book {
    /// The pools that there are from the beginning have the first numbers.
    declared: usize,
    /// By pool, from the first who came on.
    estimators: HashMap<usize, Estimator>,
    /// Those of the declared pools, of those on demand, of those who were invited.
    tallies: Vec<Tally>,
}

impl Book {
    pub(super) fn new(config: &Config) -> Self {
        let declared = config.pools.iter().map(|pool| pool.name.as_str());
        let tallies = declared.chain([ON_DEMAND, INVITED_NAME]);
        let tallies = tallies.map(|name| Tally { pool: name.to_owned(), ..Tally::default() });
        let (declared, estimators) = (config.pools.len(), HashMap::new());
        Self { declared, estimators, tallies: tallies.collect() }
    }

    /// Another pool has this number now.
    pub(super) fn opened(&mut self, pool: usize) {
        self.estimators.remove(&pool);
    }

    /// Somebody came.
    pub(super) fn joined(&mut self, pool: usize, now: Instant) {
        self.tally(pool).joins += 1;
        // Who was invited waits for one person: what others have waited tells nothing.
        if pool != INVITED {
            self.estimators.entry(pool).or_default().joined(now);
        }
    }

    /// Two were matched, after these waits.
    pub(super) fn matched(&mut self, pool: usize, waited: [Duration; 2], now: Instant) {
        let tally = self.tally(pool);
        tally.matches += 1;
        for waited in waited {
            tally.waits[wait_bucket(waited)] += 1;
            tally.waited += waited;
        }
        if let Some(estimator) = self.estimators.get_mut(&pool) {
            waited.into_iter().for_each(|waited| estimator.matched(waited, now));
        }
    }

    /// Somebody left unmatched, after this wait.
    pub(super) fn left(&mut self, pool: usize, waited: Duration, now: Instant) {
        if let Some(estimator) = self.estimators.get_mut(&pool) {
            estimator.left(waited, now);
        }
    }

    /// From when to when, counted from now, somebody will be matched who has waited so long.
    pub(super) fn estimate(
        &mut self,
        pool: usize,
        waited: Duration,
        now: Instant,
    ) -> Option<Interval> {
        let Interval { from, to } = self.estimators.get_mut(&pool)?.estimate(waited, now)?;
        let [from, to] = [from, to].map(|wait| wait.saturating_sub(waited));
        Some(Interval { from, to })
    }

    /// What happened so far, and how many wait in the pool of each number.
    pub(super) fn tallies(&self, waiting: impl Iterator<Item = (usize, usize)>) -> Vec<Tally> {
        let mut tallies = self.tallies.clone();
        for (pool, waiting) in waiting {
            tallies[self.place(pool)].waiting += waiting;
        }
        tallies
    }

    fn tally(&mut self, pool: usize) -> &mut Tally {
        let place = self.place(pool);
        &mut self.tallies[place]
    }

    fn place(&self, pool: usize) -> usize {
        if pool == INVITED { self.declared + 1 } else { pool.min(self.declared) }
    }
}

#[cfg(test)]
mod tests {
    use vyoma_core::matching::Person;
    use vyoma_core::roster::ConnectionId;
    use vyoma_protocol::handshake::Refusal;
    use vyoma_protocol::token::BootId;

    use super::super::{Entry, Lobby, Newcomer, Next};
    use super::*;
    use crate::pools::Pools;

    /// Who comes into the first pool.
    fn newcomer(id: u64, pools: &Pools, lobby: &Lobby) -> Newcomer {
        let pool = pools.find(None, lobby).map_err(Refusal::name).expect("the usual pool");
        let (id, person) = (ConnectionId(id), Person::default());
        let (place, device, leave, invite, pass) = (None, None, None, None, None);
        Newcomer { id, place, pool, person, device, leave, invite, pass }
    }

    #[test]
    fn the_lobby_tells_who_waits_once_enough_is_known() {
        let mut config = Config::default();
        let second = Duration::from_secs(1);
        config.timing.fresh = 60 * second;
        let lobby = Lobby::new(&config, BootId(1), Vec::new(), None);
        let (pools, start) = (Pools::new(&config), Instant::now());
        // Somebody comes each second: one waits for the next, who waits for nobody.
        let mut first_told = None;
        for n in 0..400 {
            let now = start + n * second;
            let Entry::Stay(stay) = lobby.enter(&newcomer(n.into(), &pools, &lobby), now) else {
                panic!("nobody is refused");
            };
            assert_eq!(matches!(stay.next, Next::Move(_)), n % 2 == 1);
            if matches!(stay.next, Next::Wait(_)) {
                let view = lobby.view(stay.ticket, None, now).expect("it wasn't told yet");
                if let Some(Interval { from, to }) = view.estimate {
                    assert!(from <= second && second <= to && to < 2 * second, "{from:?} {to:?}");
                    first_told.get_or_insert(n);
                }
            }
        }
        // Thirty matches are sixty who came.
        assert!(first_told.is_some_and(|n| n >= 60), "{first_told:?}");
        let (tallies, _) = lobby.tallies(start + 400 * second);
        let Tally { waiting, joins, matches, waited, .. } = tallies[0];
        assert_eq!((waiting, joins, matches, waited), (0, 400, 200, 200 * second));
    }

    #[test]
    fn pools_on_demand_count_together_and_are_estimated_apart() {
        let mut book = Book::new(&Config::default());
        let start = Instant::now();
        let second = Duration::from_secs(1);
        // Forty waits of ten seconds each, one a second, in one of two pools on demand.
        for n in 0..400 {
            let now = start + n * second;
            book.joined(1, now);
            book.matched(1, [10 * second, Duration::ZERO], now);
        }
        let now = start + 400 * second;
        book.joined(2, now);
        book.joined(INVITED, now);
        let told = book.estimate(1, Duration::ZERO, now).expect("waits are all the same");
        assert!(told.from <= 10 * second && told.to >= 10 * second, "{told:?}");
        let later = book.estimate(1, 4 * second, now).expect("waits are all the same");
        assert!(later.to <= told.to - 3 * second, "from now on: {later:?}");
        for pool in [0, 2, INVITED] {
            assert_eq!(book.estimate(pool, Duration::ZERO, now), None, "{pool}");
        }
        let tallies = book.tallies([(1, 3), (2, 4), (INVITED, 5)].into_iter());
        let told: Vec<_> = tallies
            .iter()
            .map(|tally| (&*tally.pool, tally.waiting, tally.joins, tally.matches))
            .collect();
        let expected = [("default", 0, 0, 0), ("@on_demand", 7, 401, 400), ("@invited", 5, 1, 0)];
        assert_eq!(told, expected);
        assert_eq!((tallies[1].waited, tallies[1].waits.iter().sum()), (4000 * second, 800_u64));
        // Who has the number next hasn't waited there.
        book.opened(1);
        assert_eq!(book.estimate(1, Duration::ZERO, now), None);
    }
}
