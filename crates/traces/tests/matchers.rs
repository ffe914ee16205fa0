//! The matchers on traces made by hand, where it is plain what each has to do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use vyoma_core::matching::{Lists, Relaxation};
use vyoma_traces::crowd::{Rhythm, arrival, crowd};
use vyoma_traces::fairness::bypasses;
use vyoma_traces::figures::{Figures, median, quantile};
use vyoma_traces::optimum::optimum;
use vyoma_traces::{Fate, Outcome, Trace, rivals, scored};

const SECOND: Duration = Duration::from_secs(1);

/// Comes at a second, with patience in seconds, and one word to offer and to seek.
fn one(at: u32, patience: u32, offer: u32, seek: u32) -> vyoma_traces::Arrival {
    let lists = Lists { offers: vec![offer], seeks: vec![seek], ..Lists::default() };
    arrival(at * SECOND, patience * SECOND, lists)
}

/// A maker of 1, another, one who seeks 1 and offers 2, and one nobody fits; all fits are 700 or 0.
fn four() -> Trace {
    Trace { arrivals: vec![one(0, 90, 9, 9), one(1, 90, 1, 2), one(2, 90, 2, 1), one(3, 90, 7, 8)] }
}

fn relaxation(steps: &[(u64, u16)]) -> Relaxation {
    let steps = steps.iter().map(|(after, score)| (Duration::from_secs(*after), *score));
    Relaxation::new(steps.collect()).unwrap()
}

/// Everybody's end in seconds, and partner.
fn told(outcome: &Outcome) -> Vec<(f64, Option<usize>)> {
    outcome.iter().map(|fate| (fate.end.as_secs_f64(), fate.partner)).collect()
}

#[test]
fn ours_takes_the_fit_at_once_and_strangers_when_they_will_do() {
    let outcome = scored::run(&four(), &relaxation(&[(0, 500), (10, 0)]));
    assert_eq!(told(&outcome), [(13.0, Some(3)), (2.0, Some(2)), (2.0, Some(1)), (13.0, Some(0))]);
}

#[test]
fn ours_lets_go_who_has_no_patience() {
    let trace = Trace { arrivals: vec![one(0, 5, 1, 2), one(6, 50, 2, 1), one(7, 3, 9, 9)] };
    let outcome = scored::run(&trace, &relaxation(&[(0, 500)]));
    assert_eq!(told(&outcome), [(5.0, None), (56.0, None), (10.0, None)]);
}

#[test]
fn first_in_first_out_takes_whoever_waits() {
    let expected = [(1.0, Some(1)), (1.0, Some(0)), (3.0, Some(3)), (3.0, Some(2))];
    assert_eq!(told(&rivals::first_in_first_out(&four())), expected);
    assert_eq!(told(&rivals::by_chance(&four(), 1)), expected, "only one waits at a time");
}

#[test]
fn who_left_is_not_handed_out() {
    let trace = Trace { arrivals: vec![one(0, 1, 1, 2), one(2, 9, 2, 1), one(4, 9, 2, 1)] };
    let expected = [(1.0, None), (4.0, Some(2)), (4.0, Some(1))];
    assert_eq!(told(&rivals::first_in_first_out(&trace)), expected);
}

#[test]
fn a_batch_pairs_the_oldest_first_with_its_best() {
    let mut trace = four();
    trace.arrivals.push(one(4, 90, 9, 9));
    trace.arrivals.push(one(5, 3, 1, 2));
    let expected = [
        (15.0, Some(4)),
        (15.0, Some(2)),
        (15.0, Some(1)),
        // The next batch has nobody else; it leaves in its time.
        (93.0, None),
        (15.0, Some(0)),
        (8.0, None),
    ];
    assert_eq!(told(&rivals::in_batches(&trace)), expected);
}

#[test]
fn the_optimum_keeps_for_later_who_is_worth_more() {
    // The second fits the first (350: one of two words), and the third fits it better.
    let mut trace = Trace { arrivals: vec![one(0, 90, 1, 2), one(1, 90, 2, 1), one(2, 90, 2, 1)] };
    trace.arrivals[1].lists.offers.push(3);
    trace.arrivals[1].lists.seeks.push(3);
    let best = optimum(&trace);
    assert_eq!((best.quality, best.bound), (700, 700));
    assert_eq!(best.outcome[0].partner, Some(2));
    // Were the first gone by then, it would take what there is.
    trace.arrivals[0].patience = SECOND;
    assert_eq!(optimum(&trace).outcome[0].partner, Some(1));
    // More than a minute apart nobody is paired.
    trace.arrivals[0].patience = 90 * SECOND;
    for (index, at) in [(1, 61), (2, 122)] {
        trace.arrivals[index].at = at * SECOND;
    }
    assert_eq!(optimum(&trace).quality, 0);
}

#[test]
fn passed_over_is_who_would_have_done() {
    let trace = four();
    let fate = |end, partner| Fate { end: end * SECOND, partner };
    // The first waits to the end; the second and the third are matched at 2 s.
    let outcome = vec![fate(90, None), fate(2, Some(2)), fate(2, Some(1)), fate(93, None)];
    assert_eq!(bypasses(&trace, &outcome, None), [2, 0, 0, 0], "anybody would have done");
    let strict = relaxation(&[(0, 500)]);
    assert_eq!(bypasses(&trace, &outcome, Some(&strict)), [0; 4], "neither would have done");
    // Falls for the first before the match, but not for its partners.
    let lax = relaxation(&[(0, 500), (2, 0)]);
    assert_eq!(bypasses(&trace, &outcome, Some(&lax)), [0; 4]);
    let laxer = relaxation(&[(0, 500), (1, 0)]);
    assert_eq!(
        bypasses(&trace, &outcome, Some(&laxer)),
        [1, 0, 0, 0],
        "the second would have done"
    );
}

#[test]
fn nobody_is_passed_over_in_a_queue() {
    let trace = crowd(Rhythm::Poisson(3.0), 500, 1);
    let outcome = rivals::first_in_first_out(&trace);
    assert!(bypasses(&trace, &outcome, None).iter().all(|count| *count == 0));
}

#[test]
fn figures_are_those_of_the_matched() {
    let trace = four();
    let outcome = scored::run(&trace, &relaxation(&[(0, 500)]));
    let figures = Figures::new(&trace, &outcome, &[0, 3, 1, 0]);
    let expected = Figures {
        quality: 700.0,
        mean: 0.5,
        p50: 0.0,
        p95: 1.0,
        p99: 1.0,
        unmatched: 0.5,
        bypassed: 3.0,
    };
    assert_eq!(figures, expected);
    assert_eq!(quantile(&[1, 2, 3, 4], 0.5), Some(2));
    assert_eq!(quantile::<u8>(&[], 0.5), None);
    assert_eq!((median(vec![3.0, 1.0, 2.0]), median(vec![4.0, 1.0])), (2.0, 2.5));
}

#[test]
fn everybody_has_one_fate_and_pairs_agree() {
    let trace = crowd(Rhythm::Breaks { low: 1.0, high: 20.0 }, 1500, 3);
    let usual = relaxation(&[(0, 500), (10, 300), (20, 100), (30, 0)]);
    for outcome in [scored::run(&trace, &usual), rivals::in_batches(&trace)] {
        assert_eq!(outcome.len(), trace.arrivals.len());
        for (who, fate) in outcome.iter().enumerate() {
            assert!(fate.end >= trace.arrivals[who].at && fate.end <= trace.leaves(who));
            if let Some(partner) = fate.partner {
                assert_eq!(outcome[partner], Fate { end: fate.end, partner: Some(who) });
            }
        }
    }
}
