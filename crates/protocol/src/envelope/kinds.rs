//! Every envelope of `vyoma.v1`, in both directions: the table that docs/protocol.md is held to.

use super::codec::{
    Codec, Conversation, Count, Demands, Ending, EndingName, Flag, Json, Level, LevelName, Name,
    Number, Opaque, Path, Person, Presence, PresenceName, Side, SideName, Spoken, Stream, Subject,
    SubjectName, Text,
};
use super::fault::Fault;
use super::names::{NameList, Names};
use super::scan::Scanned;
use super::table::{self, FieldSpec, TypeSpec, envelopes, field_type};
use super::{ConversationId, MAX_SIGNAL, Profile, Rules, StreamId};
use crate::Reason;
use crate::json::JsonStr;

envelopes! {
    /// What a client sends.
    ClientEnvelope {
        /// Queue, with a profile.
        "join" => Join {
            /// The device, if not that of this connection's `hello`.
            optional device: &'a str as Opaque,
            /// What the partner is shown.
            optional profile: Profile<'a> as Person,
            /// End this conversation first.
            optional leave: ConversationId as Conversation,
            /// For whoever presents the same invitation's code, and nobody else.
            optional invite: &'a str as Spoken,
            /// What the partner has to be like.
            optional rules: Rules<'a> as Demands,
        }
        /// Take the seat in a conversation again.
        "resume" => Resume {
            /// The token of the seat.
            required token: &'a str as Opaque,
            /// The device that the seat belongs to.
            required device: &'a str as Opaque,
            /// The client's count of its attempts, never lower than before.
            required attempt: u64 as Number,
            /// The client's own numbering.
            required stream: StreamId as Stream,
            /// The partner's numbering, if the client knows it.
            nullable partner_stream: StreamId as Stream,
            /// The last number of the partner that was handed to the application.
            required received: u64 as Count,
            /// The oldest number in the outbox, or `next`.
            required first: u64 as Number,
            /// The number that will be assigned next.
            required next: u64 as Number,
            /// The client has lost its state, and begins a new numbering.
            optional fresh: bool as Flag,
        }
        /// A numbered message; travels verbatim.
        "message" => Message {
            /// Its number.
            required n: u64 as Number,
            /// What it says, as JSON.
            required payload: &'a str as Json,
        }
        /// Everything up to a number was handed to the application.
        "ack" => Ack {
            /// Which conversation.
            required conversation: ConversationId as Conversation,
            /// Which numbering: the partner's.
            required stream: StreamId as Stream,
            /// Up to which number.
            required n: u64 as Count,
        }
        /// Everything up to a number was seen by a person.
        "read" => Read {
            /// Which conversation.
            required conversation: ConversationId as Conversation,
            /// Which numbering: the partner's.
            required stream: StreamId as Stream,
            /// Up to which number.
            required n: u64 as Number,
        }
        /// The person types, or no longer.
        "typing" => Typing {
            /// Whether it types.
            required on: bool as Flag,
        }
        /// Opaque and fleeting; travels verbatim.
        "signal" => Signal {
            /// What it says, as JSON.
            required payload: &'a str as Json,
        }
        /// End this conversation, and queue again.
        "next" => Next {
            /// What the next partner is shown; as before if it isn't there.
            optional profile: Profile<'a> as Person,
            /// What it has to be like; as before if it isn't there.
            optional rules: Rules<'a> as Demands,
        }
        /// End this conversation, or leave the queue.
        "leave" => Leave {}
        /// Never again with this partner.
        "block" => Block {
            /// With whom it was.
            required conversation: ConversationId as Conversation,
        }
        /// Tell the organiser.
        "report" => Report {
            /// Where it happened.
            required conversation: ConversationId as Conversation,
            /// What happened.
            required reason: JsonStr<'a> as Text,
        }
        /// Ask for earlier messages.
        "history" => History {
            /// Which conversation.
            required conversation: ConversationId as Conversation,
            /// Only what came before this number.
            optional before: u64 as Number,
        }
        /// A renewed token was stored; older ones are void.
        "token" => Token {
            /// The epoch of the token.
            required epoch: u64 as Number,
        }
        /// Make an invitation.
        "invite" => Invite {}
        /// Are you there?
        "ping" => Ping {
            /// Comes back in the `pong`.
            optional id: u64 as Count,
        }
    }
}

envelopes! {
    /// What the server sends.
    ServerEnvelope {
        /// First of all.
        "hello" => Hello {
            /// The version of the dialect.
            required version: u64 as Number,
            /// The largest message the server takes, in bytes.
            required max_message: u64 as Count,
            /// The most that may be unacknowledged, in bytes of weight.
            required credit: u64 as Count,
            /// After so many milliseconds of silence the server pings.
            required heartbeat_ms: u64 as Count,
            /// How long a seat stays without its connection, in milliseconds.
            required grace_ms: u64 as Count,
            /// A device for who has none.
            required device: &'a str as Opaque,
            /// What is on.
            required features: Names<'a> as NameList,
        }
        /// Queued.
        "waiting" => Waiting {
            /// In which pool.
            required pool: &'a str as Name,
            /// How many came before.
            required ahead: u64 as Count,
            /// How often what will do has fallen, where profiles decide.
            optional widened: u64 as Count,
            /// Four of five are matched so many milliseconds from now at the earliest, if that can be said.
            optional estimate_from_ms: u64 as Count,
            /// And at the latest.
            optional estimate_to_ms: u64 as Count,
        }
        /// A conversation begins.
        "matched" => Matched {
            /// Its id.
            required conversation: ConversationId as Conversation,
            /// Which side the client is.
            required side: Side as SideName,
            /// The client's own numbering.
            required stream: StreamId as Stream,
            /// The partner's numbering.
            required partner_stream: StreamId as Stream,
            /// What the partner shows of itself.
            nullable partner: Profile<'a> as Person,
            /// Whether the partner speaks `vyoma.v1`.
            required reliable: bool as Flag,
            /// Why these two.
            required why: Names<'a> as NameList,
            /// What the two have in common, where profiles decided.
            optional common: Profile<'a> as Person,
            /// The token for a resume.
            required token: &'a str as Opaque,
            /// Its epoch.
            required epoch: u64 as Number,
            /// How long the seat stays without its connection, in milliseconds.
            required grace_ms: u64 as Count,
        }
        /// A numbered message of the partner.
        "message" => Message {
            /// Its number.
            required n: u64 as Number,
            /// What it says, as JSON.
            required payload: &'a str as Json,
        }
        /// Opaque and fleeting, from the partner.
        "signal" => Signal {
            /// What it says, as JSON.
            required payload: &'a str as Json,
        }
        /// The server answers for the client's messages now.
        "accepted" => Accepted {
            /// Which conversation.
            required conversation: ConversationId as Conversation,
            /// Which numbering: the client's own.
            required stream: StreamId as Stream,
            /// Up to which number.
            required n: u64 as Count,
            /// What that promises.
            required level: Level as LevelName,
        }
        /// The client's messages were handed to the partner's application.
        "ack" => Ack {
            /// Which conversation.
            required conversation: ConversationId as Conversation,
            /// Which numbering: the client's own.
            required stream: StreamId as Stream,
            /// Up to which number.
            required n: u64 as Count,
        }
        /// The client's messages were seen by a person.
        "read" => Read {
            /// Which conversation.
            required conversation: ConversationId as Conversation,
            /// Which numbering: the client's own.
            required stream: StreamId as Stream,
            /// Up to which number.
            required n: u64 as Count,
        }
        /// The partner types, or no longer.
        "typing" => Typing {
            /// Whether it types.
            required on: bool as Flag,
        }
        /// The partner's connection was lost, or is there again.
        "partner" => Partner {
            /// Which conversation.
            required conversation: ConversationId as Conversation,
            /// Which of the two.
            required state: Presence as PresenceName,
            /// The partner's numbering, if it is known.
            nullable stream: StreamId as Stream,
        }
        /// The seat is taken again.
        "resumed" => Resumed {
            /// Which conversation.
            required conversation: ConversationId as Conversation,
            /// The client's own numbering.
            required stream: StreamId as Stream,
            /// The partner's numbering, if it is known.
            nullable partner_stream: StreamId as Stream,
            /// The partner's application has the client's messages up to this number.
            required received: u64 as Count,
            /// A person has seen them up to this number.
            required read: u64 as Count,
            /// The number that the server takes next.
            required expected: u64 as Number,
            /// Whether the partner speaks `vyoma.v1`.
            required reliable: bool as Flag,
            /// How long the seat stays without its connection, in milliseconds.
            required grace_ms: u64 as Count,
        }
        /// Messages of the partner that will never come.
        "gap" => Gap {
            /// Which conversation.
            required conversation: ConversationId as Conversation,
            /// Which numbering: the partner's.
            required stream: StreamId as Stream,
            /// The first that is missing.
            required from: u64 as Number,
            /// The last; null if nobody knows.
            nullable to: u64 as Number,
        }
        /// Messages of the client that were never confirmed, and never will be.
        "undelivered" => Undelivered {
            /// Which conversation.
            required conversation: ConversationId as Conversation,
            /// Which numbering: the client's own.
            required stream: StreamId as Stream,
            /// The first.
            required from: u64 as Number,
            /// The last.
            required to: u64 as Number,
        }
        /// The conversation is over.
        "ended" => Ended {
            /// Which; null if there was none.
            nullable conversation: ConversationId as Conversation,
            /// Why.
            required reason: Ending as EndingName,
            /// The partner's numbering, if it is known.
            nullable stream: StreamId as Stream,
            /// The last number that the partner is known to have used in it.
            nullable last: u64 as Count,
        }
        /// A renewed token.
        "token" => Token {
            /// The token.
            required token: &'a str as Opaque,
            /// Its epoch.
            required epoch: u64 as Number,
        }
        /// An invitation was made: the two who present its code meet.
        "invitation" => Invitation {
            /// The code.
            required code: &'a str as Spoken,
            /// It holds for so many milliseconds.
            required expires_ms: u64 as Count,
        }
        /// It was done.
        "done" => Done {
            /// What.
            required about: Subject as SubjectName,
            /// Where.
            required conversation: ConversationId as Conversation,
        }
        /// Something the client sent had no effect.
        "error" => Error {
            /// The number of the row in the table of reasons.
            required code: u64 as Number,
            /// Its name.
            required name: &'a str as Name,
            /// What a person may read.
            required sentence: JsonStr<'a> as Text,
            /// The type of the envelope.
            optional about: &'a str as Name,
            /// The field that is to blame.
            optional field: &'a str as Path,
            /// The number of the message.
            optional n: u64 as Number,
            /// The conversation that stands in the way.
            optional conversation: ConversationId as Conversation,
            /// Before so many milliseconds it is no use to try again.
            optional retry_after_ms: u64 as Count,
        }
        /// The answer to a `ping`.
        "pong" => Pong {
            /// What the `ping` had.
            optional id: u64 as Count,
        }
        /// The server is leaving.
        "goaway" => Goaway {
            /// Come again after so many milliseconds.
            required delay_ms: u64 as Count,
        }
    }
}

impl<'a> ClientEnvelope<'a> {
    /// Reads what a client sent, as strictly as docs/protocol.md says, in one pass and without
    /// allocating.
    ///
    /// # Errors
    /// The [`Fault`] to tell the client of.
    pub fn parse(text: &'a str) -> Result<Self, Fault<'a>> {
        let envelope = Self::from_scanned(&Scanned::read(text)?, true)?;
        if matches!(envelope, Self::Signal { .. }) && text.len() > MAX_SIGNAL {
            return Err(Fault::of_field(Reason::BadField, Some("signal"), "payload"));
        }
        Ok(envelope)
    }
}

impl<'a> ServerEnvelope<'a> {
    /// Reads what a server sent. Keys that the type doesn't have are passed over: later versions
    /// may add some.
    ///
    /// # Errors
    /// A [`Fault`]; of reason `unknown_type` it is to be passed over, too.
    pub fn parse(text: &'a str) -> Result<Self, Fault<'a>> {
        Self::from_scanned(&Scanned::read(text)?, false)
    }
}
