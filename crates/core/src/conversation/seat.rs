//! One side's place: who may hold it, whether somebody is there, and what that one has to hear.

use std::collections::VecDeque;
use std::time::Instant;

use vyoma_protocol::envelope::Ending;

use super::{Notice, Party};

/// Whether a side is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Here,
    /// It may come back until then.
    Away {
        until: Instant,
    },
    /// It wants nothing more of this conversation, or nothing more is kept for it.
    Gone,
}

#[derive(Debug)]
pub(super) struct Seat {
    pub(super) party: Party,
    pub(super) presence: Presence,
    /// Epoch and attempt of its holder: only a higher pair takes the seat.
    pub(super) holder: (u64, u64),
    /// The epoch of the newest token; 0 while this process has issued none.
    pub(super) issued: u64,
    /// When a new token is due.
    pub(super) renew_at: Option<Instant>,
    /// What its holder has to hear, before anything else.
    /// Nearly always nothing.
    #[expect(clippy::box_collection, reason = "an empty deque takes four times as much")]
    notices: Option<Box<VecDeque<Notice>>>,
    /// It has to hear what was accepted.
    pub(super) accepted: bool,
    /// It has to hear that its partner types, or no longer.
    pub(super) typing: Option<bool>,
    pub(super) ending: Option<Ending>,
    pub(super) told_undelivered: bool,
    pub(super) told_ending: bool,
}

impl Seat {
    /// A seat whose holder is connected, and has the first token if it can use one.
    pub(super) fn here(party: Party, renew_at: Instant) -> Self {
        let renew_at = (party == Party::Reliable).then_some(renew_at);
        Self { party, renew_at, holder: (1, 0), issued: 1, ..Self::new(Presence::Here) }
    }

    /// A seat that somebody may come back to, of whom nothing is known.
    pub(super) fn awaited(until: Instant) -> Self {
        Self::new(Presence::Away { until })
    }

    fn new(presence: Presence) -> Self {
        Self {
            party: Party::Reliable,
            presence,
            holder: (0, 0),
            issued: 0,
            renew_at: None,
            notices: None,
            accepted: false,
            typing: None,
            ending: None,
            told_undelivered: false,
            told_ending: false,
        }
    }

    /// Has its holder hear something; nobody else will.
    pub(super) fn say(&mut self, notice: Notice) {
        if self.presence == Presence::Here && self.party == Party::Reliable {
            self.notices.get_or_insert_default().push_back(notice);
        }
    }

    /// How many things its holder has to hear.
    pub(super) fn unheard(&self) -> usize {
        self.notices.as_ref().map_or(0, |notices| notices.len())
    }

    /// The first of them.
    pub(super) fn next_notice(&mut self) -> Option<Notice> {
        let next = self.notices.as_mut()?.pop_front();
        if self.unheard() == 0 {
            self.notices = None;
        }
        next
    }

    /// Forgets what a connection had to hear: the next one is told anew.
    pub(super) fn clear(&mut self) {
        self.notices = None;
        (self.accepted, self.typing) = (false, None);
        (self.told_undelivered, self.told_ending) = (false, false);
    }

    /// Has a new token issued, which takes effect when its holder uses or confirms it.
    pub(super) fn issue(&mut self, renew_at: Instant) {
        self.issued = self.issued.max(self.holder.0) + 1;
        self.renew_at = Some(renew_at);
        self.say(Notice::Token { epoch: self.issued });
    }

    /// It is over for this side.
    pub(super) fn end(&mut self, ending: Ending) {
        self.ending = Some(ending);
        self.renew_at = None;
        self.typing = None;
    }
}
