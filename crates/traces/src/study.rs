//! All matchers on the same traces, over several seeds.
//!
//! Knows which crowds and which schedules are looked at. Must not know how the outcome is shown.

use std::time::Duration;

use vyoma_core::matching::Relaxation;

use crate::crowd::{Rhythm, crowd};
use crate::fairness::bypasses;
use crate::figures::{Figures, median};
use crate::optimum::optimum;
use crate::schedule::{PATIENT, USUAL, flat, parse, stretched};
use crate::{Outcome, Trace, rivals, scored};

/// A crowd that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// What it is called.
    pub title: &'static str,
    /// When they come.
    pub rhythm: Rhythm,
    /// How many come in all.
    pub people: usize,
}

/// The bursts mean three a second as well.
pub const WORLDS: [World; 5] = [
    World { title: "0.5 a second", rhythm: Rhythm::Poisson(0.5), people: 1500 },
    World { title: "3 a second", rhythm: Rhythm::Poisson(3.0), people: 3600 },
    World { title: "20 a second", rhythm: Rhythm::Poisson(20.0), people: 6000 },
    World { title: "100 a second", rhythm: Rhythm::Poisson(100.0), people: 9000 },
    World {
        title: "3 a second in bursts",
        rhythm: Rhythm::Breaks { low: 10.0 / 9.0, high: 20.0 },
        people: 3600,
    },
];

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Matcher {
    /// Our scored pool with its usual schedule.
    Usual,
    /// Our scored pool with [`PATIENT`].
    Patient,
    /// Whoever waits longest.
    FirstInFirstOut,
    /// Anybody who waits.
    ByChance,
    /// As Nakama does, every 15 s.
    Batch,
    /// The best that could have been done.
    Optimum,
    /// Our scored pool with the usual thresholds after so many times as long.
    Stretched(f64),
    /// Our scored pool with one threshold, and anybody after [`FLAT_FOR`].
    Flat(u16),
}

/// Those in the tables.
pub const TABLED: [Matcher; 6] = [
    Matcher::Usual,
    Matcher::Patient,
    Matcher::FirstInFirstOut,
    Matcher::ByChance,
    Matcher::Batch,
    Matcher::Optimum,
];

/// What the usual times are multiplied by, for the plot.
pub const STRETCHES: [f64; 6] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0];
/// Single thresholds, for the plot.
pub const FLATS: [u16; 6] = [50, 100, 200, 300, 400, 500];
/// How long a single threshold holds.
pub const FLAT_FOR: Duration = Duration::from_secs(20);

/// What a matcher came to, a figure for each seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which one.
    pub matcher: Matcher,
    /// What it came to.
    pub figures: Vec<Figures>,
}

/// All rows of a world.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// Its title.
    pub title: &'static str,
    /// Those in the tables first.
    pub rows: Vec<Row>,
    /// By what part of it the optimum may be too low, at most: 0 where it is proved to be the best.
    pub doubt: f64,
}

/// Runs all matchers on a world, once for each seed; calls `ran` after each run.
pub fn study(world: &World, seeds: &[u64], mut ran: impl FnMut()) -> Study {
    let plotted = STRETCHES.map(Matcher::Stretched).into_iter().chain(FLATS.map(Matcher::Flat));
    let rows = TABLED.into_iter().chain(plotted);
    let mut rows: Vec<_> = rows.map(|matcher| Row { matcher, figures: Vec::new() }).collect();
    let mut doubt = 0.0_f64;
    for seed in seeds {
        let trace = crowd(world.rhythm, world.people, *seed);
        for row in &mut rows {
            let (figures, unsure) = row.matcher.run(&trace, *seed);
            doubt = doubt.max(unsure);
            row.figures.push(figures);
            ran();
        }
    }
    Study { title: world.title, rows, doubt }
}

/// How many runs a study takes for each seed.
pub const RUNS: usize = TABLED.len() + STRETCHES.len() + FLATS.len();

impl Study {
    /// The median over the seeds of what one figure is to another matcher's on the same trace.
    pub fn ratio(&self, matcher: &Matcher, to: &Matcher, figure: fn(&Figures) -> f64) -> f64 {
        let of = |matcher: &Matcher| {
            let row = self.rows.iter().find(|row| row.matcher == *matcher);
            row.into_iter().flat_map(|row| row.figures.iter().map(figure))
        };
        median(of(matcher).zip(of(to)).map(|(one, other)| one / other).collect())
    }
}

impl Matcher {
    /// What is beside its figures in tables and plots.
    pub fn title(&self) -> String {
        match self {
            Self::Usual => format!("ours, `{USUAL}` (the default)"),
            Self::Patient => format!("ours, `{PATIENT}`"),
            Self::FirstInFirstOut => "first in, first out".to_owned(),
            Self::ByChance => "anybody who waits".to_owned(),
            Self::Batch => "a batch every 15 s".to_owned(),
            Self::Optimum => "the best in hindsight".to_owned(),
            Self::Stretched(times) => format!("×{times}"),
            Self::Flat(threshold) => threshold.to_string(),
        }
    }

    /// Its figures on a trace, and by what part of the optimum that is in doubt.
    fn run(&self, trace: &Trace, seed: u64) -> (Figures, f64) {
        let free =
            |outcome: &Outcome| Figures::new(trace, outcome, &bypasses(trace, outcome, None));
        let figures = match self {
            Self::FirstInFirstOut => free(&rivals::first_in_first_out(trace)),
            Self::ByChance => free(&rivals::by_chance(trace, seed)),
            Self::Batch => free(&rivals::in_batches(trace)),
            Self::Optimum => {
                let best = optimum(trace);
                let doubt = best.bound as f64 / best.quality as f64 - 1.0;
                return (free(&best.outcome), doubt);
            }
            Self::Usual | Self::Patient => {
                let rules = self.schedule().unwrap_or_default();
                let outcome = scored::run(trace, &rules);
                Figures::new(trace, &outcome, &bypasses(trace, &outcome, Some(&rules)))
            }
            // The plot doesn't show who was passed over, which takes longer to count than all else.
            Self::Stretched(_) | Self::Flat(_) => {
                let outcome = scored::run(trace, &self.schedule().unwrap_or_default());
                Figures::new(trace, &outcome, &[])
            }
        };
        (figures, 0.0)
    }

    fn schedule(&self) -> Option<Relaxation> {
        match self {
            Self::Usual => parse(USUAL),
            Self::Patient => parse(PATIENT),
            Self::Stretched(times) => stretched(&parse(USUAL)?, *times),
            Self::Flat(threshold) => flat(*threshold, FLAT_FOR),
            _ => None,
        }
    }
}
