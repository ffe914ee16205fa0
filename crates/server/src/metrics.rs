//! Metrics for Prometheus: every counter and gauge under a stable name, made when scraped.
//!
//! Knows names and how to write them. Must not know where the numbers come from. docs/metrics.md
//! has the same table for people; a test keeps the two together.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use vyoma_protocol::Reason;
use vyoma_protocol::handshake::Refusal;

use crate::counters::{Counter, Totals, WAIT_BUCKETS, Waits};
use crate::lobby::Tally;
use crate::shared::Gauges;

/// What `/metrics` is: OpenMetrics text, which Prometheus reads.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Reasons from this number on name drops, not closes: what was dropped never closed anything.
const FIRST_DROP: u16 = 40;

/// Reasons from this number on name errors told to a client, which neither closed nor dropped.
const FIRST_ERROR: u16 = 100;

/// Plain counters: name without `_total`, help, what is counted.
const COUNTERS: &[(&str, &str, Counter)] = &[
    ("vyoma_connections_accepted", "TCP connections accepted", Counter::Accepted),
    (
        "vyoma_accept_failures",
        "Failures to accept for want of descriptors or memory",
        Counter::AcceptFailed,
    ),
    ("vyoma_upgrades", "WebSocket handshakes completed", Counter::Upgraded),
    ("vyoma_http_requests", "Requests that were not upgrades", Counter::HttpRequests),
    (
        "vyoma_refusals_unanswered",
        "Refused connections closed without an answer, since too many were being answered",
        Counter::RefusedSilently,
    ),
    ("vyoma_conversations_started", "Conversations begun", Counter::ConversationsStarted),
    ("vyoma_conversations_ended", "Conversations ended", Counter::ConversationsEnded),
    (
        "vyoma_conversations_adopted",
        "Conversations of another process gone on with",
        Counter::ConversationsAdopted,
    ),
    ("vyoma_resumes", "Seats taken again by a client that came back", Counter::Resumed),
    (
        "vyoma_messages_relayed",
        "Messages relayed from one partner to the other",
        Counter::MessagesRelayed,
    ),
    ("vyoma_bytes_relayed", "Payload bytes of the messages relayed", Counter::BytesRelayed),
    (
        "vyoma_bytes_unsent",
        "Bytes that clients did not take before they were closed",
        Counter::BytesUnsent,
    ),
    (
        "vyoma_bytes_discarded",
        "Bytes that clients still sent while they were being closed",
        Counter::BytesDiscarded,
    ),
    (
        "vyoma_probes",
        "Waiters asked for a sign of life before a newcomer was given to them",
        Counter::Probes,
    ),
    ("vyoma_probes_failed", "Waiters that did not answer that in time", Counter::ProbesFailed),
    (
        "vyoma_decision_logs_ended",
        "Decision logs that ended before the server did",
        Counter::DecisionLogsEnded,
    ),
];

/// What is counted for each pool: name without `_total`, help, what is counted.
type PoolCounter = (&'static str, &'static str, fn(&Tally) -> u64);

const POOL_COUNTERS: &[PoolCounter] = &[
    ("vyoma_pool_joins", "Clients that came into a pool", |tally| tally.joins),
    ("vyoma_pool_matches", "Pairs made in a pool", |tally| tally.matches),
];

/// Everything at one moment, as Prometheus reads it.
pub(crate) fn render(
    totals: Totals,
    gauges: Gauges,
    (pools, lag): (Vec<Tally>, Duration),
) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape { totals, gauges, pools, lag }));
    let mut text = String::new();
    // Writing into a String can't fail; a scrape that did would be short of its end mark.
    let _ = encode(&mut text, &registry);
    text
}

/// The numbers of one scrape.
#[derive(Debug)]
struct Scrape {
    totals: Totals,
    gauges: Gauges,
    pools: Vec<Tally>,
    lag: Duration,
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.gauges(&mut encoder)?;
        for (name, help, counter) in COUNTERS {
            let value = ConstCounter::new(self.totals.get(*counter));
            value.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        self.reasons(&mut encoder)?;
        self.waits(&mut encoder)?;
        self.pools(&mut encoder)
    }
}

impl Scrape {
    fn gauges(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Gauges { admitted, connections, waiting, conversations, replayable, census_ok } =
            self.gauges;
        for (name, help, value) in [
            ("vyoma_admitted", "Connections let in: WebSockets, handshakes and HTTP", admitted),
            ("vyoma_connections", "WebSocket connections now", connections),
            ("vyoma_waiting", "Clients waiting for a partner now", waiting),
            ("vyoma_conversations", "Conversations now", conversations),
            ("vyoma_replay_bytes", "Memory kept for resuming, in bytes", replayable),
            (
                "vyoma_census_ok",
                "1 if every connection is waiting, talking or closing, exactly once",
                usize::from(census_ok),
            ),
        ] {
            let value = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            value.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }

    fn reasons(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let numbered = |numbers: Range<u16>| {
            let reasons = Reason::ALL.iter().filter(move |r| numbers.contains(&r.number()));
            reasons.map(|reason| (reason.name(), self.totals.reason(*reason)))
        };
        let (closes, drops) = (numbered(0..FIRST_DROP), numbered(FIRST_DROP..FIRST_ERROR));
        let errors = numbered(FIRST_ERROR..u16::MAX);
        let refusals =
            Refusal::ALL.iter().map(|refusal| (refusal.name(), self.totals.refusal(*refusal)));
        family(encoder, "vyoma_closes", "WebSocket connections that ended, by reason", closes)?;
        family(encoder, "vyoma_drops", "Messages dropped, by reason", drops)?;
        family(encoder, "vyoma_errors", "Envelopes of vyoma.v1 refused, by reason", errors)?;
        let help = "Connections refused before they became WebSockets, by reason";
        family(encoder, "vyoma_refusals", help, refusals)
    }

    fn pools(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "For how long the oldest search for a partner has been going on, in seconds";
        let lag = ConstGauge::new(self.lag.as_secs_f64());
        let name = "vyoma_match_lag_seconds";
        lag.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        let help = "Clients in a pool now";
        let mut family =
            encoder.encode_descriptor("vyoma_pool_waiting", help, None, MetricType::Gauge)?;
        for Tally { pool, waiting, .. } in &self.pools {
            let waiting = ConstGauge::new(i64::try_from(*waiting).unwrap_or(i64::MAX));
            waiting.encode(family.encode_family(&[("pool", pool.as_str())])?)?;
        }
        for (name, help, count) in POOL_COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for tally in &self.pools {
                let labels = [("pool", tally.pool.as_str())];
                ConstCounter::new(count(tally)).encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "Time in a pool until a match, in seconds";
        let name = "vyoma_pool_wait_seconds";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for Tally { pool, waits, waited, .. } in &self.pools {
            let (count, buckets) = histogram(*waits);
            let labels = [("pool", pool.as_str())];
            let mut own = family.encode_family(&labels)?;
            own.encode_histogram::<NoLabelSet>(waited.as_secs_f64(), count, &buckets, None)?;
        }
        Ok(())
    }

    fn waits(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (count, buckets) = histogram(self.totals.waits);
        let help = "Time from queueing to pairing, in seconds";
        encoder
            .encode_descriptor("vyoma_pairing_wait_seconds", help, None, MetricType::Histogram)?
            .encode_histogram::<NoLabelSet>(self.totals.wait_seconds, count, &buckets, None)
    }
}

/// How many waits there were, and in which bucket.
fn histogram(waits: Waits) -> (u64, Vec<(f64, u64)>) {
    let bounds = WAIT_BUCKETS.into_iter().chain([f64::MAX]);
    (waits.iter().sum(), bounds.zip(waits).collect())
}

/// One counter for each reason, those that never happened included: a dashboard can rely on it.
fn family(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    rows: impl IntoIterator<Item = (&'static str, u64)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (reason, count) in rows {
        let labels = [("reason", reason)];
        ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
