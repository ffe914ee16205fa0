//! What goes to the partner: messages within the credit, acknowledgements, receipts, typing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vyoma_protocol::Reason;
use vyoma_protocol::envelope::{ClientEnvelope, binary_header};

use super::place::{Place, Talk};
use super::wishes::trim;
use super::{Limits, Session, out};
use crate::{Body, Change, Event, Frame, Kept, SendError, ServerError};

/// What was seen is told at most so often: 10 a second of the 32 that the server allows.
const READ_EVERY: Duration = Duration::from_millis(100);

impl Session {
    /// Takes a message into the outbox.
    pub(super) fn put(&mut self, body: Body<'_>) -> Result<u64, SendError> {
        let most = usize::try_from(self.limits.max_message).unwrap_or(usize::MAX);
        let Place::Talking(talk) = &mut self.place else { return Err(SendError::NoPartner) };
        if talk.outbox.exhausted() {
            return Err(SendError::Exhausted);
        }
        let n = talk.outbox.next();
        let frame = frame(n, body)?;
        if frame.len() > most {
            return Err(SendError::TooBig { length: frame.len(), most });
        }
        let (bytes, count) = (self.settings.outbox_bytes, self.settings.outbox_count);
        if !talk.outbox.fits(frame.len(), bytes, count) {
            return Err(SendError::Full);
        }
        let kept = Kept { n, frame };
        self.out.save(Change::Sent(kept.clone()));
        talk.outbox.push(kept);
        Ok(n)
    }

    /// Writes all that has to be written now.
    pub(super) fn flush(&mut self, now: Instant) {
        if !self.line.is_open() {
            return;
        }
        match &self.place {
            Place::Idle => {}
            Place::Queued(_) => self.ask_partner(now),
            Place::Leaving(leaving) => {
                if leaving.again.is_some_and(|at| at <= now) {
                    self.say_word(now);
                }
            }
            Place::Talking(_) => self.flush_talk(now),
        }
        self.ask_invitation(now);
    }

    fn flush_talk(&mut self, now: Instant) {
        self.write_messages();
        let Place::Talking(talk) = &mut self.place else { return };
        if talk.typing.over().is_some_and(|over| over <= now) {
            talk.typing.heard(false, now);
            self.out.event(Event::Typing { on: false });
        }
        if let Some(on) = talk.typing.tell(now) {
            self.out.write(&ClientEnvelope::Typing { on });
        }
        if talk.inbox.is_due(self.limits.credit, now) {
            self.acknowledge();
        }
        if self.line.quiet_until.is_none_or(|until| until <= now) {
            self.line.quiet_until = None;
            self.confirm_token();
            self.tell_seen(now);
        }
    }

    /// As many messages as the credit allows, each acknowledging what was taken before.
    fn write_messages(&mut self) {
        let Limits { credit, max_message, .. } = self.limits;
        let Place::Talking(talk) = &mut self.place else { return };
        while let Some(kept) = talk.outbox.write(credit, max_message) {
            if let Some(ack) = acknowledgement(talk) {
                self.out.write(&ack);
            }
            self.out.frame(kept.frame);
        }
        if let Some(n) = talk.outbox.newly_written() {
            self.out.event(Event::Written { n });
        }
        if talk.outbox.regained(self.settings.outbox_bytes, self.settings.outbox_count) {
            self.out.event(Event::Writable);
        }
    }

    /// Acknowledges what was taken, if the server doesn't know it yet.
    pub(super) fn acknowledge(&mut self) {
        if let Place::Talking(talk) = &mut self.place
            && let Some(ack) = acknowledgement(talk)
        {
            self.out.write(&ack);
        }
    }

    fn confirm_token(&mut self) {
        if let Place::Talking(talk) = &self.place
            && std::mem::take(&mut self.line.confirm)
        {
            self.out.write(&ClientEnvelope::Token { epoch: talk.epoch });
        }
    }

    fn tell_seen(&mut self, now: Instant) {
        let Place::Talking(talk) = &mut self.place else { return };
        let early = talk.read_at.is_some_and(|at| now < at + READ_EVERY);
        if early || !talk.reliable || !talk.inbox.unseen() || !self.limits.offers("read") {
            return;
        }
        let Some(stream) = talk.inbox.stream else { return };
        talk.read_at = Some(now);
        // Only what is acknowledged may be called seen.
        if let Some(ack) = acknowledgement(talk) {
            self.out.write(&ack);
        }
        let (conversation, n) = (talk.conversation, talk.inbox.tell_seen());
        self.out.write(&ClientEnvelope::Read { conversation, stream, n });
    }

    /// When something has to be written that waits for its time, or is believed until then.
    pub(super) fn place_deadline(&self) -> Option<Instant> {
        if !self.line.is_open() {
            return None;
        }
        match &self.place {
            Place::Idle => None,
            Place::Queued(queued) => queued.not_before,
            Place::Leaving(leaving) => leaving.again,
            Place::Talking(talk) => {
                let seen = talk.reliable && talk.inbox.unseen() && self.limits.offers("read");
                let read = talk.read_at.filter(|_| seen).map(|at| at + READ_EVERY);
                let quiet = self.line.quiet_until.filter(|_| seen || self.line.confirm);
                let told = read.max(quiet);
                let typing = [talk.typing.due(), talk.typing.over()];
                [talk.inbox.due(), told].into_iter().chain(typing).flatten().min()
            }
        }
    }

    /// The application took the partner's messages up to `n`.
    pub(super) fn took(&mut self, n: u64, weight: usize, now: Instant) {
        if let Place::Talking(talk) = &mut self.place {
            talk.inbox.took(n, weight, now, self.settings.ack_delay);
            self.out.save(Change::Received(n));
        }
    }

    pub(super) fn type_to_partner(&mut self, on: bool, now: Instant) {
        let heard = self.line.is_open() && self.limits.offers("typing");
        let quiet = self.line.quiet_until.is_some_and(|until| until > now);
        if let Place::Talking(talk) = &mut self.place
            && heard
            && !quiet
            && talk.reliable
            && talk.away != Some(true)
        {
            talk.typing.set(on, now);
        }
    }

    /// A server may take shorter messages than its predecessor: one that waits stays unsendable.
    pub(super) fn tell_unsendable(&mut self) {
        let Place::Talking(talk) = &self.place else { return };
        let too_long = |kept: &&Kept| kept.frame.len() as u64 > self.limits.max_message;
        if let Some(kept) = talk.outbox.kept().find(too_long) {
            let reason = Reason::MessageTooBig;
            self.out.event(Event::Error(ServerError {
                code: u64::from(reason.number()),
                name: reason.name().to_owned(),
                sentence: reason.sentence().to_owned(),
                about: Some("message".to_owned()),
                n: Some(kept.n),
                retry_after_ms: None,
            }));
        }
    }
}

fn acknowledgement(talk: &mut Talk) -> Option<ClientEnvelope<'static>> {
    let (conversation, stream) = (talk.conversation, talk.inbox.stream?);
    talk.inbox.acknowledge().map(|n| ClientEnvelope::Ack { conversation, stream, n })
}

/// A numbered message as it is written.
fn frame(n: u64, body: Body<'_>) -> Result<Frame, SendError> {
    match body {
        Body::Json(payload) => {
            let text = out::text(&ClientEnvelope::Message { n, payload });
            match ClientEnvelope::parse(&text) {
                // A payload must not smuggle in other keys.
                Ok(ClientEnvelope::Message { payload: read, .. }) if read == trim(payload) => {
                    Ok(Frame::Text(Arc::from(text)))
                }
                Ok(_) => Err(SendError::BadJson(Reason::BadJson)),
                Err(fault) => Err(SendError::BadJson(fault.reason)),
            }
        }
        Body::Binary(payload) => {
            Ok(Frame::Binary(Arc::from([&binary_header(n)[..], payload].concat())))
        }
    }
}
