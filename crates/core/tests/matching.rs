//! Scored pools against a brute-force oracle: the rules as a person would state them.
//!
//! Whoever comes, whose threshold falls, or who may meet somebody again takes, of those who wait and whom
//! it may meet, the one with the highest score that will do for both; among equals the one who came
//! first. So no two wait beside each other whose score would do for both.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a start to count from; later times are made up")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use vyoma_core::matching::{Patience, Person, Pool, Relaxation, Step, Ticket};
use vyoma_protocol::envelope::Profile;

/// Seconds waited, and the thousandths that will do from then on.
const STEPS: [(u64, u16); 4] = [(0, 600), (5, 350), (10, 100), (20, 0)];
const WORDS: [&str; 6] = ["rust", "Law", "funding", "design", "ops", "ﬁnance"];

/// What people show: offers, seeks, topics, languages; and what languages they require.
#[derive(Debug, Clone)]
struct Words([BTreeSet<usize>; 5]);

/// How many there are at once, how many words, and how many of them in a list.
#[derive(Clone, Copy)]
struct Size {
    waiting: usize,
    words: usize,
    list: usize,
    acts: usize,
}

const FEW: Size = Size { waiting: 10, words: WORDS.len(), list: 3, acts: 40 };

/// So many that most lists are passed over.
const CROWD: Size = Size { waiting: 120, words: 40, list: 9, acts: 250 };

#[derive(Debug, Clone)]
enum Act {
    Join(Words),
    Leave(usize),
    /// Two don't meet: for so many milliseconds, or never.
    Bar(usize, usize, Option<u64>),
    Pass(u64),
}

fn words(size: Size) -> impl Strategy<Value = Words> {
    let list = |most| proptest::collection::btree_set(0..size.words, 0..=most);
    let required = prop_oneof![8 => Just(BTreeSet::new()), 1 => list(2)];
    (list(size.list), list(size.list), list(size.list), list(size.list.min(4)), required)
        .prop_map(|(a, b, c, d, required)| Words([a, b, c, d, required]))
}

fn acts(size: Size) -> impl Strategy<Value = Vec<Act>> {
    let any = 0..size.waiting;
    let act = prop_oneof![
        6 => words(size).prop_map(Act::Join),
        1 => any.clone().prop_map(Act::Leave),
        1 => (any.clone(), any, proptest::option::of(1..30_000_u64))
            .prop_map(|(a, b, until)| Act::Bar(a, b, until)),
        5 => (0..90_000 / size.waiting as u64).prop_map(Act::Pass),
    ];
    proptest::collection::vec(act, 0..size.acts)
}

impl Words {
    fn person(&self) -> Person {
        let list = |index: usize| {
            format!("{:?}", self.0[index].iter().map(|word| spell(*word)).collect::<Vec<_>>())
        };
        let json = format!(
            r#"{{"offers":{},"seeks":{},"topics":{},"languages":{}}}"#,
            list(0),
            list(1),
            list(2),
            list(3),
        );
        let required: Vec<_> = self.0[4].iter().map(|word| spell(*word)).collect();
        let person = Person::new(Profile::from_json(&json).unwrap());
        person.requiring(required.iter().map(String::as_str))
    }

    /// Whether the other speaks a language that this one requires.
    fn is_served_by(&self, other: &Self) -> bool {
        self.0[4].is_empty() || !self.0[4].is_disjoint(&other.0[3])
    }

    /// As docs/matching.md says it.
    fn score(&self, other: &Self) -> u16 {
        let shared = |a: &BTreeSet<usize>, b: &BTreeSet<usize>| a.intersection(b).count() as f64;
        let cosine = |a: &BTreeSet<usize>, b: &BTreeSet<usize>| {
            let lengths = (a.len() * b.len()) as f64;
            if lengths > 0.0 { shared(a, b) / lengths.sqrt() } else { 0.0 }
        };
        let [offers, seeks, topics, languages] = [0, 1, 2, 3];
        let given = cosine(&self.0[offers], &other.0[seeks]);
        let taken = cosine(&other.0[offers], &self.0[seeks]);
        let language =
            if shared(&self.0[languages], &other.0[languages]) > 0.0 { 100.0 } else { 0.0 };
        let topics = 200.0 * cosine(&self.0[topics], &other.0[topics]);
        (700.0 * (given * taken).sqrt() + topics + language).round() as u16
    }
}

/// Upper and lower case, ligatures: what is taken for the same is tested elsewhere.
fn spell(word: usize) -> String {
    WORDS.get(word).map_or_else(|| format!("w{word}"), |word| (*word).to_owned())
}

struct Waiter {
    since: Instant,
    words: Words,
    again: Option<Instant>,
}

struct World {
    pool: Pool,
    now: Instant,
    waiters: BTreeMap<Ticket, Waiter>,
    bars: Vec<(Ticket, Ticket, Option<Instant>)>,
}

impl World {
    fn new() -> Self {
        // Everybody is live: what becomes of others is tested elsewhere.
        let day = Duration::from_secs(86_400);
        let steps = STEPS.map(|(after, score)| (Duration::from_secs(after), score));
        let relaxation = Relaxation::new(steps.to_vec()).unwrap();
        Self {
            pool: Pool::scored(Patience { fresh: day, answer: day }, relaxation),
            now: Instant::now(),
            waiters: BTreeMap::new(),
            bars: Vec::new(),
        }
    }

    fn threshold(&self, waiter: &Waiter) -> u16 {
        let waited = self.now - waiter.since;
        let step = STEPS.iter().rev().find(|(after, _)| Duration::from_secs(*after) <= waited);
        step.unwrap().1
    }

    fn may_meet(&self, a: Ticket, b: Ticket) -> bool {
        let barred = |(x, y, until): &(Ticket, Ticket, Option<Instant>)| {
            (*x, *y) == (a.min(b), a.max(b)) && until.is_none_or(|until| until > self.now)
        };
        // The last word on two counts.
        !self
            .bars
            .iter()
            .rev()
            .find(|(x, y, _)| (*x, *y) == (a.min(b), a.max(b)))
            .is_some_and(barred)
    }

    fn acceptable(&self, a: Ticket, b: Ticket) -> Option<u16> {
        let [one, other] = [&self.waiters[&a], &self.waiters[&b]];
        let score = one.words.score(&other.words);
        let enough = score >= self.threshold(one).max(self.threshold(other));
        let served = one.words.is_served_by(&other.words) && other.words.is_served_by(&one.words);
        (enough && served && self.may_meet(a, b)).then_some(score)
    }

    /// Whom a ticket takes.
    fn expected(&self, ticket: Ticket) -> Option<Ticket> {
        let others = self.waiters.keys().copied().filter(|other| *other != ticket);
        let acceptable = others.filter_map(|other| Some((self.acceptable(ticket, other)?, other)));
        acceptable
            .max_by_key(|(score, other)| (*score, std::cmp::Reverse(*other)))
            .map(|(_, other)| other)
    }

    fn step(&mut self, ticket: Ticket) {
        let expected = self.expected(ticket);
        match self.pool.step(ticket, self.now) {
            Step::Pair(other) => {
                assert_eq!(expected, Some(other), "whom {ticket:?} takes");
                self.waiters.remove(&ticket);
                self.waiters.remove(&other);
            }
            Step::Wait(again) => {
                assert_eq!(expected, None, "{ticket:?} waits");
                self.waiters.get_mut(&ticket).unwrap().again = again;
            }
            Step::Probing(_) => panic!("everybody is live"),
        }
        assert_eq!(self.pool.check(), Ok(()));
    }

    fn act(&mut self, act: Act, size: Size) {
        let pick =
            |index: usize| self.waiters.keys().copied().nth(index % self.waiters.len().max(1));
        match act {
            Act::Join(words) if self.waiters.len() < size.waiting => {
                let ticket = self.pool.issue();
                self.pool.rejoin(ticket, &words.person(), self.now, self.now);
                self.waiters.insert(ticket, Waiter { since: self.now, words, again: None });
                self.step(ticket);
            }
            Act::Join(_) => {}
            Act::Leave(index) => {
                if let Some(ticket) = pick(index) {
                    assert!(self.pool.leave(ticket));
                    self.waiters.remove(&ticket);
                }
            }
            Act::Bar(a, b, millis) => {
                if let (Some(a), Some(b)) = (pick(a), pick(b))
                    && a != b
                {
                    let until = millis.map(|millis| self.now + Duration::from_millis(millis));
                    self.pool.bar(a, b, until);
                    self.bars.push((a.min(b), a.max(b), until));
                    // As in the lobby, where a bar comes with somebody who is about to look.
                    self.pool.describe(a, &self.waiters[&a].words.person());
                    self.step(a);
                }
            }
            Act::Pass(millis) => self.pass(self.now + Duration::from_millis(millis)),
        }
        for order in self.pool.take_orders() {
            self.step(order.0);
        }
        self.assert_nobody_waits_beside_a_partner();
    }

    /// Time passes; whoever wanted to look again does so in time.
    fn pass(&mut self, until: Instant) {
        while let Some((again, ticket)) = self
            .waiters
            .iter()
            .filter_map(|(ticket, waiter)| Some((waiter.again?, *ticket)))
            .min()
            .filter(|(again, _)| *again <= until)
        {
            self.now = self.now.max(again);
            self.step(ticket);
        }
        self.now = until;
    }

    fn assert_nobody_waits_beside_a_partner(&self) {
        let due =
            |ticket: &Ticket| self.waiters[ticket].again.is_some_and(|again| again <= self.now);
        for a in self.waiters.keys() {
            for b in self.waiters.keys().filter(|b| *b > a) {
                let lonely = self.acceptable(*a, *b).is_some() && !due(a) && !due(b);
                assert!(!lonely, "{a:?} and {b:?} wait beside each other");
            }
        }
        assert_eq!(self.pool.len(), self.waiters.len());
    }
}

fn play(acts: Vec<Act>, size: Size) {
    let mut world = World::new();
    for act in acts {
        world.act(act, size);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]
    #[test]
    fn a_scored_pool_does_exactly_what_the_rules_say(acts in acts(FEW)) {
        play(acts, FEW);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn so_it_does_in_a_crowd_where_lists_are_passed_over(acts in acts(CROWD)) {
        play(acts, CROWD);
    }
}
