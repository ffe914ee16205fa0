//! Who is in no conversation: greeted, queued, and led to their seats.

use vyoma_core::conversation::{Conversation, Refused, Resume};
use vyoma_core::directory::{Join, Resumption};
use vyoma_core::matching::Step;
use vyoma_protocol::envelope::{
    ClientEnvelope, ConversationId, Ending, ErrorReport, Names, ServerEnvelope, Side,
};
use vyoma_protocol::token::{Claims, Identity};
use vyoma_protocol::{Reason, encode_text, plain};

use super::{CREDIT, Chair, Exchange, GRACE, Guest, Net, Process, State, Whereabouts, Wish, terms};
use crate::Flaw;
use crate::link::{LinkId, Said};

impl Process {
    /// A client has connected.
    pub(crate) fn greet(&mut self, link: LinkId, reliable: bool, net: &mut Net<'_>) {
        let device = reliable.then(|| Identity(net.rng.u128(..).to_be_bytes()));
        let guest = Guest { device, state: State::New, wish: None, at: Whereabouts::Lounge };
        self.guests.insert(link, guest);
        let Some(device) = device else { return self.enter(link, None, net) };
        let device = net.keys.sign_device(device);
        let features = Names::from_json(r#"["typing","read"]"#).unwrap_or_default();
        net.say(
            link,
            &ServerEnvelope::Hello {
                version: 1,
                max_message: 65_536,
                credit: CREDIT as u64,
                heartbeat_ms: 30_000,
                grace_ms: GRACE.as_millis() as u64,
                device: &device,
                features,
            },
        );
    }

    /// Takes what a client sent that is in no conversation.
    pub(super) fn hear_aside(&mut self, link: LinkId, said: &Said, net: &mut Net<'_>) {
        let Said::Text(text) = said else { return };
        if self.guests.get(&link).is_none_or(|guest| guest.device.is_none()) {
            return;
        }
        match ClientEnvelope::parse(text) {
            Ok(envelope) => self.aside(link, envelope, net),
            Err(fault) => net.refuse(link, fault.into()),
        }
    }

    pub(super) fn aside(&mut self, link: LinkId, envelope: ClientEnvelope<'_>, net: &mut Net<'_>) {
        let Some(guest) = self.guests.get_mut(&link) else { return };
        let (kind, state) = (envelope.kind(), guest.state);
        let idle = matches!(state, State::New | State::Ended);
        match envelope {
            ClientEnvelope::Ping { id } => net.say(link, &ServerEnvelope::Pong { id }),
            ClientEnvelope::Join { device, leave, .. } if idle => {
                match device.map(|device| net.keys.open_device(device)) {
                    Some(Err(_)) => return net.refuse(link, about(Reason::BadDevice, kind)),
                    Some(Ok(device)) => guest.device = Some(device),
                    None => {}
                }
                self.wish(link, Wish::Queue(leave), net);
            }
            ClientEnvelope::Next { .. } if state == State::Ended => {
                self.wish(link, Wish::Queue(None), net);
            }
            ClientEnvelope::Leave {} if matches!(state, State::Waiting | State::Ended) => {
                let reason = Ending::Left;
                let left =
                    ServerEnvelope::Ended { conversation: None, reason, stream: None, last: None };
                net.say(link, &left);
                self.wish(link, Wish::Out, net);
            }
            ClientEnvelope::Resume { .. } if state == State::New => {
                if let Err(report) = self.resume(link, envelope, net) {
                    net.refuse(link, report);
                }
            }
            ClientEnvelope::Message { .. }
            | ClientEnvelope::Ack { .. }
            | ClientEnvelope::Read { .. }
            | ClientEnvelope::Typing { .. }
            | ClientEnvelope::Signal { .. }
            | ClientEnvelope::Token { .. }
                if state == State::Ended => {}
            _ => net.refuse(link, about(Reason::WrongState, kind)),
        }
    }

    /// A client goes where it wants to be; one in a conversation that has ended leaves that first.
    fn wish(&mut self, link: LinkId, wish: Wish, net: &mut Net<'_>) {
        let Some(guest) = self.guests.get_mut(&link) else { return };
        match guest.at {
            Whereabouts::Seat(id, _) => {
                guest.wish = Some(wish);
                self.settle(id, net);
            }
            Whereabouts::Queue(ticket) => {
                (guest.at, guest.state) = (Whereabouts::Lounge, State::Ended);
                if self.desks.remove(&ticket).is_some() {
                    self.pool.leave(ticket);
                }
                if let Some(device) = guest.device {
                    self.directory.stop_waiting(device, ticket);
                }
            }
            Whereabouts::Lounge => self.go(link, wish, net),
        }
    }

    pub(super) fn go(&mut self, link: LinkId, wish: Wish, net: &mut Net<'_>) {
        match wish {
            Wish::Queue(leave) => self.enter(link, leave, net),
            Wish::Out => {
                self.guests.entry(link).and_modify(|guest| guest.state = State::Ended);
            }
        }
    }

    fn enter(&mut self, link: LinkId, leave: Option<ConversationId>, net: &mut Net<'_>) {
        if self.draining {
            return self.turn_away(link, Reason::Shutdown, net);
        }
        let Some(guest) = self.guests.get(&link) else { return };
        let device = guest.device;
        let ticket = match device.map(|device| self.directory.join(device, leave, net.now)) {
            Some(Join::Seated(conversation, rest)) => {
                let report = ErrorReport {
                    conversation: Some(conversation),
                    retry_after_ms: rest.map(|rest| rest.as_millis() as u64 + 1),
                    ..about(Reason::InConversation, "join")
                };
                self.guests.entry(link).and_modify(|guest| guest.state = State::Ended);
                return net.refuse(link, report);
            }
            Some(Join::TakeOver(ticket)) => {
                if let Some(older) = self.desks.remove(&ticket) {
                    self.turn_away(older, Reason::Superseded, net);
                }
                ticket
            }
            other => {
                if let Some(Join::Leaving(id, side)) = other {
                    self.depart(id, side, net);
                }
                self.pool.join(net.now)
            }
        };
        if let Some(device) = device {
            self.directory.wait(device, ticket);
        }
        self.desks.insert(ticket, link);
        if let Some(guest) = self.guests.get_mut(&link) {
            (guest.at, guest.state) = (Whereabouts::Queue(ticket), State::Waiting);
        }
        match self.pool.step(ticket, net.now) {
            Step::Pair(other) => {
                let both = [other, ticket].map(|ticket| self.desks.remove(&ticket));
                if let [Some(older), Some(newer)] = both {
                    self.begin([older, newer], net);
                }
            }
            Step::Probing(_) => net.violated("everybody is fresh, and was probed".into()),
            Step::Wait(_) if device.is_none() => push_plain(link, plain::WAITING, net),
            Step::Wait(_) => {
                let ahead = self.pool.ahead(ticket) as u64;
                net.say(
                    link,
                    &ServerEnvelope::Waiting {
                        pool: "default",
                        ahead,
                        widened: None,
                        estimate_from_ms: None,
                        estimate_to_ms: None,
                    },
                );
            }
        }
    }

    pub(super) fn turn_away(&mut self, link: LinkId, reason: Reason, net: &mut Net<'_>) {
        self.guests.remove(&link);
        net.close(link, Some(reason));
    }

    fn resume(
        &mut self,
        link: LinkId,
        envelope: ClientEnvelope<'_>,
        net: &mut Net<'_>,
    ) -> Result<(), ErrorReport<'static>> {
        let ClientEnvelope::Resume {
            token,
            device,
            attempt,
            stream,
            partner_stream,
            received,
            first,
            next,
            fresh,
        } = envelope
        else {
            return Ok(());
        };
        let bad = |reason| about(reason, "resume");
        let claims = net.keys.open(token, net.unix).map_err(|_| bad(Reason::ExpiredToken))?;
        if net.keys.open_device(device).ok() != Some(claims.identity) {
            return Err(bad(Reason::BadDevice));
        }
        let (epoch, fresh) = (claims.epoch, fresh.unwrap_or(false));
        let resume =
            Resume { epoch, attempt, stream, partner_stream, received, first, next, fresh };
        let id = claims.conversation;
        if let Some(guest) = self.guests.get_mut(&link) {
            guest.device = Some(claims.identity);
        }
        let mut answer = self.directory.resume(&claims, &id, net.now + GRACE);
        if let Resumption::Waiting(ticket) = answer {
            if let Some(older) = self.desks.remove(&ticket) {
                self.turn_away(older, Reason::Superseded, net);
            }
            self.pool.leave(ticket);
            self.directory.stop_waiting(claims.identity, ticket);
            answer = self.directory.resume(&claims, &id, net.now + GRACE);
        }
        match answer {
            Resumption::Waiting(_) => net.violated("who was taken out still waits".into()),
            Resumption::Over => self.over(link, id, net),
            Resumption::Elsewhere(other) => {
                let conversation = Some(other);
                return Err(ErrorReport { conversation, ..bad(Reason::InConversation) });
            }
            Resumption::Seat(_) => self.arrive(link, &claims, resume, net),
            Resumption::Adopt => {
                net.counts.adopted += 1;
                let conversation = Conversation::adopt(id, terms(), net.now);
                let exchange = Exchange { conversation, chairs: Default::default(), ended: false };
                self.exchanges.insert(id, exchange);
                self.arrive(link, &claims, resume, net);
            }
        }
        Ok(())
    }

    fn over(&mut self, link: LinkId, id: ConversationId, net: &mut Net<'_>) {
        let (reason, conversation) = (Ending::Over, Some(id));
        net.say(link, &ServerEnvelope::Ended { conversation, reason, stream: None, last: None });
        self.guests.entry(link).and_modify(|guest| guest.state = State::Ended);
    }

    fn arrive(&mut self, link: LinkId, claims: &Claims, mut resume: Resume, net: &mut Net<'_>) {
        let (id, side) = (claims.conversation, claims.side);
        let Some(exchange) = self.exchanges.get_mut(&id) else { return self.over(link, id, net) };
        let presented = (resume.epoch, resume.attempt);
        let mut outcome = exchange.conversation.resume(side, &resume, net.now);
        if outcome == Err(Refused::Superseded) && net.flaw == Some(Flaw::LowerAttempt) {
            (resume.epoch, resume.attempt) = (u64::MAX >> 12, presented.1 + (1 << 50));
            outcome = exchange.conversation.resume(side, &resume, net.now);
        }
        match outcome {
            Err(Refused::Superseded) => return self.turn_away(link, Reason::Superseded, net),
            Err(Refused::Over) => return self.over(link, id, net),
            Err(Refused::Busy) => return self.turn_away(link, Reason::ReplayFull, net),
            Ok(()) => net.counts.resumed += 1,
        }
        let before = self.holders.insert((id, side as usize), presented);
        if before.is_some_and(|before| before >= presented) {
            net.violated(format!("{presented:?} took the seat of {before:?}"));
        }
        let chair = Chair { link: Some(link), device: Some(claims.identity), asked: None };
        let older = std::mem::replace(&mut exchange.chairs[side as usize], chair);
        self.directory.note_presence(id, side, None);
        if let Some(guest) = self.guests.get_mut(&link) {
            (guest.state, guest.at) = (State::Matched, Whereabouts::Seat(id, side));
        }
        if let Some(older) = older.link {
            self.turn_away(older, Reason::Superseded, net);
        }
        self.settle(id, net);
    }

    /// A device left its conversation by joining anew.
    fn depart(&mut self, id: ConversationId, side: Side, net: &mut Net<'_>) {
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        exchange.conversation.leave(side);
        if let Some(older) = exchange.chairs[side as usize].link.take() {
            self.turn_away(older, Reason::Superseded, net);
        }
        self.release(id, side);
        self.settle(id, net);
    }
}

pub(super) fn about(reason: Reason, kind: &'static str) -> ErrorReport<'static> {
    ErrorReport { about: Some(kind), ..ErrorReport::new(reason) }
}

pub(super) fn push_plain(link: LinkId, text: &str, net: &mut Net<'_>) {
    let mut bytes = Vec::new();
    encode_text(&mut bytes, |out| out.extend_from_slice(text.as_bytes()));
    net.push(link, &bytes);
}
