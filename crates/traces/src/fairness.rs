//! How often somebody was passed over.
//!
//! Knows what became of whom, and by whose rules. Must not know how the matcher came to it.

use std::collections::BTreeSet;
use std::time::Duration;

use vyoma_core::matching::Relaxation;

use crate::{Outcome, Trace};

/// For each, how many who came later were matched before them, while they waited, with somebody who
/// would have done for them, and they for that one, by the matcher's own rules at that time: in a
/// scored pool by the thresholds of both, elsewhere anybody.
///
/// For those who leave unmatched it counts up to then. Who is matched at the same instant hasn't been
/// passed over.
pub fn bypasses(trace: &Trace, outcome: &Outcome, rules: Option<&Relaxation>) -> Vec<u32> {
    let mut counts = vec![0; outcome.len()];
    let mut waiting = BTreeSet::new();
    let mut coming = (0..outcome.len()).peekable();
    for (end, ended) in ends(outcome) {
        while let Some(who) = coming.next_if(|who| trace.arrivals[*who].at <= end) {
            waiting.insert(who);
        }
        for who in &ended {
            waiting.remove(who);
        }
        for later in ended {
            let Some(partner) = outcome[later].partner else { continue };
            for who in waiting.range(..later) {
                counts[*who] += u32::from(will_do(trace, rules, *who, partner, end));
            }
        }
    }
    counts
}

/// Who was matched or left when, by time.
fn ends(outcome: &Outcome) -> Vec<(Duration, Vec<usize>)> {
    let mut order: Vec<_> = outcome.iter().enumerate().map(|(who, fate)| (fate.end, who)).collect();
    order.sort_unstable();
    let together = order.chunk_by(|(one, _), (other, _)| one == other);
    together.map(|group| (group[0].0, group.iter().map(|(_, who)| *who).collect())).collect()
}

fn will_do(trace: &Trace, rules: Option<&Relaxation>, a: usize, b: usize, now: Duration) -> bool {
    rules.is_none_or(|rules| {
        let threshold = |who: usize| rules.threshold(now.saturating_sub(trace.arrivals[who].at));
        trace.score(a, b) >= threshold(a).max(threshold(b))
    })
}
