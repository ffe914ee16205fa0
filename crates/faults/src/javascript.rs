//! Talkers that use the JavaScript SDK, all in one Node process (tests/sdk/talkers.mjs).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::sleep;

use crate::history::Account;
use crate::talkers::Stage;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/sdk/talkers.mjs");
const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/sdk/node_modules");

/// Between two looks at whether it has been enough.
const LOOK: Duration = Duration::from_millis(50);

/// What the process tells, one line each.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Told {
    Arrived { count: u64 },
    Refused,
    Lost,
    Restored,
    Said,
    Account { id: u32, said: u64, delivered: u64, seen: Vec<(u32, u64)>, surprises: Vec<String> },
}

/// The process; it ends when this is dropped.
pub(crate) struct Javascript {
    child: Child,
    orders: ChildStdin,
    told: Lines<BufReader<ChildStdout>>,
}

impl Javascript {
    /// Has clients with these ids join.
    pub(crate) fn join(ids: &[u32], server: SocketAddr, pause: Duration) -> anyhow::Result<Self> {
        ensure!(
            Path::new(PACKAGES).exists(),
            "the package ws is missing: run `npm ci` in tests/sdk, or `cargo xtask test`"
        );
        let mut child = Command::new("node")
            .arg(SCRIPT)
            .arg(format!("ws://{server}"))
            .arg(pause.as_millis().to_string())
            .args(ids.iter().map(u32::to_string))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting Node, which clients in JavaScript need")?;
        let orders = child.stdin.take().context("Node's standard input")?;
        let told = child.stdout.take().context("Node's standard output")?;
        Ok(Self { child, orders, told: BufReader::new(told).lines() })
    }

    /// Has them talk until it has been enough and everything is delivered; returns their accounts.
    pub(crate) async fn talk(
        mut self,
        stage: Arc<Stage>,
    ) -> anyhow::Result<BTreeMap<u32, Account>> {
        let mut accounts = BTreeMap::new();
        let mut told_enough = false;
        loop {
            let line = tokio::select! {
                line = self.told.next_line() => line?,
                () = sleep(LOOK), if !told_enough => {
                    told_enough = stage.enough.load(Relaxed);
                    if told_enough {
                        self.orders.write_all(b"enough\n").await?;
                    }
                    continue;
                }
            };
            let Some(line) = line else { break };
            let told = serde_json::from_str(&line).with_context(|| format!("Node said {line}"))?;
            match told {
                Told::Arrived { count } => drop(stage.arrived.fetch_add(count, Relaxed)),
                Told::Refused => drop(stage.refused.fetch_add(1, Relaxed)),
                Told::Lost => drop(stage.lost.fetch_add(1, Relaxed)),
                Told::Restored => stage.returned(),
                Told::Said => {
                    stage.await_all().await;
                    self.orders.write_all(b"end\n").await?;
                }
                Told::Account { id, said, delivered, seen, surprises } => {
                    accounts.insert(id, Account { said, delivered, seen, surprises });
                }
            }
        }
        let status = self.child.wait().await?;
        ensure!(status.success(), "Node ended with {status}");
        Ok(accounts)
    }
}
