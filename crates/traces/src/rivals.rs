//! Other matchers, on the same traces: first in first out, by chance, and in batches as Nakama does it.
//!
//! Knows a trace. Must not know our pool.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;

use crate::{Fate, Outcome, Trace};

/// How long Nakama gathers tickets before it looks at them, by default.
pub const BATCH_EVERY: Duration = Duration::from_secs(15);

/// Whoever comes takes the one who has waited longest.
pub fn first_in_first_out(trace: &Trace) -> Outcome {
    on_arrival(trace, |waiting| waiting.first().copied())
}

/// Whoever comes takes anybody who waits. Since nobody is refused, at most one ever waits.
pub fn by_chance(trace: &Trace, seed: u64) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    on_arrival(trace, |waiting| {
        let place = rng.usize(..waiting.len().max(1));
        waiting.iter().nth(place).copied()
    })
}

/// Every 15 s, the oldest first, each takes the best of those who are left, among equals the oldest.
///
/// Nakama (heroiclabs/nakama, `server/matchmaker_process.go`) searches the whole pool for each new
/// ticket, best score first and then the oldest; what scores is the ticket's own query, so it is
/// one-sided, and nothing relaxes. Here it is given more than it has: the score of both sides, and
/// the order of age where Nakama's is that of a hash map.
pub fn in_batches(trace: &Trace) -> Outcome {
    let mut room = Room::new(trace);
    let mut coming = trace.arrivals.iter().enumerate().peekable();
    let mut tick = BATCH_EVERY;
    while coming.peek().is_some() || !room.waiting.is_empty() {
        while let Some((who, _)) = coming.next_if(|(_, arrival)| arrival.at <= tick) {
            room.waiting.insert(who);
        }
        room.leave_until(tick);
        room.pair_all(tick);
        tick += BATCH_EVERY;
    }
    room.outcome()
}

fn on_arrival(trace: &Trace, mut choose: impl FnMut(&BTreeSet<usize>) -> Option<usize>) -> Outcome {
    let mut room = Room::new(trace);
    for (who, arrival) in trace.arrivals.iter().enumerate() {
        room.leave_until(arrival.at);
        match choose(&room.waiting) {
            Some(partner) => room.pair(who, partner, arrival.at),
            None => _ = room.waiting.insert(who),
        }
    }
    room.leave_until(Duration::MAX);
    room.outcome()
}

/// Those who wait, and what became of others.
struct Room<'a> {
    trace: &'a Trace,
    /// The oldest first.
    waiting: BTreeSet<usize>,
    fates: Vec<Option<Fate>>,
}

impl<'a> Room<'a> {
    fn new(trace: &'a Trace) -> Self {
        Self { trace, waiting: BTreeSet::new(), fates: vec![None; trace.arrivals.len()] }
    }

    fn leave_until(&mut self, now: Duration) {
        let (trace, fates) = (self.trace, &mut self.fates);
        self.waiting.retain(|who| {
            let leaves = trace.leaves(*who);
            if leaves <= now {
                fates[*who] = Some(Fate { end: leaves, partner: None });
            }
            leaves > now
        });
    }

    fn pair_all(&mut self, now: Duration) {
        while let Some(oldest) = self.waiting.pop_first() {
            let score = |other: &&usize| (self.trace.score(oldest, **other), Reverse(**other));
            match self.waiting.iter().max_by_key(score).copied() {
                Some(best) => self.pair(oldest, best, now),
                None => {
                    self.waiting.insert(oldest);
                    return;
                }
            }
        }
    }

    fn pair(&mut self, a: usize, b: usize, now: Duration) {
        for (who, partner) in [(a, b), (b, a)] {
            self.waiting.remove(&who);
            self.fates[who] = Some(Fate { end: now, partner: Some(partner) });
        }
    }

    fn outcome(self) -> Outcome {
        self.fates.into_iter().flatten().collect()
    }
}
