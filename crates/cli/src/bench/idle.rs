//! The mode `idle`: connections that say nothing, and what they cost in memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::fault::Fault;
use super::load::{close, connect};
use super::pair::Pair;
use super::process::memory;
use super::run::Run;

/// How often we look whether memory has been given back.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The part of the growth that counts as given back.
pub(crate) const ENOUGH: f64 = 0.8;

/// One round, with the server's memory in bytes.
pub(crate) struct Round {
    pub(crate) seconds_to_connect: f64,
    /// Nothing of this, if the server's process isn't known.
    pub(crate) memory: Option<Memory>,
}

/// The server's own memory in a round, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) before: u64,
    /// At the end of the silence.
    pub(crate) held: u64,
    /// After the connections had gone.
    pub(crate) after: u64,
    /// From when the last one had closed until [`ENOUGH`] was given back, if it was.
    pub(crate) seconds_to_settle: Option<f64>,
}

impl Memory {
    /// The part of the growth that was given back.
    pub(crate) fn given_back(&self) -> f64 {
        let growth = self.held.saturating_sub(self.before).max(1);
        self.held.saturating_sub(self.after) as f64 / growth as f64
    }
}

/// Connects, stays, and goes, so many times.
pub(crate) async fn measure(run: &Arc<Run>) -> anyhow::Result<Vec<Round>> {
    let mut rounds = Vec::new();
    for _ in 0..run.options.rounds {
        let before = read(run)?;
        let began = Instant::now();
        let pairs = connect(run).await?;
        let seconds_to_connect = began.elapsed().as_secs_f64();
        let pairs = stay(pairs, run.options.duration.0).await?;
        let held = read(run)?;
        close(pairs).await?;
        let memory = match before.zip(held) {
            Some((before, held)) => Some(settle(run, before, held).await?),
            None => None,
        };
        rounds.push(Round { seconds_to_connect, memory });
    }
    Ok(rounds)
}

fn read(run: &Run) -> anyhow::Result<Option<u64>> {
    run.options.server_pid.map(memory).transpose().context("reading the server's memory")
}

/// Says nothing, but answers pings.
async fn stay(pairs: Vec<Pair>, time: Duration) -> anyhow::Result<Vec<Pair>> {
    let (over, _) = watch::channel(());
    let mut tasks = JoinSet::new();
    for mut pair in pairs {
        let mut over = over.subscribe();
        tasks.spawn(async move {
            tokio::select! {
                fault = pair.listen() => Err(fault),
                // Nothing is sent: the end of the channel is the signal.
                _ = over.changed() => Ok(pair),
            }
        });
    }
    if let Ok(Some(ended)) = timeout(time, tasks.join_next()).await {
        ended.context("a task of the generator")??;
    }
    drop(over);
    let mut pairs = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        pairs.push(ended.map_err(|_| Fault::Ended)??);
    }
    Ok(pairs)
}

/// Waits until the server has given back what it will, for as long as it may take.
async fn settle(run: &Run, before: u64, held: u64) -> anyhow::Result<Memory> {
    let began = Instant::now();
    let mut seen = Memory { before, held, after: held, seconds_to_settle: None };
    while began.elapsed() < run.options.settle.0 {
        sleep(LOOK_EVERY).await;
        seen.after = read(run)?.unwrap_or(held);
        if seen.seconds_to_settle.is_none() && seen.given_back() >= ENOUGH {
            seen.seconds_to_settle = Some(began.elapsed().as_secs_f64());
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_a_part_of_the_growth() {
        let memory = |before, held, after| Memory { before, held, after, seconds_to_settle: None };
        assert_eq!(memory(10, 110, 30).given_back(), 0.8);
        assert_eq!(memory(10, 110, 120).given_back(), 0.0);
        assert_eq!(memory(110, 10, 10).given_back(), 0.0);
    }
}
