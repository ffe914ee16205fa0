//! The text is what Prometheus reads, and docs/metrics.md names everything in it.

use std::collections::BTreeSet;

use super::*;
use crate::counters;

const GUIDE: &str = include_str!("../../../../docs/metrics.md");

const GAUGES: Gauges = Gauges {
    admitted: 8,
    connections: 7,
    waiting: 1,
    conversations: 3,
    replayable: 9,
    census_ok: true,
};

fn pools() -> Vec<Tally> {
    let mut waits = Waits::default();
    (waits[1], waits[3]) = (1, 1);
    let founders = Tally {
        pool: "founders".to_owned(),
        waiting: 2,
        joins: 5,
        matches: 1,
        waits,
        waited: Duration::from_millis(900),
    };
    vec![founders, Tally { pool: "@on_demand".to_owned(), ..Tally::default() }]
}

/// Scrapes what `count` counts on a worker of its own.
fn scrape(count: impl FnOnce() + Send) -> String {
    let registry = counters::Registry::default();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            registry.enlist();
            count();
        });
    });
    render(registry.totals(), GAUGES, (pools(), Duration::from_millis(250)))
}

#[test]
fn what_is_counted_comes_out() {
    let text = scrape(|| {
        counters::add(Counter::BytesRelayed, 12);
        counters::reason(Reason::NotReading, 2);
        counters::reason(Reason::Fenced, 3);
        counters::refusal(Refusal::Full);
        counters::pairing_wait(Duration::from_millis(50));
        counters::pairing_wait(Duration::from_secs(3600));
    });
    for line in [
        "vyoma_connections 7",
        "vyoma_census_ok 1",
        "vyoma_bytes_relayed_total 12",
        "vyoma_closes_total{reason=\"not_reading\"} 2",
        "vyoma_closes_total{reason=\"client_closed\"} 0",
        "vyoma_drops_total{reason=\"dropped_fenced\"} 3",
        "vyoma_refusals_total{reason=\"full\"} 1",
        "vyoma_pairing_wait_seconds_sum 3600.05",
        "vyoma_pairing_wait_seconds_count 2",
        "vyoma_pairing_wait_seconds_bucket{le=\"0.01\"} 0",
        "vyoma_pairing_wait_seconds_bucket{le=\"0.1\"} 1",
        "vyoma_pairing_wait_seconds_bucket{le=\"1800.0\"} 1",
        "vyoma_pairing_wait_seconds_bucket{le=\"+Inf\"} 2",
        "vyoma_match_lag_seconds 0.25",
        "vyoma_pool_waiting{pool=\"founders\"} 2",
        "vyoma_pool_joins_total{pool=\"founders\"} 5",
        "vyoma_pool_joins_total{pool=\"@on_demand\"} 0",
        "vyoma_pool_matches_total{pool=\"founders\"} 1",
        "vyoma_pool_wait_seconds_sum{pool=\"founders\"} 0.9",
        "vyoma_pool_wait_seconds_count{pool=\"founders\"} 2",
        "vyoma_pool_wait_seconds_bucket{le=\"0.1\",pool=\"founders\"} 1",
        "vyoma_pool_wait_seconds_bucket{le=\"1.0\",pool=\"founders\"} 2",
        "# EOF",
    ] {
        assert!(text.lines().any(|own| own == line), "{line} is missing in\n{text}");
    }
}

#[test]
fn every_reason_is_a_close_a_drop_or_an_error() {
    for reason in Reason::ALL {
        let drop = (FIRST_DROP..FIRST_ERROR).contains(&reason.number());
        assert_eq!(drop, reason.name().starts_with("dropped_"), "{reason:?}");
        assert!(reason.number() < FIRST_DROP || reason.close_code().is_none(), "{reason:?}");
    }
}

/// The names in the first column of the guide's tables.
fn documented() -> BTreeSet<String> {
    let rows = GUIDE.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).map(str::to_owned).collect()
}

#[test]
fn the_guide_names_every_metric_and_no_other() {
    let text = scrape(|| {});
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = kinds.map(|line| match line.split_once(' ').unwrap() {
        (name, "counter") => format!("{name}_total"),
        (name, _) => name.to_owned(),
    });
    let metrics = documented().into_iter().filter(|name| name.starts_with("vyoma_"));
    assert_eq!(names.collect::<BTreeSet<_>>(), metrics.collect());
}

#[test]
fn the_guide_tells_of_every_reason_and_no_other() {
    let rows: BTreeSet<&str> = GUIDE.lines().collect();
    for refusal in Refusal::ALL {
        let (name, status, sentence) = (refusal.name(), refusal.status(), refusal.sentence());
        let row = format!("| `{name}` | {status} | {sentence} |");
        assert!(rows.contains(row.as_str()), "{row}");
    }
    for reason in Reason::ALL {
        let code = reason.close_code().map_or("—".to_owned(), |code| code.get().to_string());
        let (name, number, sentence) = (reason.name(), reason.number(), reason.sentence());
        let row = format!("| `{name}` | {number} | {code} | {sentence} |");
        assert!(rows.contains(row.as_str()), "{row}");
    }
    let names = documented().into_iter().filter(|name| !name.starts_with("vyoma_"));
    assert_eq!(names.count(), Reason::ALL.len() + Refusal::ALL.len());
}
