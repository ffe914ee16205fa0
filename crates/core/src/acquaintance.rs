//! Who is kept from whom: for good, or for a while after they have met.
//!
//! Knows devices. Must not know tickets or conversations.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Instant;

use vyoma_protocol::token::Identity;

/// Who is kept from whom; always both ways.
#[derive(Debug, Default)]
pub struct Acquaintances {
    blocked: HashMap<Identity, HashSet<Identity>>,
    /// Who has met whom lately, and until when they don't meet again.
    recent: HashMap<Identity, HashMap<Identity, Instant>>,
    /// The same in order of time, to be forgotten.
    expiring: BTreeSet<(Instant, [Identity; 2])>,
}

impl Acquaintances {
    /// These two never meet again; whether that is news.
    pub fn block(&mut self, a: Identity, b: Identity) -> bool {
        self.blocked.entry(b).or_default().insert(a);
        self.blocked.entry(a).or_default().insert(b)
    }

    /// These two have met, and don't again until then, or until what was said before, if that is later.
    /// What is over by now is forgotten.
    pub fn met(&mut self, a: Identity, b: Identity, until: Instant, now: Instant) {
        self.forget(now);
        let known = self.recent.get(&a).and_then(|met| met.get(&b)).copied();
        if until <= now || known.is_some_and(|known| known >= until) {
            return;
        }
        self.recent.entry(a).or_default().insert(b, until);
        self.recent.entry(b).or_default().insert(a, until);
        self.expiring.insert((until, [a, b]));
    }

    /// From whom a device is kept, and until when; `None` is for ever.
    pub fn kept_from(&self, device: Identity, now: Instant) -> HashMap<Identity, Option<Instant>> {
        let recent = self.recent.get(&device).into_iter().flatten();
        let recent =
            recent.filter(|(_, until)| **until > now).map(|(other, until)| (*other, Some(*until)));
        let blocked = self.blocked.get(&device).into_iter().flatten().map(|other| (*other, None));
        recent.chain(blocked).collect()
    }

    fn forget(&mut self, now: Instant) {
        while let Some((until, [a, b])) =
            self.expiring.first().copied().filter(|(until, _)| *until <= now)
        {
            self.expiring.pop_first();
            for (one, other) in [(a, b), (b, a)] {
                let Some(met) = self.recent.get_mut(&one) else { continue };
                // They may have met once more.
                if met.get(&other) == Some(&until) {
                    met.remove(&other);
                }
                if met.is_empty() {
                    self.recent.remove(&one);
                }
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a time to count from")]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn who_met_is_kept_apart_for_a_while_and_who_blocked_for_good() {
        let (mut all, start) = (Acquaintances::default(), Instant::now());
        let [a, b, c] = [1, 2, 3].map(|byte| Identity([byte; 16]));
        let later = |seconds| start + Duration::from_secs(seconds);
        all.met(a, b, later(10), start);
        all.met(b, c, later(20), later(5));
        assert_eq!(
            all.kept_from(b, later(5)),
            HashMap::from([(a, Some(later(10))), (c, Some(later(20)))])
        );
        assert_eq!(all.kept_from(a, later(10)), HashMap::new());
        all.met(a, c, later(21), later(20));
        assert_eq!((all.recent.len(), all.expiring.len()), (2, 1), "the rest is forgotten");
        all.block(a, c);
        assert_eq!(all.kept_from(c, later(20)), HashMap::from([(a, None)]));
    }

    #[test]
    fn who_meets_again_is_kept_apart_anew() {
        let (mut all, start) = (Acquaintances::default(), Instant::now());
        let [a, b] = [1, 2].map(|byte| Identity([byte; 16]));
        let later = |seconds| start + Duration::from_secs(seconds);
        all.met(a, b, later(10), start);
        all.met(a, b, later(15), later(5));
        all.met(b, a, later(12), later(12));
        assert_eq!(all.kept_from(a, later(12)), HashMap::from([(b, Some(later(15)))]));
        // In a pool where it is shorter they have met as well.
        all.met(a, b, later(14), later(12));
        assert_eq!(all.kept_from(b, later(14)), HashMap::from([(a, Some(later(15)))]));
        assert_eq!(all.kept_from(b, later(15)), HashMap::new());
        let c = Identity([3; 16]);
        all.met(a, c, later(40), later(16));
        all.met(b, c, later(30), later(16));
        all.met(b, c, later(31), later(30));
        assert_eq!(all.expiring.len(), 2, "{all:?}");
    }
}
