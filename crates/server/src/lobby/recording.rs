//! The lobby's pools, and the log of what they decide.
//!
//! Knows the configuration, and the clock by which a log is dated. Must not know who waits.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use vyoma_core::matching::Patience;
use vyoma_core::matching::decisions::{Header, PoolRule, Recorded, Rules};

use crate::config::{Config, PoolConfig};
use crate::decision_log::DecisionLog;

/// The pools of this configuration, recorded if there is a log.
pub(super) fn pools(config: &Config, log: Option<DecisionLog>) -> Recorded {
    let Config { timing, pools, .. } = config;
    let pools = pools.iter().map(|pool| rule(pool.name.clone(), pool)).collect();
    let patience = Patience { fresh: timing.fresh, answer: timing.probe_answer };
    let rules = Rules::new(patience, pools);
    let Some(log) = log else { return Recorded::new(&rules) };
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let began = u64::try_from(began.as_millis()).unwrap_or(u64::MAX);
    let header = Header { program: env!("CARGO_PKG_VERSION").to_owned(), began, rules };
    Recorded::recording(&header, Instant::now(), Box::new(move |line| log.push(line)))
}

/// The rule of a pool that the log calls so. Where only those who were invited may come nobody waits: they
/// do so in a pool of their own.
pub(crate) fn rule(name: String, pool: &PoolConfig) -> PoolRule {
    PoolRule { name, relaxation: pool.relaxation().cloned() }
}
