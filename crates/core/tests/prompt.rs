//! Nobody waits for long beside somebody who would do: a long random course of a crowded scored pool.
//!
//! Some 330 come a second, and thresholds fall for about twice as many. One worker does all steps, one after the other.
//! It takes 0.12 ms for each that is cut short by the pool's cap on work, and 0.06 ms for any other: more than
//! twice of what they took in truth, which is told in the end. Now and then a few who wait
//! are compared with all others, by a naive score: no two who may meet, and would do for each other, are left
//! beside each other for longer than a second. `STEPS=1000000 WAITING=100000 cargo test --release -p vyoma-core
//! --test prompt -- --nocapture` is the whole course; without these it is a short one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a start to count from; later times are made up")]

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use vyoma_core::matching::{Lists, Patience, Person, Pool, Relaxation, Step, Ticket, score};
use vyoma_protocol::envelope::Profile;

const SEED: u64 = 4711;
/// Seconds waited, and what will do from then on.
const STEPS: [(u64, u16); 3] = [(0, 550), (50, 450), (100, 350)];
const PER_SECOND: u32 = 330;
/// What a step takes the one worker.
const CUT_TAKES: Duration = Duration::from_micros(120);
const OTHER_TAKES: Duration = Duration::from_micros(60);
const PROMISED: Duration = Duration::from_secs(1);
/// So many steps between two looks at all pairs of a few.
const LOOK_EVERY: usize = 1000;
const LOOKED_AT: usize = 5;

struct Waiter {
    since: Instant,
    words: Lists<u32>,
}

struct World {
    pool: Pool,
    now: Instant,
    rng: fastrand::Rng,
    waiters: HashMap<Ticket, Waiter>,
    /// Some of those who wait, to draw from; also who has gone.
    drawn: Vec<Ticket>,
    /// Who is to step, in the order of being due, and who will be.
    due: VecDeque<Ticket>,
    queued: HashSet<Ticket>,
    later: BTreeSet<(Instant, Ticket)>,
    barred: HashSet<(Ticket, Ticket)>,
    free_at: Instant,
    pairs: usize,
    /// Searches that began: by arriving, and by falling thresholds.
    searches: usize,
    /// Steps that were cut short, and all others; and what they took in truth.
    cut: usize,
    cut_took: Duration,
    others: usize,
    others_took: Duration,
    longest_lag: Duration,
}

fn list(rng: &mut fastrand::Rng, most: usize, words: f64) -> Vec<u32> {
    let count = rng.usize(0..=most);
    // Ranks are log-uniform, as by Zipf's law.
    let words: BTreeSet<_> = (0..count).map(|_| words.powf(rng.f64()) as u32).collect();
    words.into_iter().collect()
}

fn words(rng: &mut fastrand::Rng) -> Lists<u32> {
    // One of ten shows nothing, and one of five little.
    let most = match rng.u8(0..10) {
        0 => 0,
        1 | 2 => 3,
        _ => 8,
    };
    let mut list = |most, words| list(rng, most, words);
    Lists {
        offers: list(most, 10_000.0),
        seeks: list(most, 10_000.0),
        topics: list(most / 2, 10_000.0),
        languages: list(most / 2, 20.0),
    }
}

fn person(words: &Lists<u32>) -> Person {
    let list = |words: &[u32]| {
        let words: Vec<_> = words.iter().map(|word| format!("w{word}")).collect();
        format!("{words:?}")
    };
    let Lists { offers, seeks, topics, languages } = words;
    let json = format!(
        r#"{{"offers":{},"seeks":{},"topics":{},"languages":{}}}"#,
        list(offers),
        list(seeks),
        list(topics),
        list(languages)
    );
    Person::new(Profile::from_json(&json).unwrap())
}

impl World {
    fn new() -> Self {
        let steps = STEPS.map(|(after, score)| (Duration::from_secs(after), score));
        let day = Duration::from_secs(86_400);
        let now = Instant::now();
        Self {
            pool: Pool::scored(
                Patience { fresh: day, answer: day },
                Relaxation::new(steps.to_vec()).unwrap(),
            ),
            now,
            rng: fastrand::Rng::with_seed(SEED),
            waiters: HashMap::new(),
            drawn: Vec::new(),
            due: VecDeque::new(),
            queued: HashSet::new(),
            later: BTreeSet::new(),
            barred: HashSet::new(),
            free_at: now,
            pairs: 0,
            searches: 0,
            cut: 0,
            cut_took: Duration::ZERO,
            others: 0,
            others_took: Duration::ZERO,
            longest_lag: Duration::ZERO,
        }
    }

    fn arrive(&mut self) {
        let words = words(&mut self.rng);
        let ticket = self.pool.issue();
        self.pool.rejoin(ticket, &person(&words), self.now, self.now);
        self.waiters.insert(ticket, Waiter { since: self.now, words });
        if let Some(other) = self.draw().filter(|_| self.rng.u8(0..10) == 0) {
            self.pool.bar(ticket, other, None);
            self.barred.extend([(ticket, other), (other, ticket)]);
        }
        self.drawn.push(ticket);
        self.searches += 1;
        self.queue(ticket);
    }

    /// Somebody who waits.
    fn draw(&mut self) -> Option<Ticket> {
        while !self.drawn.is_empty() {
            let at = self.rng.usize(0..self.drawn.len());
            if self.waiters.contains_key(&self.drawn[at]) {
                return Some(self.drawn[at]);
            }
            self.drawn.swap_remove(at);
        }
        None
    }

    fn leave(&mut self) {
        if let Some(ticket) = self.draw() {
            assert!(self.pool.leave(ticket));
            self.waiters.remove(&ticket);
        }
    }

    fn queue(&mut self, ticket: Ticket) {
        if self.queued.insert(ticket) {
            self.due.push_back(ticket);
        }
    }

    /// Lets time pass until the next one comes; the worker does what it can.
    fn pass(&mut self, until: Instant, steps: &mut usize) {
        loop {
            while let Some((at, ticket)) =
                self.later.first().copied().filter(|(at, _)| *at <= self.now)
            {
                self.later.remove(&(at, ticket));
                self.queue(ticket);
            }
            let next = match (self.due.front(), self.later.first()) {
                (Some(_), _) => self.free_at.max(self.now),
                (None, Some((at, _))) => *at,
                (None, None) => until,
            };
            if next >= until {
                self.now = until;
                return;
            }
            self.now = next;
            if let Some(ticket) = self.due.pop_front() {
                self.queued.remove(&ticket);
                self.step(ticket);
                *steps += 1;
            }
        }
    }

    fn step(&mut self, ticket: Ticket) {
        self.free_at = self.now + OTHER_TAKES;
        if !self.waiters.contains_key(&ticket) {
            return;
        }
        let begin = Instant::now();
        let step = self.pool.step(ticket, self.now);
        let took = begin.elapsed();
        if matches!(step, Step::Wait(Some(at)) if at == self.now) {
            self.free_at = self.now + CUT_TAKES;
            self.cut += 1;
            self.cut_took += took;
        } else {
            self.others += 1;
            self.others_took += took;
        }
        match step {
            Step::Pair(other) => {
                self.pairs += 1;
                for ticket in [ticket, other] {
                    assert!(self.waiters.remove(&ticket).is_some(), "{ticket:?} was matched twice");
                }
            }
            Step::Wait(Some(at)) => {
                self.searches += usize::from(at > self.now);
                self.later.insert((at, ticket));
            }
            Step::Wait(None) => {}
            Step::Probing(_) => panic!("everybody is live"),
        }
        assert!(
            self.pool.take_orders().is_empty(),
            "nobody is probed, so nobody is ordered to seek"
        );
        self.longest_lag = self.longest_lag.max(self.pool.lag(self.now));
    }

    /// Since when two would do for each other.
    fn acceptable_since(&self, a: &Waiter, b: &Waiter) -> Option<Instant> {
        let score = score(&a.words, &b.words);
        let since = |waiter: &Waiter| {
            let (after, _) = STEPS.into_iter().find(|(_, enough)| score >= *enough)?;
            Some(waiter.since + Duration::from_secs(after))
        };
        Some(since(a)?.max(since(b)?))
    }

    fn report(&self, done: usize, time: Duration) {
        let Self { pairs, waiters, searches, cut, others, longest_lag, .. } = self;
        let each = |took: Duration, count: usize| took / count.max(1) as u32;
        println!(
            "{done} steps, {pairs} pairs, {} wait, {:.0} searches a second; {cut} steps were cut short and took \
             {:?} in the mean, the {others} others {:?}; the longest lag was {longest_lag:?}",
            waiters.len(),
            *searches as f64 / time.as_secs_f64(),
            each(self.cut_took, *cut),
            each(self.others_took, *others),
        );
    }

    fn look_at_some(&mut self) {
        for _ in 0..LOOKED_AT {
            let Some(ticket) = self.draw() else { return };
            let waiter = &self.waiters[&ticket];
            for (other, beside) in self.waiters.iter().filter(|(other, _)| **other != ticket) {
                let since = self.acceptable_since(waiter, beside);
                let beside = since.map(|since| self.now.saturating_duration_since(since));
                let long = beside.is_some_and(|beside| beside > PROMISED);
                assert!(
                    !long || self.barred.contains(&(ticket, *other)),
                    "seed {SEED}: {ticket:?} and {other:?} wait beside each other for {beside:?}; lag {:?}, {} are due",
                    self.pool.lag(self.now),
                    self.due.len()
                );
            }
        }
    }
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn nobody_is_left_for_long_beside_somebody_who_would_do() {
    let (steps, waiting) = (setting("STEPS", 20_000), setting("WAITING", 2_000));
    let mut world = World::new();
    let start = world.now;
    let (mut done, mut looked) = (0, 0);
    while done < steps {
        world.arrive();
        while world.waiters.len() > waiting {
            world.leave();
        }
        // The crowd gathers first, at the pace that the worker keeps up with.
        let apart = world.rng.f64() * 2.0 / f64::from(PER_SECOND);
        world.pass(world.now + Duration::from_secs_f64(apart), &mut done);
        if done / LOOK_EVERY > looked {
            looked = done / LOOK_EVERY;
            world.look_at_some();
        }
    }
    world.report(done, world.now - start);
    assert!(world.pairs > steps / 1000, "only {} pairs", world.pairs);
    assert!(waiting < 100_000 || world.cut > 0, "no search was cut short");
}
