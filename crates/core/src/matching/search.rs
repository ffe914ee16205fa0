//! One ticket's search for a partner: whom it asks, and what it makes of the answers.

use std::time::{Duration, Instant};

use super::members::{Moment, State};
use super::{Order, PROBES_AT_ONCE, Pool, Probe, Step, Ticket};

/// Searches that are cut short and have to go on later shouldn't take a second; from half of it on, all of
/// them hurry.
const HASTE_AFTER: Duration = Duration::from_millis(500);

/// How far a seeking ticket has come.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// The candidates it has reserved, the best first, and until when they may answer.
    pub(super) probed: Vec<Ticket>,
    pub(super) until: Option<Moment>,
    /// Until when it has to be heard itself.
    pub(super) proving: Option<Moment>,
    /// Whether a probe has failed already.
    pub(super) failed: bool,
    /// Those before this one were looked at.
    pub(super) rest: Option<Ticket>,
}

impl Pool {
    pub(super) fn reserves(&self, seeker: Ticket, candidate: Ticket) -> bool {
        self.searches.get(&seeker).is_some_and(|search| search.probed.contains(&candidate))
    }

    fn is_fresh(&self, heard: Moment, now: Moment) -> bool {
        heard.elapsed(now) < self.patience.fresh
    }

    /// A seeker has to be live itself: `None` once it is.
    pub(super) fn prove(
        &mut self,
        ticket: Ticket,
        heard: Moment,
        search: &mut Search,
        now: Moment,
    ) -> Option<Step> {
        if self.is_fresh(heard, now) {
            return None;
        }
        match search.proving {
            Some(until) if now < until => Some(self.probing(until)),
            Some(_) => {
                self.silence(ticket);
                Some(Step::Wait(None))
            }
            None => {
                let until = now.after(self.patience.answer);
                search.proving = Some(until);
                search.rest = None;
                self.orders.push((ticket, Order::Probe));
                Some(self.probing(until))
            }
        }
    }

    pub(super) fn seek(&mut self, ticket: Ticket, search: &mut Search, now: Instant) -> Step {
        let moment = self.members.moment(now);
        if let Some(step) = self.judge_probes(ticket, search, moment) {
            return step;
        }
        let width = if search.failed { PROBES_AT_ONCE } else { 1 };
        let hasty = self.rests.lag(moment) > HASTE_AFTER;
        let how = (search.rest, width, hasty);
        let found = self.choice.best(&self.members, ticket, how, (now, moment));
        let stale = |ticket: &&Ticket| {
            let member = self.members.get(**ticket);
            member.is_none_or(|member| !self.is_fresh(member.heard, moment))
        };
        search.probed = found.candidates.iter().take_while(stale).copied().collect();
        if search.probed.is_empty() {
            return match found.candidates.first() {
                Some(best) => Step::Pair(*best),
                None => self.wait(ticket, found.rest, now),
            };
        }
        // Who comes into sight again meanwhile doesn't see this one: afterwards it looks at all.
        search.rest = None;
        self.rests.finish(ticket);
        for candidate in search.probed.clone() {
            self.choice.hide(candidate);
            self.set(candidate, State::Probed);
            self.probes.insert(candidate, Probe { by: ticket, answered: false });
            self.orders.push((candidate, Order::Probe));
        }
        let until = moment.after(self.patience.answer);
        search.until = Some(until);
        self.probing(until)
    }

    /// The outcome of the probes under way, the best first: `None` if there are none (any more).
    fn judge_probes(&mut self, ticket: Ticket, search: &mut Search, now: Moment) -> Option<Step> {
        let until = search.until?;
        for candidate in search.probed.clone() {
            let Some(member) = self.members.get(candidate) else { continue };
            let heard = member.heard;
            match self.probes.get(&candidate) {
                Some(Probe { by, answered: true }) if *by == ticket => {
                    if self.is_fresh(heard, now) {
                        return Some(Step::Pair(candidate));
                    }
                    // It answered so long ago that it has to be asked again.
                    self.readmit(candidate);
                }
                Some(Probe { by, answered: false }) if *by == ticket => {
                    if now < until {
                        return Some(self.probing(until));
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
            if self.probes.get(&candidate).is_some_and(|probe| probe.by == seeker) {
                self.readmit(candidate);
            }
        }
    }

    /// What was under way with a ticket, its own search and that of whoever asks whether it is live, was begun
    /// for another person.
    pub(super) fn call_off(&mut self, ticket: Ticket) {
        if let Some(search) = self.searches.remove(&ticket) {
            self.release(ticket, search.probed);
        }
        if let Some(probe) = self.probes.get(&ticket) {
            self.orders.push((probe.by, Order::Seek));
            self.set(ticket, State::Seeking);
        }
    }

    /// Of two who wait beside each other, and could meet, the younger is told to seek.
    pub(super) fn settle(&mut self) {
        while let Some(younger) = self.choice.younger() {
            self.order_to_seek(younger);
        }
    }

    /// A ticket that was out of sight may be handed out again. Where scores decide, it looks itself at
    /// who has come meanwhile; where age does, [`settle`](Self::settle) finds out, which can't tell whether
    /// two may meet again by now.
    pub(super) fn readmit(&mut self, ticket: Ticket) {
        if self.choice.is_choosy() || self.choice.bars(ticket) {
            self.order_to_seek(ticket);
        } else {
            self.show(ticket, Moment::NEVER);
        }
    }

    fn order_to_seek(&mut self, ticket: Ticket) {
        self.choice.hide(ticket);
        self.set(ticket, State::Seeking);
        self.orders.push((ticket, Order::Seek));
    }

    fn silence(&mut self, ticket: Ticket) {
        self.set(ticket, State::Silent);
        self.failed_probes += 1;
    }

    /// It has found nobody, and all but the `rest` were looked at.
    fn wait(&mut self, ticket: Ticket, rest: Option<Ticket>, now: Instant) -> Step {
        let moment = self.members.moment(now);
        let due = self.due(ticket, (now, moment));
        let again = match rest {
            Some(rest) => {
                self.rests.go_on(ticket, rest, moment, due);
                moment
            }
            None => {
                self.rests.finish(ticket);
                due
            }
        };
        self.show(ticket, again);
        Step::Wait(self.members.instant(again))
    }

    /// When a ticket that found nobody should look again: its threshold falls, or somebody may be met
    /// again.
    fn due(&mut self, ticket: Ticket, (now, moment): (Instant, Moment)) -> Moment {
        let since = self.members.get(ticket).map(|member| member.since);
        let relaxes = since.and_then(|since| self.choice.relaxes(since, moment));
        let meets = self.choice.meets_again(ticket, now).map(|at| self.members.moment(at));
        relaxes.into_iter().chain(meets).min().unwrap_or(Moment::NEVER)
    }

    pub(super) fn show(&mut self, ticket: Ticket, again: Moment) {
        self.set(ticket, State::Waiting);
        if let Some(member) = self.members.get_mut(ticket) {
            member.again = again;
        }
        self.choice.show(ticket);
    }

    pub(super) fn set(&mut self, ticket: Ticket, state: State) {
        if let Some(member) = self.members.get_mut(ticket) {
            member.state = state;
            self.probes.remove(&ticket);
            if state != State::Waiting {
                self.rests.finish(ticket);
            }
        }
    }

    fn probing(&self, until: Moment) -> Step {
        self.members.instant(until).map_or(Step::Wait(None), Step::Probing)
    }
}
