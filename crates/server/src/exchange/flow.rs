//! What goes from one socket to the other, and how.

use std::cell::RefCell;
use std::task::Context;
use std::time::Instant;

use vyoma_core::conversation::{Conversation, Notice, Taken};
use vyoma_protocol::envelope::{ClientEnvelope, ErrorReport, ServerEnvelope, Side};
use vyoma_protocol::{Framed, Kind, Reason, Window, encode_text};

use super::begin::claims;
use super::{Chair, Exchange};
use crate::counters;
use crate::keys;
use crate::seat::{Received, Seat};
use crate::shared::Shared;
use crate::speaker::{State, Wish};

/// While more bytes than this wait for a client, what it is to hear (receipts, most of it, of which
/// the newest says all) waits unsaid.
const UNSAID_ABOVE: usize = 4 * 1024;

/// While more bytes than this wait for a client, it takes no `signal`.
const NO_SIGNAL_ABOVE: usize = 32 * 1024;

thread_local! {
    /// Where notices are written together before they go out.
    static NOTICES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Two sides of one conversation, as the one that sends sees them.
struct Lane<'x> {
    conversation: &'x mut Conversation,
    side: Side,
    other: &'x mut Chair,
    shared: &'x Shared,
    now: Instant,
}

impl Exchange {
    /// Reads what a side has sent. `Some` says why its client is gone, or has to go.
    pub(super) fn read(
        &mut self,
        side: Side,
        cx: &mut Context<'_>,
        now: Instant,
        shared: &Shared,
    ) -> Option<Reason> {
        let [a, b] = &mut self.chairs;
        let (own, other) = if side == Side::A { (a, b) } else { (b, a) };
        let seat = own.seat.as_deref_mut()?;
        let conversation = &mut self.conversation;
        loop {
            own.paused = seat.speaker.is_none() && conversation.credit_left(side) == 0;
            if own.paused {
                return None;
            }
            let mut lane = Lane { conversation: &mut *conversation, side, other, shared, now };
            let received = seat.receive(cx, now, |seat, window, _| lane.take(seat, window));
            match received {
                Received::More => {}
                Received::Nothing => break,
                Received::Gone(reason) => return Some(reason),
            }
        }
        let receipt = std::mem::take(&mut seat.receipt);
        // A pong that answers nothing is the client's own affair.
        if let Some(question) = own.asked.take_if(|asked| asked.n == receipt) {
            conversation.plain_took(side, *question);
        }
        None
    }

    /// Writes what a side has to hear and to get, as far as its socket takes it. Returns whether
    /// something has to wait.
    pub(super) fn flush(&mut self, side: Side, cx: &mut Context<'_>, shared: &Shared) -> bool {
        let Self { conversation, chairs, .. } = self;
        let chair = &mut chairs[side as usize];
        let Some(seat) = chair.seat.as_deref_mut() else { return false };
        loop {
            let offered = NOTICES.with_borrow_mut(|notices| {
                notices.clear();
                if seat.outbox.len() < UNSAID_ABOVE {
                    collect(conversation, side, chair.device, notices, shared);
                }
                let body = conversation.unwritten(side);
                if notices.is_empty() && body.is_empty() && !seat.outbox.is_blocked() {
                    return None;
                }
                Some(seat.offer(cx, notices, body))
            });
            let Some(taken) = offered else { break };
            let rest = conversation.wrote(side, taken);
            seat.outbox.push(rest);
            if seat.outbox.is_broken() || seat.outbox.is_blocked() {
                return seat.outbox.is_blocked();
            }
        }
        if seat.speaker.is_none() && chair.asked.is_none() {
            chair.asked = conversation.question(side).map(Box::new);
            chair.asked.iter().for_each(|asked| seat.outbox.ping(&asked.n.to_be_bytes()));
            let _ = seat.poll_flush(cx);
        }
        seat.outbox.is_blocked()
    }

    /// Puts all that a side has to hear and to get into its outbox: it is about to be closed.
    pub(super) fn say_all(&mut self, side: Side, shared: &Shared) {
        let Self { conversation, chairs, .. } = self;
        let Chair { seat: Some(seat), device, .. } = &mut chairs[side as usize] else { return };
        let mut last = Vec::new();
        collect(conversation, side, *device, &mut last, shared);
        let body = conversation.unwritten(side);
        last.extend_from_slice(body);
        let len = body.len();
        conversation.wrote(side, len);
        collect(conversation, side, *device, &mut last, shared);
        seat.outbox.push(&last);
    }
}

/// Writes all that a side has to hear now.
fn collect(
    conversation: &mut Conversation,
    side: Side,
    device: Option<vyoma_protocol::token::Identity>,
    notices: &mut Vec<u8>,
    shared: &Shared,
) {
    while let Some(notice) = conversation.next_notice(side) {
        match notice {
            Notice::Envelope(envelope) => encode_text(notices, |out| envelope.write(out)),
            Notice::Token { epoch } => {
                let Some(device) = device else { continue };
                let claims = claims(conversation, side, epoch, device, shared);
                let token = keys::sign(&shared.config.keys, shared.boot, claims);
                let envelope = ServerEnvelope::Token { token: &token, epoch };
                encode_text(notices, |out| envelope.write(out));
            }
        }
    }
}

impl Lane<'_> {
    fn take(&mut self, seat: &mut Seat, window: &mut Window<'_>) -> Option<Reason> {
        window.align();
        let (mut messages, mut bytes, mut gone) = (0, 0, None);
        let reliable = seat.speaker.is_some();
        for mut run in window.output() {
            while gone.is_none() && !run.is_empty() {
                if reliable {
                    let taken = self.conversation.take_usual(self.side, &mut run, self.now);
                    (messages, bytes) = (messages + taken.0, bytes + taken.1);
                }
                let Some(framed) = Framed::split_off(&mut run) else { break };
                match self.judge(seat, &framed) {
                    Ok(Taken::Done) => {
                        messages += 1;
                        bytes += framed.payload.len() as u64;
                    }
                    Ok(Taken::Dropped(reason)) => counters::reason(reason, 1),
                    Ok(Taken::Signal) => self.signal(framed.frame),
                    Ok(Taken::Other(envelope)) => gone = self.other(seat, envelope),
                    Err(report) => gone = seat.refuse(report, self.now),
                }
            }
        }
        counters::relayed(messages, bytes);
        counters::reason(Reason::Fenced, window.muted);
        gone
    }

    fn judge<'a>(
        &mut self,
        seat: &mut Seat,
        framed: &Framed<'a>,
    ) -> Result<Taken<'a>, ErrorReport<'a>> {
        let Self { conversation, side, now, .. } = self;
        let (side, now) = (*side, *now);
        let Framed { kind, payload, frame } = *framed;
        let Some(speaker) = seat.speaker.as_mut() else {
            return Ok(conversation.plain(side, kind, payload, now));
        };
        match (kind, std::str::from_utf8(payload)) {
            (Kind::Text, Ok(text)) => {
                let envelope = ClientEnvelope::parse(text)?;
                speaker.allow(&envelope, now)?;
                conversation.take(side, envelope, text, [frame, &[]], now)
            }
            _ => conversation.binary(side, payload, [frame, &[]], now),
        }
    }

    /// Passes a `signal` on, if the other side takes it now.
    fn signal(&mut self, frame: &[u8]) {
        match &mut self.other.seat {
            Some(seat) if seat.outbox.len() < NO_SIGNAL_ABOVE => seat.outbox.push(frame),
            _ => counters::reason(Reason::Fleeting, 1),
        }
    }

    /// Takes an envelope that isn't about what is said here.
    fn other(&mut self, seat: &mut Seat, envelope: ClientEnvelope<'_>) -> Option<Reason> {
        let judged = self.move_on(seat, envelope);
        judged.err().and_then(|report| seat.refuse(report, self.now))
    }

    fn move_on<'a>(
        &mut self,
        seat: &mut Seat,
        envelope: ClientEnvelope<'a>,
    ) -> Result<(), ErrorReport<'a>> {
        if seat.speaker().state() != State::Matched {
            return seat.aside(envelope, self.shared);
        }
        let wish = match envelope {
            ClientEnvelope::Next { profile, rules } => {
                seat.speaker().renew(profile, rules);
                Wish::Queue { leave: None, invite: None }
            }
            ClientEnvelope::Leave {} => Wish::Out,
            ClientEnvelope::Block { conversation } => {
                seat.block(conversation, self.shared)?;
                Wish::Block(conversation)
            }
            ClientEnvelope::Report { conversation, reason } => {
                return seat.report(conversation, reason, self.shared);
            }
            ClientEnvelope::History { .. } => {
                return Err(crate::speech::about(Reason::FeatureOff, "history"));
            }
            other => return seat.aside(other, self.shared),
        };
        self.conversation.leave(self.side);
        seat.speaker().wish = Some(wish);
        Ok(())
    }
}
