//! What a `vyoma.v1` client and the server say to each other besides a conversation's messages.

use std::time::{Duration, Instant};

use vyoma_core::conversation::Resume;
use vyoma_core::matching::{Code, Uninvited};
use vyoma_protocol::envelope::{
    ClientEnvelope, ConversationId, Ending, ErrorReport, Names, ServerEnvelope, Subject, VERSION,
};
use vyoma_protocol::token::{Claims, TokenError};
use vyoma_protocol::{Framed, Kind, Reason, Window};

use crate::config::Feature;
use crate::counters;
use crate::keys;
use crate::seat::Seat;
use crate::shared::Shared;
use crate::speaker::{Speaker, State, Wish};

/// When to come back while too much is kept for resuming. It drains as fast as clients read, so a few
/// seconds are enough.
const RETRY_WHEN_FULL: Duration = Duration::from_secs(5);

/// What is wrong with an envelope, to be told to its sender.
pub(crate) type Judged<'a> = Result<(), ErrorReport<'a>>;

impl Seat {
    /// Greets a client that speaks `vyoma.v1`, and offers it a device.
    pub(crate) fn greet(&mut self, shared: &Shared) {
        let device = keys::device();
        let signed = shared.config.keys.sign_device(device);
        let config = &shared.config;
        self.say(&ServerEnvelope::Hello {
            version: VERSION,
            max_message: config.max_message_size as u64,
            credit: config.credit() as u64,
            heartbeat_ms: config.heartbeat.as_millis() as u64,
            grace_ms: config.grace.as_millis() as u64,
            device: &signed,
            features: Names::from_json(&shared.features).unwrap_or_default(),
        });
        self.speaker = Some(Box::new(Speaker::new(device, Instant::now())));
    }

    /// Puts an envelope behind what waits for the client.
    pub(crate) fn say(&mut self, envelope: &ServerEnvelope<'_>) {
        self.outbox.envelope(envelope);
    }

    /// Tells a client that something it sent had no effect. `Some` if that was one error too many.
    pub(crate) fn refuse(&mut self, report: ErrorReport<'_>, now: Instant) -> Option<Reason> {
        counters::reason(report.reason, 1);
        self.say(&report.envelope());
        let bears = self.speaker.as_mut().is_none_or(|speaker| speaker.may_err(now));
        (!bears).then_some(Reason::TooManyErrors)
    }

    /// Takes what a client sent that is in no conversation.
    pub(crate) fn take_aside(
        &mut self,
        window: &mut Window<'_>,
        shared: &Shared,
    ) -> Option<Reason> {
        window.align();
        let now = Instant::now();
        for mut run in window.output() {
            while let Some(Framed { kind, payload, .. }) = Framed::split_off(&mut run) {
                let judged = match (kind, std::str::from_utf8(payload)) {
                    (Kind::Text, Ok(text)) => self.aside_text(text, now, shared),
                    _ => self.aside_binary(payload),
                };
                if let Err(report) = judged
                    && let Some(reason) = self.refuse(report, now)
                {
                    return Some(reason);
                }
            }
        }
        None
    }

    fn aside_text<'a>(&mut self, text: &'a str, now: Instant, shared: &Shared) -> Judged<'a> {
        let envelope = ClientEnvelope::parse(text)?;
        if let Some(speaker) = &mut self.speaker {
            speaker.allow(&envelope, now)?;
        }
        self.aside(envelope, shared)
    }

    fn aside_binary<'a>(&mut self, message: &[u8]) -> Judged<'a> {
        vyoma_protocol::envelope::parse_binary(message).map_err(ErrorReport::from)?;
        self.stray("message")
    }

    /// Takes an envelope that isn't about what is said in a conversation.
    pub(crate) fn aside<'a>(
        &mut self,
        envelope: ClientEnvelope<'a>,
        shared: &Shared,
    ) -> Judged<'a> {
        let kind = envelope.kind();
        let Some(speaker) = &mut self.speaker else { return Ok(()) };
        let state = speaker.state();
        let wrong = || Err(about(Reason::WrongState, kind));
        match envelope {
            ClientEnvelope::Ping { id } => self.say(&ServerEnvelope::Pong { id }),
            ClientEnvelope::Invite {} => self.invite(shared)?,
            ClientEnvelope::Join { device, profile, leave, invite, rules } => {
                if !matches!(state, State::New | State::Ended) {
                    return wrong();
                }
                if let Some(device) = device {
                    let opened = shared.config.keys.open_device(device);
                    speaker.device = opened.map_err(|_| about(Reason::BadDevice, kind))?;
                }
                let read = |code| Code::parse(code).ok_or(about(Reason::BadInvite, kind));
                let invite = invite.map(read).transpose()?;
                profile.into_iter().for_each(|profile| speaker.show(profile));
                speaker.require(rules);
                speaker.wish = Some(Wish::Queue { leave, invite });
            }
            ClientEnvelope::Resume { .. } if state == State::New => {
                speaker.wish = Some(Wish::Resume(Box::new(read_resume(envelope, shared)?)));
            }
            ClientEnvelope::Next { profile, rules } if state == State::Ended => {
                speaker.renew(profile, rules);
                speaker.wish = Some(Wish::Queue { leave: None, invite: None });
            }
            ClientEnvelope::Leave {} if matches!(state, State::Waiting | State::Ended) => {
                speaker.wish = Some(Wish::Out);
                self.say(&left(None));
            }
            ClientEnvelope::Block { conversation } if state == State::Ended => {
                self.block(conversation, shared)?;
                self.done(Subject::Block, conversation);
            }
            ClientEnvelope::Report { conversation, reason } if state == State::Ended => {
                self.report(conversation, reason, shared)?;
            }
            ClientEnvelope::History { .. } if state == State::Ended => {
                return Err(about(Reason::FeatureOff, kind));
            }
            ClientEnvelope::Message { .. }
            | ClientEnvelope::Ack { .. }
            | ClientEnvelope::Read { .. }
            | ClientEnvelope::Typing { .. }
            | ClientEnvelope::Signal { .. }
            | ClientEnvelope::Token { .. } => return self.stray(kind),
            _ => return wrong(),
        }
        Ok(())
    }

    /// Makes an invitation into the client's pool.
    fn invite(&mut self, shared: &Shared) -> Judged<'static> {
        shared.config.demand(Feature::Invite)?;
        let (device, pool) = (self.speaker().device, shared.pools.get(self.pool));
        let made = shared.lobby.invite(device, &pool.config.name, Instant::now());
        let (code, life) = made.map_err(|why| uninvited(why, "invite"))?;
        let expires_ms = life.as_millis() as u64;
        self.say(&ServerEnvelope::Invitation { code: &code.to_string(), expires_ms });
        Ok(())
    }

    /// Never again with the last partner.
    pub(crate) fn block(
        &mut self,
        conversation: ConversationId,
        shared: &Shared,
    ) -> Judged<'static> {
        shared.config.demand(Feature::Block)?;
        let (device, partner) = self.last(conversation, "block")?;
        if let Some(partner) = partner
            && shared.lobby.block(device, partner)
            && let Some(blocks) = &shared.blocks
            && let Err(error) = blocks.write([device, partner])
        {
            tracing::error!(%error, "a block is in force, and will be forgotten at the next start");
        }
        Ok(())
    }

    /// Tells the organiser of the last partner.
    pub(crate) fn report(
        &mut self,
        conversation: ConversationId,
        reason: vyoma_protocol::JsonStr<'_>,
        shared: &Shared,
    ) -> Judged<'static> {
        shared.config.demand(Feature::Report)?;
        let (from, partner) = self.last(conversation, "report")?;
        let Some(reports) = &shared.reports else {
            return Err(about(Reason::FeatureOff, "report"));
        };
        if let Err(error) = reports.write(conversation, from, partner, reason) {
            tracing::error!(%error, "a report could not be written");
            return Err(about(Reason::Internal, "report"));
        }
        self.done(Subject::Report, conversation);
        Ok(())
    }

    /// Tells a client that something was done.
    pub(crate) fn done(&mut self, subject: Subject, conversation: ConversationId) {
        self.say(&ServerEnvelope::Done { about: subject, conversation });
    }

    /// The client's device, and that of its partner in its last conversation, which this has to be.
    fn last(
        &self,
        conversation: ConversationId,
        kind: &'static str,
    ) -> Result<
        (vyoma_protocol::token::Identity, Option<vyoma_protocol::token::Identity>),
        ErrorReport<'static>,
    > {
        let known = self.speaker.as_ref().and_then(|speaker| Some((speaker.device, speaker.last?)));
        match known {
            Some((device, last)) if last.conversation == conversation => Ok((device, last.partner)),
            _ => Err(about(Reason::UnknownConversation, kind)),
        }
    }

    /// Something that belongs into a conversation: it may have crossed the end of one.
    fn stray<'a>(&self, kind: &'static str) -> Judged<'a> {
        if self.speaker.as_ref().is_some_and(|speaker| speaker.state() == State::Ended) {
            counters::reason(Reason::AfterEnd, 1);
            return Ok(());
        }
        Err(about(Reason::WrongState, kind))
    }
}

/// What a client hears that has left.
pub(crate) fn left(conversation: Option<ConversationId>) -> ServerEnvelope<'static> {
    ServerEnvelope::Ended { conversation, reason: Ending::Left, stream: None, last: None }
}

/// An error of which the reason and the type are told.
pub(crate) fn about(reason: Reason, kind: &'static str) -> ErrorReport<'static> {
    ErrorReport { about: Some(kind), ..ErrorReport::new(reason) }
}

/// Why there is no invitation, or no seat in it.
pub(crate) fn uninvited(why: Uninvited, kind: &'static str) -> ErrorReport<'static> {
    match why {
        Uninvited::Unknown => about(Reason::BadInvite, kind),
        Uninvited::Used => about(Reason::InviteUsed, kind),
        Uninvited::TooMany => about(Reason::TooManyInvites, kind),
        Uninvited::TooFast(wait) => {
            let retry_after_ms = Some(wait.as_millis() as u64 + 1);
            ErrorReport { retry_after_ms, ..about(Reason::TooFast, kind) }
        }
    }
}

/// What a client hears that is to come back once there is room.
pub(crate) fn full() -> ErrorReport<'static> {
    let retry_after_ms = Some(RETRY_WHEN_FULL.as_millis() as u64);
    ErrorReport { retry_after_ms, ..ErrorReport::new(Reason::ReplayFull) }
}

/// Checks a `resume` as far as that goes without knowing the conversation.
fn read_resume(
    envelope: ClientEnvelope<'_>,
    shared: &Shared,
) -> Result<(Claims, Resume), ErrorReport<'static>> {
    let kind = envelope.kind();
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
        return Err(about(Reason::WrongState, kind));
    };
    let claims = keys::open(&shared.config.keys, token).map_err(|error| match error {
        TokenError::Expired => about(Reason::ExpiredToken, kind),
        TokenError::Bad => about(Reason::BadToken, kind),
    })?;
    let device = shared.config.keys.open_device(device);
    if device.ok() != Some(claims.identity) {
        return Err(about(Reason::BadDevice, kind));
    }
    if first > next {
        return Err(ErrorReport { field: Some("first"), ..about(Reason::BadField, kind) });
    }
    let fresh = fresh.unwrap_or(false);
    let epoch = claims.epoch;
    let resume = Resume { epoch, attempt, stream, partner_stream, received, first, next, fresh };
    Ok((claims, resume))
}
