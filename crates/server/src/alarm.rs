//! The one timer of a task: armed for its earliest deadline, untouched by messages.
//!
//! Deadlines mostly move away while a client is active, so the alarm is let ring early and then
//! set anew; an idle pair costs one wake-up per heartbeat.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Context;
use std::time::{Duration, Instant};

use tokio::task::unconstrained;
use tokio::time::Sleep;

/// While a socket takes nothing, its client is judged so often. Most are free again before the
/// first look, and so are never judged at all.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(crate) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    at: Instant,
    armed: bool,
}

impl Alarm {
    /// An alarm that rings at once: whoever polls it computes its first deadline then.
    pub(crate) fn new(now: Instant) -> Self {
        Self { sleep: Box::pin(tokio::time::sleep(Duration::ZERO)), at: now, armed: false }
    }

    /// Rings at `at`, whatever was set before.
    pub(crate) fn set(&mut self, at: Instant) {
        self.at = at;
        self.armed = false;
    }

    /// Rings at `at` at the latest.
    pub(crate) fn no_later_than(&mut self, at: Instant) {
        if at < self.at {
            self.set(at);
        }
    }

    /// Whether it rings now; if not, the task is woken when it does.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        if now >= self.at {
            return true;
        }
        if !self.armed {
            self.sleep.as_mut().reset(self.at.into());
            self.armed = true;
            // The task's waker never changes, so it is registered once, not on every poll.
            // Whatever else the task has done in this poll: a waker that isn't registered now never is.
            if pin!(unconstrained(self.sleep.as_mut())).poll(cx).is_ready() {
                return true;
            }
        }
        false
    }
}
