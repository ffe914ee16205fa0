//! Who goes: by a lost connection, or since it is over.

use std::sync::Arc;
use std::task::Context;
use std::time::Instant;

use vyoma_core::roster::Place;
use vyoma_protocol::Reason;
use vyoma_protocol::envelope::Side;

use super::{Exchange, SIDES};
use crate::life::{self, Chapter};
use crate::shared::Shared;
use crate::speaker::State;

impl Exchange {
    /// A side's connection is lost, or is closed for a reason. A `vyoma.v1` client may come back.
    pub(super) fn vacate(
        &mut self,
        side: Side,
        reason: Reason,
        now: Instant,
        shared: &Arc<Shared>,
    ) {
        let Some(seat) = self.chairs[side as usize].seat.take() else { return };
        self.conversation.detach(side, now);
        shared.lobby.place(seat.id(), Place::Closing);
        let until = self.conversation.away_until(side);
        shared.lobby.note_presence(self.conversation.id(), side, until);
        life::bury(seat, reason, shared);
    }

    /// Lets everyone go for whom it is over.
    pub(super) fn part(&mut self, shared: &Arc<Shared>) {
        if self.conversation.is_going_on() {
            return;
        }
        if !std::mem::replace(&mut self.ended, true) {
            let devices = self.chairs.each_ref().map(|chair| chair.device);
            let (id, now) = (self.conversation.id(), Instant::now());
            shared.lobby.note_end(id, devices, self.cooldown, now);
        }
        for side in SIDES {
            let Some(seat) = &mut self.chairs[side as usize].seat else { continue };
            if seat.speaker.is_none() {
                self.let_plain_go(side, shared);
                continue;
            }
            if !self.conversation.has_ended_for(side) {
                continue;
            }
            let speaker = seat.speaker();
            speaker.state = State::Ended;
            // Without a wish it stays: it may need to be told again, after a lost connection.
            if speaker.wish.is_some()
                && let Some(seat) = self.chairs[side as usize].seat.take()
            {
                self.release(side, shared);
                life::spawn(Chapter::Lounge(seat), shared);
            }
        }
    }

    /// A plain client has everything once it is in its outbox; then it lives on as ever.
    fn let_plain_go(&mut self, side: Side, shared: &Arc<Shared>) {
        self.say_all(side, shared);
        let Some(seat) = self.chairs[side as usize].seat.take() else { return };
        self.release(side, shared);
        let chapter = life::survive(seat, shared);
        life::spawn(chapter, shared);
    }

    pub(super) fn release(&mut self, side: Side, shared: &Shared) {
        self.conversation.release(side);
        if let Some(device) = self.chairs[side as usize].device {
            shared.lobby.release(self.conversation.id(), side, device);
        }
    }

    /// Polls again where a plain client wasn't read from, and may be by now.
    pub(super) fn wake_paused(&mut self, cx: &Context<'_>) {
        for side in SIDES {
            let chair = &mut self.chairs[side as usize];
            if chair.paused && self.conversation.credit_left(side) > 0 {
                chair.paused = false;
                cx.waker().wake_by_ref();
            }
        }
    }
}
