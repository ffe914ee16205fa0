//! A side comes back: who may, and what the two sides' memories add up to.
//!
//! docs/protocol.md, "The server's rules", 3 to 9 and 11.

use std::time::Instant;

use vyoma_protocol::envelope::{Ending, ServerEnvelope, Side, StreamId};

use super::lane::{ACCEPT_AFTER, Counted};
use super::seat::Presence;
use super::{Conversation, Notice, Party};

/// Notices that may wait for a side while its partner comes and goes. Each coming leaves three at
/// most; somebody who takes none of so many isn't reading.
const MOST_NOTICES: usize = 64;

/// What a side says of itself, and what its token says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resume {
    /// The epoch of the token.
    pub epoch: u64,
    /// The client's count of its attempts.
    pub attempt: u64,
    /// The client's own numbering.
    pub stream: StreamId,
    /// The partner's numbering, if the client knows it.
    pub partner_stream: Option<StreamId>,
    /// The last number of that which its application has.
    pub received: u64,
    /// The oldest number in its outbox, or `next`.
    pub first: u64,
    /// The number it will assign next; at least `first`.
    pub next: u64,
    /// It has lost its state.
    pub fresh: bool,
}

/// Why a side can't have its seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Somebody has it with a higher epoch and attempt, or the same.
    Superseded,
    /// Nothing is kept for it any more.
    Over,
    /// Its partner has yet to hear of its last comings and goings: it may try again later.
    Busy,
}

/// What the two sides remember can't both be true.
struct Conflict;

/// Messages that a receiver will never get: `to` is `None` if nobody knows how many.
#[derive(Clone, Copy)]
struct Gap {
    stream: StreamId,
    from: u64,
    to: Option<u64>,
}

impl Conversation {
    /// A side takes its seat on another connection. An older one, if there is any, doesn't count any
    /// more: whatever it sent and wasn't taken is void.
    ///
    /// # Errors
    /// Why it can't; then nothing has changed.
    pub fn resume(&mut self, side: Side, resume: &Resume, now: Instant) -> Result<(), Refused> {
        let (other, renewal) = (side.other(), now + self.terms.renewal);
        if self.is_gone(side) {
            return Err(Refused::Over);
        }
        if (resume.epoch, resume.attempt) <= self.seat(side).holder {
            return Err(Refused::Superseded);
        }
        if self.seat(other).unheard() >= MOST_NOTICES {
            return Err(Refused::Busy);
        }
        let seat = self.seat_mut(side);
        seat.clear();
        seat.holder = (resume.epoch, resume.attempt);
        seat.presence = Presence::Here;
        let outcome = self.take_own(side, resume);
        let outcome = outcome.and_then(|theirs| Ok((theirs, self.take_other(side, resume)?)));
        let Ok((theirs, mine)) = outcome else {
            self.end_for_both(Ending::StateConflict);
            return Ok(());
        };
        self.answer(side, mine.into_iter().flatten());
        let seat = self.seat_mut(side);
        match seat.issued {
            _ if seat.ending.is_some() => {}
            0 => seat.issue(renewal),
            issued if resume.epoch < issued => seat.say(Notice::Token { epoch: issued }),
            _ => seat.issued = resume.epoch,
        }
        if self.is_going_on() {
            let back = self.presence_of(side);
            self.seat_mut(other).say(back);
            theirs.into_iter().flatten().for_each(|gap| self.say_gap(other, gap));
        }
        let lane = self.lane_mut(side);
        lane.told_all();
        lane.accept_at = lane.accepted_news().map(|_| now + ACCEPT_AFTER);
        Ok(())
    }

    /// The resumer's own messages. Returns what the other side will miss of them.
    fn take_own(&mut self, side: Side, resume: &Resume) -> Result<[Option<Gap>; 2], Conflict> {
        let lane = self.lane_mut(side);
        let Resume { stream, first, next, .. } = *resume;
        let lost = |stream, from, to| Some(Gap { stream, from, to });
        match lane.stream {
            None => {
                let counted = lane.counted.take();
                lane.renumber(stream, first, next);
                match counted.map(|counted| *counted) {
                    None => Ok([None, None]),
                    Some(Counted { stream: Some(same), received }) if same == stream => {
                        if received >= next {
                            return Err(Conflict);
                        }
                        lane.confirm(received);
                        let missed = received + 1 < first;
                        Ok([lost(stream, received + 1, Some(first - 1)).filter(|_| missed), None])
                    }
                    Some(Counted { stream: old, received }) => Ok([
                        old.and_then(|old| lost(old, received + 1, None)),
                        lost(stream, 1, Some(first - 1)).filter(|_| first > 1),
                    ]),
                }
            }
            Some(same) if same == stream => {
                if next < lane.expected || first > lane.expected {
                    return Err(Conflict);
                }
                lane.limit = lane.limit.max(next);
                Ok([None, None])
            }
            Some(old) if resume.fresh => {
                let unwritten = lane.acked + lane.window.written() as u64 + 1;
                lane.renumber(stream, first, next);
                Ok([lost(old, unwritten, None), None])
            }
            Some(_) => Err(Conflict),
        }
    }

    /// The other side's messages. Returns what the resumer will miss of them.
    fn take_other(&mut self, side: Side, resume: &Resume) -> Result<[Option<Gap>; 2], Conflict> {
        let lane = self.lane_mut(side.other());
        let Resume { partner_stream, received, .. } = *resume;
        lane.window.rewind();
        let Some(stream) = lane.stream else {
            lane.counted = Some(Box::new(Counted { stream: partner_stream, received }));
            return Ok([None, None]);
        };
        let lost = |stream, from, to| Some(Gap { stream, from, to });
        if partner_stream == Some(stream) {
            if received >= lane.limit {
                return Err(Conflict);
            }
            let missed = received < lane.acked;
            let gap = lost(stream, received + 1, Some(lane.acked)).filter(|_| missed);
            lane.confirm(received);
            return Ok([gap, None]);
        }
        Ok([
            partner_stream.and_then(|old| lost(old, received + 1, None)),
            lost(stream, 1, Some(lane.acked)).filter(|_| lane.acked > 0),
        ])
    }

    /// Tells the resumer where it stands.
    fn answer(&mut self, side: Side, gaps: impl Iterator<Item = Gap>) {
        let (lane, other) = (self.lane(side), side.other());
        let Some(stream) = lane.stream else { return };
        let resumed = ServerEnvelope::Resumed {
            conversation: self.id,
            stream,
            partner_stream: self.lane(other).stream,
            received: lane.acked,
            read: lane.read,
            expected: lane.expected,
            reliable: self.seat(other).party == Party::Reliable,
            grace_ms: self.terms.grace.as_millis() as u64,
        };
        self.seat_mut(side).say(Notice::Envelope(resumed));
        gaps.for_each(|gap| self.say_gap(side, gap));
        if self.is_going_on() {
            let partner = self.presence_of(other);
            self.seat_mut(side).say(partner);
        }
    }

    fn say_gap(&mut self, side: Side, Gap { stream, from, to }: Gap) {
        let conversation = self.id;
        let gap = ServerEnvelope::Gap { conversation, stream, from, to };
        self.seat_mut(side).say(Notice::Envelope(gap));
    }
}
