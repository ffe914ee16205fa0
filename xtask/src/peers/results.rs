//! What the runs brought: the generator's reports, and figures taken from them.
//!
//! A figure is named by its place in the report, as a JSON pointer (RFC 6901).

use serde_json::{Value, json};

use super::peer::Peer;

/// Nanoseconds of the server's CPU time for a message or a session.
pub(crate) const CPU: &str = "/server_cpu_ns_each";
/// Microseconds.
pub(crate) const P99: &str = "/latency_us/p99";
/// Messages, or sessions.
pub(crate) const PER_SECOND: &str = "/per_second";
/// Bytes of the server's own memory for a connection.
pub(crate) const EACH: &str = "/rounds/0/memory/each";
/// The part of the growth that was given back.
pub(crate) const GIVEN_BACK: &str = "/rounds/0/memory/given_back";

/// One run.
pub(crate) struct Record {
    pub(crate) case: &'static str,
    pub(crate) peer: Peer,
    pub(crate) round: usize,
    /// The generator's report, or what went wrong.
    pub(crate) outcome: Result<Value, String>,
}

/// All runs.
#[derive(Default)]
pub(crate) struct Results(Vec<Record>);

impl Results {
    pub(crate) fn push(&mut self, record: Record) {
        self.0.push(record);
    }

    /// A figure of each run that has it.
    pub(crate) fn values(&self, case: &str, peer: Peer, figure: &str) -> Vec<f64> {
        self.runs(case, peer).filter_map(|record| record.number(figure)).collect()
    }

    /// A figure divided by the forwarder's of the same round, for each round that has both: what
    /// disturbs a round disturbs both.
    pub(crate) fn ratios(&self, case: &str, peer: Peer, figure: &str) -> Vec<f64> {
        let ratio = |record: &Record| {
            let limits = &mut self.runs(case, Peer::Forwarder);
            let limit = limits.find(|limit| limit.round == record.round)?.number(figure)?;
            Some(record.number(figure)? / limit)
        };
        self.runs(case, peer).filter_map(ratio).collect()
    }

    /// How much the second crowd of idle connections took, as a multiple of the first.
    pub(crate) fn second_crowd(&self, case: &str, peer: Peer) -> Vec<f64> {
        let held = |record: &Record| {
            let [first, second] =
                [0, 1].map(|at| record.number(&format!("/rounds/{at}/memory/held")));
            Some(second? / first?)
        };
        self.runs(case, peer).filter_map(held).collect()
    }

    /// What went wrong, once for each run in which something did.
    pub(crate) fn failures(&self, case: &str, peer: Peer) -> Vec<&str> {
        self.runs(case, peer)
            .filter_map(|record| record.outcome.as_ref().err().map(String::as_str))
            .collect()
    }

    /// How many runs there were, whatever became of them.
    pub(crate) fn count(&self, case: &str, peer: Peer) -> usize {
        self.runs(case, peer).count()
    }

    /// Everything.
    pub(crate) fn json(&self) -> Value {
        let records = self.0.iter().map(|record| {
            json!({
                "case": record.case,
                "peer": record.peer.name(),
                "round": record.round + 1,
                "report": record.outcome.as_ref().ok(),
                "failure": record.outcome.as_ref().err(),
            })
        });
        records.collect()
    }

    fn runs(&self, case: &str, peer: Peer) -> impl Iterator<Item = &Record> {
        self.0.iter().filter(move |record| record.case == case && record.peer == peer)
    }
}

impl Record {
    fn number(&self, figure: &str) -> Option<f64> {
        self.outcome.as_ref().ok()?.pointer(figure)?.as_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(runs: &[(Peer, usize, Option<f64>)]) -> Results {
        let record = |&(peer, round, cpu): &(Peer, usize, Option<f64>)| {
            let outcome = cpu.map(|cpu| json!({ "server_cpu_ns_each": cpu }));
            Record { case: "100", peer, round, outcome: outcome.ok_or("it broke".to_owned()) }
        };
        Results(runs.iter().map(record).collect())
    }

    #[test]
    fn ratios_are_of_one_round() {
        let results = results(&[
            (Peer::Forwarder, 0, Some(100.0)),
            (Peer::Vyoma, 0, Some(110.0)),
            (Peer::Vyoma, 1, Some(300.0)),
            (Peer::Forwarder, 1, Some(200.0)),
        ]);
        assert_eq!(results.ratios("100", Peer::Vyoma, CPU), [1.1, 1.5]);
        assert_eq!(results.ratios("100", Peer::Forwarder, CPU), [1.0, 1.0]);
        assert_eq!(results.values("100", Peer::Vyoma, CPU), [110.0, 300.0]);
        assert!(results.ratios("1000", Peer::Vyoma, CPU).is_empty());
        assert!(results.ratios("100", Peer::Vyoma, P99).is_empty());
    }

    #[test]
    fn a_failure_is_counted_and_takes_only_its_round_away() {
        let results = results(&[
            (Peer::Forwarder, 0, Some(100.0)),
            (Peer::Forwarder, 1, None),
            (Peer::Forwarder, 2, Some(100.0)),
            (Peer::Vyoma, 0, None),
            (Peer::Vyoma, 1, Some(1.0)),
            (Peer::Vyoma, 2, Some(200.0)),
        ]);
        assert_eq!(results.ratios("100", Peer::Vyoma, CPU), [2.0]);
        assert_eq!(results.failures("100", Peer::Vyoma), ["it broke"]);
        assert_eq!(results.count("100", Peer::Vyoma), 3);
        assert_eq!(results.json()[3]["failure"], "it broke");
    }
}
