//! What the application wishes beside messages: a partner, another one, none; to block, to report.

use std::time::Instant;

use vyoma_protocol::envelope::{ClientEnvelope, ConversationId, Ending, Profile, Rules};
use vyoma_protocol::{JsonStr, Reason, push_escaped};

use super::place::{Inviting, Leaving, Place, Queued, Talk, Word};
use super::{Session, out};
use crate::{Change, End, Event, Refusal, Wanted};

impl Session {
    /// `join`, for anybody, or for who presents the same invitation.
    pub(super) fn wish_join(&mut self, wanted: Wanted<'_>, now: Instant) -> Result<(), Refusal> {
        let Wanted { invite, .. } = wanted;
        let queued_by_next =
            matches!(&self.place, Place::Leaving(leaving) if leaving.word == Word::Next);
        // What `next` has asked for is anybody.
        if matches!(self.place, Place::Talking(_)) || (invite.is_some() && queued_by_next) {
            return Err(Refusal::WrongState);
        }
        let code = invite.map(|code| code.trim().to_owned());
        if code.as_deref().is_some_and(|code| !is_code(code)) {
            return Err(Refusal::BadValue);
        }
        self.wish_partner(wanted, false, code, now)
    }

    pub(super) fn wish_invitation(&mut self, now: Instant) -> Result<(), Refusal> {
        if self.inviting != Inviting::No {
            return Err(Refusal::WrongState);
        }
        if self.line.is_open() && !self.limits.offers("invite") {
            return Err(Refusal::FeatureOff);
        }
        (self.inviting, self.closed) = (Inviting::Wished, false);
        self.connect_if_wanted(now);
        self.flush(now);
        Ok(())
    }

    /// `join`, or `next`, for which the profile and the rules are those of before if there are no others.
    pub(super) fn wish_partner(
        &mut self,
        Wanted { profile, rules, .. }: Wanted<'_>,
        as_before: bool,
        invite: Option<String>,
        now: Instant,
    ) -> Result<(), Refusal> {
        if matches!(self.place, Place::Queued(_)) {
            return Err(Refusal::WrongState);
        }
        let compact_profile =
            profile.map(|profile| compact(Profile::from_json(profile), Profile::push_compact));
        let compact_rules =
            rules.map(|rules| compact(Rules::from_json(rules), Rules::push_compact));
        let (profile, rules) = (compact_profile.transpose()?, compact_rules.transpose()?);
        if profile.is_some() || !as_before {
            self.profile = profile;
        }
        if rules.is_some() || !as_before {
            self.rules = rules;
        }
        (self.closed, self.invite) = (false, invite);
        match std::mem::replace(&mut self.place, Place::Idle) {
            Place::Talking(talk) => self.part(*talk, Word::Next, true, now),
            Place::Leaving(leaving) => {
                self.place = Place::Leaving(Box::new(Leaving { queue: true, ..*leaving }));
            }
            Place::Idle | Place::Queued(_) => self.place = Place::Queued(Queued::default()),
        }
        self.connect_if_wanted(now);
        self.flush(now);
        Ok(())
    }

    pub(super) fn wish_leave(&mut self, now: Instant) {
        match std::mem::replace(&mut self.place, Place::Idle) {
            Place::Idle => {}
            Place::Queued(queued) if queued.asked => {
                self.place = Place::Leaving(Box::new(Leaving {
                    word: Word::Leave,
                    talk: None,
                    untold: true,
                    queue: false,
                    again: None,
                }));
                self.say_word(now);
            }
            Place::Queued(_) => {
                if !self.line.is_open() {
                    self.hang_up(now);
                }
                self.say_unqueued(End::Told(Ending::Left));
            }
            Place::Talking(talk) => self.part(*talk, Word::Leave, false, now),
            Place::Leaving(leaving) => {
                self.place = Place::Leaving(Box::new(Leaving { queue: false, ..*leaving }));
            }
        }
    }

    pub(super) fn wish_block(&mut self, now: Instant) -> Result<(), Refusal> {
        if self.line.is_open() && !self.limits.offers("block") {
            return Err(Refusal::FeatureOff);
        }
        match std::mem::replace(&mut self.place, Place::Idle) {
            Place::Talking(mut talk) if !self.line.is_open() => {
                talk.blocking = true;
                self.place = Place::Talking(talk);
                Ok(())
            }
            Place::Talking(talk) => {
                self.part(*talk, Word::Block, false, now);
                Ok(())
            }
            place => {
                self.place = place;
                let conversation = self.past()?;
                self.out.write(&ClientEnvelope::Block { conversation });
                Ok(())
            }
        }
    }

    pub(super) fn wish_report(&mut self, reason: &str) -> Result<(), Refusal> {
        let conversation = match &self.place {
            Place::Talking(talk) if self.line.is_open() => talk.conversation,
            Place::Talking(_) => return Err(Refusal::Offline),
            _ => self.past()?,
        };
        if !self.limits.offers("report") {
            return Err(Refusal::FeatureOff);
        }
        let mut escaped = Vec::new();
        push_escaped(reason, &mut escaped);
        let escaped = String::from_utf8(escaped).unwrap_or_default();
        let reason = JsonStr::from_escaped(&escaped).ok_or(Refusal::BadValue)?;
        let report = ClientEnvelope::Report { conversation, reason };
        if ClientEnvelope::parse(&out::text(&report)).is_err() {
            return Err(Refusal::BadValue);
        }
        self.out.write(&report);
        Ok(())
    }

    /// The conversation that is over, where the server still takes a word about it.
    fn past(&self) -> Result<ConversationId, Refusal> {
        let over = match &self.place {
            Place::Idle => true,
            Place::Leaving(leaving) => leaving.word != Word::Next,
            Place::Queued(_) | Place::Talking(_) => false,
        };
        match self.line.last {
            _ if !over => Err(Refusal::WrongState),
            _ if !self.line.is_open() => Err(Refusal::Offline),
            Some(conversation) => Ok(conversation),
            None => Err(Refusal::WrongState),
        }
    }

    pub(super) fn wish_signal(&mut self, payload: &str) -> Result<(), Refusal> {
        let Place::Talking(talk) = &self.place else { return Err(Refusal::WrongState) };
        if !self.line.is_open() {
            return Err(Refusal::Offline);
        }
        if !talk.reliable || !self.limits.offers("signal") {
            return Err(Refusal::FeatureOff);
        }
        let text = out::text(&ClientEnvelope::Signal { payload });
        match ClientEnvelope::parse(&text) {
            Ok(ClientEnvelope::Signal { payload: read }) if read == trim(payload) => {}
            _ => return Err(Refusal::BadValue),
        }
        self.out.write(&ClientEnvelope::Signal { payload });
        Ok(())
    }

    /// Gives a conversation up. The token goes first: who comes back with it would be in again.
    pub(super) fn part(&mut self, talk: Talk, word: Word, queue: bool, now: Instant) {
        self.leaving = Some(talk.conversation);
        self.out.save(Change::Left(talk.conversation));
        let talk = Some(talk);
        let leaving = Leaving { word, talk, untold: false, queue, again: None };
        if self.line.is_open() {
            self.place = Place::Leaving(Box::new(leaving));
            self.say_word(now);
            return;
        }
        self.place = self.say_left(leaving);
        // A `resume` that is on its way must not be answered by a conversation again.
        if !queue {
            self.hang_up(now);
        } else if self.line.awaits_resumed() {
            self.drop_line(crate::backoff::Cause::Lost, now);
        }
    }

    /// Writes the word that ends what is being left.
    pub(super) fn say_word(&mut self, now: Instant) {
        let Place::Leaving(leaving) = &mut self.place else { return };
        leaving.again = None;
        let profile = self.profile.as_deref().and_then(Profile::from_json);
        let rules = self.rules.as_deref().and_then(Rules::from_json);
        match (leaving.word, self.leaving) {
            (Word::Next, _) => self.out.write(&ClientEnvelope::Next { profile, rules }),
            (Word::Block, Some(conversation)) => {
                self.out.write(&ClientEnvelope::Block { conversation });
            }
            (Word::Leave, _) | (Word::Block, None) => self.out.write(&ClientEnvelope::Leave {}),
        }
        self.await_answer(now);
    }

    /// Asks the server for a partner, if it is time.
    pub(super) fn ask_partner(&mut self, now: Instant) {
        let Place::Queued(queued) = &mut self.place else { return };
        if queued.asked || queued.not_before.is_some_and(|at| at > now) {
            return;
        }
        (queued.asked, queued.not_before) = (true, None);
        self.out.write(&ClientEnvelope::Join {
            device: self.device.as_deref(),
            profile: self.profile.as_deref().and_then(Profile::from_json),
            leave: self.leaving,
            invite: self.invite.as_deref(),
            rules: self.rules.as_deref().and_then(Rules::from_json),
        });
        self.await_answer(now);
    }

    /// No invitation will come any more.
    pub(super) fn forget_invitation(&mut self, reason: Reason) {
        if std::mem::replace(&mut self.inviting, Inviting::No) != Inviting::No {
            self.tell_unasked(reason, "invite");
        }
    }

    /// Asks the server for an invitation, if one is wished for.
    pub(super) fn ask_invitation(&mut self, now: Instant) {
        if self.inviting != Inviting::Wished || !self.line.is_open() {
            return;
        }
        if self.limits.offers("invite") {
            self.inviting = Inviting::Asked(now + self.settings.answer);
            self.out.write(&ClientEnvelope::Invite {});
        } else {
            self.forget_invitation(Reason::FeatureOff);
        }
    }

    /// Nothing will confirm any more what was being left: tells the application, and returns where
    /// that leaves us.
    pub(super) fn say_left(&mut self, leaving: Leaving) -> Place {
        if let Some(talk) = &leaving.talk {
            self.say_end(talk, End::Told(Ending::Left), talk.outbox.accepted, false);
        }
        if leaving.untold {
            self.say_unqueued(End::Told(Ending::Left));
        }
        if leaving.queue { Place::Queued(Queued::default()) } else { Place::Idle }
    }

    /// The wait is over.
    pub(super) fn say_unqueued(&mut self, reason: End) {
        self.out.event(Event::Ended { conversation: None, reason, complete: true });
    }

    /// The conversation is over; of the own messages above `accepted` nobody knows.
    pub(super) fn say_end(&mut self, talk: &Talk, reason: End, accepted: u64, complete: bool) {
        for (from, to) in talk.outbox.unconfirmed(accepted) {
            self.out.event(Event::Undelivered { from, to });
        }
        self.untaken.begin();
        let conversation = Some(talk.conversation);
        self.out.event(Event::Ended { conversation, reason, complete });
    }

    /// There is no seat, and none to be left.
    pub(super) fn free(&mut self) {
        self.leaving = None;
        self.out.save(Change::Free);
    }
}

/// Whether this can be an invitation's code.
fn is_code(code: &str) -> bool {
    let (device, profile, leave, rules) = (None, None, None, None);
    let join = ClientEnvelope::Join { device, profile, leave, invite: Some(code), rules };
    ClientEnvelope::parse(&out::text(&join)).is_ok()
}

/// A profile, or rules, without white space; `BadValue` if they are malformed or out of bounds.
fn compact<T>(read: Option<T>, push: impl Fn(T, &mut Vec<u8>)) -> Result<String, Refusal> {
    let mut compact = Vec::new();
    push(read.ok_or(Refusal::BadValue)?, &mut compact);
    String::from_utf8(compact).map_err(|_| Refusal::BadValue)
}

/// Without the white space that JSON allows around a value (RFC 8259, section 2).
pub(super) fn trim(json: &str) -> &str {
    json.trim_matches([' ', '\t', '\n', '\r'])
}
