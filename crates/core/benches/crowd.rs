//! A million tickets in one scored pool: what an arrival's decision takes, and what a ticket weighs.
//!
//! `cargo bench -p vyoma-core --bench crowd -- [TICKETS [THRESHOLD]]`. People offer and seek 4 to 8 things
//! each, have up to 2 topics and 1 or 2 languages. Things and topics are of 10,000 words, the k-th of which
//! comes 1/k times as often as the first; languages likewise of 20. They come one by one; whoever is matched
//! leaves, so in the end all that wait are unacceptable to each other. Then 20,000 more come, are timed, and
//! leave again. One of five is made to fit somebody who waits, but for a word on each side; else nearly nobody
//! would be matched.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]
#![allow(clippy::print_stdout, reason = "its output")]

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use vyoma_core::matching::{Patience, Person, Pool, Relaxation, Step};
use vyoma_protocol::envelope::Profile;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SEED: u64 = 20_261_125;
const WORDS: usize = 10_000;
const LANGUAGES: usize = 20;
const ARRIVALS: usize = 20_000;

/// Ranks by Zipf's law with exponent 1.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(ranks: usize) -> Self {
        let sums = (1..=ranks).scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        });
        Self(sums.collect())
    }

    fn draw(&self, rng: &mut fastrand::Rng) -> usize {
        let at = rng.f64() * self.0.last().unwrap();
        self.0.partition_point(|sum| *sum < at)
    }

    fn list(&self, count: usize, rng: &mut fastrand::Rng) -> Vec<String> {
        let mut ranks = Vec::new();
        while ranks.len() < count {
            let rank = self.draw(rng);
            if !ranks.contains(&rank) {
                ranks.push(rank);
            }
        }
        ranks.iter().map(|rank| format!("w{rank}")).collect()
    }
}

struct Crowd {
    words: Zipf,
    languages: Zipf,
    rng: fastrand::Rng,
}

impl Crowd {
    fn draw(&mut self) -> Drawn {
        let Self { words, languages, rng } = self;
        [
            words.list(rng.usize(4..=8), rng),
            words.list(rng.usize(4..=8), rng),
            words.list(rng.usize(0..=2), rng),
            languages.list(rng.usize(1..=2), rng),
        ]
    }

    /// Somebody whom the one drawn then would like to meet: who seeks what it offers and offers what it seeks,
    /// but for a word of each.
    fn counterpart(&mut self, then: &fastrand::Rng) -> Drawn {
        let now = std::mem::replace(&mut self.rng, then.clone());
        let [offers, seeks, topics, languages] = self.draw();
        self.rng = now;
        let mut other = [seeks, offers, topics, languages];
        for list in &mut other[..2] {
            let word = self.words.list(1, &mut self.rng).remove(0);
            if !list.contains(&word) {
                list[0] = word;
            }
        }
        other
    }
}

/// Offers, seeks, topics, languages.
type Drawn = [Vec<String>; 4];

fn person([offers, seeks, topics, languages]: &Drawn) -> Person {
    let json = format!(
        r#"{{"offers":{offers:?},"seeks":{seeks:?},"topics":{topics:?},"languages":{languages:?}}}"#
    );
    Person::new(Profile::from_json(&json).unwrap())
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let tickets: usize = arguments.next().map_or(1_000_000, |text| text.parse().unwrap());
    let threshold: u16 = arguments.next().map_or(700, |text| text.parse().unwrap());
    let day = Duration::from_secs(86_400);
    let relaxation = Relaxation::new(vec![(Duration::ZERO, threshold)]).unwrap();
    let mut pool = Pool::scored(Patience { fresh: day, answer: day }, relaxation);
    let mut crowd = Crowd {
        words: Zipf::new(WORDS),
        languages: Zipf::new(LANGUAGES),
        rng: fastrand::Rng::with_seed(SEED),
    };
    let now = Instant::now();
    let sample = crowd.gather(&mut pool, tickets, now);
    println!("Needed: a score of {threshold}. Times of {ARRIVALS} arrivals, in microseconds:\n");
    println!("| | of 100 | median | p90 | p99 | max |\n| --- | --- | --- | --- | --- | --- |");
    let (kinds, joins) = time_arrivals(&mut pool, &mut crowd, &sample, now);
    let mut all = Histogram::<u64>::new(3).unwrap();
    kinds.iter().for_each(|times| all.add(times).unwrap());
    let [hits, misses, cut] = &kinds;
    for (name, times) in [
        ("all decisions", &all),
        ("matched", hits),
        ("nobody would do", misses),
        ("cut short", cut),
        ("joining the index, apart", &joins),
    ] {
        let share = times.len() as f64 * 100.0 / ARRIVALS as f64;
        let [median, p90, p99, max] =
            [0.5, 0.9, 0.99, 1.0].map(|q| times.value_at_quantile(q) as f64 / 1000.0);
        println!("| {name} | {share:.1} | {median:.1} | {p90:.1} | {p99:.1} | {max:.1} |");
    }
}

impl Crowd {
    /// Lets people come until so many wait. Returns where to begin to draw one of fifty of them again.
    fn gather(&mut self, pool: &mut Pool, tickets: usize, now: Instant) -> Vec<fastrand::Rng> {
        let (before, start) = (resident(), Instant::now());
        let (mut sample, mut came) = (Vec::new(), 0);
        while pool.len() < tickets {
            if came % 50 == 0 {
                sample.push(self.rng.clone());
            }
            came += 1;
            let ticket = pool.issue();
            pool.rejoin(ticket, &person(&self.draw()), now, now);
            while let Step::Wait(Some(_)) = pool.step(ticket, now) {}
        }
        let bytes = (resident() - before) / tickets;
        println!(
            "{tickets} wait, {came} came, in {:?}; {bytes} bytes a ticket, with all of the index.",
            start.elapsed()
        );
        sample
    }
}

/// Times arrivals: of those who were matched, of those for whom nobody would do, and of those whose search was
/// cut short; and what it took to put them in.
fn time_arrivals(
    pool: &mut Pool,
    crowd: &mut Crowd,
    sample: &[fastrand::Rng],
    now: Instant,
) -> ([Histogram<u64>; 3], Histogram<u64>) {
    let mut kinds = [(); 3].map(|()| Histogram::new(3).unwrap());
    let mut joins = Histogram::new(3).unwrap();
    for arrival in 0..ARRIVALS {
        let drawn = match arrival % 5 {
            0 => crowd.counterpart(&sample[arrival / 5 % sample.len()]),
            _ => crowd.draw(),
        };
        let (person, ticket) = (person(&drawn), pool.issue());
        let begin = Instant::now();
        pool.rejoin(ticket, &person, now, now);
        let joined = Instant::now();
        let step = pool.step(ticket, now);
        let took = joined.elapsed();
        joins.record((joined - begin).as_nanos() as u64).unwrap();
        let kind = match step {
            Step::Pair(_) => 0,
            Step::Wait(None) => 1,
            Step::Wait(Some(_)) => 2,
            Step::Probing(_) => panic!("everybody is live"),
        };
        kinds[kind].record(took.as_nanos() as u64).unwrap();
        pool.leave(ticket);
    }
    (kinds, joins)
}
