//! How well the estimate of the waiting time keeps its word, over crowds, pools and seeds.
//!
//! Knows which are looked at, and what is promised. Must not know how estimates come about.

use std::fmt::Write as _;
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

/// How many runs [`measure`] makes for each seed.
pub const RUNS: usize = RATES.len() * POOLS.len() + JUMPS.len();

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
    let mut text = format!(
        "The first {ESTIMATES} estimates of each run; seeds {seeds:?}.\n\n| arrivals | pool | within the \
         interval (lowest and highest seed) | left | its mean length |\n| --- | --- | --- | --- | --- |\n"
    );
    let mut kept = true;
    for rate in RATES {
        for (pool, run) in POOLS {
            let of_seed = |seed: &u64| {
                let trace = crowd(Rhythm::Poisson(rate), PEOPLE, *seed);
                let found = calibration(&told(&trace, &run(&trace)), ESTIMATES);
                ran();
                found
            };
            let all: Vec<_> = seeds.iter().map(of_seed).collect();
            kept &= all
                .iter()
                .all(|found| found.estimates == ESTIMATES && PROMISED.contains(&found.within));
            let _ = writeln!(text, "| {rate} a second | `{pool}` | {}", cells(&all));
        }
    }
    let _ = write!(
        text,
        "\nAfter a jump of the rate, in the pool `{USUAL}`:\n\n| jump | none is given any more after | again \
         after | when so many who came since have been matched | within the interval in the next minute \
         (median) |\n| --- | --- | --- | --- | --- |\n"
    );
    for (before, after) in JUMPS {
        let of_seed = |seed: &u64| {
            let silence = silence(before, after, *seed);
            ran();
            silence
        };
        let all: Vec<_> = seeds.iter().map(of_seed).collect();
        kept &= all.iter().all(|silence| silence.is_some_and(|silence| silence.matched >= 30));
        let _ = writeln!(text, "| {before} to {after} a second | {}", silences(&all));
    }
    Estimates { text, kept }
}

fn cells(all: &[Calibration]) -> String {
    let medians = |part: fn(&Calibration) -> f64| median(all.iter().map(part).collect());
    let within = all.iter().map(|found| found.within);
    format!(
        "{:.1} % ({:.1}–{:.1} %) | {:.1} % | {:.2} s |",
        100.0 * medians(|found| found.within),
        100.0 * within.clone().fold(1.0, f64::min),
        100.0 * within.fold(0.0, f64::max),
        100.0 * medians(|found| found.left),
        medians(|found| found.width),
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
    let all = told(&trace, &scored::run(&trace, &parse(USUAL)?));
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
