//! The estimate of the waiting time is calibrated, or isn't given. `vyoma-traces --estimates` measures more.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use vyoma_core::matching::Relaxation;
use vyoma_traces::calibration::{calibration, told};
use vyoma_traces::crowd::{Rhythm, crowd};
use vyoma_traces::estimates::{PROMISED, silence};
use vyoma_traces::schedule::{PATIENT, USUAL, parse};
use vyoma_traces::{Outcome, rivals, scored};

fn rules(schedule: &str) -> Relaxation {
    parse(schedule).unwrap()
}

#[test]
fn four_of_five_are_matched_within_what_they_were_told() {
    for (rate, seed) in [(3.0, 1), (20.0, 2)] {
        let trace = crowd(Rhythm::Poisson(rate), 4000, seed);
        let outcomes: [(&str, Outcome); 3] = [
            (USUAL, scored::run(&trace, &rules(USUAL))),
            (PATIENT, scored::run(&trace, &rules(PATIENT))),
            ("open", rivals::first_in_first_out(&trace)),
        ];
        for (pool, outcome) in outcomes {
            let found = calibration(&told(&trace, &outcome, Duration::ZERO), 5000);
            assert!(PROMISED.contains(&found.within), "{pool} at {rate}/s, seed {seed}: {found:?}");
            assert!(found.estimates > 1000, "{pool} at {rate}/s, seed {seed}: {found:?}");
        }
    }
}

/// Half of all leave within 12 s.
#[test]
fn they_are_right_where_many_leave() {
    let mut trace = crowd(Rhythm::Poisson(3.0), 6000, 4);
    trace.arrivals.iter_mut().for_each(|arrival| arrival.patience /= 10);
    for schedule in [USUAL, PATIENT] {
        let outcome = scored::run(&trace, &rules(schedule));
        let found = calibration(&told(&trace, &outcome, Duration::ZERO), 5000);
        assert!(PROMISED.contains(&found.within), "{schedule}: {found:?}");
        assert!(found.left > 0.1 && found.estimates > 2000, "{schedule}: {found:?}");
    }
}

#[test]
fn who_has_waited_is_told_what_is_left() {
    let trace = crowd(Rhythm::Poisson(3.0), 6000, 3);
    let outcome = scored::run(&trace, &rules(USUAL));
    for seconds in [2, 5] {
        let after = Duration::from_secs(seconds);
        let all = told(&trace, &outcome, after);
        assert!(all.iter().filter_map(|told| told.interval).all(|interval| interval.from > after));
        let found = calibration(&all, 5000);
        assert!(PROMISED.contains(&found.within), "after {seconds} s: {found:?}");
        assert!(found.estimates > 500, "after {seconds} s: {found:?}");
    }
}

#[test]
fn none_is_given_before_thirty_have_been_matched() {
    for seed in 0..5 {
        let trace = crowd(Rhythm::Poisson(3.0), 600, seed);
        let all = told(&trace, &scored::run(&trace, &rules(USUAL)), Duration::ZERO);
        let first = all.iter().find(|told| told.interval.is_some()).unwrap().at;
        let ended = |told: &&vyoma_traces::calibration::Told| {
            told.matched && told.at + told.waited <= first
        };
        let matched = all.iter().filter(ended).count();
        assert!(matched >= 30, "seed {seed}: {matched} at {first:?}");
    }
}

#[test]
fn none_is_given_after_a_jump_until_thirty_who_came_since_have_been_matched() {
    for (before, after) in [(3.0, 20.0), (20.0, 3.0)] {
        let silence = silence(before, after, 1).unwrap();
        assert!(silence.after < 8.0, "{before} to {after}: {silence:?}");
        assert!(silence.matched >= 30, "{before} to {after}: {silence:?}");
    }
}

#[test]
fn none_is_given_where_too_few_come() {
    let trace = crowd(Rhythm::Poisson(0.02), 200, 1);
    let all = told(&trace, &scored::run(&trace, &rules(USUAL)), Duration::ZERO);
    assert!(all.iter().all(|told| told.interval.is_none()));
    assert!(all.iter().any(|told| told.matched && told.waited > Duration::ZERO));
}
