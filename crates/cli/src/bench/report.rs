//! What was measured, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::idle::Round;
use super::load::Load;
use super::options::{BenchOptions, Mode};

/// A share of one core from which on a thread has no time left.
const BUSY: f64 = 0.95;

/// The result of a run.
pub(crate) enum Report {
    Load(Load),
    Idle(Vec<Round>),
}

impl Report {
    /// One JSON object; absent figures are null.
    pub(crate) fn json(&self, options: &BenchOptions) -> Value {
        let mut value = json!({
            "server": options.server.to_string(),
            "mode": options.mode.name(),
            "raw": options.raw,
            "pairs": options.pairs,
            "size": options.size.0,
        });
        let more = match self {
            Self::Load(load) => load.json(options),
            Self::Idle(rounds) => json!({
                "rounds": rounds.iter().map(|r| r.json(options.pairs)).collect::<Vec<_>>(),
            }),
        };
        if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
            value.extend(more);
        }
        value
    }

    /// Some lines of text.
    pub(crate) fn text(&self, options: &BenchOptions) -> String {
        match self {
            Self::Load(load) => load.text(options),
            Self::Idle(rounds) => rounds.iter().map(|r| r.text(options.pairs)).collect(),
        }
    }
}

impl Load {
    fn micros(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 1000.0
    }

    fn own_share(&self) -> f64 {
        self.own_cpu as f64 / 1e9 / self.seconds
    }

    fn server_share(&self) -> Option<f64> {
        self.server_cpu.map(|nanos| nanos as f64 / 1e9 / self.seconds)
    }

    /// In nanoseconds; counting system calls distorts it.
    fn cpu_each(&self) -> Option<f64> {
        let server = self.server_cpu.filter(|_| self.calls.is_none())?;
        (self.count > 0).then(|| server as f64 / self.count as f64)
    }

    fn calls_each(&self) -> Option<f64> {
        self.calls.filter(|(_, count)| *count > 0).map(|(calls, count)| calls as f64 / count as f64)
    }

    /// Whether a faster generator would have got more out of the server. At a fixed rate it never
    /// sleeps, so what tells is whether it kept up.
    fn is_bottleneck(&self, options: &BenchOptions) -> bool {
        let late = (self.count as f64) < 0.99 * f64::from(options.rate) * self.seconds;
        let tired = if options.mode == Mode::Rate { late } else { self.own_share() >= BUSY };
        tired && self.server_share().is_none_or(|share| share < BUSY)
    }

    fn json(&self, options: &BenchOptions) -> Value {
        json!({
            "text": options.text.name(),
            "in_flight": options.burst(),
            "rate": (options.mode == Mode::Rate).then_some(options.rate),
            "seconds": self.seconds,
            "count": self.count,
            "per_second": self.count as f64 / self.seconds,
            "latency_us": {
                "p50": self.micros(0.5),
                "p90": self.micros(0.9),
                "p99": self.micros(0.99),
                "p999": self.micros(0.999),
                "max": self.latencies.max() as f64 / 1000.0,
            },
            "generator_cores": self.own_share(),
            "generator_is_bottleneck": self.is_bottleneck(options),
            "server_cores": self.server_share(),
            "server_cpu_ns_each": self.cpu_each(),
            "server_system_calls_each": self.calls_each(),
        })
    }

    fn text(&self, options: &BenchOptions) -> String {
        let what = if options.mode == Mode::Sessions { "session" } else { "message" };
        let [p50, p90, p99, p999] = [0.5, 0.9, 0.99, 0.999].map(|q| self.micros(q));
        let max = self.latencies.max() as f64 / 1000.0;
        let mut text = format!(
            "{what}s    {} in {:.1} s, {:.0} a second\n\
             latency     p50 {p50:.0} µs, p90 {p90:.0}, p99 {p99:.0}, p99.9 {p999:.0}, most {max:.0}\n",
            self.count,
            self.seconds,
            self.count as f64 / self.seconds,
        );
        // Writing to a string can't fail.
        if let Some(share) = self.server_share() {
            let _ = write!(text, "server      {:.0} % of a core", 100.0 * share);
            if let Some(nanos) = self.cpu_each() {
                let _ = write!(text, ", {:.2} µs a {what}", nanos / 1000.0);
            }
            if let Some(calls) = self.calls_each() {
                let _ = write!(text, ", {calls:.3} system calls a {what}");
            }
            text.push('\n');
        }
        let _ = write!(text, "generator   {:.0} % of a core", 100.0 * self.own_share());
        if self.is_bottleneck(options) {
            text += ": it is the bottleneck; the server could do more";
        }
        text.push('\n');
        text
    }
}

impl Round {
    fn json(&self, pairs: u32) -> Value {
        let connections = 2 * u64::from(pairs);
        json!({
            "connections": connections,
            "seconds_to_connect": self.seconds_to_connect,
            "memory": self.memory.map(|memory| json!({
                "before": memory.before,
                "held": memory.held,
                "after": memory.after,
                "each": memory.held.saturating_sub(memory.before) as f64 / connections as f64,
                "given_back": memory.given_back(),
                "seconds_to_settle": memory.seconds_to_settle,
            })),
        })
    }

    fn text(&self, pairs: u32) -> String {
        let connections = 2 * u64::from(pairs);
        let mut text =
            format!("connected   {connections} clients in {:.1} s\n", self.seconds_to_connect);
        if let Some(memory) = self.memory {
            let [before, held, after] =
                [memory.before, memory.held, memory.after].map(|bytes| bytes as f64 / 1048576.0);
            let each = (held - before).max(0.0) * 1048576.0 / connections as f64;
            let _ = write!(
                text,
                "memory      {before:.1} MiB, with them {held:.1} MiB: {each:.0} bytes each\n\
                 after them  {after:.1} MiB: {:.0} % of the growth given back",
                100.0 * memory.given_back()
            );
            if let Some(seconds) = memory.seconds_to_settle {
                let _ = write!(text, ", 80 % of it within {seconds:.1} s");
            }
            text.push('\n');
        }
        text
    }
}
