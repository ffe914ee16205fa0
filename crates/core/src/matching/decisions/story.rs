//! What befell one ticket, or two, as a replay shows it.
//!
//! Knows what happened, and to whom; in numbers, not in words. Must not know how it is told.
//!
//! A log is gone through twice: a [`Scout`] notes at which lines somebody was chosen, since only
//! there everybody in the pool is compared, and a [`Story`] tells the rest.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::facts::{Candidate, Ledger, Parts, Verdict};
use super::{Call, Outcome, Recorded, Sight, Watch};
use crate::matching::{Order, Person, Step, Ticket};

/// So many of those who weren't taken are kept, the best first.
pub const ALTERNATIVES: usize = 5;

/// Finds the lines at which a partner was chosen for those whom a story is about.
#[derive(Debug)]
pub struct Scout {
    subjects: Vec<Ticket>,
    /// Those of the subjects that were ever in.
    pub seen: BTreeSet<Ticket>,
    /// Where probes that are under way were sent.
    probing: HashMap<Ticket, (Instant, u64)>,
    line: u64,
    chosen: BTreeSet<u64>,
}

impl Scout {
    /// For these tickets.
    pub fn new(subjects: &[Ticket]) -> Self {
        Self {
            subjects: subjects.to_vec(),
            seen: BTreeSet::new(),
            probing: HashMap::new(),
            line: 0,
            chosen: BTreeSet::new(),
        }
    }
}

impl Watch for Scout {
    fn before(&mut self, _: &Recorded, line: u64, _: &Call) {
        self.line = line;
    }

    fn after(&mut self, _: &Recorded, _: Instant, call: &Call, outcome: &Outcome) {
        match (call, outcome) {
            (_, Outcome::Joined(ticket) | Outcome::Issued(ticket))
                if self.subjects.contains(ticket) =>
            {
                self.seen.insert(*ticket);
            }
            (Call::Step { ticket, .. }, Outcome::Stepped(Step::Probing(until))) => {
                let probing = self.probing.entry(*ticket).or_insert((*until, self.line));
                // As long as it is the same answer that is waited for, it is the same choice.
                if probing.0 != *until {
                    *probing = (*until, self.line);
                }
            }
            (Call::Step { ticket, .. }, Outcome::Stepped(Step::Pair(other))) => {
                let probing = self.probing.remove(ticket);
                if self.subjects.contains(ticket) || self.subjects.contains(other) {
                    self.chosen.extend(probing.map(|(_, line)| line));
                    self.chosen.insert(self.line);
                }
            }
            (Call::Leave { ticket }, _) => {
                self.probing.remove(ticket);
            }
            _ => {}
        }
    }
}

/// Something that befell a ticket.
#[derive(Debug, Clone)]
pub struct Event {
    /// When; of what has no time of its own, that of the call before it.
    pub at: Instant,
    /// To whom.
    pub ticket: Ticket,
    /// What.
    pub what: What,
}

/// What can befall a ticket.
#[derive(Debug, Clone)]
pub enum What {
    /// It came, showing this.
    Came(Person),
    /// It was put back, having waited so long: its partner had gone.
    Returned(Duration),
    /// It came by the invitation by which this one is there, or as the first of one.
    Admitted(Option<Ticket>),
    /// It shows something else from now on.
    Described(Person),
    /// It doesn't meet this one until then.
    Barred(Ticket, Option<Instant>),
    /// It looked for a partner.
    Looked(Look),
    /// It was pinged: this one wants to know whether it is live, itself if it is the same.
    Probed(Ticket),
    /// It was heard from after that.
    Answered,
    /// It didn't answer, and isn't handed out until it is heard.
    Silent,
    /// It was matched.
    Matched(Box<Match>),
    /// It left.
    Left,
}

/// A look for a partner that brought none yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// How long it had waited.
    pub waited: Duration,
    /// What came of it.
    pub step: Step,
    /// Those who were pinged.
    pub probed: Vec<Ticket>,
    /// How many were in the pool besides it.
    pub others: usize,
    /// The other one whom the story is about, if that was in the pool.
    pub other: Option<Candidate>,
}

/// A match.
#[derive(Debug, Clone)]
pub struct Match {
    /// Who looked, and whom it took.
    pub pair: [Ticket; 2],
    /// How long each had waited.
    pub waited: [Duration; 2],
    /// If scores decide: how well they fit.
    pub verdict: Option<(Verdict, Parts)>,
    /// When the one was chosen: before it was pinged.
    pub chosen: Instant,
    /// How many others there were then, and how many of them could have been taken.
    pub others: [usize; 2],
    /// The best of the others.
    pub alternatives: Vec<Candidate>,
    /// The other one whom the story is about, if it was one of the others.
    pub other: Option<Candidate>,
}

/// Tells what befell some tickets.
#[derive(Debug)]
pub struct Story {
    subjects: Vec<Ticket>,
    /// Lines at which a partner was chosen.
    chosen: BTreeSet<u64>,
    ledger: Ledger,
    eve: Eve,
    /// Of those who have somebody probed: when they chose, and among whom.
    rankings: HashMap<Ticket, (Instant, Vec<Candidate>)>,
    /// Tickets that haven't come yet.
    issued: BTreeSet<Ticket>,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// What is there before a step, and gone after it.
#[derive(Debug, Default)]
struct Eve {
    /// Whether a subject is about to look for a partner.
    looks: bool,
    /// How many others are in the pool.
    others: usize,
    /// The other subject.
    other: Option<Candidate>,
    /// Where somebody is chosen: everybody else.
    ranking: Option<Vec<Candidate>>,
}

impl Story {
    /// About those for whom this one has scouted.
    pub fn new(scout: Scout) -> Self {
        Self {
            subjects: scout.subjects,
            chosen: scout.chosen,
            ledger: Ledger::default(),
            eve: Eve::default(),
            rankings: HashMap::new(),
            issued: BTreeSet::new(),
            events: Vec::new(),
        }
    }

    fn is_about(&self, ticket: Ticket) -> bool {
        self.subjects.contains(&ticket)
    }

    /// The other one of two whom this is about.
    fn other(&self, ticket: Ticket) -> Option<Ticket> {
        self.subjects.iter().copied().find(|other| *other != ticket)
    }

    fn tell(&mut self, at: Instant, ticket: Ticket, what: What) {
        if self.is_about(ticket) {
            self.events.push(Event { at, ticket, what });
        }
    }

    /// What befell a ticket last.
    fn last(&mut self, ticket: Ticket) -> Option<&mut What> {
        let own = self.events.iter_mut().rev().find(|event| event.ticket == ticket);
        own.map(|event| &mut event.what)
    }

    fn stepped(&mut self, recorded: &Recorded, ticket: Ticket, now: Instant, step: Step) {
        let eve = std::mem::take(&mut self.eve);
        match step {
            Step::Pair(other) => {
                if let Some(ranking) = eve.ranking {
                    self.matched(recorded, [ticket, other], now, ranking);
                }
                self.rankings.remove(&ticket);
                return;
            }
            Step::Probing(_) => {
                if let Some(ranking) = eve.ranking {
                    self.rankings.insert(ticket, (now, ranking));
                }
            }
            Step::Wait(_) => {}
        }
        if eve.looks {
            let waited = self.ledger.waited(ticket, now);
            let (others, other) = (eve.others, eve.other);
            let look = Look { waited, step, probed: Vec::new(), others, other };
            let again = matches!(self.last(ticket), Some(What::Looked(last)) if last.step == step);
            // Still waiting for the same answer.
            if !(again && matches!(step, Step::Probing(_))) {
                self.tell(now, ticket, What::Looked(look));
            }
        }
    }

    fn matched(
        &mut self,
        recorded: &Recorded,
        pair: [Ticket; 2],
        now: Instant,
        ranking: Vec<Candidate>,
    ) {
        let found = |candidate: &&Candidate| candidate.ticket == pair[1];
        let verdict = ranking.iter().find(found).and_then(|candidate| candidate.verdict);
        let parts = recorded.recorder().and_then(|recorder| {
            let [a, b] = recorder.parted.as_ref()?;
            Some(Parts::new(&a.person, &b.person))
        });
        // Who was probed first was chosen then, if it is the one who was kept since.
        let kept = |candidate: &Candidate| {
            let by = matches!(candidate.sight, Sight::Kept { by, .. } if by == pair[0]);
            candidate.ticket == pair[1] && by
        };
        let earlier = self.rankings.remove(&pair[0]).filter(|_| ranking.iter().any(kept));
        let (chosen, mut others) = earlier.unwrap_or((now, ranking));
        others.retain(|candidate| candidate.ticket != pair[1]);
        let possible = others.iter().filter(|candidate| candidate.is_possible()).count();
        let waited = pair.map(|ticket| self.ledger.waited(ticket, now));
        for ticket in pair {
            let third = self.other(ticket).filter(|third| !pair.contains(third));
            let other = others.iter().find(|candidate| Some(candidate.ticket) == third).cloned();
            let told = Match {
                pair,
                waited,
                verdict: verdict.zip(parts.clone()),
                chosen,
                others: [others.len(), possible],
                alternatives: others.iter().take(ALTERNATIVES).cloned().collect(),
                other,
            };
            self.tell(now, ticket, What::Matched(Box::new(told)));
        }
    }

    fn ordered(&mut self, recorded: &Recorded, at: Instant, ticket: Ticket) {
        let sight = recorded.pools().at(ticket).and_then(|pool| pool.sight(ticket));
        let by = if let Some(Sight::Kept { by, .. }) = sight { by } else { ticket };
        self.tell(at, ticket, What::Probed(by));
        if by != ticket
            && let Some(What::Looked(look)) = self.last(by)
        {
            look.probed.push(ticket);
        }
    }

    fn heard(&mut self, ticket: Ticket, at: Instant) {
        if matches!(self.last(ticket), Some(What::Probed(_) | What::Silent)) {
            self.tell(at, ticket, What::Answered);
        }
    }

    /// Who has fallen silent.
    fn look_for_silence(&mut self, recorded: &Recorded, at: Instant) {
        for ticket in self.subjects.clone() {
            let pool = recorded.pools().at(ticket);
            let silent = pool.and_then(|pool| pool.sight(ticket)) == Some(Sight::Silent);
            if silent && !matches!(self.last(ticket), Some(What::Silent)) {
                self.tell(at, ticket, What::Silent);
            }
        }
    }
}

impl Watch for Story {
    fn before(&mut self, recorded: &Recorded, line: u64, call: &Call) {
        self.eve = Eve::default();
        let Call::Step { ticket, now } = *call else { return };
        if self.chosen.contains(&line) {
            self.eve.ranking = Some(self.ledger.ranked(recorded, ticket, now));
        }
        if !self.is_about(ticket) {
            return;
        }
        let Some(pool) = recorded.pools().at(ticket) else { return };
        self.eve.looks = match pool.sight(ticket) {
            Some(Sight::Seeking) => true,
            Some(Sight::Waiting(again)) => again.is_some_and(|again| again <= now),
            _ => false,
        };
        self.eve.others = pool.len().saturating_sub(1);
        let other = self.other(ticket).filter(|other| other.pool() == ticket.pool());
        self.eve.other =
            other.and_then(|other| self.ledger.candidate(recorded, ticket, other, now));
    }

    fn after(&mut self, recorded: &Recorded, at: Instant, call: &Call, outcome: &Outcome) {
        match (call, outcome) {
            (Call::Join { person, .. }, Outcome::Joined(ticket)) => {
                self.tell(at, *ticket, What::Came(person.clone()));
            }
            (_, Outcome::Issued(ticket)) => _ = self.issued.insert(*ticket),
            (Call::Rejoin { ticket, person, since, .. }, _) => {
                let waited = at.saturating_duration_since(*since);
                let first = self.issued.remove(ticket);
                let came = || What::Came(person.clone());
                self.tell(at, *ticket, if first { came() } else { What::Returned(waited) });
            }
            (Call::Admit { ticket, with }, _) => self.tell(at, *ticket, What::Admitted(*with)),
            (Call::Describe { ticket, person }, _) => {
                self.tell(at, *ticket, What::Described(person.clone()));
            }
            (Call::Bar { a, b, until }, _) => {
                for (own, other) in [(*a, *b), (*b, *a)] {
                    if self.other(own).is_none_or(|subject| subject == other) {
                        self.tell(at, own, What::Barred(other, *until));
                    }
                }
            }
            (Call::Step { ticket, now }, Outcome::Stepped(step)) => {
                self.stepped(recorded, *ticket, *now, *step);
            }
            (Call::Heard { ticket, .. }, _) => self.heard(*ticket, at),
            (Call::Leave { ticket }, Outcome::Left(true)) => self.tell(at, *ticket, What::Left),
            (_, Outcome::Ordered(orders)) => {
                for (ticket, _) in orders.iter().filter(|(_, order)| *order == Order::Probe) {
                    self.ordered(recorded, at, *ticket);
                }
            }
            _ => {}
        }
        self.look_for_silence(recorded, at);
        self.ledger.note(call, outcome);
    }
}
