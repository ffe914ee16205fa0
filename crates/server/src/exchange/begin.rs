//! How a conversation begins: with a match, or with the first who comes back to one that another
//! process carried.

use std::time::{Duration, Instant};

use vyoma_core::conversation::{Conversation, Party, Streams, Terms};
use vyoma_core::matching::Common;
use vyoma_protocol::envelope::{ConversationId, Names, Profile, ServerEnvelope, Side};
use vyoma_protocol::token::{Claims, Identity, TOKEN_LIFE};
use vyoma_protocol::{Framed, Kind, plain};

use super::{Chair, Exchange, SIDES};
use crate::alarm::Alarm;
use crate::bell::Bell;
use crate::config::Config;
use crate::counters::{self, Counter};
use crate::keys;
use crate::letterbox::Letterbox;
use crate::replay::Share;
use crate::seat::{Seat, Seeking};
use crate::shared::Shared;
use crate::speaker::{Last, State};

/// Why two were matched of whom one had waited longest.
const NEXT_IN_LINE: &str = "next_in_line";

/// Why two were matched who presented the same invitation.
const INVITED: &str = "invited";

/// What a client has in common with its partner, in a pool where that decides.
fn common(seat: &Seat, partner: Option<Profile<'_>>, shared: &Shared) -> Option<Common> {
    shared.pools.get(seat.pool).config.relaxation()?;
    let own = seat.speaker.as_ref().and_then(|speaker| speaker.profile());
    Some(own.zip(partner).map(|(own, partner)| Common::new(own, partner)).unwrap_or_default())
}

/// Why a client has this partner: the invitation, what they have in common, else its turn.
fn reasons(invited: bool, common: Option<&Common>) -> Vec<&'static str> {
    if invited {
        return vec![INVITED];
    }
    let why: Vec<_> = common.into_iter().flat_map(Common::why).collect();
    if why.is_empty() { vec![NEXT_IN_LINE] } else { why }
}

/// What two have in common, as it is told.
fn json(common: &Common) -> String {
    let Common { offers, seeks, topics, languages } = common;
    let lists =
        [("offers", offers), ("seeks", seeks), ("topics", topics), ("languages", languages)];
    let told = lists.into_iter().filter(|(_, words)| !words.is_empty());
    let told = told.map(|(key, words)| (key.to_owned(), serde_json::json!(words)));
    serde_json::Value::Object(told.collect()).to_string()
}

/// What holds for all conversations.
fn terms(config: &Config) -> Terms {
    let renewal = Duration::from_secs(TOKEN_LIFE / 2);
    Terms { grace: config.grace, credit: config.credit(), renewal }
}

/// What a token for a seat says.
pub(super) fn claims(
    conversation: &Conversation,
    side: Side,
    epoch: u64,
    identity: Identity,
    shared: &Shared,
) -> Claims {
    Claims {
        conversation: conversation.id(),
        side,
        plain_partner: !conversation.is_reliable(side.other()),
        epoch,
        identity,
        boot: shared.boot,
        expires: 0,
    }
}

fn party(seat: &Seat) -> Party {
    if seat.speaker.is_some() { Party::Reliable } else { Party::Plain }
}

impl Exchange {
    /// Pairs two clients, of whom at least one speaks `vyoma.v1`, and delivers what a plain one said
    /// before.
    pub(crate) fn begin(mut a: Box<Seat>, b: Box<Seat>, shared: &Shared) -> Self {
        let now = Instant::now();
        let streams = Streams { a: keys::stream(), b: keys::stream() };
        let parties = [party(&a), party(&b)];
        let id = keys::conversation();
        let conversation = Conversation::begin(id, parties, streams, terms(&shared.config), now);
        let devices = [&a, &b].map(|seat| seat.speaker.as_ref().map(|speaker| speaker.device));
        let letterbox = Letterbox::default();
        shared.lobby.begin(id, [(a.id(), devices[0]), (b.id(), devices[1])], letterbox.clone());
        let invited = a.spend_invitation();
        let cooldown = shared.pools.get(a.pool).config.cooldown.unwrap_or(shared.config.cooldown);
        counters::add(Counter::ConversationsStarted, 1);
        tracing::debug!(a = a.id().0, b = b.id().0, conversation = %id, "paired");
        let [a_device, b_device] = devices;
        let chairs = [(a, a_device), (b, b_device)];
        let chairs = chairs.map(|(seat, device)| Chair {
            seat: Some(seat),
            device,
            asked: None,
            paused: false,
        });
        let mut exchange =
            Self { cooldown, ..Self::with(conversation, chairs, letterbox, shared, now) };
        SIDES.into_iter().for_each(|side| exchange.introduce(side, invited, shared));
        SIDES.into_iter().for_each(|side| exchange.deliver_held(side, now));
        exchange
    }

    /// Takes on a conversation of another process; the first to come is in the letterbox.
    pub(crate) fn adopt(id: ConversationId, letterbox: Letterbox, shared: &Shared) -> Self {
        let now = Instant::now();
        counters::add(Counter::ConversationsAdopted, 1);
        counters::add(Counter::ConversationsStarted, 1);
        let conversation = Conversation::adopt(id, terms(&shared.config), now);
        Self::with(conversation, Default::default(), letterbox, shared, now)
    }

    fn with(
        conversation: Conversation,
        chairs: [Chair; 2],
        letterbox: Letterbox,
        shared: &Shared,
        now: Instant,
    ) -> Self {
        Self {
            conversation,
            chairs,
            letterbox,
            share: Share::new(&shared.replay),
            alarm: Alarm::new(now),
            bell: Bell::default(),
            cooldown: shared.config.cooldown,
            ended: false,
            told_to_go: false,
        }
    }

    /// Tells a side that it has a partner.
    fn introduce(&mut self, side: Side, invited: bool, shared: &Shared) {
        let [a, b] = &mut self.chairs;
        let (own, other) = if side == Side::A { (a, b) } else { (b, a) };
        let (Some(seat), Some(partner)) = (&mut own.seat, &other.seat) else { return };
        if let Some(queued) = seat.seeking().queued.take() {
            counters::pairing_wait(queued.since.elapsed());
        }
        let streams = [side, side.other()].map(|side| self.conversation.stream(side));
        let (Some(device), [Some(stream), Some(partner_stream)]) = (own.device, streams) else {
            return seat.outbox.message(plain::CONNECTED);
        };
        let profile = partner.speaker.as_ref().and_then(|speaker| speaker.profile());
        let common = if invited { None } else { common(seat, profile, shared) };
        let why = Names::json(reasons(invited, common.as_ref()));
        let common = common.map(|common| json(&common));
        let claims = claims(&self.conversation, side, 1, device, shared);
        let token = keys::sign(&shared.config.keys, shared.boot, claims);
        seat.say(&ServerEnvelope::Matched {
            conversation: self.conversation.id(),
            side,
            stream,
            partner_stream,
            partner: profile,
            reliable: partner.speaker.is_some(),
            why: Names::from_json(&why).unwrap_or_default(),
            common: common.as_deref().and_then(Profile::from_json),
            token: &token,
            epoch: 1,
            grace_ms: shared.config.grace.as_millis() as u64,
        });
        let last = Last { conversation: self.conversation.id(), partner: other.device };
        let speaker = seat.speaker();
        (speaker.state, speaker.last) = (State::Matched, Some(last));
    }

    /// Delivers what a plain client said before it had a partner.
    fn deliver_held(&mut self, side: Side, now: Instant) {
        let Some(seat) = &mut self.chairs[side as usize].seat else { return };
        let Some(seeking) = seat.take_seeking() else { return };
        let Seeking { mut hold, .. } = *seeking;
        let held = hold.take();
        counters::relayed(held.messages, held.bytes);
        let mut run = &held.frames[..];
        while let Some(Framed { kind, payload, .. }) = Framed::split_off(&mut run) {
            debug_assert!(matches!(kind, Kind::Text | Kind::Binary));
            self.conversation.plain(side, kind, payload, now);
        }
    }
}
