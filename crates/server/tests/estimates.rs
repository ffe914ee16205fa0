//! The estimate that `waiting` carries, and what metrics tell of each pool, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::House;
use common::speaker::Speaker;
use serde_json::{Value, json};
use vyoma_server::{OnDemand, PoolConfig, Relaxation, Rule};

/// So many pairs at most: 30 matches are enough where arrivals keep their rate, and a busy machine's don't.
const ROUNDS: usize = 3_000;

fn join(to: SocketAddr, pool: &str) -> Speaker {
    let mut speaker = Speaker::connect_at(to, &format!("/ws?pool={pool}"));
    speaker.say(&json!({"type": "join", "profile": {"offers": ["rust"], "seeks": ["rust"]}}));
    speaker
}

/// Two meet in a pool; what the first of them was told while it waited.
fn meet(to: SocketAddr, pool: &str) -> Value {
    let mut first = join(to, pool);
    let told = first.expect("waiting");
    let mut second = join(to, pool);
    second.expect("matched");
    first.expect("matched");
    told
}

#[test]
fn an_estimate_is_told_once_enough_is_known_and_never_before() {
    let house = House::open();
    let to = house.address();
    let mut told = Vec::new();
    let estimated = |told: &Value| told.get("estimate_to_ms").is_some();
    while told.len() < ROUNDS && !told.last().is_some_and(estimated) {
        told.push(meet(to, "default"));
    }
    assert!(told.len() > 30, "30 matches have to be known: {told:?}");
    let told = told.pop().unwrap();
    let [from, to_ms] =
        ["estimate_from_ms", "estimate_to_ms"].map(|key| told[key].as_u64().expect(key));
    // Whoever waited here did so for the moment in which the next one connects.
    assert!(from <= to_ms && to_ms < 60_000, "{told}");
    drop(house);
}

#[test]
fn metrics_tell_pools_apart_and_those_on_demand_together() {
    let relaxation = Relaxation::new(vec![(Duration::ZERO, 300)]).unwrap();
    let house = House::with(|config| {
        let founders = PoolConfig::new("founders", Rule::Scored(relaxation));
        config.pools = vec![PoolConfig::usual(), founders];
        config.on_demand = Some(OnDemand { most: 2, rule: Rule::Open });
    });
    let to = house.address();
    let told = meet(to, "founders");
    assert_eq!((told.get("estimate_from_ms"), told.get("estimate_to_ms")), (None, None));
    meet(to, "garden");
    let mut waits = join(to, "cellar");
    waits.expect("waiting");
    for (metric, pool, value) in [
        ("waiting", "founders", 0),
        ("joins_total", "founders", 2),
        ("matches_total", "founders", 1),
        ("wait_seconds_count", "founders", 2),
        ("waiting", "@on_demand", 1),
        ("joins_total", "@on_demand", 3),
        ("matches_total", "@on_demand", 1),
        ("joins_total", "default", 0),
        ("joins_total", "@invited", 0),
    ] {
        let line = format!("vyoma_pool_{metric}{{pool=\"{pool}\"}} {value}");
        let text = house.metrics();
        assert!(text.lines().any(|own| own == line), "{line} is missing in\n{text}");
    }
    for name in ["garden", "cellar"] {
        assert!(!house.metrics().contains(name), "anybody makes up names");
    }
    drop(waits);
}
