//! Thousands of worlds in which people look for a partner, and ten bugs that have to be found in them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use vyoma_sim::matching::{Report, run};
use vyoma_sim::{Flaw, Story, shrink};

const STEPS: usize = 400;

/// The promises hold in every world, and enough happens in them to tell.
#[test]
fn no_ticket_is_lost_doubled_or_stuck_in_two_thousand_worlds() {
    let mut total = Report::default();
    for seed in 0..2_000 {
        match run(&Story::new(seed, STEPS, None)) {
            Ok(report) => total = total.and(report),
            Err(violation) => panic!("seed {seed}, step {}: {}", violation.step, violation.what),
        }
    }
    let Report {
        steps,
        matched,
        invited,
        returned,
        taken_over,
        refused,
        kept_apart,
        failed_probes,
    } = total;
    assert_eq!(steps, 2_000 * STEPS as u64);
    for (what, happened, least) in [
        ("matched", matched, 12_000),
        ("matched by invitations", invited, 600),
        ("seats that came back", returned, 150),
        ("places taken over", taken_over, 6_000),
        ("refusals", refused, 6_000),
        ("kept apart", kept_apart, 2_000),
        ("failed probes", failed_probes, 500),
    ] {
        assert!(happened >= least, "only {happened} {what}: {total:?}");
    }
}

#[test]
fn every_deliberate_bug_is_found_and_shrinks() {
    for flaw in Flaw::OF_MATCHING {
        let broken = |seed: &u64| run(&Story::new(*seed, STEPS, Some(flaw))).is_err();
        let seed = (0..3_000).find(broken);
        let seed = seed.unwrap_or_else(|| panic!("{} was not found", flaw.name()));
        let story = Story::new(seed, STEPS, Some(flaw));
        let short = shrink(&story, run);
        assert!(short.steps.len() < 300, "{} steps for {}", short.steps.len(), flaw.name());
        let (first, again) = (run(&short), run(&short));
        assert!(first.is_err() && first == again, "{}: {first:?}, {again:?}", flaw.name());
        // It was the bug, and nothing else.
        assert!(run(&Story { flaw: None, ..short }).is_ok(), "{}", flaw.name());
    }
}

/// Steps and seeds that break a promise once what was mended there is taken back.
const REGRESSIONS: [(u64, usize, &str); 1] =
    [(1_224_376, 600, "who answered a probe that was judged late waited on, and wasn't found")];

#[test]
fn what_was_broken_once_stays_mended() {
    for (seed, steps, what) in REGRESSIONS {
        let outcome = run(&Story::new(seed, steps, None));
        assert!(outcome.is_ok(), "seed {seed} ({what}): {outcome:?}");
    }
}
