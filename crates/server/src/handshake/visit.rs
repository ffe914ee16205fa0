//! How long a connection may go on asking over HTTP.
//!
//! Knows counts and times. Must not know what is asked. A browser needs some fifty files at most, over
//! up to six connections; a proxy's connections may be kept for longer, and are made anew at little
//! cost.

use std::time::Duration;

use tokio::time::Instant;

/// Requests on one connection.
const MOST: u32 = 100;

/// From the first request to the last.
const LONGEST: Duration = Duration::from_secs(120);

/// A connection's requests so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    answered: u32,
    end: Instant,
}

impl Visit {
    pub(super) fn begin() -> Self {
        Self { answered: 0, end: Instant::now() + LONGEST }
    }

    /// After one more answer.
    pub(super) fn next(self) -> Self {
        Self { answered: self.answered + 1, ..self }
    }

    /// Whether nothing has been answered yet.
    pub(super) fn is_first(self) -> bool {
        self.answered == 0
    }

    /// Whether another request may follow the one that is being looked at.
    pub(super) fn goes_on(self) -> bool {
        self.answered + 1 < MOST && Instant::now() < self.end
    }

    /// Until when the next request may come, if it may take `idle`.
    pub(super) fn idle_until(self, idle: Duration) -> Instant {
        self.end.min(Instant::now() + idle)
    }
}
