//! Whether somebody types: told sparingly, and believed for a while.
//!
//! Knows times. Must not know connections or envelopes.

use std::time::{Duration, Instant};

/// While a person types, this is repeated (docs/protocol.md, "Fleeting").
const REPEAT: Duration = Duration::from_secs(3);
/// A change is told at most so often.
const CHANGE: Duration = Duration::from_secs(1);
/// The partner's typing is over after this.
const OVER: Duration = Duration::from_secs(6);

/// The typing of both sides, on one connection.
#[derive(Debug, Default)]
pub(crate) struct Typing {
    wanted: bool,
    told: bool,
    told_at: Option<Instant>,
    /// When something has to be told.
    due: Option<Instant>,
    /// Until when the partner counts as typing.
    partner: Option<Instant>,
}

impl Typing {
    /// The own person types (again), or no longer.
    pub(crate) fn set(&mut self, on: bool, now: Instant) {
        self.wanted = on;
        let since = |wait| self.told_at.map_or(now, |told| now.max(told + wait));
        self.due = match (on, self.told) {
            (true, true) => Some(since(REPEAT)).filter(|due| *due <= now),
            (false, false) => None,
            _ => Some(since(CHANGE)),
        };
    }

    /// When something has to be told.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// What has to be told now.
    pub(crate) fn tell(&mut self, now: Instant) -> Option<bool> {
        self.due.take_if(|due| *due <= now)?;
        (self.told, self.told_at) = (self.wanted, Some(now));
        Some(self.wanted)
    }

    /// The partner types, or no longer; whether that is news.
    pub(crate) fn heard(&mut self, on: bool, now: Instant) -> bool {
        let before = self.partner.is_some();
        self.partner = on.then_some(now + OVER);
        before != on
    }

    /// When the partner no longer counts as typing.
    pub(crate) fn over(&self) -> Option<Instant> {
        self.partner
    }
}
