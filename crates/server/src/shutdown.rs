//! How far the server has come in shutting down.

use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

use tokio_util::sync::CancellationToken;

/// What the server still does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Everything.
    Running,
    /// HTTP is answered and conversations go on, but nobody is let in or queued.
    Draining,
    /// Conversations are closed as well.
    Closing,
}

/// The phase, readable without a lock; it only moves forward.
pub(crate) struct Shutdown {
    phase: AtomicU8,
    /// Cancelled when connections over which nothing is being asked are no longer kept.
    pub(crate) leaving: CancellationToken,
    /// Cancelled when draining begins.
    pub(crate) begun: CancellationToken,
    /// Cancelled when everything stops at once, finished or not.
    pub(crate) stopped: CancellationToken,
}

impl Shutdown {
    pub(crate) fn new() -> Self {
        Self {
            phase: AtomicU8::new(Phase::Running as u8),
            leaving: CancellationToken::new(),
            begun: CancellationToken::new(),
            stopped: CancellationToken::new(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(SeqCst) {
            0 => Phase::Running,
            1 => Phase::Draining,
            _ => Phase::Closing,
        }
    }

    pub(crate) fn draining(&self) -> bool {
        self.phase() >= Phase::Draining
    }

    /// Moves on to this phase; whoever does also rings the bell on every worker.
    pub(crate) fn advance(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, SeqCst);
        self.leaving.cancel();
        self.begun.cancel();
    }
}
