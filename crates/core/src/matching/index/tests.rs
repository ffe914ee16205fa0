//! The index against a look at everybody, in a crowd where some words get no list.

use vyoma_protocol::envelope::Profile;

use super::super::person::Person;
use super::super::words::Tags;
use super::*;

/// Ages begin so shortly before they wrap that half of the crowd comes after that.
const FIRST: Age = Age::MAX - 5_000;
const CROWD: u32 = 10_000;
/// Whose work is cut short after so much goes on where it stopped.
const LITTLE: usize = 3_000;

/// Pseudo-random numbers, the same in each run.
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// Up to so many words, of which the first come most often.
    fn list(&mut self, most: u64, words: u64) -> Vec<String> {
        let count = self.below(most + 1);
        (0..count)
            .map(|_| {
                let limit = 1 + self.below(words);
                format!("w{}", self.below(limit))
            })
            .collect()
    }

    fn person(&mut self) -> Person {
        let json = format!(
            r#"{{"offers":{:?},"seeks":{:?},"topics":{:?},"languages":{:?}}}"#,
            self.list(8, 60),
            self.list(8, 60),
            self.list(3, 60),
            self.list(2, 9)
        );
        Person::new(Profile::from_json(&json).expect("a profile"))
    }
}

struct Crowd {
    index: Index,
    tags: Tags,
    people: Vec<(Age, Words)>,
    draws: Draws,
    next: Age,
}

impl Crowd {
    fn empty() -> Self {
        let (index, tags, draws) = (Index::default(), Tags::default(), Draws(20_261_125));
        Self { index, tags, people: Vec::new(), draws, next: FIRST }
    }

    fn gather() -> Self {
        let mut crowd = Self::empty();
        for _ in 0..CROWD {
            crowd.come();
        }
        crowd
    }

    fn come(&mut self) {
        let person = self.draws.person();
        self.come_as(&person);
    }

    fn come_as(&mut self, person: &Person) {
        let words = self.tags.intern(person);
        let age = self.next;
        self.next = self.next.wrapping_add(1);
        self.index.insert(age, &words, self.next);
        self.people.push((age, words));
    }

    fn go(&mut self) {
        let at = self.draws.below(self.people.len() as u64) as usize;
        let (age, words) = self.people.remove(at);
        self.index.remove(age, &words, self.next);
        self.tags.free(&words);
    }

    /// The best for somebody new by looking at everybody: of equals the oldest.
    fn naive(&self, query: &Query<'_>, score: u16) -> Option<(u16, Age)> {
        let all = self.people.iter().map(|(age, words)| (query.score(words), *age));
        let enough = all.filter(|(reached, _)| *reached >= score);
        enough.max_by_key(|(score, age)| (*score, back(*age, self.next)))
    }

    /// The best by the index, for so much work at a time.
    fn indexed(&self, query: &Query<'_>, score: u16, work: usize) -> (Option<(u16, Age)>, usize) {
        let by_age = |age: Age| {
            let order = |age: Age| age.wrapping_sub(FIRST);
            let place = self.people.binary_search_by_key(&order(age), |(age, _)| order(*age));
            place.ok().map(|at| &self.people[at].1)
        };
        let mut judge = |ages: &[Age], judged: &mut Vec<(u16, Age)>| {
            let scores = ages.iter().filter_map(|age| Some((query.score(by_age(*age)?), *age)));
            judged.extend(scores.filter(|(reached, _)| *reached >= score));
        };
        let mut best = Best::new(1, false, self.next);
        let mut span = Span { from: FIRST, to: self.next, next: self.next };
        let mut goes = 0;
        while span.from != span.to {
            let (_, reached) = self.index.search(query, span, score, work, &mut best, &mut judge);
            assert_ne!(reached, span.from, "it goes on");
            (span.from, goes) = (reached, goes + 1);
        }
        (best.found.first().copied(), goes)
    }
}

#[test]
fn the_index_misses_nobody() {
    let mut crowd = Crowd::gather();
    let (mut found, mut cut) = (0, 0);
    for round in 0..300 {
        let words = crowd.tags.intern(&crowd.draws.person());
        let query = Query::new(&words);
        let score = [1, 90, 101, 250, 400, 550, 700, 850][round % 8];
        let expected = crowd.naive(&query, score);
        assert_eq!(crowd.indexed(&query, score, usize::MAX / 4), (expected, 1), "round {round}");
        let (in_parts, goes) = crowd.indexed(&query, score, LITTLE);
        assert_eq!(in_parts, expected, "round {round}, in {goes} parts");
        found += usize::from(expected.is_some());
        cut += usize::from(goes > 1);
        crowd.tags.free(&words);
        let some = crowd.draws.below(crowd.people.len() as u64) as usize;
        for at in [some, crowd.people.len() - 1] {
            assert_eq!(crowd.index.older(crowd.people[at].0, crowd.next), at, "older than {at}");
        }
        // Some come, more go.
        (0..10).for_each(|_| crowd.come());
        (0..40).for_each(|_| crowd.go());
    }
    assert!(found > 100 && cut > 100, "{found} found somebody, {cut} in parts");
    let many = |lists: &Vec<Listing>| lists.iter().any(|list| matches!(list, Listing::Many(_)));
    assert!(crowd.index.shelves.iter().any(|shelf| shelf.lists.iter().any(many)));
    while !crowd.people.is_empty() {
        crowd.go();
    }
    assert_eq!(crowd.index.everyone.len(), 0);
    let empty = |list: &Listing| matches!(list, Listing::These(posting) if posting.len() == 0);
    assert!(crowd.index.shelves.iter().all(|shelf| shelf.lists.iter().flatten().all(empty)));
}

#[test]
fn who_has_but_a_word_without_a_list_in_common_is_found() {
    let mut crowd = Crowd::empty();
    let person = |json| Person::new(Profile::from_json(json).expect("a profile"));
    crowd.come_as(&person(r#"{"offers":["rare"],"seeks":["other"]}"#));
    for _ in 0..=MANY_AT_LEAST {
        crowd.come_as(&person(r#"{"offers":["many"],"seeks":["many"]}"#));
    }
    let seeker = r#"{"offers":["many","rare"],"seeks":["many","rare"]}"#;
    let words = crowd.tags.intern(&person(seeker));
    let query = Query::new(&words);
    let oldest = Some((495, FIRST + 1));
    assert_eq!(crowd.naive(&query, 400), oldest);
    assert_eq!(crowd.indexed(&query, 400, usize::MAX / 4), (oldest, 1));
}
