//! The server's promise for `vyoma.v1`, on real processes and sockets: killed, taken over from, and with
//! its connections broken, it loses no message and doubles none. The numbers are small here;
//! CONTRIBUTING.md has the command for large ones.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use vyoma_faults::{Outcome, Plan};

fn plan(name: &str) -> Plan {
    let dir = std::env::temp_dir().join(format!("vyoma-survive-{name}-{}", std::process::id()));
    Plan {
        binary: Path::new(env!("CARGO_BIN_EXE_vyoma")).to_owned(),
        dir,
        conversations: 12,
        javascript: 0,
        kills: 0,
        takeovers: 0,
        faults: 0,
        pause: Duration::from_millis(600),
        message_pause: Duration::from_millis(20),
        drain: Duration::from_secs(6),
        seed: 7,
        verbose: false,
    }
}

async fn survives(plan: Plan) -> Outcome {
    let outcome = plan.run().await.unwrap();
    assert_eq!(outcome.wrong, Vec::<String>::new(), "{plan:?}");
    assert!(outcome.said > 1000, "{outcome:?}");
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_again_and_again() {
    let outcome = survives(Plan { kills: 4, ..plan("kills") }).await;
    assert!(outcome.lost >= 4 * 24, "each kill is felt by all: {outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_broken_in_every_way() {
    let broken = Plan { faults: 40, pause: Duration::from_millis(200), ..plan("faults") };
    let outcome = survives(broken).await;
    assert!(outcome.lost > 0, "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn takeovers_that_nobody_notices() {
    let outcome = survives(Plan { takeovers: 2, ..plan("takeovers") }).await;
    assert_eq!(outcome.refused, 0, "{outcome:?}");
}
