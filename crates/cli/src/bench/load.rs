//! The modes that send: load for a while, and measure what it costs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::client::PATIENCE;
use super::fault::Fault;
use super::options::Mode;
use super::pair::Pair;
use super::process::{CallCounter, cpu_nanos};
use super::rate::Schedule;
use super::run::Run;
use super::sessions;

/// What the measured time brought.
pub(crate) struct Load {
    pub(crate) seconds: f64,
    /// Messages, or whole sessions.
    pub(crate) count: u64,
    /// In nanoseconds.
    pub(crate) latencies: Histogram<u64>,
    /// CPU time of this process, in nanoseconds.
    pub(crate) own_cpu: u64,
    /// CPU time of the server, in nanoseconds, if its process is known.
    pub(crate) server_cpu: Option<u64>,
    /// System calls of the server from the first to the last message, and how many those were.
    pub(crate) calls: Option<(u64, u64)>,
}

/// A task's pair goes on to be closed; sessions have closed already.
type Tasks = JoinSet<Result<Option<Pair>, Fault>>;

/// Opens connections, loads the server, measures, and closes.
pub(crate) async fn measure(run: &Arc<Run>) -> anyhow::Result<Load> {
    let pairs = if run.options.mode == Mode::Sessions { vec![] } else { connect(run).await? };
    let counter = match run.options.server_pid {
        Some(pid) if run.options.system_calls => {
            Some(CallCounter::attach(pid).context("counting system calls by perf")?)
        }
        _ => None,
    };
    let mut tasks = begin(run, pairs);
    let bar = time_bar(run.options.warmup.0 + run.options.duration.0);
    pass(run.options.warmup.0, &mut tasks, &bar).await?;
    run.tally().measuring = true;
    let before = Point::now(run)?;
    pass(run.options.duration.0, &mut tasks, &bar).await?;
    let after = Point::now(run)?;
    run.tally().measuring = false;
    run.stop();
    bar.finish_and_clear();
    let pairs = finish(tasks).await?;
    let calls = counter.map(CallCounter::finish).transpose().context("counting by perf")?;
    let calls = calls.map(|calls| (calls, run.tally().count));
    close(pairs).await?;
    Ok(Load {
        seconds: (after.at - before.at).as_secs_f64(),
        count: after.count - before.count,
        latencies: run.tally().latencies.clone(),
        own_cpu: after.own - before.own,
        server_cpu: after.server.zip(before.server).map(|(a, b)| a.saturating_sub(b)),
        calls,
    })
}

/// Where things stand at a moment.
struct Point {
    at: Instant,
    count: u64,
    own: u64,
    server: Option<u64>,
}

impl Point {
    fn now(run: &Run) -> anyhow::Result<Self> {
        let server = run.options.server_pid.map(cpu_nanos).transpose();
        Ok(Self {
            server: server.context("reading the server's CPU time")?,
            own: cpu_nanos(std::process::id()).context("reading our own CPU time")?,
            count: run.tally().count,
            at: Instant::now(),
        })
    }
}

/// Connects all pairs, one after the other: only so we know who is whose partner.
pub(crate) async fn connect(run: &Arc<Run>) -> Result<Vec<Pair>, Fault> {
    let bar = ProgressBar::new(run.options.pairs.into());
    bar.set_style(style("connecting {bar:40} {pos}/{len} pairs"));
    let mut pairs = Vec::new();
    for _ in 0..run.options.pairs {
        pairs.push(Pair::connect(run).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(pairs)
}

/// Closes all pairs at once.
pub(crate) async fn close(pairs: Vec<Pair>) -> Result<(), Fault> {
    let mut tasks: JoinSet<_> = pairs.into_iter().map(Pair::close).collect();
    while let Some(closed) = tasks.join_next().await {
        closed.map_err(|_| Fault::Ended)??;
    }
    Ok(())
}

fn begin(run: &Arc<Run>, pairs: Vec<Pair>) -> Tasks {
    let mut tasks = Tasks::new();
    match run.options.mode {
        Mode::Sessions => {
            for _ in 0..run.options.pairs {
                let couples = sessions::couples(run.clone());
                tasks.spawn(async { couples.await.map(|()| None) });
            }
        }
        Mode::Rate => {
            let (schedule, beats) = Schedule::begin(run);
            for (mut pair, beat) in pairs.into_iter().zip(beats.clone()) {
                tasks.spawn(async move { pair.keep_time(beat).await.map(|()| Some(pair)) });
            }
            let kept = schedule.keep(run.clone(), beats);
            tasks.spawn(async {
                kept.await;
                Ok(None)
            });
        }
        Mode::PingPong | Mode::Burst | Mode::Idle => {
            for mut pair in pairs {
                tasks.spawn(async move { pair.converse().await.map(|()| Some(pair)) });
            }
        }
    }
    tasks
}

/// Lets this much time pass, unless a task fails.
async fn pass(time: Duration, tasks: &mut Tasks, bar: &ProgressBar) -> anyhow::Result<()> {
    /// How often the bar moves.
    const STEP: Duration = Duration::from_millis(200);
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        match timeout(left.min(STEP), tasks.join_next()).await {
            Err(_) => bar.set_position(bar.position() + left.min(STEP).as_millis() as u64),
            Ok(Some(ended)) => {
                ended.context("a task of the generator")??;
                bail!("a task of the generator ended before its time");
            }
            Ok(None) => bail!("nothing runs"),
        }
    }
}

/// Waits until everything that was sent has arrived.
async fn finish(mut tasks: Tasks) -> anyhow::Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    while let Some(ended) = timeout(PATIENCE, tasks.join_next())
        .await
        .map_err(|_| Fault::Silence("the last message under way"))?
    {
        pairs.extend(ended.context("a task of the generator")??);
    }
    Ok(pairs)
}

fn time_bar(time: Duration) -> ProgressBar {
    let bar = ProgressBar::new(time.as_millis() as u64);
    bar.set_style(style("loading {bar:40} {percent} %"));
    bar
}

/// A template, or the usual look should it be wrong.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
