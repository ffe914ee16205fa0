//! A conversation: two seats, and a lane each way between them.
//!
//! The server's rules of `vyoma.v1` (docs/protocol.md, "The server's rules"), and how a plain
//! conversation ends. A conversation is driven by whoever owns its sockets: it is told what came and
//! what became of the connections, and says what is to be written. Must not know sockets, tokens'
//! signatures, or who else talks.

mod arrival;
mod departure;
mod lane;
mod notice;
mod resume;
mod seat;
mod window;

use std::time::{Duration, Instant};

use vyoma_protocol::envelope::{ConversationId, Ending, Side, StreamId};

pub use arrival::{Question, Taken};
pub use departure::{Departure, Fate};
pub use notice::Notice;
pub use resume::{Refused, Resume};

use lane::Lane;
use seat::{Presence, Seat};

/// What an organiser or the server decides for all conversations.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// How long a seat stays without its connection.
    pub grace: Duration,
    /// What a sender's unacknowledged messages may weigh, in bytes.
    pub credit: usize,
    /// After this long a token is renewed: half of its life.
    pub renewal: Duration,
}

/// Where the two sides' numberings begin: random.
#[derive(Debug, Clone, Copy)]
pub struct Streams {
    /// Of side `a`.
    pub a: StreamId,
    /// Of side `b`.
    pub b: StreamId,
}

/// Whether a seat has somebody who can come back to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// Speaks `vyoma.v1`.
    Reliable,
    /// Speaks plain: when its connection is lost, it is gone.
    Plain,
}

/// A conversation in which at least one side speaks `vyoma.v1`.
#[derive(Debug)]
pub struct Conversation {
    id: ConversationId,
    terms: Terms,
    seats: [Seat; 2],
    /// The lane of side `a` goes from `a` to `b`.
    lanes: [Lane; 2],
    /// Absence ends nothing any more: the server is leaving.
    patient: bool,
}

const SIDES: [Side; 2] = [Side::A, Side::B];

impl Conversation {
    /// Two who are connected begin to talk.
    pub fn begin(
        id: ConversationId,
        parties: [Party; 2],
        streams: Streams,
        terms: Terms,
        now: Instant,
    ) -> Self {
        Self {
            id,
            terms,
            seats: parties.map(|party| Seat::here(party, now + terms.renewal)),
            lanes: [Lane::new(Some(streams.a)), Lane::new(Some(streams.b))],
            patient: false,
        }
    }

    /// A conversation that another process began, of which only the id is known: both may come
    /// within the grace.
    pub fn adopt(id: ConversationId, terms: Terms, now: Instant) -> Self {
        let seat = || Seat::awaited(now + terms.grace);
        let lanes = [Lane::new(None), Lane::new(None)];
        Self { id, terms, seats: [seat(), seat()], lanes, patient: false }
    }

    /// Its id.
    pub fn id(&self) -> ConversationId {
        self.id
    }

    /// The numbering of a side, once it is known.
    pub fn stream(&self, side: Side) -> Option<StreamId> {
        self.lane(side).stream
    }

    /// The connection of a side was lost, or taken away: its seat stays for the grace. A plain side
    /// leaves with its connection.
    pub fn detach(&mut self, side: Side, now: Instant) {
        let until = now + self.terms.grace;
        let seat = self.seat_mut(side);
        if seat.presence != Presence::Here {
            return;
        }
        if seat.party == Party::Plain {
            self.leave(side);
            return self.release(side);
        }
        seat.presence = Presence::Away { until };
        seat.clear();
        self.lane_mut(side.other()).window.rewind();
        if self.is_going_on() {
            let notice = self.presence_of(side);
            self.seat_mut(side.other()).say(notice);
        }
    }

    /// A side ends it for both, by `leave`, `next` or `block`.
    pub fn leave(&mut self, side: Side) {
        if self.is_going_on() {
            self.end([(side, Ending::Left), (side.other(), Ending::PartnerLeft)]);
        }
    }

    /// It ends for both, whoever is there.
    pub fn end_for_both(&mut self, ending: Ending) {
        if self.is_going_on() {
            self.end([(Side::A, ending), (Side::B, ending)]);
        }
    }

    /// A side has been told that it is over, and wants nothing more of it: another conversation, or
    /// none.
    pub fn release(&mut self, side: Side) {
        let seat = self.seat_mut(side);
        seat.presence = Presence::Gone;
        seat.clear();
        self.lane_mut(side.other()).window.clear();
    }

    /// The server is leaving, and takes nobody's absence for the end: who isn't here may have gone to
    /// its successor.
    pub fn be_patient(&mut self) {
        self.patient = true;
    }

    /// Whether it hasn't ended.
    pub fn is_going_on(&self) -> bool {
        self.seats.iter().all(|seat| seat.ending.is_none())
    }

    /// Whether it has ended for a side, and that was said, or there is nobody to say it to.
    pub fn has_ended_for(&self, side: Side) -> bool {
        self.seat(side).told_ending
    }

    /// Whether nobody sits here any more.
    pub fn is_over(&self) -> bool {
        self.seats.iter().all(|seat| seat.presence == Presence::Gone)
    }

    /// Whether a side is connected.
    pub fn is_here(&self, side: Side) -> bool {
        self.seat(side).presence == Presence::Here
    }

    /// Until when a side that isn't connected may come back.
    pub fn away_until(&self, side: Side) -> Option<Instant> {
        match self.seat(side).presence {
            Presence::Away { until } => Some(until),
            _ => None,
        }
    }

    /// Whether a side has gone for good.
    pub fn is_gone(&self, side: Side) -> bool {
        self.seat(side).presence == Presence::Gone
    }

    /// The memory that its windows take, in bytes.
    pub fn held(&self) -> usize {
        self.lanes.iter().map(|lane| lane.window.held()).sum()
    }

    /// Gives back memory that is kept for the next message.
    pub fn shrink(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.window.shrink());
    }

    /// What a side's further messages may weigh, in bytes, until its partner has acknowledged more.
    pub fn credit_left(&self, side: Side) -> usize {
        self.terms.credit.saturating_sub(self.lane(side).window.weight())
    }

    /// Whether a side can come back.
    pub fn is_reliable(&self, side: Side) -> bool {
        self.seat(side).party == Party::Reliable
    }

    /// Whether messages of a side are kept.
    pub fn has_unacknowledged(&self, side: Side) -> bool {
        self.lane(side).window.weight() > 0
    }

    /// When to call [`Conversation::tick`] next.
    pub fn deadline(&self) -> Option<Instant> {
        let accepting = self.lanes.iter().filter_map(|lane| lane.accept_at);
        let absences = SIDES.into_iter().filter(|_| !self.patient);
        let absences = absences.filter_map(|side| self.away_until(side));
        let going_on = self.is_going_on();
        // Who is away gets a new token when it is back.
        let here = self.seats.iter().filter(|seat| going_on && seat.presence == Presence::Here);
        let renewals = here.filter_map(|seat| seat.renew_at);
        accepting.chain(absences).chain(renewals).min()
    }

    /// Does what is due by now.
    pub fn tick(&mut self, now: Instant) {
        for side in SIDES {
            if self.lane(side).accept_at.is_some_and(|at| now >= at) {
                let lane = self.lane_mut(side);
                lane.accept_at = None;
                let news = lane.accepted_news();
                self.seat_mut(side).accepted = news.is_some();
            }
            if !self.patient && self.away_until(side).is_some_and(|until| now >= until) {
                self.give_up(side);
            }
            let renewal = now + self.terms.renewal;
            let seat = self.seat_mut(side);
            if seat.presence == Presence::Here
                && seat.ending.is_none()
                && seat.renew_at.is_some_and(|at| now >= at)
            {
                seat.issue(renewal);
            }
        }
    }

    /// A side didn't come back.
    fn give_up(&mut self, side: Side) {
        if self.is_going_on() {
            let gone = Ending::PartnerGone;
            self.end([(side, gone), (side.other(), gone)]);
        }
        self.release(side);
    }

    /// Who has still to get something gets it, and then hears of the end. Who leaves wants nothing
    /// more.
    fn end(&mut self, endings: [(Side, Ending); 2]) {
        for (side, ending) in endings {
            self.seat_mut(side).end(ending);
            self.lane_mut(side).accept_at = None;
            if matches!(ending, Ending::Left | Ending::StateConflict) {
                self.lane_mut(side.other()).window.clear();
            }
            if ending == Ending::Left {
                self.seat_mut(side).accepted = self.lane(side).accepted_news().is_some();
            }
        }
    }

    fn seat(&self, side: Side) -> &Seat {
        &self.seats[side as usize]
    }

    fn seat_mut(&mut self, side: Side) -> &mut Seat {
        &mut self.seats[side as usize]
    }

    /// The lane from a side to the other.
    fn lane(&self, side: Side) -> &Lane {
        &self.lanes[side as usize]
    }

    fn lane_mut(&mut self, side: Side) -> &mut Lane {
        &mut self.lanes[side as usize]
    }
}
