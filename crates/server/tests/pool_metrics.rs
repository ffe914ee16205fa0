//! What metrics tell of each pool, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::House;
use common::speaker::Speaker;
use serde_json::{Value, json};
use vyoma_server::{OnDemand, PoolConfig, Relaxation, Rule};

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
fn metrics_tell_pools_apart_and_those_on_demand_together() {
    let relaxation = Relaxation::new(vec![(Duration::ZERO, 300)]).unwrap();
    let house = House::with(|config| {
        let founders = PoolConfig::new("founders", Rule::Scored(relaxation));
        config.pools = vec![PoolConfig::usual(), founders];
        config.on_demand = Some(OnDemand { most: 2, rule: Rule::Open });
    });
    let to = house.address();
    // Nothing is estimated of the first who come.
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
