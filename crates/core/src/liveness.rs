//! Whether a client is there, and whether it reads: judged from times that are passed in.

use std::time::{Duration, Instant};

/// A client that takes less than this many bytes a second of what waits for it, over a whole
/// window, is not reading. A modem of 1990 took more.
pub const LEAST_BYTES_PER_SECOND: u64 = 1024;

/// The outcome of a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All is well; judge again at this time.
    Fine(Instant),
    /// Ping it, call [`Heartbeat::pinged`], and judge again.
    Ping,
    /// It has failed.
    Failed,
}

/// Hears a client, and pings it when it is silent.
#[derive(Debug, Clone, Copy)]
pub struct Heartbeat {
    heard: Instant,
    pinged: Option<Instant>,
}

impl Heartbeat {
    /// A client heard from at `now`.
    pub fn new(now: Instant) -> Self {
        Self { heard: now, pinged: None }
    }

    /// Bytes came from the client; whatever they are, it is there.
    pub fn heard(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// A ping was sent. An earlier one that is unanswered still counts.
    pub fn pinged(&mut self, now: Instant) {
        self.pinged.get_or_insert(now);
    }

    /// When it was last heard.
    pub fn last_heard(&self) -> Instant {
        self.heard
    }

    /// Judges: after `silence` it is pinged, and given `answer`.
    pub fn judge(&self, now: Instant, silence: Duration, answer: Duration) -> Verdict {
        let due = match self.pinged {
            Some(pinged) => pinged + answer,
            None => self.heard + silence,
        };
        match self.pinged {
            _ if now < due => Verdict::Fine(due),
            Some(_) => Verdict::Failed,
            None => Verdict::Ping,
        }
    }
}

/// Watches whether a client takes what waits for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Since when bytes wait, and how many were taken in this window.
    blocked: Option<(Instant, u64)>,
}

impl Progress {
    /// Bytes wait for the client.
    pub fn blocked(&mut self, now: Instant) {
        self.blocked.get_or_insert((now, 0));
    }

    /// The client took `n` of them.
    pub fn took(&mut self, n: u64) {
        if let Some((_, taken)) = &mut self.blocked {
            *taken += n;
        }
    }

    /// Nothing waits any more.
    pub fn free(&mut self) {
        self.blocked = None;
    }

    /// Judges over windows of this length: `None` while nothing waits.
    pub fn judge(&mut self, now: Instant, window: Duration) -> Option<Verdict> {
        let (since, taken) = self.blocked?;
        if now < since + window {
            return Some(Verdict::Fine(since + window));
        }
        let least = (LEAST_BYTES_PER_SECOND as f64 * window.as_secs_f64()) as u64;
        if taken < least {
            return Some(Verdict::Failed);
        }
        self.blocked = Some((now, 0));
        Some(Verdict::Fine(now + window))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: Duration = Duration::from_secs(25);
    const ANSWER: Duration = Duration::from_secs(8);

    #[test]
    fn silence_is_pinged_and_an_unanswered_ping_fails() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(start);
        let judge = |h: &Heartbeat, after| h.judge(start + after, SILENCE, ANSWER);
        assert_eq!(judge(&heartbeat, Duration::ZERO), Verdict::Fine(start + SILENCE));
        assert_eq!(judge(&heartbeat, SILENCE), Verdict::Ping);
        heartbeat.pinged(start + SILENCE);
        heartbeat.pinged(start + SILENCE + ANSWER / 2);
        assert_eq!(judge(&heartbeat, SILENCE + ANSWER), Verdict::Failed);
        heartbeat.heard(start + SILENCE + ANSWER);
        assert_eq!(judge(&heartbeat, SILENCE * 2), Verdict::Fine(start + SILENCE * 2 + ANSWER));
    }

    #[test]
    fn a_reader_is_judged_by_what_it_takes_while_bytes_wait() {
        let (start, window) = (Instant::now(), Duration::from_secs(20));
        let mut progress = Progress::default();
        assert_eq!(progress.judge(start, window), None);
        progress.blocked(start);
        progress.took(20 * LEAST_BYTES_PER_SECOND);
        assert_eq!(progress.judge(start + window, window), Some(Verdict::Fine(start + window * 2)));
        progress.took(20 * LEAST_BYTES_PER_SECOND - 1);
        assert_eq!(progress.judge(start + window * 2, window), Some(Verdict::Failed));
        progress.free();
        assert_eq!(progress.judge(start + window * 3, window), None);
    }
}
