//! What a side sends: judged, numbered, acknowledged.

use std::time::Instant;

use vyoma_protocol::envelope::{
    ClientEnvelope, ConversationId, ErrorReport, Side, StreamId, parse_binary, push_plain_text,
    push_text_message, weight,
};
use vyoma_protocol::{Kind, Opcode, Reason, encode};

use super::seat::Presence;
use super::{Conversation, Party};

/// What became of something that a side sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken<'a> {
    /// There is nothing left to do.
    Done,
    /// It was dropped, without a word.
    Dropped(Reason),
    /// It is to be passed on to the other side as it is, if that takes it just now.
    Signal,
    /// It isn't about what is said here.
    Other(ClientEnvelope<'a>),
}

/// Whether a plain side's end has all up to a number of its partner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    stream: Option<StreamId>,
    /// The number.
    pub n: u64,
}

type Judged<'a> = Result<Taken<'a>, ErrorReport<'a>>;

impl Conversation {
    /// A side sent an envelope: `text` is all of it, and `frame` the whole message as its partner
    /// would get it, in two parts.
    ///
    /// # Errors
    /// What its sender is to be told; then it had no effect.
    pub fn take<'a>(
        &mut self,
        side: Side,
        envelope: ClientEnvelope<'a>,
        text: &str,
        frame: [&[u8]; 2],
        now: Instant,
    ) -> Judged<'a> {
        match envelope {
            ClientEnvelope::Message { n, payload } => match self.seat(side.other()).party {
                Party::Reliable => self.number(side, n, frame, text.len(), now),
                Party::Plain => {
                    let mut plain = Vec::with_capacity(payload.len());
                    push_plain_text(payload, &mut plain);
                    self.number(side, n, [&framed(Kind::Text, &plain), &[]], text.len(), now)
                }
            },
            ClientEnvelope::Ack { conversation, stream, n } => {
                self.acknowledge(side, (conversation, stream), n)
            }
            ClientEnvelope::Read { conversation, stream, n } => {
                self.mark_read(side, (conversation, stream), n)
            }
            ClientEnvelope::Typing { on } => Ok(self.typing(side, on)),
            ClientEnvelope::Signal { .. } if self.hears(side.other()) => Ok(Taken::Signal),
            ClientEnvelope::Signal { .. } => Ok(Taken::Dropped(self.why_unheard())),
            ClientEnvelope::Token { epoch } => self.confirm_token(side, epoch),
            other => Ok(Taken::Other(other)),
        }
    }

    /// A side sent a run of whole messages: takes those at its front that are as nearly all are, and
    /// whose turn it is, and cuts them off. Returns how many, and the bytes they say. What is left, if
    /// anything, begins with something else, for [`Conversation::take`].
    pub fn take_usual(&mut self, side: Side, run: &mut &[u8], now: Instant) -> (u64, u64) {
        let kept = self.seat(side.other()).party == Party::Reliable;
        if !kept || self.seat(side).ending.is_some() {
            return (0, 0);
        }
        let credit = self.terms.credit;
        self.lane_mut(side).take_usual(run, credit, now)
    }

    /// A side sent a binary message: `frame` as for [`Conversation::take`].
    ///
    /// # Errors
    /// What its sender is to be told; then it had no effect.
    pub fn binary(
        &mut self,
        side: Side,
        message: &[u8],
        frame: [&[u8]; 2],
        now: Instant,
    ) -> Judged<'static> {
        let (n, payload) = parse_binary(message)?;
        match self.seat(side.other()).party {
            Party::Reliable => self.number(side, n, frame, message.len(), now),
            Party::Plain => {
                let frame = framed(Kind::Binary, payload);
                self.number(side, n, [&frame, &[]], message.len(), now)
            }
        }
    }

    /// A plain side sent a message, which gets its number here.
    pub fn plain(
        &mut self,
        side: Side,
        kind: Kind,
        message: &[u8],
        now: Instant,
    ) -> Taken<'static> {
        if !self.is_going_on() {
            return Taken::Dropped(Reason::AfterEnd);
        }
        let n = self.lane(side).expected;
        let mut envelope = Vec::with_capacity(message.len() + 64);
        match (kind, std::str::from_utf8(message)) {
            (Kind::Text, Ok(text)) => push_text_message(n, text, &mut envelope),
            _ => {
                envelope.extend_from_slice(&vyoma_protocol::envelope::binary_header(n));
                envelope.extend_from_slice(message);
            }
        }
        let (frame, weight) = (framed(kind, &envelope), weight(envelope.len()));
        let credit = self.terms.credit;
        match self.lane_mut(side).take(None, [&frame, &[]], weight, credit, now) {
            Ok(()) => Taken::Done,
            Err(reason) => Taken::Dropped(reason),
        }
    }

    /// What a plain side's end is to be asked, behind all that was written to it: whether it has that.
    pub fn question(&self, side: Side) -> Option<Question> {
        let lane = self.lane(side.other());
        let n = lane.acked + lane.window.written() as u64;
        (n > lane.acked).then_some(Question { stream: lane.stream, n })
    }

    /// A plain side's end has answered that it has.
    pub fn plain_took(&mut self, side: Side, Question { stream, n }: Question) {
        let lane = self.lane_mut(side.other());
        // Its partner may have begun another numbering since.
        if lane.stream == stream {
            let _ = lane.acknowledge(n);
        }
    }

    fn number(
        &mut self,
        side: Side,
        n: u64,
        frame: [&[u8]; 2],
        length: usize,
        now: Instant,
    ) -> Judged<'static> {
        if self.seat(side).ending.is_some() {
            return Ok(Taken::Dropped(Reason::AfterEnd));
        }
        let credit = self.terms.credit;
        match self.lane_mut(side).take(Some(n), frame, weight(length), credit, now) {
            Ok(()) => Ok(Taken::Done),
            Err(Reason::Repeated) => Ok(Taken::Dropped(Reason::Repeated)),
            Err(reason) => Err(ErrorReport { n: Some(n), ..about(reason, "message") }),
        }
    }

    fn acknowledge(
        &mut self,
        side: Side,
        whose: (ConversationId, StreamId),
        n: u64,
    ) -> Judged<'static> {
        if !self.is_stream_of(side.other(), whose) {
            return Ok(Taken::Dropped(Reason::Stale));
        }
        match self.lane_mut(side.other()).acknowledge(n) {
            Ok(()) => Ok(Taken::Done),
            Err(reason) => Err(ErrorReport { n: Some(n), ..about(reason, "ack") }),
        }
    }

    fn mark_read(
        &mut self,
        side: Side,
        whose: (ConversationId, StreamId),
        n: u64,
    ) -> Judged<'static> {
        if self.seat(side).ending.is_some() || !self.is_stream_of(side.other(), whose) {
            return Ok(Taken::Dropped(Reason::Stale));
        }
        match self.lane_mut(side.other()).mark_read(n) {
            Ok(()) => Ok(Taken::Done),
            Err(reason) => Err(ErrorReport { n: Some(n), ..about(reason, "read") }),
        }
    }

    fn typing(&mut self, side: Side, on: bool) -> Taken<'static> {
        if !self.hears(side.other()) {
            return Taken::Dropped(self.why_unheard());
        }
        self.seat_mut(side.other()).typing = Some(on);
        Taken::Done
    }

    /// Its holder has stored a token: older ones are void.
    fn confirm_token(&mut self, side: Side, epoch: u64) -> Judged<'static> {
        let seat = self.seat_mut(side);
        if epoch > seat.issued {
            return Err(ErrorReport { field: Some("epoch"), ..about(Reason::BadField, "token") });
        }
        seat.holder.0 = seat.holder.0.max(epoch);
        Ok(Taken::Done)
    }

    /// Whether a side takes what is fleeting.
    fn hears(&self, side: Side) -> bool {
        let seat = self.seat(side);
        seat.presence == Presence::Here && seat.party == Party::Reliable && self.is_going_on()
    }

    fn why_unheard(&self) -> Reason {
        if self.is_going_on() { Reason::Fleeting } else { Reason::AfterEnd }
    }

    fn is_stream_of(&self, side: Side, (conversation, stream): (ConversationId, StreamId)) -> bool {
        conversation == self.id && self.lane(side).stream == Some(stream)
    }
}

/// An error of which the reason and the type are told.
fn about(reason: Reason, kind: &'static str) -> ErrorReport<'static> {
    ErrorReport { about: Some(kind), ..ErrorReport::new(reason) }
}

fn framed(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + vyoma_protocol::MAX_UNMASKED_HEADER);
    encode(&mut frame, true, Opcode::Data(kind), payload, None);
    frame
}
