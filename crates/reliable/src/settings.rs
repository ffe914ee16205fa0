//! What an application may want otherwise, with the reason for each default.

use std::time::Duration;

/// How a [`Session`](crate::Session) behaves; the defaults suit a person who chats.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The most that the outbox holds, in bytes of weight (docs/protocol.md, "Credit"): 4 MiB, 16
    /// times the usual credit. A message that fits the server's limit is taken into an empty outbox
    /// whatever this says.
    pub outbox_bytes: usize,
    /// The most messages that the outbox holds: 4096, more than anyone types in a tunnel.
    pub outbox_count: usize,
    /// The most of the partner's messages that the application hasn't taken, in bytes of weight:
    /// 16 MiB. A partner can't cause more than its credit, so this only bounds a server gone mad.
    pub inbox_bytes: usize,
    /// The first wait before connecting again: 0.5 s. It doubles with each failure.
    pub backoff_first: Duration,
    /// The longest such wait: 15 s, and never more than a quarter of the grace.
    pub backoff_most: Duration,
    /// After so much silence the session asks whether anybody is there: 25 s.
    pub heartbeat: Duration,
    /// Within this time something has to come after a ping: 10 s.
    pub probe: Duration,
    /// The same after [`wake`](crate::Session::wake): 5 s, for a person is looking.
    pub wake_probe: Duration,
    /// Within this time a connection has to open, `hello` to come, and `join`, `next`, `leave`,
    /// `block` and `resume` to be answered: 10 s.
    pub answer: Duration,
    /// The longest that an acknowledgement waits for company: 100 ms.
    pub ack_delay: Duration,
    /// The fraction of the backoff's ceiling that is waited: `None`, at random (full jitter); a
    /// number from 0 to 1 makes a test's waits known.
    pub jitter: Option<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            outbox_bytes: 4 << 20,
            outbox_count: 4096,
            inbox_bytes: 16 << 20,
            backoff_first: Duration::from_millis(500),
            backoff_most: Duration::from_secs(15),
            heartbeat: Duration::from_secs(25),
            probe: Duration::from_secs(10),
            wake_probe: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            ack_delay: Duration::from_millis(100),
            jitter: None,
        }
    }
}
