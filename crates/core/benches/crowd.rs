//! A million tickets in one scored pool: what an arrival's decision takes, and what a ticket weighs.
//!
//! `cargo bench -p vyoma-core --bench crowd -- [TICKETS [THRESHOLD]]`. People offer and seek 4 to 8 things
//! each, have up to 2 topics and 1 or 2 languages. Things and topics are of 10,000 words, the k-th of which
//! comes 1/k times as often as the first; languages likewise of 20. They come one by one; whoever is matched
//! leaves, so in the end all that wait are unacceptable to each other. Then 20,000 more come, and are timed;
//! each, and its partner if it was matched, is replaced by the state before, so that the crowd stays as it is.

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

    /// Somebody whom this one would like to meet: who seeks what it offers and offers what it seeks, but for a
    /// word of each.
    fn counterpart(&mut self, [offers, seeks, topics, languages]: Drawn) -> Drawn {
        let mut other = [seeks, offers, topics, languages];
        for list in 0..2 {
            let word = self.words.list(1, &mut self.rng).remove(0);
            if !other[list].contains(&word) {
                other[list][0] = word;
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
    let threshold: u16 = arguments.next().map_or(500, |text| text.parse().unwrap());
    let day = Duration::from_secs(86_400);
    let relaxation = Relaxation::new(vec![(Duration::ZERO, threshold)]).unwrap();
    let mut pool = Pool::scored(Patience { fresh: day, answer: day }, relaxation);
    let mut crowd = Crowd {
        words: Zipf::new(WORDS),
        languages: Zipf::new(LANGUAGES),
        rng: fastrand::Rng::with_seed(SEED),
    };
    let now = Instant::now();
    let before = resident();
    let mut sample = Vec::new();
    let (mut came, start) = (0, Instant::now());
    let mut filling = Histogram::<u64>::new(3).unwrap();
    while pool.len() < tickets {
        let drawn = crowd.draw();
        let person = person(&drawn);
        came += 1;
        if came % 50 == 0 {
            sample.push(drawn);
        }
        let ticket = pool.issue();
        let begin = Instant::now();
        pool.rejoin(ticket, &person, now, now);
        while let Step::Wait(Some(_)) = pool.step(ticket, now) {}
        filling.record(begin.elapsed().as_nanos() as u64).unwrap();
    }
    let bytes = (resident() - before) / tickets;
    println!("{tickets} tickets wait, {came} came; {bytes} bytes a ticket; {:?}", start.elapsed());
    println!(
        "while filling: median {} ns, mean {:.0}",
        filling.value_at_quantile(0.5),
        filling.mean()
    );
    let mut times = [(); 3].map(|()| Histogram::<u64>::new(3).unwrap());
    let mut joins = Histogram::<u64>::new(3).unwrap();
    for arrival in 0..ARRIVALS {
        let drawn = match arrival % 5 {
            0 => crowd.counterpart(sample[arrival / 5 % sample.len()].clone()),
            _ => crowd.draw(),
        };
        let person = person(&drawn);
        let ticket = pool.issue();
        let begin = Instant::now();
        pool.rejoin(ticket, &person, now, now);
        let joined = Instant::now();
        let step = pool.step(ticket, now);
        let took = joined.elapsed().as_nanos() as u64;
        joins.record((joined - begin).as_nanos() as u64).unwrap();
        let kind = match step {
            Step::Pair(_) => 0,
            Step::Wait(None) => 1,
            _ => 2,
        };
        times[kind].record(took).unwrap();
        pool.leave(ticket);
    }
    let mut all = Histogram::<u64>::new(3).unwrap();
    times.iter().for_each(|times| all.add(times).unwrap());
    for (name, times) in
        ["hits", "misses", "capped"].iter().zip(&times).chain([(&"all", &all), (&"joins", &joins)])
    {
        let at = |quantile| times.value_at_quantile(quantile) as f64 / 1000.0;
        println!(
            "{name:8} {:6} ({:4.1} %)  median {:7.1} us  p90 {:7.1}  p99 {:7.1}  max {:7.1}",
            times.len(),
            times.len() as f64 * 100.0 / ARRIVALS as f64,
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0)
        );
    }
}
