//! Taking the seat again, and giving it up for good.

use std::time::Instant;

use vyoma_protocol::envelope::{ClientEnvelope, ConversationId, Ending, ServerEnvelope, StreamId};

use super::place::{Leaving, Place, Queued, Talk, Word};
use super::{Session, Standing};
use crate::inbox::Inbox;
use crate::{Change, End, Event, Trouble};

impl Session {
    /// Rule 4: asks for the seat. Nothing else is written before the answer.
    pub(super) fn resume(&mut self, now: Instant) {
        let attempt = self.raise_attempt();
        self.await_resumed(now);
        let Place::Talking(talk) = &mut self.place else { return };
        // The resume itself acknowledges.
        talk.inbox.resume();
        self.out.write(&ClientEnvelope::Resume {
            token: &talk.token.0,
            device: self.device.as_deref().unwrap_or_default(),
            attempt,
            stream: talk.stream,
            partner_stream: talk.inbox.stream,
            received: talk.inbox.received,
            first: talk.outbox.first(),
            next: talk.outbox.next(),
            fresh: talk.fresh.then_some(true),
        });
    }

    /// What comes between `resume` and `resumed`.
    pub(super) fn hear_answer(&mut self, answer: &ServerEnvelope<'_>, now: Instant) {
        match *answer {
            ServerEnvelope::Resumed { .. } => self.hear_resumed(answer, now),
            ServerEnvelope::Ended { conversation, reason, stream, last }
                if self.standing() == conversation.map_or(Standing::Idle, Standing::Talking) =>
            {
                self.line.open();
                self.backoff.held(now);
                self.told_lost = false;
                self.hear_ended(conversation, reason, stream, last, now);
            }
            ServerEnvelope::Error { .. } => self.hear_error(answer, now),
            ServerEnvelope::Goaway { delay_ms } => self.line.leaves(delay_ms, now),
            ServerEnvelope::Pong { .. } => {}
            _ => self.trouble(Trouble::Unexpected, now),
        }
    }

    /// Rule 5.
    fn hear_resumed(&mut self, answer: &ServerEnvelope<'_>, now: Instant) {
        let ServerEnvelope::Resumed {
            conversation,
            stream,
            partner_stream,
            received,
            read,
            expected,
            grace_ms,
            ..
        } = *answer
        else {
            return;
        };
        let Place::Talking(talk) = &mut self.place else { return };
        self.line.open();
        let (first, next) = (talk.outbox.first(), talk.outbox.next());
        let sound = talk.conversation == conversation
            && talk.stream == stream
            && received < next
            && (first..=next).contains(&expected);
        if !sound {
            return self.conflict(now);
        }
        let was_fresh = std::mem::take(&mut talk.fresh);
        talk.outbox.resume(expected);
        self.line.last = Some(conversation);
        self.limits.grace_ms = grace_ms;
        self.placed(Some(conversation), now);
        self.delivered(received);
        self.tell_read(read);
        self.take_partner(partner_stream);
        self.tell_unsendable();
        if let Place::Talking(talk) = &self.place {
            if was_fresh {
                self.out.save(Change::Seat(Box::new(talk.seat())));
            }
            if talk.blocking {
                self.block_now(now);
            }
        }
    }

    fn block_now(&mut self, now: Instant) {
        if let Place::Talking(talk) = std::mem::replace(&mut self.place, Place::Idle) {
            self.part(*talk, Word::Block, false, now);
        }
    }

    /// The partner numbers its messages in this stream, from 1 on if that is news. If it had another one,
    /// nobody knows what is missing of that; said here and not upon the server's `gap`, which may be
    /// lost with the connection that brought the news.
    pub(super) fn take_partner(&mut self, stream: Option<StreamId>) {
        if let Place::Talking(talk) = &mut self.place
            && let Some(stream) = stream
            && talk.inbox.stream != Some(stream)
        {
            let before = std::mem::replace(&mut talk.inbox, Inbox::new(Some(stream), 0));
            self.untaken.begin();
            self.out.save(Change::Partner(stream));
            if before.stream.is_some() {
                self.out.event(Event::Gap { from: before.given + 1, to: None });
            }
        }
    }

    /// Rule 10: what the two sides remember can't both be true.
    pub(super) fn conflict(&mut self, now: Instant) {
        match std::mem::replace(&mut self.place, Place::Idle) {
            Place::Talking(talk) => {
                self.leaving = Some(talk.conversation);
                self.out.save(Change::Left(talk.conversation));
                self.told_lost = false;
                self.say_end(&talk, End::Told(Ending::StateConflict), 0, false);
                self.place = Place::Leaving(Box::new(Leaving {
                    word: Word::Leave,
                    talk: None,
                    untold: false,
                    queue: false,
                    again: None,
                }));
                self.say_word(now);
            }
            // Who is leaving has nothing to lose.
            place => self.place = place,
        }
    }

    /// The answer to `resume` is that this seat isn't to be had.
    pub(super) fn refused(&mut self, reason: vyoma_protocol::Reason, now: Instant) {
        self.line.open();
        self.backoff.held(now);
        self.told_lost = false;
        if let Place::Talking(talk) = std::mem::replace(&mut self.place, Place::Idle) {
            self.say_end(&talk, End::Refused(reason), 0, false);
            self.free();
            if talk.blocking {
                self.tell_unblocked();
            }
        }
    }

    pub(super) fn hear_ended(
        &mut self,
        conversation: Option<ConversationId>,
        reason: Ending,
        stream: Option<StreamId>,
        last: Option<u64>,
        now: Instant,
    ) {
        match std::mem::replace(&mut self.place, Place::Idle) {
            Place::Talking(talk) if conversation == Some(talk.conversation) => {
                self.finish(&talk, reason, stream, last);
                self.free();
                if talk.blocking {
                    self.out.write(&ClientEnvelope::Block { conversation: talk.conversation });
                }
            }
            Place::Leaving(mut leaving) => {
                self.line.answer_by = None;
                if let Some(talk) = leaving.talk.take() {
                    self.finish(&talk, reason, stream, last);
                    if leaving.word == Word::Leave && reason != Ending::Left {
                        // Crossed with our `leave`, which is still to be answered.
                        self.place = Place::Leaving(leaving);
                        return self.await_answer(now);
                    }
                } else if std::mem::take(&mut leaving.untold) {
                    self.say_unqueued(End::Told(Ending::Left));
                }
                if self.leaving.is_some() {
                    self.free();
                }
                self.place = self.after(*leaving);
                match (&self.place, &mut self.line) {
                    (Place::Queued(queued), _) if queued.asked => self.await_answer(now),
                    (Place::Leaving(_), _) => self.say_word(now),
                    _ => {}
                }
            }
            // Crossed with something of ours.
            place => self.place = place,
        }
    }

    /// What follows when the server has confirmed that we left.
    fn after(&mut self, leaving: Leaving) -> Place {
        match (leaving.word, leaving.queue) {
            // `next` has queued us already.
            (Word::Next, true) => Place::Queued(Queued { asked: true, not_before: None }),
            // ... but that isn't wanted any more.
            (Word::Next, false) => {
                Place::Leaving(Box::new(Leaving { word: Word::Leave, untold: true, ..leaving }))
            }
            (_, true) => Place::Queued(Queued::default()),
            (_, false) => Place::Idle,
        }
    }

    /// Tells the application that its conversation is over, and what is missing from it. Who left
    /// knows that the server passes on what it accepted; after any other end nothing more will.
    fn finish(&mut self, talk: &Talk, reason: Ending, stream: Option<StreamId>, last: Option<u64>) {
        let given = talk.inbox.given;
        let last = last.filter(|_| stream == talk.inbox.stream);
        let all = last.is_some_and(|last| last <= given);
        if !all && reason != Ending::Left {
            self.out.event(Event::Gap { from: given + 1, to: last });
        }
        // Who is gone may have said more, to nobody or to the server's successor.
        let complete = all && reason == Ending::PartnerLeft;
        let accepted = if reason == Ending::Left { talk.outbox.accepted } else { 0 };
        self.say_end(talk, End::Told(reason), accepted, complete);
    }

    fn tell_read(&mut self, n: u64) {
        if let Place::Talking(talk) = &mut self.place
            && n > talk.outbox.read
            && n < talk.outbox.next()
        {
            talk.outbox.read = n;
            self.out.event(Event::Read { n });
        }
    }
}
