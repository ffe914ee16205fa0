//! How well the estimate of the waiting time keeps its word, over crowds, pools and seeds.
//!
//! Knows which are looked at, and what is promised. Must not know how estimates come about.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::calibration::{Calibration, Told, calibration, told};
use crate::crowd::{Rhythm, crowd};
use crate::figures::median;
use crate::schedule::{PATIENT, USUAL, parse};
use crate::{Outcome, Trace, rivals, scored};

/// So many estimates are judged, the first ones of each run.
pub const ESTIMATES: usize = 5000;

/// How many of a hundred matches may be within an interval that says 80.
pub const PROMISED: RangeInclusive<f64> = 0.75..=0.88;

/// The rates, a second. The crowds are so large that so many have to wait.
const RATES: [f64; 4] = [0.5, 3.0, 20.0, 100.0];
const PEOPLE: usize = 18_000;

/// From one rate to another, a second, after ten minutes.
const JUMPS: [(f64, f64); 3] = [(3.0, 20.0), (20.0, 3.0), (3.0, 6.0)];
const JUMP_AT: Duration = Duration::from_secs(600);

/// What a pool makes of a trace.
type Run = fn(&Trace) -> Outcome;

/// Whose waits are estimated.
const POOLS: [(&str, Run); 3] = [
    (USUAL, |trace| scored::run(trace, &parse(USUAL).unwrap_or_default())),
    (PATIENT, |trace| scored::run(trace, &parse(PATIENT).unwrap_or_default())),
    ("open", rivals::first_in_first_out),
];

/// Who has waited so long asks again.
const ASKED_AGAIN: Duration = Duration::from_secs(5);

/// How many runs [`measure`] makes for each seed.
pub const RUNS: usize = RATES.len() * (POOLS.len() + 1) + JUMPS.len();

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimates {
    /// As Markdown.
    pub text: String,
    /// Whether all is as promised.
    pub kept: bool,
}

/// Asks for estimates in all crowds and pools; calls `ran` after each run.
pub fn measure(seeds: &[u64], mut ran: impl FnMut()) -> Estimates {
    let text =
        format!("Medians over the seeds {seeds:?}, of each the first {ESTIMATES} estimates.\n\n");
    let mut found = Estimates { text, kept: true };
    found.first(seeds, &mut ran);
    found.again(seeds, &mut ran);
    found.after_jumps(seeds, &mut ran);
    found
}

impl Estimates {
    fn first(&mut self, seeds: &[u64], ran: &mut impl FnMut()) {
        self.say(
            "| arrivals | pool | within the interval (lowest and highest seed) | left | its mean length | \
             estimates |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        for (rate, (pool, run)) in RATES.iter().flat_map(|rate| POOLS.map(|pool| (*rate, pool))) {
            let all = judged(rate, run, Duration::ZERO, seeds, ran);
            self.kept &= all.iter().all(|found| found.estimates == ESTIMATES);
            self.kept &= all.iter().all(|found| PROMISED.contains(&found.within));
            self.say(&format!("| {rate} a second | `{pool}` | {}", cells(&all)));
        }
    }

    /// Nothing is promised for these, and they are as honest.
    fn again(&mut self, seeds: &[u64], ran: &mut impl FnMut()) {
        let (pool, run) = POOLS[0];
        for rate in RATES {
            let all = judged(rate, run, ASKED_AGAIN, seeds, ran);
            let line = format!(
                "| {rate} a second | `{pool}`, asked after {ASKED_AGAIN:?} | {}",
                cells(&all)
            );
            self.say(&line);
        }
        self.say(&format!("\nAfter a jump of the rate, in the pool `{pool}`:\n\n"));
    }

    fn after_jumps(&mut self, seeds: &[u64], ran: &mut impl FnMut()) {
        self.say(
            "| jump | none is given any more after | again after | when so many who came since have been \
             matched | within the interval in the next minute |\n| --- | --- | --- | --- | --- |\n",
        );
        for (before, after) in JUMPS {
            let of_seed = |seed: &u64| {
                let silence = silence(before, after, *seed);
                ran();
                silence
            };
            let all: Vec<_> = seeds.iter().map(of_seed).collect();
            self.kept &=
                all.iter().all(|silence| silence.is_some_and(|silence| silence.matched >= 30));
            self.say(&format!("| {before} to {after} a second | {}\n", silences(&all)));
        }
    }

    fn say(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

/// How a pool's estimates turn out with each seed.
fn judged(
    rate: f64,
    run: Run,
    asked_after: Duration,
    seeds: &[u64],
    ran: &mut impl FnMut(),
) -> Vec<Calibration> {
    let of_seed = |seed: &u64| {
        let trace = crowd(Rhythm::Poisson(rate), PEOPLE, *seed);
        let found = calibration(&told(&trace, &run(&trace), asked_after), ESTIMATES);
        ran();
        found
    };
    seeds.iter().map(of_seed).collect()
}

fn cells(all: &[Calibration]) -> String {
    let medians = |part: fn(&Calibration) -> f64| median(all.iter().map(part).collect());
    let within = all.iter().map(|found| found.within);
    format!(
        "{:.1} % ({:.1}–{:.1} %) | {:.1} % | {:.2} s | {} |\n",
        100.0 * medians(|found| found.within),
        100.0 * within.clone().fold(1.0, f64::min),
        100.0 * within.fold(0.0, f64::max),
        100.0 * medians(|found| found.left),
        medians(|found| found.width),
        medians(|found| found.estimates as f64),
    )
}

/// What happens to estimates after a jump of the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Silence {
    /// How long after the jump somebody was told nothing for the first time, in seconds.
    pub after: f64,
    /// How long after it somebody was told something again.
    pub again: f64,
    /// How many who came after the jump, and had to wait, had been matched by then.
    pub matched: usize,
    /// How the estimates of the minute from then on turned out.
    pub then: Calibration,
}

/// In the usual pool; `None` if estimates don't stop, or don't come again.
pub fn silence(before: f64, after: f64, seed: u64) -> Option<Silence> {
    let rhythm = Rhythm::Jump { before, at: JUMP_AT.as_secs_f64(), after };
    let people = (before * JUMP_AT.as_secs_f64() + after * 300.0) as usize;
    let trace = crowd(rhythm, people, seed);
    let all = told(&trace, &scored::run(&trace, &parse(USUAL)?), Duration::ZERO);
    let since: Vec<Told> = all.into_iter().filter(|told| told.at >= JUMP_AT).collect();
    let silent = since.iter().find(|told| told.interval.is_none())?.at;
    let again = since.iter().find(|told| told.at > silent && told.interval.is_some())?.at;
    let minute = again..again + Duration::from_secs(60);
    let then: Vec<_> = since.iter().filter(|told| minute.contains(&told.at)).copied().collect();
    let matched = since.iter().filter(|told| told.matched && told.at + told.waited <= again);
    Some(Silence {
        after: (silent - JUMP_AT).as_secs_f64(),
        again: (again - JUMP_AT).as_secs_f64(),
        matched: matched.count(),
        then: calibration(&then, ESTIMATES),
    })
}

fn silences(all: &[Option<Silence>]) -> String {
    let found: Vec<_> = all.iter().flatten().collect();
    if found.len() < all.len() {
        return "not noticed, or for ever | | | |".to_owned();
    }
    let most = |part: fn(&Silence) -> f64| found.iter().map(|s| part(s)).fold(0.0, f64::max);
    let fewest = found.iter().map(|silence| silence.matched).min().unwrap_or_default();
    let (after, again) = (most(|s| s.after), most(|s| s.again));
    let then = median(found.iter().map(|silence| silence.then.within).collect());
    format!(
        "{after:.1} s at most | {again:.0} s at most | {fewest} at least | {:.0} % |",
        100.0 * then
    )
}
