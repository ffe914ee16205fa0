//! What is measured: each case, and how the generator is asked for it.
//!
//! Must not know which servers are measured.

/// Seconds that a server runs under load before it is measured: Node has compiled by then.
const WARM_UP: u32 = 1;

/// Seconds of silence of the idle connections, and then for the server to give memory back.
const SILENCE: u32 = 5;
pub(crate) const SETTLE: u32 = 30;

/// At 20,000 descriptors a process; the server needs some of its own.
pub(crate) const IDLE_CONNECTIONS: u32 = 19_000;

/// An idle case takes minutes and hardly varies.
const IDLE_ROUNDS: usize = 2;

/// One thing to do to a server.
pub(crate) struct Case {
    /// Its name on the command line.
    pub(crate) key: &'static str,
    /// Its name for people.
    pub(crate) title: &'static str,
    /// What the generator is asked for.
    load: &'static [&'static str],
    /// What our server needs for it.
    pub(crate) flags: &'static [&'static str],
    pub(crate) kind: Kind,
}

/// Which figures a case is about.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// CPU time and latency.
    Load,
    /// The same, at so many messages a second.
    Rate(f64),
    /// Memory.
    Idle,
}

/// All cases, in the order of the report.
pub(crate) const CASES: [Case; 9] = [
    Case {
        key: "100",
        title: "64 B, one in flight, 100 pairs",
        load: &["--mode=ping-pong", "--pairs=100", "--size=64"],
        flags: &[],
        kind: Kind::Load,
    },
    Case {
        key: "1000",
        title: "64 B, one in flight, 1,000 pairs",
        load: &["--mode=ping-pong", "--pairs=1000", "--size=64"],
        flags: &[],
        kind: Kind::Load,
    },
    Case {
        key: "bursts",
        title: "64 B, bursts of 64, 100 pairs",
        load: &["--mode=burst", "--pairs=100", "--size=64", "--in-flight=64"],
        flags: &[],
        kind: Kind::Load,
    },
    Case {
        key: "ascii",
        title: "16 KiB ASCII, 100 pairs",
        load: &["--mode=ping-pong", "--pairs=100", "--size=16KiB"],
        flags: &[],
        kind: Kind::Load,
    },
    Case {
        key: "multibyte",
        title: "16 KiB multi-byte, 100 pairs",
        load: &["--mode=ping-pong", "--pairs=100", "--size=16KiB", "--text=multibyte"],
        flags: &[],
        kind: Kind::Load,
    },
    Case {
        key: "large",
        title: "256 KiB ASCII, 100 pairs",
        load: &["--mode=ping-pong", "--pairs=100", "--size=256KiB"],
        flags: &["--max-message-size=1MiB"],
        kind: Kind::Load,
    },
    Case {
        key: "sessions",
        title: "whole sessions, 100 at once",
        load: &["--mode=sessions", "--pairs=100"],
        flags: &[],
        kind: Kind::Load,
    },
    Case {
        key: "rate",
        title: "64 B, 50,000 a second, 100 pairs",
        load: &["--mode=rate", "--rate=50000", "--pairs=100", "--size=64"],
        flags: &[],
        kind: Kind::Rate(50_000.0),
    },
    Case {
        key: "idle",
        title: "19,000 idle connections",
        load: &["--mode=idle", "--pairs=9500", "--rounds=2"],
        flags: &[],
        kind: Kind::Idle,
    },
];

impl Case {
    /// The case of that name.
    pub(crate) fn named(key: &str) -> Option<&'static Self> {
        CASES.iter().find(|case| case.key == key)
    }

    /// What the generator is asked for, if it measures for so many seconds.
    pub(crate) fn arguments(&self, seconds: u32) -> Vec<String> {
        let times = match self.kind {
            Kind::Idle => [format!("--duration={SILENCE}s"), format!("--settle={SETTLE}s")],
            _ => [format!("--duration={seconds}s"), format!("--warmup={WARM_UP}s")],
        };
        self.load.iter().map(|&word| word.to_owned()).chain(times).collect()
    }

    /// About how long one run takes, in seconds: for the progress bar.
    pub(crate) fn expected(&self, seconds: u32) -> u64 {
        u64::from(match self.kind {
            // Connecting takes a while, too.
            Kind::Idle => 2 * (5 + SILENCE + SETTLE),
            _ => WARM_UP + seconds,
        })
    }

    /// In how many of so many rounds it takes part.
    pub(crate) fn rounds(&self, rounds: usize) -> usize {
        if self.kind == Kind::Idle { rounds.min(IDLE_ROUNDS) } else { rounds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_have_names_of_their_own_and_say_what_they_do() {
        for (at, case) in CASES.iter().enumerate() {
            assert!(CASES[..at].iter().all(|c| c.key != case.key && c.title != case.title));
        }
        let idle = Case::named("idle").unwrap();
        assert!(idle.arguments(2).contains(&format!("--pairs={}", IDLE_CONNECTIONS / 2)));
        let Kind::Rate(rate) = Case::named("rate").unwrap().kind else { panic!("it has a rate") };
        assert!(Case::named("rate").unwrap().arguments(2).contains(&format!("--rate={rate}")));
    }
}
