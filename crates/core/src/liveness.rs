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
    /// Since when it is silent and could have spoken.
    since: Instant,
    /// The first ping that is not answered.
    pinged: Option<Instant>,
}

impl Heartbeat {
    /// A client heard from at `now`.
    pub fn new(now: Instant) -> Self {
        Self { heard: now, since: now, pinged: None }
    }

    /// Bytes came from the client; whatever they are, it is there.
    pub fn heard(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// Its silence up to now says nothing: we don't listen, or it can't have heard us. That doesn't
    /// mean that it was heard.
    pub fn excuse(&mut self, now: Instant) {
        (self.since, self.pinged) = (now, None);
    }

    /// A ping was sent. Returns whether it is the one whose answer counts: an earlier one that is
    /// unanswered still does.
    pub fn pinged(&mut self, now: Instant) -> bool {
        let first = self.pinged.is_none();
        self.pinged.get_or_insert(now);
        first
    }

    /// The answer's time begins anew: what was sent before the ping still arrives.
    pub fn extend(&mut self, now: Instant) {
        self.pinged = Some(now);
    }

    /// Since when an answer is due.
    pub fn pinged_at(&self) -> Option<Instant> {
        self.pinged
    }

    /// When it was last heard.
    pub fn last_heard(&self) -> Instant {
        self.heard
    }

    /// Judges: after `silence` it is pinged, and given `answer`.
    pub fn judge(&self, now: Instant, silence: Duration, answer: Duration) -> Verdict {
        let due = match self.pinged {
            Some(pinged) => pinged + answer,
            None => self.since + silence,
        };
        match self.pinged {
            _ if now < due => Verdict::Fine(due),
            Some(_) => Verdict::Failed,
            None => Verdict::Ping,
        }
    }
}

/// Watches whether a client takes what waits for it.
///
/// What it takes is what its end has acknowledged, not what our kernel has accepted: the kernel
/// takes megabytes at once, and then nothing for as long as a slow reader needs for a third of
/// them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Since when bytes wait, and how many had been acknowledged in all by then.
    window: Option<(Instant, u64)>,
}

impl Progress {
    /// Nothing waits any more.
    pub fn free(&mut self) {
        self.window = None;
    }

    /// Judges over windows of this length while bytes wait; `acknowledged` counts all bytes that
    /// the client's end has acknowledged so far. The first judgement begins the first window.
    pub fn judge(&mut self, now: Instant, window: Duration, acknowledged: u64) -> Verdict {
        let (since, before) = *self.window.get_or_insert((now, acknowledged));
        if now < since + window {
            return Verdict::Fine(since + window);
        }
        let least = (LEAST_BYTES_PER_SECOND as f64 * window.as_secs_f64()) as u64;
        if acknowledged - before < least {
            return Verdict::Failed;
        }
        self.window = Some((now, acknowledged));
        Verdict::Fine(now + window)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a start to count from; all later times are made up")]
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
        assert!(heartbeat.pinged(start + SILENCE));
        assert!(!heartbeat.pinged(start + SILENCE + ANSWER / 2), "the first is still unanswered");
        assert_eq!(judge(&heartbeat, SILENCE + ANSWER), Verdict::Failed);
        heartbeat.heard(start + SILENCE + ANSWER);
        assert_eq!(judge(&heartbeat, SILENCE * 2), Verdict::Fine(start + SILENCE * 2 + ANSWER));
    }

    #[test]
    fn an_excuse_ends_the_silence_but_nothing_was_heard() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(start);
        heartbeat.pinged(start + SILENCE);
        heartbeat.excuse(start + SILENCE);
        assert_eq!(heartbeat.last_heard(), start);
        let due = start + SILENCE * 2;
        assert_eq!(heartbeat.judge(start + SILENCE, SILENCE, ANSWER), Verdict::Fine(due));
    }

    #[test]
    fn an_answer_that_is_still_arriving_has_its_time_anew() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(start);
        heartbeat.pinged(start);
        heartbeat.extend(start + ANSWER);
        assert_eq!(heartbeat.pinged_at(), Some(start + ANSWER));
        let due = start + ANSWER * 2;
        assert_eq!(heartbeat.judge(start + ANSWER, SILENCE, ANSWER), Verdict::Fine(due));
        assert_eq!(heartbeat.judge(due, SILENCE, ANSWER), Verdict::Failed);
    }

    #[test]
    fn a_reader_is_judged_by_what_it_takes_while_bytes_wait() {
        let (start, window) = (Instant::now(), Duration::from_secs(20));
        let enough = 20 * LEAST_BYTES_PER_SECOND;
        let mut progress = Progress::default();
        let judge = |p: &mut Progress, n, taken| p.judge(start + n * window, window, taken);
        assert_eq!(judge(&mut progress, 0, 5), Verdict::Fine(start + window));
        assert_eq!(judge(&mut progress, 1, 5 + enough), Verdict::Fine(start + 2 * window));
        assert_eq!(judge(&mut progress, 2, 4 + 2 * enough), Verdict::Failed);
        progress.free();
        assert_eq!(judge(&mut progress, 3, 4 + 2 * enough), Verdict::Fine(start + 4 * window));
    }
}
