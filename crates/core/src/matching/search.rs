//! One ticket's search for a partner: whom it asks, and what it makes of the answers.

use std::time::Instant;

use super::{Order, PROBES_AT_ONCE, Pool, State, Step, Ticket, Wait};

/// How far a seeking ticket has come.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// The candidates it has reserved, oldest first, and until when they may answer.
    pub(super) probed: Vec<Ticket>,
    pub(super) until: Option<Instant>,
    /// Until when it has to be heard itself.
    pub(super) proving: Option<Instant>,
    /// Whether a probe has failed already.
    pub(super) failed: bool,
    /// Those before this one were looked at.
    pub(super) rest: Option<Ticket>,
}

impl From<Option<Ticket>> for Search {
    /// One that has looked at all before `rest` already.
    fn from(rest: Option<Ticket>) -> Self {
        Self { rest, ..Self::default() }
    }
}

impl Pool {
    pub(super) fn reserves(&self, seeker: Ticket, candidate: Ticket) -> bool {
        self.tickets.get(&seeker).is_some_and(|entry| {
            matches!(&entry.state, State::Seeking(search) if search.probed.contains(&candidate))
        })
    }

    fn is_fresh(&self, heard: Instant, now: Instant) -> bool {
        now.saturating_duration_since(heard) < self.patience.fresh
    }

    /// A seeker has to be live itself: `None` once it is.
    pub(super) fn prove(
        &mut self,
        ticket: Ticket,
        heard: Instant,
        search: &mut Search,
        now: Instant,
    ) -> Option<Step> {
        if self.is_fresh(heard, now) {
            return None;
        }
        match search.proving {
            Some(until) if now < until => Some(Step::Probing(until)),
            Some(_) => {
                self.silence(ticket);
                Some(Step::Wait(None))
            }
            None => {
                let until = now + self.patience.answer;
                search.proving = Some(until);
                self.orders.push((ticket, Order::Probe));
                Some(Step::Probing(until))
            }
        }
    }

    pub(super) fn seek(&mut self, ticket: Ticket, search: &mut Search, now: Instant) -> Step {
        if let Some(step) = self.judge_probes(ticket, search, now) {
            return step;
        }
        let width = if search.failed { PROBES_AT_ONCE } else { 1 };
        let found = self.choice.best(ticket, search.rest, width, now);
        let stale = |t: &&Ticket| self.tickets.get(t).is_none_or(|e| !self.is_fresh(e.heard, now));
        search.probed = found.candidates.iter().take_while(stale).copied().collect();
        if search.probed.is_empty() {
            return match found.candidates.first() {
                Some(best) => Step::Pair(*best),
                None => self.wait(ticket, found.rest, now),
            };
        }
        // Who comes into sight again meanwhile doesn't see this one: afterwards it looks at all.
        search.rest = None;
        for candidate in search.probed.clone() {
            self.choice.hide(candidate);
            self.set(candidate, State::Probed { by: ticket, answered: false });
            self.orders.push((candidate, Order::Probe));
        }
        let until = now + self.patience.answer;
        search.until = Some(until);
        Step::Probing(until)
    }

    /// The outcome of the probes under way, oldest first: `None` if there are none (any more).
    fn judge_probes(&mut self, ticket: Ticket, search: &mut Search, now: Instant) -> Option<Step> {
        let until = search.until?;
        for candidate in search.probed.clone() {
            let Some(entry) = self.tickets.get(&candidate) else { continue };
            match &entry.state {
                State::Probed { by, answered: true } if *by == ticket => {
                    if self.is_fresh(entry.heard, now) {
                        return Some(Step::Pair(candidate));
                    }
                    // It answered so long ago that it has to be asked again.
                    self.show(candidate, Wait::default());
                }
                State::Probed { by, answered: false } if *by == ticket => {
                    if now < until {
                        return Some(Step::Probing(until));
                    }
                    self.silence(candidate);
                    search.failed = true;
                }
                _ => {}
            }
        }
        search.probed.clear();
        search.until = None;
        None
    }

    /// Lets the candidates go that a seeker still has reserved.
    pub(super) fn release(&mut self, seeker: Ticket, probed: Vec<Ticket>) {
        for candidate in probed {
            let state = self.tickets.get(&candidate).map(|entry| &entry.state);
            if matches!(state, Some(State::Probed { by, .. }) if *by == seeker) {
                self.readmit(candidate);
            }
        }
    }

    /// Of two who wait beside each other, and could meet, the younger is told to seek.
    pub(super) fn settle(&mut self) {
        while let Some(younger) = self.choice.younger() {
            self.order_to_seek(younger);
        }
    }

    /// A ticket that was out of sight may be handed out again. Where scores decide, it looks itself at
    /// who has come meanwhile; where age does, [`settle`](Self::settle) finds out.
    pub(super) fn readmit(&mut self, ticket: Ticket) {
        if self.choice.is_scored() {
            self.order_to_seek(ticket);
        } else {
            self.show(ticket, Wait::default());
        }
    }

    fn order_to_seek(&mut self, ticket: Ticket) {
        self.choice.hide(ticket);
        self.set(ticket, State::Seeking(Search::default()));
        self.orders.push((ticket, Order::Seek));
    }

    fn silence(&mut self, ticket: Ticket) {
        self.set(ticket, State::Silent);
        self.failed_probes += 1;
    }

    /// It has found nobody, and all but the `rest` were looked at.
    fn wait(&mut self, ticket: Ticket, rest: Option<Ticket>, now: Instant) -> Step {
        let again = if rest.is_some() { Some(now) } else { self.choice.look_again(ticket, now) };
        self.show(ticket, Wait { again, rest });
        Step::Wait(again)
    }

    pub(super) fn show(&mut self, ticket: Ticket, wait: Wait) {
        self.set(ticket, State::Waiting(wait));
        self.choice.show(ticket);
    }

    pub(super) fn set(&mut self, ticket: Ticket, state: State) {
        if let Some(entry) = self.tickets.get_mut(&ticket) {
            entry.state = state;
        }
    }
}
