//! A conversation of which at least one side speaks `vyoma.v1`: one task owns both seats, or the one
//! that is taken.
//!
//! The rules are `vyoma_core::conversation`'s; here is what happens to sockets. Each side is read
//! without a pause (a plain one only while its partner's window has room), and what it sends is
//! written straight to the other socket, out of the window that keeps it for a resume. Who wants to
//! go on elsewhere is let go into a task of its own; who comes back arrives by the letterbox.

mod begin;
mod coming;
mod flow;
mod going;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use vyoma_core::conversation::{Conversation, Question};
use vyoma_protocol::Reason;
use vyoma_protocol::envelope::{Ending, ServerEnvelope, Side};
use vyoma_protocol::token::Identity;

use crate::alarm::{Alarm, LOOK_EVERY};
use crate::bell::Bell;
use crate::counters::{self, Counter};
use crate::keys;
use crate::letterbox::Letterbox;
use crate::replay::Share;
use crate::seat::Seat;
use crate::shared::Shared;
use crate::shutdown::Phase;
use crate::speech;

const SIDES: [Side; 2] = [Side::A, Side::B];

/// What belongs to one side.
#[derive(Default)]
struct Chair {
    seat: Option<Box<Seat>>,
    /// Whose it is, once that is known; a plain client has no device.
    device: Option<Identity>,
    /// What a plain client's end is being asked, by a ping behind all that was written to it. A pointer,
    /// since most have none.
    asked: Option<Box<Question>>,
    /// A plain client isn't read from: its partner's window is full.
    paused: bool,
}

/// A conversation under way.
pub(crate) struct Exchange {
    conversation: Conversation,
    chairs: [Chair; 2],
    letterbox: Letterbox,
    share: Share,
    alarm: Alarm,
    bell: Bell,
    /// For how long its two don't meet again.
    cooldown: Duration,
    /// Whether the lobby knows that it has ended.
    ended: bool,
    /// Whether both were told that the server is leaving.
    told_to_go: bool,
}

impl Exchange {
    /// Carries what is said until nobody sits here any more.
    pub(crate) async fn carry(mut self: Box<Self>, shared: Arc<Shared>) {
        poll_fn(|cx| self.poll(cx, &shared)).await;
        counters::add(Counter::ConversationsEnded, 1);
        SIDES.into_iter().for_each(|side| self.release(side, &shared));
        shared.lobby.forget_conversation(self.conversation.id());
        for letter in self.letterbox.close() {
            self.turn_away(letter, &shared);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, shared: &Arc<Shared>) -> Poll<()> {
        self.bell.hear(cx);
        let now = Instant::now();
        while let Poll::Ready(letters) = self.letterbox.collect(cx) {
            letters.into_iter().for_each(|letter| self.open(letter, now, shared));
        }
        for side in SIDES {
            if let Some(reason) = self.read(side, cx, now, shared) {
                self.vacate(side, reason, now, shared);
            }
        }
        self.weigh(now, shared);
        self.obey(shared, now);
        loop {
            for side in SIDES {
                if self.flush(side, cx, shared) {
                    self.alarm.no_later_than(now + LOOK_EVERY);
                }
            }
            self.part(shared);
            if self.is_finished(shared) {
                return Poll::Ready(());
            }
            if let Some(due) = self.conversation.deadline() {
                self.alarm.no_later_than(due);
            }
            if !self.alarm.poll(cx, now) {
                self.wake_paused(cx);
                return Poll::Pending;
            }
            self.look(now, shared);
        }
    }

    /// Does what time asks for, and judges who is there.
    fn look(&mut self, now: Instant, shared: &Arc<Shared>) {
        self.conversation.tick(now);
        self.conversation.shrink();
        let mut due = now + shared.config.heartbeat;
        for side in SIDES {
            let Chair { seat: Some(seat), paused, .. } = &mut self.chairs[side as usize] else {
                continue;
            };
            match seat.judge(now, *paused, shared) {
                Ok(at) => due = due.min(at),
                Err(reason) => self.vacate(side, reason, now, shared),
            }
        }
        self.alarm.set(due);
    }

    /// Counts what is kept for a resume. Over the cap, who has sent is told to come back later.
    fn weigh(&mut self, now: Instant, shared: &Arc<Shared>) {
        let held = self.conversation.held();
        let grown = self.share.set(held);
        if !grown || shared.replay.held() <= shared.config.replay_memory {
            return;
        }
        for side in SIDES {
            let chair = &mut self.chairs[side as usize];
            let Some(seat) = &mut chair.seat else { continue };
            if !self.conversation.has_unacknowledged(side) {
                continue;
            }
            if seat.speaker.is_some() {
                seat.say(&speech::full().envelope());
            }
            self.vacate(side, Reason::ReplayFull, now, shared);
        }
    }

    /// Follows the server's phase: who can go on with another process is told to, with the same
    /// delay for both; the others have the drain timeout.
    fn obey(&mut self, shared: &Arc<Shared>, now: Instant) {
        let phase = shared.shutdown.phase();
        if phase == Phase::Running {
            return;
        }
        let reliable = self.is_reliable();
        if reliable && !std::mem::replace(&mut self.told_to_go, true) {
            self.conversation.be_patient();
            let delay_ms = keys::random_up_to(shared.config.spread().as_millis() as u64);
            for chair in &mut self.chairs {
                if let Some(seat) = &mut chair.seat {
                    seat.say(&ServerEnvelope::Goaway { delay_ms });
                }
            }
        }
        if phase == Phase::Closing {
            if !reliable {
                self.conversation.end_for_both(Ending::ServerShutdown);
            }
            for side in SIDES {
                self.say_all(side, shared);
                self.vacate(side, Reason::Shutdown, now, shared);
            }
        }
    }

    /// Whether both sides speak `vyoma.v1`, as far as is known.
    fn is_reliable(&self) -> bool {
        SIDES.iter().all(|side| self.conversation.is_reliable(*side))
    }

    fn is_finished(&self, shared: &Shared) -> bool {
        let empty = || self.chairs.iter().all(|chair| chair.seat.is_none());
        self.conversation.is_over() || (shared.shutdown.draining() && empty())
    }
}
