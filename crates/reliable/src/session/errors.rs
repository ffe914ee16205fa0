//! The server's errors: which are mended at once, which later, and which the application hears.

use std::time::{Duration, Instant};

use vyoma_protocol::Reason;
use vyoma_protocol::envelope::{ConversationId, ServerEnvelope};

use super::Session;
use super::place::{Inviting, Place, Queued};
use crate::backoff::{self, Cause};
use crate::{Change, Event, ServerError, Trouble};

/// A seat that we never heard of, and to which the server thinks we are connected, is asked after
/// again so often, until the server notices.
const ASK_AGAIN: Duration = Duration::from_secs(5);

impl Session {
    pub(super) fn hear_error(&mut self, envelope: &ServerEnvelope<'_>, now: Instant) {
        let ServerEnvelope::Error { name, about, conversation, retry_after_ms, .. } = *envelope
        else {
            return;
        };
        let reason = Reason::ALL.iter().copied().find(|reason| reason.name() == name);
        match (reason, about) {
            (Some(Reason::NumberSkipped | Reason::OverCredit | Reason::BadAck), _) => {
                self.trouble(Trouble::LostCount, now);
            }
            (Some(Reason::ReplayFull), _) => {
                self.backoff.told(retry_after_ms.unwrap_or(0), now);
                self.tell_error(envelope);
            }
            (_, Some("invite")) => {
                self.inviting = Inviting::No;
                self.tell_error(envelope);
            }
            (Some(Reason::TooFast), Some(about)) => {
                self.slow_down(envelope, about, retry_after_ms.unwrap_or(0), now);
            }
            (reason, Some("resume")) if self.line.awaits_resumed() => {
                self.resume_failed(envelope, reason, now);
            }
            (Some(reason), Some("join")) if self.has_asked() => {
                self.join_failed(envelope, reason, conversation, retry_after_ms, now);
            }
            (_, Some("join" | "next")) if self.has_asked() => {
                self.tell_error(envelope);
                self.unask();
            }
            (_, Some("next" | "leave" | "block")) if self.is_leaving() => {
                self.tell_error(envelope);
                self.drop_line(Cause::Trouble, now);
            }
            _ => self.tell_error(envelope),
        }
    }

    fn has_asked(&self) -> bool {
        matches!(&self.place, Place::Queued(queued) if queued.asked)
    }

    fn is_leaving(&self) -> bool {
        matches!(self.place, Place::Leaving(_))
    }

    /// Withdraws the wish for a partner.
    fn unask(&mut self) {
        self.line.answer_by = None;
        self.place = Place::Idle;
    }

    fn tell_error(&mut self, envelope: &ServerEnvelope<'_>) {
        let ServerEnvelope::Error { code, name, sentence, about, n, retry_after_ms, .. } =
            *envelope
        else {
            return;
        };
        self.out.event(Event::Error(ServerError {
            code,
            name: name.to_owned(),
            sentence: sentence.text().into_owned(),
            about: about.map(str::to_owned),
            n,
            retry_after_ms,
        }));
    }

    /// `too_fast`: the same again, after the time that the server named.
    fn slow_down(
        &mut self,
        envelope: &ServerEnvelope<'_>,
        about: &str,
        after_ms: u64,
        now: Instant,
    ) {
        let at = backoff::retry(after_ms, now);
        match (about, &mut self.place) {
            ("join" | "next", Place::Queued(queued)) if queued.asked => {
                *queued = Queued { asked: false, not_before: Some(at) };
                self.line.answer_by = None;
            }
            ("next" | "leave" | "block", Place::Leaving(leaving)) => {
                leaving.again = Some(at);
                self.line.answer_by = None;
            }
            ("resume", _) if self.line.awaits_resumed() => {
                self.backoff.told(after_ms, now);
                self.drop_line(Cause::Lost, now);
            }
            ("read", Place::Talking(talk)) => {
                talk.inbox.untell_seen();
                self.line.quiet_until = Some(at);
            }
            ("token", Place::Talking(_)) => {
                self.line.confirm = true;
                self.line.quiet_until = Some(at);
            }
            ("typing" | "ping", _) => self.line.quiet_until = Some(at),
            _ => self.tell_error(envelope),
        }
    }

    fn resume_failed(
        &mut self,
        envelope: &ServerEnvelope<'_>,
        reason: Option<Reason>,
        now: Instant,
    ) {
        match reason {
            Some(
                reason @ (Reason::BadToken
                | Reason::ExpiredToken
                | Reason::BadDevice
                | Reason::InConversation),
            ) => self.refused(reason, now),
            _ => {
                self.tell_error(envelope);
                self.drop_line(Cause::Trouble, now);
            }
        }
    }

    fn join_failed(
        &mut self,
        envelope: &ServerEnvelope<'_>,
        reason: Reason,
        conversation: Option<ConversationId>,
        retry_after_ms: Option<u64>,
        now: Instant,
    ) {
        // Its key was retired: the name in `hello` takes its place, unless that was it.
        if reason == Reason::BadDevice
            && let Some(offered) = self.line.offered.take()
            && self.device.as_ref() != Some(&offered)
        {
            self.keep_device(&offered);
            return self.ask_again(None);
        }
        if reason != Reason::InConversation {
            self.tell_error(envelope);
            return self.unask();
        }
        match (conversation, retry_after_ms) {
            // We were matched, and never heard of it: there is nothing to go back to.
            (Some(conversation), Some(_)) if self.maybe_matched && !self.line.left_unheard => {
                self.line.left_unheard = true;
                self.leaving = Some(conversation);
                self.out.save(Change::Left(conversation));
                self.ask_again(None);
            }
            (_, Some(after_ms)) => {
                self.tell_error(envelope);
                self.ask_again(Some(backoff::retry(after_ms, now)));
            }
            (_, None) if self.maybe_matched => self.ask_again(Some(now + ASK_AGAIN)),
            (_, None) => {
                self.tell_error(envelope);
                self.unask();
            }
        }
    }

    fn ask_again(&mut self, not_before: Option<Instant>) {
        self.line.answer_by = None;
        self.place = Place::Queued(Queued { asked: false, not_before });
    }

    /// The block that was wished for without a connection can't be done any more.
    pub(super) fn tell_unblocked(&mut self) {
        self.tell_unasked(Reason::UnknownConversation, "block");
    }

    /// Tells the application what the server would have told it, had it been asked.
    pub(super) fn tell_unasked(&mut self, reason: Reason, about: &str) {
        self.out.event(Event::Error(ServerError {
            code: u64::from(reason.number()),
            name: reason.name().to_owned(),
            sentence: reason.sentence().to_owned(),
            about: Some(about.to_owned()),
            n: None,
            retry_after_ms: None,
        }));
    }
}
