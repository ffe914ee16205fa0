//! What the server says on a connection where the place is held, and in its `hello`.

use std::time::Instant;

use vyoma_protocol::Reason;
use vyoma_protocol::envelope::{
    ConversationId, Presence, Profile, ServerEnvelope, StreamId, parse_binary, weight,
};

use super::place::{Inviting, Place, Secret, Talk};
use super::{Limits, Session};
use crate::{Change, Content, Event, Seat, Trouble};

impl Session {
    pub(super) fn hear_text(&mut self, text: &str, now: Instant) {
        if !self.line.is_up() {
            return;
        }
        self.line.heard(now);
        match ServerEnvelope::parse(text) {
            Err(fault) if fault.reason == Reason::UnknownType => {}
            Err(_) => self.trouble(Trouble::Malformed, now),
            Ok(hello @ ServerEnvelope::Hello { .. }) if self.line.awaits_hello() => {
                self.greeted(&hello, now);
            }
            Ok(_) if self.line.awaits_hello() => self.trouble(Trouble::Unexpected, now),
            Ok(answer) if self.line.awaits_resumed() => self.hear_answer(&answer, now),
            Ok(ServerEnvelope::Message { n, payload }) => {
                let content = || Content::Json(payload.to_owned());
                self.hear_message(n, weight(text.len()), content, now);
            }
            Ok(envelope) => self.hear(&envelope, now),
        }
    }

    pub(super) fn hear_binary(&mut self, message: &[u8], now: Instant) {
        if !self.line.is_up() {
            return;
        }
        self.line.heard(now);
        match parse_binary(message) {
            Err(_) => self.trouble(Trouble::Malformed, now),
            Ok(_) if !self.line.is_open() => self.trouble(Trouble::Unexpected, now),
            Ok((n, payload)) => {
                let content = || Content::Binary(payload.to_vec());
                self.hear_message(n, weight(message.len()), content, now);
            }
        }
    }

    /// First of all on a connection: the server's limits, and a device for who has none.
    fn greeted(&mut self, hello: &ServerEnvelope<'_>, now: Instant) {
        let ServerEnvelope::Hello { max_message, credit, grace_ms, device, features, .. } = hello
        else {
            return;
        };
        self.limits = Limits {
            max_message: *max_message,
            credit: *credit,
            grace_ms: *grace_ms,
            features: features.iter().map(str::to_owned).collect(),
        };
        if self.device.is_none() {
            self.keep_device(device);
        }
        self.line.offered = Some((*device).to_owned());
        if matches!(self.place, Place::Talking(_)) {
            self.resume(now);
        } else {
            self.line.open();
        }
    }

    /// Takes this device's name, for good.
    pub(super) fn keep_device(&mut self, device: &str) {
        self.device = Some(device.to_owned());
        self.out.save(Change::Device(device.to_owned()));
    }

    fn hear(&mut self, envelope: &ServerEnvelope<'_>, now: Instant) {
        match *envelope {
            ServerEnvelope::Waiting { .. } => self.hear_waiting(envelope, now),
            ServerEnvelope::Matched { .. } => self.hear_matched(envelope, now),
            ServerEnvelope::Signal { payload } => {
                if matches!(self.place, Place::Talking(_)) {
                    self.out.event(Event::Signal { payload: Content::Json(payload.to_owned()) });
                }
            }
            ServerEnvelope::Accepted { conversation, stream, n, .. } => {
                self.hear_accepted(conversation, stream, n);
            }
            ServerEnvelope::Ack { conversation, stream, n } => {
                self.hear_ack(conversation, stream, n, now);
            }
            ServerEnvelope::Read { conversation, stream, n } => {
                self.hear_read(conversation, stream, n);
            }
            ServerEnvelope::Typing { on } => self.hear_typing(on, now),
            ServerEnvelope::Partner { conversation, state, stream } => {
                self.hear_partner(conversation, state, stream);
            }
            ServerEnvelope::Gap { conversation, stream, from, to } => {
                self.hear_gap(conversation, stream, from, to, now);
            }
            ServerEnvelope::Undelivered { conversation, stream, from, to } => {
                if let Some(talk) = self.talk_of(conversation, stream)
                    && from <= to
                {
                    talk.outbox.reported(from..=to);
                    self.out.event(Event::Undelivered { from, to });
                }
            }
            ServerEnvelope::Ended { conversation, reason, stream, last } => {
                self.hear_ended(conversation, reason, stream, last, now);
            }
            ServerEnvelope::Token { token, epoch } => self.hear_token(token, epoch),
            ServerEnvelope::Invitation { code, expires_ms } => {
                self.hear_invitation(code, expires_ms, now);
            }
            ServerEnvelope::Done { about, .. } => self.out.event(Event::Done { about }),
            ServerEnvelope::Error { .. } => self.hear_error(envelope, now),
            ServerEnvelope::Goaway { delay_ms } => self.line.leaves(delay_ms, now),
            ServerEnvelope::Pong { .. } => {}
            ServerEnvelope::Hello { .. }
            | ServerEnvelope::Resumed { .. }
            | ServerEnvelope::Message { .. } => self.trouble(Trouble::Unexpected, now),
        }
    }

    fn hear_invitation(&mut self, code: &str, expires_ms: u64, now: Instant) {
        self.inviting = Inviting::No;
        if matches!(self.place, Place::Idle) {
            // This was all the connection was for.
            self.backoff.held(now);
            if std::mem::take(&mut self.told_lost) {
                self.out.event(Event::Restored { conversation: None });
            }
        }
        self.out.event(Event::Invitation { code: code.to_owned(), expires_ms });
    }

    fn hear_waiting(&mut self, envelope: &ServerEnvelope<'_>, now: Instant) {
        match &self.place {
            Place::Queued(queued) if queued.asked => {}
            // Crossed with our `leave`.
            Place::Leaving(_) => return,
            _ => return self.trouble(Trouble::Unexpected, now),
        }
        self.placed(None, now);
        if self.leaving.is_some() {
            self.free();
        }
        if let ServerEnvelope::Waiting { pool, ahead, widened, estimate_from_ms, estimate_to_ms } =
            *envelope
        {
            let estimate_ms = estimate_from_ms.zip(estimate_to_ms).map(<[u64; 2]>::from);
            self.out.event(Event::Waiting { pool: pool.to_owned(), ahead, widened, estimate_ms });
        }
    }

    fn hear_matched(&mut self, envelope: &ServerEnvelope<'_>, now: Instant) {
        match &self.place {
            Place::Queued(queued) if queued.asked => {}
            Place::Leaving(_) => return,
            _ => return self.trouble(Trouble::Unexpected, now),
        }
        let Some((seat, why, common)) = seat_of(envelope) else { return };
        self.placed(None, now);
        self.backoff.progressed();
        self.leaving = None;
        self.line.last = Some(seat.conversation);
        self.limits.grace_ms = seat.grace_ms;
        self.out.save(Change::Seat(Box::new(seat.clone())));
        self.out.event(Event::Matched {
            conversation: seat.conversation,
            side: seat.side,
            partner: seat.partner.clone(),
            reliable: seat.reliable,
            why,
            common,
        });
        self.untaken.begin();
        let talk = Talk { away: Some(false), ..Talk::from(seat) };
        self.place = Place::Talking(Box::new(talk));
    }

    /// The place is held on this connection.
    pub(super) fn placed(&mut self, conversation: Option<ConversationId>, now: Instant) {
        self.line.answer_by = None;
        self.maybe_matched = false;
        self.backoff.held(now);
        if std::mem::take(&mut self.told_lost) || conversation.is_some() {
            self.out.event(Event::Restored { conversation });
        }
    }

    fn hear_message(
        &mut self,
        n: u64,
        weight: usize,
        content: impl FnOnce() -> Content,
        now: Instant,
    ) {
        // Who is leaving, or has left, isn't spoken to any more.
        let Place::Talking(talk) = &mut self.place else { return };
        if talk.inbox.stream.is_none() {
            return self.trouble(Trouble::Unexpected, now);
        }
        talk.inbox.came(n, now, self.settings.ack_delay);
        if n <= talk.inbox.given {
            return;
        }
        if n > talk.inbox.given + 1 {
            return self.trouble(Trouble::Skipped, now);
        }
        if self.untaken.weight() + weight > self.settings.inbox_bytes {
            return self.trouble(Trouble::Flooded, now);
        }
        talk.inbox.given = n;
        self.untaken.gave(n, weight);
        self.backoff.progressed();
        self.out.event(Event::Message { n, content: content() });
    }

    /// The conversation of this name in which our numbering is this one, even if we are leaving it.
    fn talk_of(&mut self, conversation: ConversationId, stream: StreamId) -> Option<&mut Talk> {
        let talk = match &mut self.place {
            Place::Talking(talk) => &mut **talk,
            Place::Leaving(leaving) => leaving.talk.as_mut()?,
            Place::Idle | Place::Queued(_) => return None,
        };
        (talk.conversation == conversation && talk.stream == stream).then_some(talk)
    }

    fn hear_accepted(&mut self, conversation: ConversationId, stream: StreamId, n: u64) {
        let Some(talk) = self.talk_of(conversation, stream) else { return };
        let news = n > talk.outbox.accepted.max(talk.outbox.delivered) && n < talk.outbox.next();
        if news {
            talk.outbox.accepted = n;
            self.out.event(Event::Accepted { n });
        }
    }

    fn hear_ack(&mut self, conversation: ConversationId, stream: StreamId, n: u64, now: Instant) {
        let Some(talk) = self.talk_of(conversation, stream) else { return };
        if n >= talk.outbox.next() {
            return self.conflict(now);
        }
        self.delivered(n);
    }

    /// The partner's application has everything up to `n`, which is below `next`.
    pub(super) fn delivered(&mut self, n: u64) {
        let held = matches!(self.place, Place::Talking(_));
        let talk = match &mut self.place {
            Place::Talking(talk) => &mut **talk,
            Place::Leaving(leaving) => match &mut leaving.talk {
                Some(talk) => talk,
                None => return,
            },
            Place::Idle | Place::Queued(_) => return,
        };
        if talk.outbox.acked(n) && held {
            self.out.save(Change::Acked(n));
        }
        if n > talk.outbox.delivered {
            talk.outbox.delivered = n;
            talk.outbox.accepted = talk.outbox.accepted.max(n);
            self.backoff.progressed();
            self.out.event(Event::Delivered { n });
        }
    }

    fn hear_read(&mut self, conversation: ConversationId, stream: StreamId, n: u64) {
        if let Some(talk) = self.talk_of(conversation, stream)
            && n > talk.outbox.read
            && n < talk.outbox.next()
        {
            talk.outbox.read = n;
            self.out.event(Event::Read { n });
        }
    }

    fn hear_typing(&mut self, on: bool, now: Instant) {
        if let Place::Talking(talk) = &mut self.place
            && talk.typing.heard(on, now)
        {
            self.out.event(Event::Typing { on });
        }
    }

    fn hear_partner(
        &mut self,
        conversation: ConversationId,
        state: Presence,
        stream: Option<StreamId>,
    ) {
        let Place::Talking(talk) = &mut self.place else { return };
        if talk.conversation != conversation {
            return;
        }
        let away = state == Presence::Away;
        if away && talk.typing.over().is_some() {
            talk.typing.heard(false, self.line.heard_at());
            self.out.event(Event::Typing { on: false });
        }
        let news = talk.away.replace(away) != Some(away);
        if !away {
            self.take_partner(stream);
        }
        if news {
            self.out.event(if away { Event::Away } else { Event::Back });
        }
    }

    fn hear_gap(
        &mut self,
        conversation: ConversationId,
        stream: StreamId,
        from: u64,
        to: Option<u64>,
        now: Instant,
    ) {
        let Place::Talking(talk) = &mut self.place else { return };
        if talk.conversation != conversation || to.is_some_and(|to| to < from) {
            return;
        }
        if talk.inbox.stream != Some(stream) {
            // Of a numbering that is no more: told when the present one began.
            return;
        }
        let given = talk.inbox.given;
        if let Some(to) = to {
            talk.inbox.came(to, now, self.settings.ack_delay);
        }
        match to {
            Some(to) if to <= given => {}
            Some(to) => {
                talk.inbox.given = to;
                self.out.event(Event::Gap { from: given + 1, to: Some(to) });
                if let Some(n) = self.untaken.gap(to) {
                    self.took(n, 0, now);
                }
            }
            None => self.out.event(Event::Gap { from: from.max(given + 1), to }),
        }
    }

    fn hear_token(&mut self, token: &str, epoch: u64) {
        let Place::Talking(talk) = &mut self.place else { return };
        if epoch >= talk.epoch {
            (talk.token, talk.epoch) = (Secret(token.to_owned()), epoch);
            self.out.save(Change::Token { token: token.to_owned(), epoch });
            self.line.confirm = true;
        }
    }
}

/// The seat that `matched` gives, why, and what the two have in common.
fn seat_of(envelope: &ServerEnvelope<'_>) -> Option<(Seat, Vec<String>, Option<String>)> {
    let ServerEnvelope::Matched {
        conversation,
        side,
        stream,
        partner_stream,
        partner,
        reliable,
        why,
        common,
        token,
        epoch,
        grace_ms,
    } = *envelope
    else {
        return None;
    };
    let seat = Seat {
        conversation,
        side,
        partner: partner.and_then(compact),
        reliable,
        grace_ms,
        token: token.to_owned(),
        epoch,
        stream,
        partner_stream: Some(partner_stream),
        next: 1,
        received: 0,
        fresh: false,
        outbox: Vec::new(),
    };
    Some((seat, why.iter().map(str::to_owned).collect(), common.and_then(compact)))
}

fn compact(profile: Profile<'_>) -> Option<String> {
    let mut json = Vec::new();
    profile.push_compact(&mut json);
    String::from_utf8(json).ok()
}
