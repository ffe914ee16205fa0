//! Made-up crowds: when people come, what they show, and how long they wait.
//!
//! Knows chance. Must not know who is matched with whom.

use std::time::Duration;

use fastrand::Rng;
use vyoma_core::matching::{Lists, Person};
use vyoma_protocol::envelope::Profile;

use crate::chance::{Zipf, exponential, log_normal};
use crate::{Arrival, Trace};

/// The words that offers and seeks are drawn from, and their exponent: the most common one is on every
/// sixth place, and every second place has one of the first twelve.
const TRADES: (usize, f64) = (200, 1.0);
/// The same for topics.
const TOPICS: (usize, f64) = (60, 1.0);
/// The same for languages: six of ten draws are the first or the second.
const LANGUAGES: (usize, f64) = (12, 1.5);

/// Half of all have left after this, in seconds, if they haven't been matched; one of six after 44 s.
const PATIENCE: f64 = 120.0;
const PATIENCE_SIGMA: f64 = 1.0;

/// When people come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rhythm {
    /// So many a second, each by itself.
    Poisson(f64),
    /// As at an event: every five minutes a break begins, when they come at `high` a second for half a
    /// minute, and at `low` else.
    Breaks {
        /// A second, outside the rush.
        low: f64,
        /// A second, in the rush.
        high: f64,
    },
    /// At `before` a second up to that time, and at `after` a second from then on.
    Jump {
        /// A second.
        before: f64,
        /// In seconds.
        at: f64,
        /// A second.
        after: f64,
    },
}

/// From the start of one break to the next, in seconds.
const BREAK_EVERY: f64 = 300.0;
/// How long people come in a rush, in seconds.
const BREAK_RUSH: f64 = 30.0;

impl Rhythm {
    /// How many a second come then, and until when, in seconds.
    fn rate(self, at: f64) -> (f64, f64) {
        match self {
            Self::Poisson(rate) => (rate, f64::INFINITY),
            Self::Breaks { low, high } => {
                let start = (at / BREAK_EVERY).floor() * BREAK_EVERY;
                let rush = at - start < BREAK_RUSH;
                if rush { (high, start + BREAK_RUSH) } else { (low, start + BREAK_EVERY) }
            }
            Self::Jump { before, at: jump, .. } if at < jump => (before, jump),
            Self::Jump { after, .. } => (after, f64::INFINITY),
        }
    }

    /// When the next one comes after then, both in seconds.
    fn next(self, mut at: f64, rng: &mut Rng) -> f64 {
        loop {
            let (rate, until) = self.rate(at);
            let next = at + exponential(rate, rng);
            if next < until {
                return next;
            }
            // A Poisson process has no memory: it is drawn anew where the rate changes.
            at = until;
        }
    }
}

/// So many people, drawn from a seed.
pub fn crowd(rhythm: Rhythm, people: usize, seed: u64) -> Trace {
    let mut rng = Rng::with_seed(seed);
    let [trades, topics, languages] = [TRADES, TOPICS, LANGUAGES].map(|(n, s)| Zipf::new(n, s));
    let mut at = 0.0;
    let arrivals = (0..people).map(|_| {
        at = rhythm.next(at, &mut rng);
        let patience = log_normal(PATIENCE, PATIENCE_SIGMA, &mut rng);
        let lists = Lists {
            offers: trades.draw_set(rng.usize(1..=5), &mut rng),
            seeks: trades.draw_set(rng.usize(1..=5), &mut rng),
            topics: topics.draw_set(rng.usize(0..=4), &mut rng),
            languages: languages.draw_set(rng.usize(1..=2), &mut rng),
        };
        arrival(Duration::from_secs_f64(at), Duration::from_secs_f64(patience), lists)
    });
    Trace { arrivals: arrivals.collect() }
}

/// Somebody with these words, each a number.
pub fn arrival(at: Duration, patience: Duration, lists: Lists<u32>) -> Arrival {
    let words = |list: &[u32]| {
        let words: Vec<_> = list.iter().map(|number| format!(r#""w{number}""#)).collect();
        words.join(",")
    };
    let json = format!(
        r#"{{"offers":[{}],"seeks":[{}],"topics":[{}],"languages":[{}]}}"#,
        words(&lists.offers),
        words(&lists.seeks),
        words(&lists.topics),
        words(&lists.languages),
    );
    // Five short words in each list are within every limit of a profile.
    let person = Profile::from_json(&json).map(Person::new).unwrap_or_default();
    Arrival { at, patience, person, lists }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vyoma_core::matching::score;

    #[test]
    fn people_come_as_often_as_the_rhythm_says() {
        let breaks = Rhythm::Breaks { low: 10.0 / 9.0, high: 20.0 };
        for (rhythm, mean) in [(Rhythm::Poisson(20.0), 20.0), (breaks, 3.0)] {
            let trace = crowd(rhythm, 9000, 5);
            let last = trace.arrivals[8999].at.as_secs_f64();
            assert!((9000.0 / last / mean - 1.0).abs() < 0.05, "{rhythm:?}: {last}");
            assert!(trace.arrivals.is_sorted_by_key(|arrival| arrival.at));
        }
    }

    #[test]
    fn a_rush_and_a_jump_are_where_they_are_said_to_be() {
        let count = |trace: &Trace, from: u64, to: u64| {
            let span = Duration::from_secs(from)..Duration::from_secs(to);
            trace.arrivals.iter().filter(|arrival| span.contains(&arrival.at)).count()
        };
        let breaks = crowd(Rhythm::Breaks { low: 1.0, high: 20.0 }, 3000, 6);
        assert!((500..700).contains(&count(&breaks, 300, 330)), "{}", count(&breaks, 300, 330));
        assert!((220..320).contains(&count(&breaks, 330, 600)), "{}", count(&breaks, 330, 600));
        let jump = crowd(Rhythm::Jump { before: 1.0, at: 100.0, after: 10.0 }, 900, 7);
        assert!((70..130).contains(&count(&jump, 0, 100)));
        assert!((430..570).contains(&count(&jump, 100, 150)));
    }

    #[test]
    fn the_profile_and_the_numbers_give_the_same_scores() {
        let trace = crowd(Rhythm::Poisson(3.0), 60, 8);
        for a in &trace.arrivals {
            for b in &trace.arrivals {
                assert_eq!(score(&a.lists, &b.lists), score(a.person.lists(), b.person.lists()));
            }
        }
    }

    #[test]
    fn a_seed_gives_the_same_crowd_again_and_another_another() {
        let show = |seed| format!("{:?}", crowd(Rhythm::Poisson(3.0), 50, seed));
        assert_eq!(show(9), show(9));
        assert_ne!(show(9), show(10));
    }
}
