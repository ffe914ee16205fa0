//! Whether the other end of a connection is there: when to ask, and when to give up.
//!
//! Knows times. Must not know what is written to ask, or what is done about a dead connection.

use std::time::Instant;

use crate::Settings;

/// A tick this late (in milliseconds) means that the machine slept or the timers were throttled: what came
/// meanwhile may not have been reported yet.
const LATE_MS: u128 = 2_000;

/// What the time says about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing to do.
    Fine,
    /// Write a ping.
    Ask,
    /// Nobody is there.
    Dead,
}

/// One connection's signs of life.
#[derive(Debug)]
pub(crate) struct Pulse {
    heard: Instant,
    /// By when an answer has to come.
    due: Option<Instant>,
    /// The answer was already awaited anew after a late tick.
    spared: bool,
}

impl Pulse {
    pub(crate) fn new(now: Instant) -> Self {
        Self { heard: now, due: None, spared: false }
    }

    pub(crate) fn heard(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    pub(crate) fn heard_at(&self) -> Instant {
        self.heard
    }

    pub(crate) fn deadline(&self, settings: &Settings) -> Instant {
        self.due.unwrap_or(self.heard + settings.heartbeat)
    }

    pub(crate) fn judge(&mut self, settings: &Settings, now: Instant) -> Verdict {
        let deadline = self.deadline(settings);
        if now < deadline {
            return Verdict::Fine;
        }
        let late = now.duration_since(deadline).as_millis() > LATE_MS;
        if self.due.is_some() && (self.spared || !late) {
            return Verdict::Dead;
        }
        self.spared = self.due.is_some();
        self.due = Some(now + settings.probe);
        Verdict::Ask
    }

    /// Asks at once, for a quick answer; whether a ping has to be written for it.
    pub(crate) fn ask(&mut self, settings: &Settings, now: Instant) -> bool {
        let due = now + settings.wake_probe;
        if self.due.is_some_and(|already| already <= due) {
            return false;
        }
        self.due = Some(due);
        true
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a time to count from")]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_dead_link_is_noticed_within_40_s_even_if_ticks_come_late() {
        let (settings, start) = (Settings::default(), Instant::now());
        for late_ms in [0, 1, 1_000, 2_000] {
            let mut pulse = Pulse::new(start);
            let late = Duration::from_millis(late_ms);
            let asked = pulse.deadline(&settings) + late;
            assert_eq!(pulse.judge(&settings, asked), Verdict::Ask);
            let given_up = pulse.deadline(&settings) + late;
            assert_eq!(pulse.judge(&settings, given_up), Verdict::Dead);
            assert!(given_up <= start + Duration::from_secs(40));
        }
    }

    #[test]
    fn a_jump_of_the_clock_is_not_taken_for_silence() {
        let (settings, mut now) = (Settings::default(), Instant::now());
        let mut pulse = Pulse::new(now);
        // The machine sleeps for an hour, each time right after a ping; what came meanwhile is
        // reported after the tick.
        for _ in 0..3 {
            now += Duration::from_secs(3600);
            assert_eq!(pulse.judge(&settings, now), Verdict::Ask);
            now += Duration::from_secs(3600);
            assert_eq!(pulse.judge(&settings, now), Verdict::Ask);
            pulse.heard(now);
        }
    }
}
