//! How long somebody will have to wait, or nothing where that can't be said honestly.
//!
//! Knows how long others have waited lately in one pool, matched or gone. Must not know who they were,
//! how they were matched, or clocks: time is an argument.
//!
//! The estimate is an interval that four of five newcomers should be matched in. It comes from the
//! survival curve of those who waited lately (`curve`, Kaplan and Meier's), in which whoever left
//! counts as somebody who would have waited longer than they did. It is given only while there is reason
//! to believe in it:
//!
//! - [`FEWEST`] matches at least are recent, that is of the last [`MOST`] tickets and [`RECENT`];
//! - arrivals keep their rate (`arrivals`): after a jump all that was learnt before is forgotten;
//! - what it was learnt from is longer than the intervals it speaks of ([`SETTLED`]), since of those who
//!   came lately only the quickly matched are known yet;
//! - it has been right often enough: of the tickets before, as many as promised were matched within the
//!   interval of their time (`record`).
//!
//! All it keeps is bounded: 8 bytes for each wait, 16 for each step of the curve, 4 for each second of
//! arrivals, some 25 KiB a pool.

mod arrivals;
mod curve;
mod record;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use arrivals::Arrivals;
use curve::{Curve, Wait};
use record::Record;

/// No estimate comes from fewer matches.
pub const FEWEST: usize = 30;

/// So many waits are kept, the last ones: a tenth of an interval's ends is known to
/// within two of a hundred.
pub const MOST: usize = 768;

/// Waits that ended longer ago are forgotten.
pub const RECENT: Duration = Duration::from_secs(600);

/// What is known has to come from a time so many times as long as an interval's upper end.
///
/// Of those who wait so long, the part of `1 / SETTLED` is still waiting, and missing: two of a hundred of
/// all, which is less than what the number of waits leaves open.
pub const SETTLED: u32 = 4;

/// After so many more waits, or so long, the curve is drawn anew.
const STALE_WAITS: u32 = 16;
const STALE: Duration = Duration::from_secs(5);

/// An interval in which somebody will be matched with a probability of 80 %: from and to which wait, both
/// counted from when they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// One of ten is matched earlier.
    pub from: Duration,
    /// One of ten waits longer.
    pub to: Duration,
}

/// What is known about the waits in one pool.
#[derive(Debug, Clone, Default)]
pub struct Estimator {
    arrivals: Arrivals,
    /// When each of the last waits ended, in seconds by [`Arrivals::second`], and the wait: the oldest first.
    waits: VecDeque<(u32, Wait)>,
    record: Record,
    drawn: Option<Drawn>,
}

/// The curve as of some time.
#[derive(Debug, Clone)]
struct Drawn {
    at: Instant,
    /// Waits that came since.
    since: u32,
    curve: Curve,
    /// The interval of a newcomer.
    first: Option<Interval>,
}

impl Estimator {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Somebody came.
    pub fn joined(&mut self, now: Instant) {
        self.arrivals.came(now);
        self.notice_jump(now);
    }

    /// Somebody was matched after this wait: 0 if it was on arrival, since who finds a partner then is never
    /// told an estimate.
    pub fn matched(&mut self, waited: Duration, now: Instant) {
        if !waited.is_zero() {
            self.ended(Wait::matched(waited), waited, now);
        }
    }

    /// Somebody left unmatched after this wait.
    pub fn left(&mut self, waited: Duration, now: Instant) {
        self.ended(Wait::left(waited), waited, now);
    }

    /// When somebody who has waited so long already will be matched; `None` if that can't be said.
    pub fn estimate(&mut self, waited: Duration, now: Instant) -> Option<Interval> {
        self.notice_jump(now);
        let record_holds = self.record.holds();
        let known_for = now.saturating_duration_since(self.arrivals.steady_since()?);
        let drawn = self.draw(now);
        let interval = match waited.is_zero() {
            true => drawn.first,
            false => drawn.curve.interval(waited),
        }?;
        let settled = known_for >= interval.to * SETTLED;
        (settled && record_holds).then_some(interval)
    }

    fn ended(&mut self, wait: Wait, waited: Duration, now: Instant) {
        self.notice_jump(now);
        // Who came before a jump tells nothing about those who come after it.
        let came = now.checked_sub(waited);
        if self.arrivals.steady_since().is_none_or(|since| came.is_none_or(|came| came < since)) {
            return;
        }
        if let Some(first) = self.draw(now).first {
            self.record.note(first, wait);
        }
        self.waits.push_back((self.arrivals.second(now), wait));
        if self.waits.len() > MOST {
            self.waits.pop_front();
        }
        if let Some(drawn) = &mut self.drawn {
            drawn.since += 1;
        }
    }

    fn notice_jump(&mut self, now: Instant) {
        if self.arrivals.jumped(now) {
            self.waits.clear();
            self.record = Record::default();
            self.drawn = None;
        }
    }

    /// The curve, drawn anew if it is stale.
    fn draw(&mut self, now: Instant) -> &Drawn {
        let second = u64::from(self.arrivals.second(now));
        while self
            .waits
            .front()
            .is_some_and(|(ended, _)| u64::from(*ended) + RECENT.as_secs() < second)
        {
            self.waits.pop_front();
        }
        let fresh = |drawn: &Drawn| {
            drawn.since < STALE_WAITS && now.saturating_duration_since(drawn.at) < STALE
        };
        let drawn = self.drawn.take().filter(fresh).unwrap_or_else(|| {
            let curve = Curve::new(self.waits.iter().map(|(_, wait)| *wait));
            let first = curve.interval(Duration::ZERO);
            Drawn { at: now, since: 0, curve, first }
        });
        self.drawn.insert(drawn)
    }
}

#[cfg(test)]
mod tests;
