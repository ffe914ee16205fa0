//! Searches that are cut short: they go on, whatever happens meanwhile, and while they lag the oldest who will do
//! is taken.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a start to count from; later times are made up")]

use std::time::{Duration, Instant};

use vyoma_core::matching::{Order, Patience, Person, Pool, Relaxation, Step, Ticket};
use vyoma_protocol::envelope::Profile;

const CROWD: usize = 2_000;
const SECOND: Duration = Duration::from_secs(1);

struct Place {
    pool: Pool,
    now: Instant,
}

fn speaks(json: &str) -> Person {
    Person::new(Profile::from_json(json).unwrap())
}

impl Place {
    fn new(steps: &[(u64, u16)]) -> Self {
        let steps = steps.iter().map(|(after, score)| (*after as u32 * SECOND, *score)).collect();
        let patience = Patience { fresh: 2 * SECOND, answer: 2 * SECOND };
        let pool = Pool::scored(patience, Relaxation::new(steps).unwrap());
        Self { pool, now: Instant::now() }
    }

    fn join(&mut self, person: &Person) -> (Ticket, Step) {
        let ticket = self.pool.issue();
        self.pool.rejoin(ticket, person, self.now, self.now);
        (ticket, self.pool.step(ticket, self.now))
    }

    fn go_on(&mut self, ticket: Ticket) -> Step {
        loop {
            match self.pool.step(ticket, self.now) {
                Step::Wait(Some(at)) if at == self.now => {}
                step => return step,
            }
        }
    }

    /// Joins, and goes on until it has looked at everybody.
    fn wait(&mut self, person: &Person) -> Ticket {
        let (ticket, step) = self.join(person);
        let cut = step == Step::Wait(Some(self.now));
        let step = if cut { self.go_on(ticket) } else { step };
        assert_eq!(step, Step::Wait(None));
        ticket
    }

    /// People who speak English and require what nobody speaks: each is worth a look, and none may be met.
    fn crowd(&mut self) {
        let person = speaks(r#"{"languages":["en"]}"#).requiring(["xx"].into_iter());
        for _ in 0..CROWD {
            let (ticket, _) = self.join(&person);
            self.go_on(ticket);
        }
    }
}

#[test]
fn who_proves_itself_amid_a_search_misses_nobody_who_came_back_meanwhile() {
    let mut place = Place::new(&[(0, 100)]);
    // Somebody old turns out to be silent.
    let (old, _) = place.join(&speaks(r#"{"languages":["de"]}"#));
    place.now += 3 * SECOND;
    let (asks, step) = place.join(&speaks(r#"{"languages":["de"]}"#));
    assert!(matches!(step, Step::Probing(_)));
    place.now += 2 * SECOND;
    place.pool.heard(asks, place.now);
    assert_eq!(place.go_on(asks), Step::Wait(None), "the old one is silent");
    assert!(place.pool.leave(asks));
    place.pool.take_orders();
    place.crowd();
    // A search is cut short behind it, and has to prove that its client is live before it goes on.
    let (seeker, step) = place.join(&speaks(r#"{"languages":["en","de"]}"#));
    assert_eq!(step, Step::Wait(Some(place.now)));
    place.now += 2 * SECOND;
    assert!(matches!(place.pool.step(seeker, place.now), Step::Probing(_)));
    // Meanwhile the old one is heard, and looks at all who may be seen.
    place.pool.heard(old, place.now);
    assert!(place.pool.take_orders().contains(&(old, Order::Seek)));
    assert_eq!(place.go_on(old), Step::Wait(None), "the other is just seeking");
    place.pool.heard(seeker, place.now);
    assert_eq!(place.go_on(seeker), Step::Pair(old), "they wait beside each other for ever");
}

/// Somebody's threshold falls while it proves itself, after so many goes of its search.
fn proves_itself_after(goes: usize) -> Option<Step> {
    let mut place = Place::new(&[(0, 700), (3, 100)]);
    let (old, _) = place.join(&speaks(r#"{"languages":["de"]}"#));
    place.now += 4 * SECOND;
    place.pool.heard(old, place.now);
    assert_eq!(place.go_on(old), Step::Wait(None));
    let person = speaks(r#"{"languages":["en"],"offers":["a"],"seeks":["a"]}"#);
    let person = person.requiring(["xx"].into_iter());
    for _ in 0..CROWD / 4 {
        let (ticket, _) = place.join(&person);
        place.go_on(ticket);
    }
    let seeker = speaks(r#"{"languages":["en","de"],"offers":["a"],"seeks":["a"]}"#);
    let (seeker, mut step) = place.join(&seeker);
    for _ in 1..goes {
        step = place.pool.step(seeker, place.now);
    }
    if step != Step::Wait(Some(place.now)) {
        return None;
    }
    place.now += 5 * SECOND / 2;
    assert!(matches!(place.pool.step(seeker, place.now), Step::Probing(_)));
    place.now += SECOND;
    place.pool.heard(seeker, place.now);
    place.pool.heard(old, place.now);
    match place.go_on(seeker) {
        Step::Pair(other) => assert_eq!(other, old),
        step => return Some(step),
    }
    Some(Step::Pair(old))
}

#[test]
fn who_proves_itself_amid_a_search_looks_again_at_all_once_more_will_do() {
    let outcomes: Vec<_> = (1..9).map_while(proves_itself_after).collect();
    assert!(outcomes.len() > 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|step| matches!(step, Step::Pair(_))), "{outcomes:?}");
}

#[test]
fn who_turns_out_to_be_silent_does_not_make_all_hurry() {
    let mut place = Place::new(&[(0, 100)]);
    place.crowd();
    let (gone, step) = place.join(&speaks(r#"{"languages":["en"]}"#));
    assert_eq!(step, Step::Wait(Some(place.now)));
    place.now += 2 * SECOND;
    assert!(matches!(place.pool.step(gone, place.now), Step::Probing(_)));
    place.now += 2 * SECOND;
    assert_eq!(place.pool.step(gone, place.now), Step::Wait(None), "it is silent");
    place.now += 30 * SECOND;
    assert_eq!(place.pool.lag(place.now), Duration::ZERO, "nobody goes on with a search");
}

#[test]
fn who_answered_too_long_ago_and_is_let_go_looks_at_who_came_meanwhile() {
    let mut place = Place::new(&[(0, 100)]);
    let (asked, _) = place.join(&speaks(r#"{"languages":["en","fr"]}"#));
    place.now += 3 * SECOND;
    let (asks, step) = place.join(&speaks(r#"{"languages":["en"],"topics":["looms"]}"#));
    assert!(matches!(step, Step::Probing(_)));
    place.pool.heard(asked, place.now);
    // Two come who see neither: one fits the one who was asked, one the one who asks, and better.
    let (beside, step) = place.join(&speaks(r#"{"languages":["fr"]}"#));
    assert_eq!(step, Step::Wait(None));
    let (better, step) = place.join(&speaks(r#"{"languages":["en"],"topics":["looms"]}"#));
    assert_eq!(step, Step::Wait(None));
    place.pool.take_orders();
    // Who asks had to prove itself first, so the answer is stale by now.
    place.now += 2 * SECOND;
    assert!(matches!(place.pool.step(asks, place.now), Step::Probing(_)));
    for heard in [asks, better, beside] {
        place.pool.heard(heard, place.now);
    }
    assert_eq!(place.pool.step(asks, place.now), Step::Pair(better));
    assert!(place.pool.take_orders().contains(&(asked, Order::Seek)));
    place.pool.heard(asked, place.now);
    assert_eq!(place.go_on(asked), Step::Pair(beside), "they wait beside each other for ever");
}

#[test]
fn whose_threshold_falls_amid_a_search_begins_anew() {
    let mut place = Place::new(&[(0, 700), (3, 100)]);
    let (old, _) = place.join(&speaks(r#"{"languages":["de"]}"#));
    place.now += 4 * SECOND;
    place.pool.heard(old, place.now);
    assert_eq!(place.go_on(old), Step::Wait(None));
    let person = speaks(r#"{"languages":["en"],"offers":["a"],"seeks":["a"]}"#);
    let person = person.requiring(["xx"].into_iter());
    for _ in 0..CROWD / 4 {
        let (ticket, _) = place.join(&person);
        place.go_on(ticket);
    }
    let seeker = speaks(r#"{"languages":["en","de"],"offers":["a"],"seeks":["a"]}"#);
    let (seeker, step) = place.join(&seeker);
    assert_eq!(step, Step::Wait(Some(place.now)), "it is cut short, behind the old one");
    place.now += 3 * SECOND;
    for heard in [seeker, old] {
        place.pool.heard(heard, place.now);
    }
    assert_eq!(place.go_on(seeker), Step::Pair(old));
}

#[test]
fn a_search_that_is_cut_short_goes_on_to_the_youngest() {
    let mut place = Place::new(&[(0, 100)]);
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
        let mut place = Place::new(&[(0, 100)]);
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
