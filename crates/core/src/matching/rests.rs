//! Searches that couldn't look at everybody at once, and go on.
//!
//! Knows tickets and times only.

use std::collections::VecDeque;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::Ticket;
use super::members::Moment;
use super::search::Search;

#[derive(Debug)]
struct Rest {
    /// Who is older was looked at.
    from: Ticket,
    begun: Moment,
    /// Then it has to begin anew: more will do, or somebody may be met again.
    due: Moment,
}

/// Who has to go on, and from where.
#[derive(Debug, Default)]
pub(super) struct Rests {
    rests: FxHashMap<Ticket, Rest>,
    /// In the order of beginning; also such as are over.
    begun: VecDeque<(Moment, Ticket)>,
}

impl Rests {
    /// The next part of a ticket's search: where it was cut short, or from the beginning.
    pub(super) fn search(&mut self, ticket: Ticket, now: Moment) -> Search {
        if self.rests.get(&ticket).is_some_and(|rest| rest.due <= now) {
            self.finish(ticket);
        }
        let rest = self.rests.get(&ticket).map(|rest| rest.from);
        Search { rest, ..Search::default() }
    }

    /// A ticket's search is cut short here; it would be `due` anew then.
    pub(super) fn go_on(&mut self, ticket: Ticket, from: Ticket, now: Moment, due: Moment) {
        match self.rests.get_mut(&ticket) {
            Some(rest) => rest.from = from,
            None => {
                self.rests.insert(ticket, Rest { from, begun: now, due });
                self.begun.push_back((now, ticket));
            }
        }
    }

    /// A ticket's search is over.
    pub(super) fn finish(&mut self, ticket: Ticket) {
        if !self.rests.is_empty() && self.rests.remove(&ticket).is_some() {
            self.tidy();
        }
    }

    /// For how long the oldest one has been going on.
    pub(super) fn lag(&self, now: Moment) -> Duration {
        self.begun.front().map_or(Duration::ZERO, |(begun, _)| begun.elapsed(now))
    }

    /// Drops those that are over from the front.
    fn tidy(&mut self) {
        while let Some((begun, ticket)) = self.begun.front() {
            if self.rests.get(ticket).is_some_and(|rest| rest.begun == *begun) {
                return;
            }
            self.begun.pop_front();
        }
    }
}
