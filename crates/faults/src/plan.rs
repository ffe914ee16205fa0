//! What is done in one run, and what came of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::history::{Account, check};
use crate::javascript::Javascript;
use crate::proxy::{Fault, Proxy};
use crate::server::Process;
use crate::talkers::{Stage, Talker};

/// What is done in one run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server's binary.
    pub binary: PathBuf,
    /// A directory to make, and to remove.
    pub dir: PathBuf,
    /// How many conversations go on.
    pub conversations: u32,
    /// How many of the clients use the JavaScript SDK, in Node; the others use that for Rust.
    pub javascript: u32,
    /// How often the server is killed and started again.
    pub kills: u32,
    /// How often another server takes over.
    pub takeovers: u32,
    /// How many connections are broken.
    pub faults: u32,
    /// Between two of these.
    pub pause: Duration,
    /// Between two messages of a client.
    pub message_pause: Duration,
    /// The server's drain timeout: a third of it is how long those who move are spread over.
    pub drain: Duration,
    /// What decides which connection is broken, and how.
    pub seed: u64,
    /// Whether progress is shown.
    pub verbose: bool,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// Messages that were said, both ways.
    pub said: u64,
    /// Tries to connect that failed.
    pub refused: u64,
    /// How often a client lost its connection.
    pub lost: u64,
    /// How long after a takeover began clients were back in their seats, sorted.
    pub moved_after: Vec<Duration>,
    /// Everything that is wrong.
    pub wrong: Vec<String>,
}

/// How long all may take once there are no faults any more.
const PATIENCE: Duration = Duration::from_secs(180);

impl Plan {
    /// Does it.
    ///
    /// # Errors
    /// If a process or a socket fails in a way that isn't part of the plan.
    pub async fn run(&self) -> anyhow::Result<Outcome> {
        let mut server = Process::start(&self.binary, &self.dir, self.drain)?;
        let proxy = Proxy::start(server.address()).await?;
        let address = if self.faults > 0 { proxy.address() } else { server.address() };
        let (foreign, own) = self.divide();
        let stage = Arc::new(Stage::new(own.len() + usize::from(!foreign.is_empty())));
        let mut talkers: JoinSet<anyhow::Result<BTreeMap<u32, Account>>> = JoinSet::new();
        if !foreign.is_empty() {
            let javascript = Javascript::join(&foreign, address, self.message_pause)?;
            talkers.spawn(javascript.talk(Arc::clone(&stage)));
        }
        for id in own {
            let talker = Talker::join(id, address, &stage).await?;
            let talk = talker.talk(self.message_pause);
            talkers.spawn(async { Ok(BTreeMap::from([talk.await])) });
        }
        self.settle(&stage).await;
        let rolled = self.break_things(&mut server, &proxy, &stage).await?;
        self.settle(&stage).await;
        stage.enough.store(true, Relaxed);
        let mut accounts: BTreeMap<u32, Account> = BTreeMap::new();
        let all = async {
            while let Some(talker) = talkers.join_next().await {
                accounts.extend(talker.context("a talker")??);
            }
            anyhow::Ok(())
        };
        let ended = timeout(PATIENCE, all).await;
        let mut wrong = check(&accounts);
        match ended {
            Err(_) => wrong.push("not all talkers came to an end".to_owned()),
            Ok(ended) => ended?,
        }
        if let Err(error) = server.await_leavers() {
            wrong.push(error.to_string());
        }
        let returns = stage.returns.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let since =
            |at: &Instant| rolled.iter().rev().find_map(|began| at.checked_duration_since(*began));
        let mut moved_after: Vec<Duration> = returns.iter().filter_map(since).collect();
        moved_after.sort_unstable();
        Ok(Outcome {
            said: accounts.values().map(|account| account.said).sum(),
            refused: stage.refused.load(Relaxed),
            lost: stage.lost.load(Relaxed),
            moved_after,
            wrong,
        })
    }

    /// The ids of those who speak JavaScript, and of the others.
    fn divide(&self) -> (Vec<u32>, Vec<u32>) {
        (0..self.conversations * 2).partition(|id| *id < self.javascript)
    }

    /// Lets everybody talk undisturbed for a moment.
    async fn settle(&self, stage: &Stage) {
        let before = stage.arrived.load(Relaxed);
        let enough = u64::from(self.conversations) * 4;
        for _ in 0..100 {
            sleep(Duration::from_millis(50)).await;
            if stage.arrived.load(Relaxed) > before + enough {
                return;
            }
        }
    }

    /// Does all the harm, mixed; returns when takeovers began.
    async fn break_things(
        &self,
        server: &mut Process,
        proxy: &Proxy,
        stage: &Stage,
    ) -> anyhow::Result<Vec<Instant>> {
        let mut random = fastrand::Rng::with_seed(self.seed);
        let mut harm: Vec<Harm> = Vec::new();
        harm.extend((0..self.kills).map(|_| Harm::Kill));
        harm.extend((0..self.takeovers).map(|_| Harm::Takeover));
        harm.extend((0..self.faults).map(|_| Harm::Fault));
        random.shuffle(&mut harm);
        let bar = self.bar(harm.len() as u64);
        let mut rolled = Vec::new();
        for harm in harm {
            sleep(self.pause.mul_f64(random.f64() + 0.5)).await;
            bar.set_message(format!("{} messages", stage.arrived.load(Relaxed)));
            bar.inc(1);
            match harm {
                Harm::Kill => tokio::task::block_in_place(|| server.kill_and_restart())?,
                Harm::Takeover => {
                    rolled.push(Instant::now());
                    tokio::task::block_in_place(|| server.roll())?;
                    // One at a time: all have moved before the next.
                    sleep(self.drain / 3 + Duration::from_secs(1)).await;
                }
                Harm::Fault => drop(proxy.inflict(some_fault(&mut random), random.usize(..))),
            }
        }
        bar.finish_and_clear();
        Ok(rolled)
    }

    fn bar(&self, length: u64) -> ProgressBar {
        if !self.verbose {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(length);
        let style = ProgressStyle::with_template("breaking {bar:40} {pos}/{len} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar
    }
}

/// One thing that is done to a run.
#[derive(Debug, Clone, Copy)]
enum Harm {
    Kill,
    Takeover,
    Fault,
}

fn some_fault(random: &mut fastrand::Rng) -> Fault {
    let time = Duration::from_millis(random.u64(50..2500));
    match random.u8(..6) {
        0 => Fault::Cut,
        1 => Fault::Reset,
        2 => Fault::HalfOpen,
        3 => Fault::Stall(time),
        4 => Fault::Dribble(time),
        _ => Fault::Delay(time),
    }
}
