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
