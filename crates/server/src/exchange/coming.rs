//! Who comes by the letterbox.

use std::sync::Arc;
use std::time::Instant;

use vyoma_core::conversation::{Refused, Resume};
use vyoma_core::roster::Place;
use vyoma_protocol::Reason;
use vyoma_protocol::envelope::Side;

use super::{Chair, Exchange};
use crate::counters::{self, Counter};
use crate::letterbox::Letter;
use crate::life::{self, Chapter};
use crate::seat::Seat;
use crate::shared::Shared;
use crate::speaker::{Last, State};

impl Exchange {
    /// Does what a letter says.
    pub(super) fn open(&mut self, letter: Letter, now: Instant, shared: &Arc<Shared>) {
        match letter {
            Letter::Arrival { seat, side, resume } => {
                if let Some(seat) = life::settle(seat, shared) {
                    self.arrive(seat, side, &resume, now, shared);
                }
            }
            Letter::Departure(side) => {
                self.conversation.leave(side);
                if let Some(seat) = self.chairs[side as usize].seat.take() {
                    life::bury(seat, Reason::Superseded, shared);
                }
                self.release(side, shared);
            }
        }
    }

    /// Tells one who comes when everything is over.
    pub(super) fn turn_away(&self, letter: Letter, shared: &Arc<Shared>) {
        if let Letter::Arrival { seat, .. } = letter
            && let Some(mut seat) = life::settle(seat, shared)
        {
            seat.hears_it_is_over(self.conversation.id());
            life::spawn(Chapter::Lounge(seat), shared);
        }
    }

    /// A client wants its seat.
    fn arrive(
        &mut self,
        mut seat: Box<Seat>,
        side: Side,
        resume: &Resume,
        now: Instant,
        shared: &Arc<Shared>,
    ) {
        let id = self.conversation.id();
        match self.conversation.resume(side, resume, now) {
            Ok(()) => {}
            Err(Refused::Superseded) => return life::bury(seat, Reason::Superseded, shared),
            Err(Refused::Over) => {
                seat.hears_it_is_over(id);
                life::spawn(Chapter::Lounge(seat), shared);
                return;
            }
            Err(Refused::Busy) => {
                seat.say(&crate::speech::full().envelope());
                return life::bury(seat, Reason::ReplayFull, shared);
            }
        }
        counters::add(Counter::Resumed, 1);
        tracing::debug!(connection = seat.id().0, conversation = %id, "resumed");
        shared.lobby.place(seat.id(), Place::Seated);
        shared.lobby.note_presence(id, side, None);
        let device = seat.speaker().device;
        let speaker = seat.speaker();
        let partner = self.chairs[side.other() as usize].device;
        speaker.last = Some(Last { conversation: id, partner });
        speaker.state = State::Matched;
        let chair = Chair { seat: Some(seat), device: Some(device), asked: None, paused: false };
        let before = std::mem::replace(&mut self.chairs[side as usize], chair);
        if let Some(older) = before.seat {
            life::bury(older, Reason::Superseded, shared);
        }
        // The other side may have come before this one's device was known.
        if let Some(other) = &mut self.chairs[side.other() as usize].seat
            && let Some(speaker) = &mut other.speaker
        {
            speaker.last = Some(Last { conversation: id, partner: Some(device) });
        }
    }
}
