//! Which tickets are older than a given time: a mark now and then.
//!
//! Knows times and ages only.

use std::collections::VecDeque;
use std::time::Duration;

use super::members::Moment;
use super::posting::{Age, back};
use super::relaxation::Relaxation;

/// Between two marks at most this part of the shortest step passes: so many more are taken for relaxed
/// than are.
const PER_STEP: u32 = 32;

/// So many marks there are at most, within the time of all steps.
const MOST: u32 = 1024;

/// From each of these moments on, only tickets of this age or younger were issued.
#[derive(Debug)]
pub(super) struct Marks {
    marks: VecDeque<(Moment, Age)>,
    apart: Duration,
    last_step: Duration,
}

impl Marks {
    pub(super) fn new(relaxation: &Relaxation) -> Self {
        let (shortest, last_step) = relaxation.pace().unwrap_or_default();
        Self {
            marks: VecDeque::new(),
            apart: (shortest / PER_STEP).max(last_step / MOST),
            last_step,
        }
    }

    /// A ticket comes. Returns since when it waits: clocks of several threads don't quite agree, but
    /// nobody waits for longer than is marked.
    pub(super) fn came(&mut self, age: Age, since: Moment, next: Age) -> Moment {
        let Some((last, youngest)) = self.marks.back().copied() else {
            self.marks.push_back((since, age));
            return since;
        };
        if back(age, next) > back(youngest, next) {
            return since;
        }
        if since >= last.after(self.apart) && !self.last_step.is_zero() {
            self.marks.push_back((since, age));
            while self.marks.get(1).is_some_and(|(mark, _)| mark.elapsed(since) > self.last_step) {
                self.marks.pop_front();
            }
        }
        since.max(last)
    }

    /// Who may have waited for so long is older than this; `next` if anybody may.
    pub(super) fn waited(&self, time: Duration, now: Moment, next: Age) -> Age {
        let later = self.marks.partition_point(|(mark, _)| mark.elapsed(now) >= time);
        self.marks.get(later).map_or(next, |(_, age)| *age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_may_have_waited_for_so_long_is_older_than_what_is_told() {
        let seconds = Duration::from_secs;
        let relaxation = Relaxation::new(vec![(seconds(0), 500), (seconds(32), 0)]);
        let mut marks = Marks::new(&relaxation.expect("it falls"));
        let at = |time| Moment::ZERO.after(seconds(time));
        // One a second; the clock of the fourth is behind.
        for (age, came) in [0, 1, 2, 1, 4, 5].into_iter().enumerate() {
            let since = marks.came(age as Age, at(came), age as Age + 1);
            assert_eq!(since, at(came.max(if age == 3 { 2 } else { 0 })), "ticket {age}");
        }
        for (time, now, older) in [(0, 5, 6), (3, 5, 4), (5, 5, 1), (32, 5, 0), (32, 34, 4)] {
            assert_eq!(marks.waited(seconds(time), at(now), 6), older, "{time} s at {now}");
        }
        // One that comes back to its old place has waited as long as before.
        assert_eq!(marks.came(2, at(2), 6), at(2));
    }
}
