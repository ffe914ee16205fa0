//! Conversations: what the two sides say is taken, and what they have to get is written.

use vyoma_core::conversation::{Conversation, Notice, Party, Streams, Taken};
use vyoma_protocol::envelope::{
    ClientEnvelope, ConversationId, Ending, Names, ServerEnvelope, Side, StreamId,
};
use vyoma_protocol::token::{BootId, Claims};
use vyoma_protocol::{Kind, Opcode, Reason, encode, encode_text, plain};

use super::lounge::{about, push_plain};
use super::{Chair, Exchange, GRACE, Net, Process, SIDES, State, Whereabouts, Wish, terms};
use crate::Flaw;
use crate::link::{LinkId, Said};

/// How long a token lives, in seconds: twice the time after which it is renewed.
const TOKEN_LIFE: u64 = 180;

impl Process {
    /// Two begin to talk.
    pub(super) fn begin(&mut self, links: [LinkId; 2], net: &mut Net<'_>) {
        net.counts.matched += 1;
        let id = ConversationId(net.rng.u128(..).to_be_bytes());
        let [a, b] = [StreamId(net.rng.u64(..)), StreamId(net.rng.u64(..))];
        let devices = links.map(|link| self.guests.get(&link).and_then(|guest| guest.device));
        let parties =
            devices.map(|device| if device.is_some() { Party::Reliable } else { Party::Plain });
        let conversation = Conversation::begin(id, parties, Streams { a, b }, terms(), net.now);
        self.directory.begin(id, devices, id);
        let mut exchange = Exchange { conversation, chairs: Default::default(), ended: false };
        for side in SIDES {
            let link = links[side as usize];
            let Some(guest) = self.guests.get_mut(&link) else { continue };
            (guest.at, guest.state) = (Whereabouts::Seat(id, side), State::Matched);
            let device = devices[side as usize];
            exchange.chairs[side as usize] = Chair { link: Some(link), device, asked: None };
        }
        for side in SIDES {
            let link = links[side as usize];
            let Some(token) = sign(&exchange, side, 1, self.boot, net) else {
                push_plain(link, plain::CONNECTED, net);
                continue;
            };
            let (stream, partner_stream) = if side == Side::A { (a, b) } else { (b, a) };
            net.say(
                link,
                &ServerEnvelope::Matched {
                    conversation: id,
                    side,
                    stream,
                    partner_stream,
                    partner: None,
                    reliable: devices[side.other() as usize].is_some(),
                    why: Names::from_json("[]").unwrap_or_default(),
                    common: None,
                    token: &token,
                    epoch: 1,
                    grace_ms: GRACE.as_millis() as u64,
                },
            );
        }
        self.exchanges.insert(id, exchange);
        self.settle(id, net);
    }

    pub(super) fn hear_seated(
        &mut self,
        link: LinkId,
        (id, side): (ConversationId, Side),
        said: &Said,
        net: &mut Net<'_>,
    ) {
        let Some(Exchange { conversation, chairs, .. }) = self.exchanges.get_mut(&id) else {
            return;
        };
        let reliable = chairs[side as usize].device.is_some();
        match said {
            Said::Pong(n) => {
                if let Some(question) = chairs[side as usize].asked.take_if(|asked| asked.n == *n) {
                    conversation.plain_took(side, question);
                }
            }
            Said::Text(text) if reliable => self.hear_envelope(link, (id, side), text, net),
            Said::Text(text) => {
                conversation.plain(side, Kind::Text, text.as_bytes(), net.now);
            }
            Said::Binary(bytes) => {
                let frame = framed(Kind::Binary, bytes);
                if let Err(report) = conversation.binary(side, bytes, [&frame, &[]], net.now) {
                    net.refuse(link, report);
                }
            }
        }
        self.settle(id, net);
    }

    fn hear_envelope(
        &mut self,
        link: LinkId,
        (id, side): (ConversationId, Side),
        text: &str,
        net: &mut Net<'_>,
    ) {
        let Some(Exchange { conversation, chairs, .. }) = self.exchanges.get_mut(&id) else {
            return;
        };
        let frame = framed(Kind::Text, text.as_bytes());
        let mut run = &frame[..];
        let forgets = net.flaw == Some(Flaw::ForgottenEntry) && net.rng.u8(..16) == 0;
        if !forgets && net.rng.bool() {
            conversation.take_usual(side, &mut run, net.now);
            if run.is_empty() {
                return;
            }
        }
        let envelope = match ClientEnvelope::parse(text) {
            Ok(envelope) => envelope,
            Err(fault) => return net.refuse(link, fault.into()),
        };
        let kept = if forgets { &[] } else { &frame[..] };
        match conversation.take(side, envelope, text, [kept, &[]], net.now) {
            Ok(Taken::Done | Taken::Dropped(_)) => {}
            Ok(Taken::Signal) => {
                if let Some(other) = chairs[side.other() as usize].link {
                    net.push(other, &frame);
                }
            }
            Ok(Taken::Other(envelope)) => self.hear_other(link, (id, side), envelope, net),
            Err(report) => net.refuse(link, report),
        }
    }

    /// Takes an envelope that isn't about what is said here.
    fn hear_other(
        &mut self,
        link: LinkId,
        (id, side): (ConversationId, Side),
        envelope: ClientEnvelope<'_>,
        net: &mut Net<'_>,
    ) {
        let Some(guest) = self.guests.get_mut(&link) else { return };
        let wish = match envelope {
            envelope if guest.state != State::Matched => return self.aside(link, envelope, net),
            ClientEnvelope::Next { .. } => Wish::Queue(None),
            ClientEnvelope::Leave {} => Wish::Out,
            ClientEnvelope::Ping { id } => return net.say(link, &ServerEnvelope::Pong { id }),
            other => return net.refuse(link, about(Reason::WrongState, other.kind())),
        };
        guest.wish = Some(wish);
        if let Some(exchange) = self.exchanges.get_mut(&id) {
            exchange.conversation.leave(side);
        }
    }

    /// A seat's connection is no more.
    pub(super) fn vacate(&mut self, id: ConversationId, side: Side, net: &Net<'_>) {
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        exchange.chairs[side as usize].link = None;
        exchange.conversation.detach(side, net.now);
        let until = exchange.conversation.away_until(side);
        self.directory.note_presence(id, side, until);
    }

    /// Writes what there is to write, and lets go who has nothing more to do here.
    pub(super) fn settle(&mut self, id: ConversationId, net: &mut Net<'_>) {
        SIDES.into_iter().for_each(|side| self.flush((id, side), net));
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        if !exchange.conversation.is_going_on() {
            if !std::mem::replace(&mut exchange.ended, true) {
                self.directory.note_end(id);
            }
            SIDES.into_iter().for_each(|side| self.let_go((id, side), net));
        }
        let over = |exchange: &Exchange| exchange.conversation.is_over();
        if self.exchanges.get(&id).is_some_and(over) {
            SIDES.into_iter().for_each(|side| self.release(id, side));
            self.directory.remove(id);
            self.exchanges.remove(&id);
            // Who comes later with a token of another process begins it anew.
            self.holders.retain(|(other, _), _| *other != id);
        }
    }

    fn let_go(&mut self, (id, side): (ConversationId, Side), net: &mut Net<'_>) {
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        let chair = &mut exchange.chairs[side as usize];
        let Some(link) = chair.link else { return };
        if chair.device.is_none() {
            let body = exchange.conversation.unwritten(side).to_vec();
            exchange.conversation.wrote(side, body.len());
            chair.link = None;
            net.push(link, &body);
            push_plain(link, plain::DISCONNECTED, net);
            self.release(id, side);
            return self.turn_away(link, Reason::PartnerFailed, net);
        }
        if !exchange.conversation.has_ended_for(side) {
            return;
        }
        let Some(guest) = self.guests.get_mut(&link) else { return };
        guest.state = State::Ended;
        let unasked = (net.flaw == Some(Flaw::RequeueUnasked)).then_some(Wish::Queue(None));
        if let Some(wish) = guest.wish.take().or(unasked) {
            guest.at = Whereabouts::Lounge;
            chair.link = None;
            self.release(id, side);
            self.go(link, wish, net);
        }
    }

    pub(super) fn release(&mut self, id: ConversationId, side: Side) {
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        exchange.conversation.release(side);
        if let Some(device) = exchange.chairs[side as usize].device {
            self.directory.release(id, side, device);
        }
    }

    fn flush(&mut self, (id, side): (ConversationId, Side), net: &mut Net<'_>) {
        let Some(exchange) = self.exchanges.get_mut(&id) else { return };
        let Some(to) = exchange.chairs[side as usize].link else { return };
        while net.links.get_mut(&to).is_some_and(crate::link::Link::flush) {
            let notices = collect(exchange, side, self.boot, net);
            net.push(to, &notices);
            let Some(link) = net.links.get_mut(&to) else { return };
            let body = exchange.conversation.unwritten(side);
            let taken = if link.is_blocked() { 0 } else { link.write(body) };
            let rest = exchange.conversation.wrote(side, taken);
            link.push(rest);
            if notices.is_empty() && taken == 0 {
                break;
            }
        }
        let chair = &mut exchange.chairs[side as usize];
        if chair.device.is_none() && chair.asked.is_none() {
            chair.asked = exchange.conversation.question(side);
            let link = net.links.get_mut(&to);
            link.into_iter().zip(chair.asked).for_each(|(link, asked)| link.ping(asked.n));
        }
    }

    /// The server is leaving: who can go on elsewhere is told to.
    pub(crate) fn drain(&mut self, net: &mut Net<'_>) {
        self.draining = true;
        let seated = |at| matches!(at, Whereabouts::Seat(..));
        let outside = self.guests.iter().filter(|(_, guest)| !seated(guest.at));
        let outside: Vec<LinkId> = outside.map(|(link, _)| *link).collect();
        for link in outside {
            self.drop_link(link, net);
        }
        for exchange in self.exchanges.values_mut() {
            if SIDES.iter().all(|side| exchange.conversation.is_reliable(*side)) {
                exchange.conversation.be_patient();
                let delay_ms = net.rng.u64(..10_000);
                for link in exchange.chairs.iter().filter_map(|chair| chair.link) {
                    net.say(link, &ServerEnvelope::Goaway { delay_ms });
                }
            }
        }
    }

    /// The server has left: all connections are closed.
    pub(crate) fn close_all(&mut self, net: &mut Net<'_>) {
        for exchange in self.exchanges.values_mut() {
            if !SIDES.iter().all(|side| exchange.conversation.is_reliable(*side)) {
                exchange.conversation.end_for_both(Ending::ServerShutdown);
            }
        }
        let ids: Vec<_> = self.exchanges.keys().copied().collect();
        ids.into_iter().for_each(|id| self.settle(id, net));
        let links: Vec<_> = self.guests.keys().copied().collect();
        links.into_iter().for_each(|link| net.close(link, Some(Reason::Shutdown)));
    }
}

/// A token for a side, if that can use one.
fn sign(
    exchange: &Exchange,
    side: Side,
    epoch: u64,
    boot: BootId,
    net: &Net<'_>,
) -> Option<String> {
    let identity = exchange.chairs[side as usize].device?;
    let conversation = exchange.conversation.id();
    let plain_partner = !exchange.conversation.is_reliable(side.other());
    let expires = net.unix + TOKEN_LIFE;
    let claims = Claims { conversation, side, plain_partner, epoch, identity, boot, expires };
    Some(net.keys.sign(&claims))
}

/// All that a side has to hear now, as frames.
fn collect(exchange: &mut Exchange, side: Side, boot: BootId, net: &Net<'_>) -> Vec<u8> {
    let mut notices = Vec::new();
    while let Some(notice) = exchange.conversation.next_notice(side) {
        match notice {
            Notice::Envelope(envelope) => encode_text(&mut notices, |out| envelope.write(out)),
            Notice::Token { epoch } => {
                let Some(token) = sign(exchange, side, epoch, boot, net) else { continue };
                let envelope = ServerEnvelope::Token { token: &token, epoch };
                encode_text(&mut notices, |out| envelope.write(out));
            }
        }
    }
    notices
}

fn framed(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    encode(&mut frame, true, Opcode::Data(kind), payload, None);
    frame
}
