//! What the decision log costs: nanoseconds for each call of matching, without and with it.
//!
//! `cargo run --release -p vyoma-core --example recording`

#![expect(clippy::unwrap_used, reason = "it fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "it measures")]
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vyoma_core::matching::decisions::{Header, PoolRule, Recorded, Rules, Sink};
use vyoma_core::matching::{Lists, Patience, Person, Pools, Relaxation, Step, Tag, Ticket};

const JOINS: u64 = 200_000;

/// So many wait in the scored pool at most, few, so that looking at them hides nothing; then the oldest
/// leaves.
const WAITING: usize = 4;

/// The best of so many runs counts: others have work to do, too.
const RUNS: usize = 9;

fn main() {
    for (name, relaxation) in [
        ("open pool, no profiles", None),
        ("scored pool, 4 waiting, 12 words each", Relaxation::new(vec![(Duration::ZERO, 400)])),
    ] {
        let people = people(relaxation.is_some());
        let pool = PoolRule { name: "default".to_owned(), relaxation };
        let day = Duration::from_secs(86_400);
        let rules = Rules::new(Patience { fresh: day, answer: day }, vec![pool]);
        let header = Header { program: String::new(), began: 0, rules };
        let mut best = [f64::MAX; 3];
        let mut written = 0;
        for _ in 0..RUNS {
            let (sink, bytes) = sink();
            let on = Recorded::recording(&header, Instant::now(), sink);
            let times = [
                run(Bare(header.rules.pools()), &people),
                run(Recorded::new(&header.rules), &people),
                run(on, &people),
            ];
            best.iter_mut().zip(times).for_each(|(best, time)| *best = best.min(time));
            written = *bytes.lock().unwrap();
        }
        let [bare, off, on] = best;
        println!(
            "{name}: the pool alone {bare:.0} ns a call, without a log {off:.0}, with one {on:.0}"
        );
        println!("  {:.0} bytes a newcomer", written as f64 / JOINS as f64);
    }
}

/// What is measured.
trait Calls {
    fn join(&mut self, person: &Person, now: Instant) -> Ticket;
    fn step(&mut self, ticket: Ticket, now: Instant) -> Step;
    fn leave(&mut self, ticket: Ticket) -> bool;
}

/// Pools that nobody could record.
struct Bare(Pools);

impl Calls for Bare {
    fn join(&mut self, person: &Person, now: Instant) -> Ticket {
        let ticket = self.0.pool(0).issue();
        self.0.pool(0).rejoin(ticket, person, now, now);
        ticket
    }

    fn step(&mut self, ticket: Ticket, now: Instant) -> Step {
        self.0.of(ticket).step(ticket, now)
    }

    fn leave(&mut self, ticket: Ticket) -> bool {
        self.0.of(ticket).leave(ticket)
    }
}

impl Calls for Recorded {
    fn join(&mut self, person: &Person, now: Instant) -> Ticket {
        Self::join(self, 0, person, now)
    }

    fn step(&mut self, ticket: Ticket, now: Instant) -> Step {
        Self::step(self, ticket, now)
    }

    fn leave(&mut self, ticket: Ticket) -> bool {
        Self::leave(self, ticket)
    }
}

/// Takes lines as the server does: behind a lock, in memory that another thread empties.
fn sink() -> (Sink, Arc<Mutex<usize>>) {
    let (lines, bytes) = (Mutex::new(Vec::new()), Arc::<Mutex<usize>>::default());
    let counted = Arc::clone(&bytes);
    let sink = move |line: &[u8]| {
        let mut lines = lines.lock().unwrap();
        lines.extend_from_slice(line);
        if lines.len() > 1 << 16 {
            *counted.lock().unwrap() += lines.len();
            lines.clear();
        }
        true
    };
    (Box::new(sink), bytes)
}

/// People who come and look, and leave where too many wait: nanoseconds a call.
fn run(mut pools: impl Calls, people: &[Person]) -> f64 {
    let (start, mut calls) = (Instant::now(), 0_u64);
    let mut waiting = VecDeque::<Ticket>::new();
    for n in 0..JOINS {
        let now = start + Duration::from_millis(n);
        let ticket = pools.join(&people[n as usize % people.len()], now);
        calls += 2;
        match pools.step(ticket, now) {
            Step::Pair(other) => waiting.retain(|waits| *waits != other),
            _ => waiting.push_back(ticket),
        }
        if waiting.len() > WAITING
            && let Some(oldest) = waiting.pop_front()
        {
            pools.leave(oldest);
            calls += 1;
        }
    }
    start.elapsed().as_nanos() as f64 / calls as f64
}

/// A thousand, each showing three words in each of four lists, of sixty; or nothing.
fn people(shown: bool) -> Vec<Person> {
    let mut seed = 1_u64;
    let mut word = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Tag::from(format!("word {}", (seed >> 33) % 60))
    };
    let mut list = || if shown { (0..3).map(|_| word()).collect() } else { Vec::new() };
    let mut person = |_| {
        let (offers, seeks, topics, languages) = (list(), list(), list(), list());
        Person::from_lists(Lists { offers, seeks, topics, languages })
    };
    (0..1000).map(&mut person).collect()
}
