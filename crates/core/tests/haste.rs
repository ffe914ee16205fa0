//! Searches that are cut short: they go on, and while they lag the oldest who will do is taken.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a start to count from; later times are made up")]

use std::time::{Duration, Instant};

use vyoma_core::matching::{Patience, Person, Pool, Relaxation, Step, Ticket};
use vyoma_protocol::envelope::Profile;

/// More than are looked at in one go.
const CROWD: usize = 2_000;

struct Place {
    pool: Pool,
    now: Instant,
}

fn speaks(json: &str) -> Person {
    Person::new(Profile::from_json(json).unwrap())
}

impl Place {
    /// A pool where a language is enough.
    fn new() -> Self {
        let day = Duration::from_secs(86_400);
        let relaxation = Relaxation::new(vec![(Duration::ZERO, 100)]).unwrap();
        let patience = Patience { fresh: day, answer: day };
        Self { pool: Pool::scored(patience, relaxation), now: Instant::now() }
    }

    fn join(&mut self, person: &Person) -> (Ticket, Step) {
        let ticket = self.pool.issue();
        self.pool.rejoin(ticket, person, self.now, self.now);
        (ticket, self.pool.step(ticket, self.now))
    }

    /// Joins, and goes on until it has looked at everybody.
    fn wait(&mut self, person: &Person) -> Ticket {
        let (ticket, mut step) = self.join(person);
        while let Step::Wait(Some(_)) = step {
            step = self.pool.step(ticket, self.now);
        }
        assert_eq!(step, Step::Wait(None));
        ticket
    }

    /// People who speak English and require what nobody speaks: each is worth a look, and none may be met.
    fn crowd(&mut self) {
        let person = speaks(r#"{"languages":["en"]}"#).requiring(["xx"].into_iter());
        for _ in 0..CROWD {
            self.wait(&person);
        }
    }
}

#[test]
fn a_search_that_is_cut_short_goes_on_to_the_youngest() {
    let mut place = Place::new();
    place.crowd();
    let last = place.wait(&speaks(r#"{"languages":["de"]}"#));
    let (ticket, mut step) = place.join(&speaks(r#"{"languages":["en","de"]}"#));
    let mut goes = 1;
    while step == Step::Wait(Some(place.now)) {
        assert_eq!(place.pool.lag(place.now + Duration::from_millis(7)), Duration::from_millis(7));
        step = place.pool.step(ticket, place.now);
        goes += 1;
    }
    assert_eq!(step, Step::Pair(last));
    assert!(goes > 2, "all were looked at in {goes} goes");
    assert_eq!(
        place.pool.lag(place.now + Duration::from_secs(1)),
        Duration::ZERO,
        "nobody goes on"
    );
}

#[test]
fn while_searches_lag_the_oldest_who_will_do_is_taken() {
    for (lag, hasty) in [(400, false), (600, true)] {
        let mut place = Place::new();
        let oldest = place.wait(&speaks(r#"{"languages":["en"]}"#).requiring(["pt"].into_iter()));
        let better = place.wait(&speaks(r#"{"languages":["de"],"topics":["looms"]}"#));
        place.crowd();
        // Somebody is cut short, and isn't asked to go on.
        let person = speaks(r#"{"languages":["en"]}"#);
        assert_eq!(place.join(&person).1, Step::Wait(Some(place.now)));
        place.now += Duration::from_millis(lag);
        let both = speaks(r#"{"languages":["en","de","pt"],"topics":["looms"]}"#);
        let taken = if hasty { oldest } else { better };
        assert_eq!(place.join(&both).1, Step::Pair(taken), "with a lag of {lag} ms");
    }
}
