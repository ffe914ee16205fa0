//! Thousands of worlds, and six bugs that have to be found in them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use vyoma_sim::{Flaw, Report, Story, run, shrink};

const STEPS: usize = 1_500;

/// The promises hold in every world, and enough happens in them to tell.
#[test]
fn no_promise_is_broken_in_two_thousand_worlds() {
    let mut total = Report::default();
    for seed in 0..2_000 {
        match run(&Story::new(seed, STEPS, None)) {
            Ok(report) => total = total.and(report),
            Err(violation) => panic!("seed {seed}, step {}: {}", violation.step, violation.what),
        }
    }
    let Report { steps, faults, messages, gaps, matched, resumed, adopted, superseded } = total;
    assert_eq!(steps, 2_000 * STEPS as u64);
    for (what, happened, least) in [
        ("faults", faults, 200_000),
        ("messages", messages, 50_000),
        ("gaps", gaps, 1_000),
        ("matches", matched, 5_000),
        ("resumes", resumed, 5_000),
        ("adoptions", adopted, 2_000),
        ("superseded connections", superseded, 1_000),
    ] {
        assert!(happened >= least, "only {happened} {what}: {total:?}");
    }
}

#[test]
fn every_deliberate_bug_is_found_within_a_thousand_worlds_and_shrinks() {
    for flaw in Flaw::OF_CONVERSATIONS {
        let broken = |seed: &u64| run(&Story::new(*seed, STEPS, Some(flaw))).is_err();
        let seed = (0..1_000).find(broken);
        let seed = seed.unwrap_or_else(|| panic!("{} was not found", flaw.name()));
        let story = Story::new(seed, STEPS, Some(flaw));
        let short = shrink(&story, run);
        assert!(short.steps.len() < 200, "{} steps for {}", short.steps.len(), flaw.name());
        let (first, again) = (run(&short), run(&short));
        assert!(first.is_err() && first == again, "{}: {first:?}, {again:?}", flaw.name());
        // It was the bug, and nothing else.
        assert!(run(&Story { flaw: None, ..short }).is_ok(), "{}", flaw.name());
    }
}

/// Seeds that break a promise once what was mended there is taken back.
const REGRESSIONS: [(u64, &str); 9] = [
    (1, "a plain client heard receipts"),
    (18, "a renewal that was due while its holder was away kept the server busy"),
    (33, "the news of a new numbering came, and the gap behind it was lost"),
    (56, "what only the server before had sent was acknowledged: bad_ack"),
    (79, "partner_gone told a `last` below what the partner had told of"),
    (98, "a device that waited in one tab took its seat in another, and was matched as well"),
    (1_407, "who left was told that it had everything"),
    (1_820, "a leave that crossed the end was answered twice"),
    (10_902, "a plain client's answer about the old numbering acknowledged the new one"),
];

#[test]
fn what_was_broken_once_stays_mended() {
    for (seed, what) in REGRESSIONS {
        let outcome = run(&Story::new(seed, STEPS, None));
        assert!(outcome.is_ok(), "seed {seed} ({what}): {outcome:?}");
    }
}
