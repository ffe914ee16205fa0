//! What a side has to hear, in its order: what became of the conversation, then receipts, and the
//! end behind the last message.

use vyoma_protocol::envelope::{Ending, Level, Presence, ServerEnvelope, Side};

use super::seat::Presence as Place;
use super::{Conversation, Party};

/// One thing to be written to a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// This envelope.
    Envelope(ServerEnvelope<'static>),
    /// A token of this epoch, which is still to be signed.
    Token {
        /// Its epoch.
        epoch: u64,
    },
}

impl Conversation {
    /// The next thing that a side has to hear before it gets (more) messages. Call it until there is
    /// none, write [`Conversation::unwritten`], and begin again: the end comes behind all messages. A
    /// plain side hears nothing: it has no words for it.
    pub fn next_notice(&mut self, side: Side) -> Option<Notice> {
        if self.seat(side).party == Party::Plain {
            return None;
        }
        if let Some(notice) = self.seat_mut(side).next_notice() {
            return Some(notice);
        }
        self.receipt(side).or_else(|| self.farewell(side)).map(Notice::Envelope)
    }

    /// Messages for a side that aren't written to its connection yet, as whole frames.
    pub fn unwritten(&self, side: Side) -> &[u8] {
        self.lane(side.other()).window.unwritten()
    }

    /// The connection of a side took so many bytes of [`Conversation::unwritten`]. Where that ends
    /// inside a frame, the rest of it is returned; it has to be written next, and counts as written.
    pub fn wrote(&mut self, side: Side, bytes: usize) -> &[u8] {
        self.lane_mut(side.other()).window.wrote(bytes)
    }

    /// What a side is told of whether the other one is there.
    pub(super) fn presence_of(&self, other: Side) -> Notice {
        let here = self.seat(other).presence == Place::Here;
        Notice::Envelope(ServerEnvelope::Partner {
            conversation: self.id,
            state: if here { Presence::Back } else { Presence::Away },
            stream: self.lane(other).stream,
        })
    }

    /// What a side has to hear of its own messages, and of its partner's typing.
    fn receipt(&mut self, side: Side) -> Option<ServerEnvelope<'static>> {
        let conversation = self.id;
        let (seat, lane) = (&mut self.seats[side as usize], &mut self.lanes[side as usize]);
        let stream = lane.stream?;
        if lane.told.acked < lane.acked {
            lane.told.acked = lane.acked;
            return Some(ServerEnvelope::Ack { conversation, stream, n: lane.acked });
        }
        if std::mem::take(&mut seat.accepted)
            && let Some(n) = lane.accepted_news()
        {
            lane.told.accepted = n;
            return Some(ServerEnvelope::Accepted {
                conversation,
                stream,
                n,
                level: Level::Memory,
            });
        }
        if lane.told.read < lane.read {
            lane.told.read = lane.read;
            return Some(ServerEnvelope::Read { conversation, stream, n: lane.read });
        }
        seat.typing.take().map(|on| ServerEnvelope::Typing { on })
    }

    /// What a side hears once it has all messages, and the conversation is over.
    fn farewell(&mut self, side: Side) -> Option<ServerEnvelope<'static>> {
        let ending = self.seat(side).ending?;
        if self.seat(side).told_ending || !self.unwritten(side).is_empty() {
            return None;
        }
        let own = self.lane(side);
        let lost = matches!(ending, Ending::PartnerLeft | Ending::PartnerGone);
        if let (Some(stream), Some((from, to))) = (own.stream, own.unconfirmed())
            && lost
            && !std::mem::replace(&mut self.seat_mut(side).told_undelivered, true)
        {
            let conversation = self.id;
            return Some(ServerEnvelope::Undelivered { conversation, stream, from, to });
        }
        self.seat_mut(side).told_ending = true;
        let theirs = self.lane(side.other());
        Some(ServerEnvelope::Ended {
            conversation: Some(self.id),
            reason: ending,
            stream: theirs.stream,
            last: theirs.stream.map(|_| theirs.limit - 1),
        })
    }
}
