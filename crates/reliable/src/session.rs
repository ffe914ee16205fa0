//! A device's place on a server: its connection, its conversation, its outbox.
//!
//! Here is what drivers and applications call; what it does is in the modules below.

mod errors;
mod hearing;
mod line;
mod out;
mod place;
mod resuming;
mod saying;
mod wishes;

use std::time::Instant;

use vyoma_protocol::envelope::ConversationId;

use crate::backoff::Backoff;
use crate::inbox::Untaken;
use crate::{Action, Body, Refusal, Saved, SendError, Settings, Wanted};
use line::Line;
use out::Out;
use place::{Inviting, Place, Talk};

/// One device's place on one server, through all its connections.
///
/// Every call takes the time, which must not go backwards. After each call, take
/// [`next_action`](Self::next_action) until there is none.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    limits: Limits,
    line: Line,
    backoff: Backoff,
    place: Place,
    untaken: Untaken,
    /// The name of this installation, the last attempt used, and the conversation that was left
    /// without the server's word: as in [`Saved`].
    device: Option<String>,
    attempt: u64,
    leaving: Option<ConversationId>,
    /// What partners are shown.
    profile: Option<String>,
    /// What a partner has to be like.
    rules: Option<String>,
    /// The code of the invitation by which a partner is wished for.
    invite: Option<String>,
    /// An invitation is wished for.
    inviting: Inviting,
    /// A connection was lost while queued: there may be a conversation that we never heard of.
    maybe_matched: bool,
    /// The application was told that the connection is lost.
    told_lost: bool,
    /// The application closed the session: no connection is wanted until it says otherwise.
    closed: bool,
    out: Out,
}

/// What the session is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is wished for.
    Idle,
    /// It wants a partner.
    Queued,
    /// It is in a conversation, connected or not.
    Talking(ConversationId),
    /// It is leaving (the queue, or a conversation); the server hasn't confirmed it.
    Leaving,
}

/// What the server told in its `hello`; before the first one, the usual values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest message the server takes, in bytes of WebSocket payload (64 KiB).
    pub max_message: u64,
    /// The most that may be unacknowledged, in bytes of weight (256 KiB).
    pub credit: u64,
    /// How long a seat stays without its connection, in milliseconds (60 s).
    pub grace_ms: u64,
    /// What is on: `typing`, `read`, `signal`, `block`, `report`, `history`.
    pub features: Vec<String>,
}

impl Limits {
    fn usual() -> Self {
        Self { max_message: 64 * 1024, credit: 256 * 1024, grace_ms: 60_000, features: Vec::new() }
    }

    fn offers(&self, feature: &str) -> bool {
        self.features.iter().any(|own| own == feature)
    }
}

impl Session {
    /// A session that goes on from `saved` (`Saved::default()` for a new installation). If that has a
    /// seat, it connects at once and resumes. `seed` is for the jitter.
    pub fn new(settings: Settings, saved: Saved, seed: u64, now: Instant) -> Self {
        let seat = saved.seat.map(|seat| Place::Talking(Box::new(Talk::from(seat))));
        let mut session = Self {
            settings,
            limits: Limits::usual(),
            line: Line::new(now),
            backoff: Backoff::new(seed),
            place: seat.unwrap_or(Place::Idle),
            untaken: Untaken::default(),
            device: saved.device,
            attempt: saved.attempt,
            leaving: saved.leaving,
            profile: None,
            rules: None,
            invite: None,
            inviting: Inviting::No,
            maybe_matched: false,
            told_lost: false,
            closed: false,
            out: Out::default(),
        };
        session.connect_if_wanted(now);
        session
    }

    /// The connection that was asked for is open, and speaks `vyoma.v1`. `unix_ms` is the time of day,
    /// in milliseconds since 1970.
    pub fn connected(&mut self, unix_ms: u64, now: Instant) {
        self.opened(unix_ms, now);
    }

    /// A text message came.
    pub fn text(&mut self, text: &str, now: Instant) {
        self.hear_text(text, now);
        self.flush(now);
    }

    /// A binary message came.
    pub fn binary(&mut self, message: &[u8], now: Instant) {
        self.hear_binary(message, now);
        self.flush(now);
    }

    /// Something else came: a ping, a part of a message. It proves that the connection lives.
    pub fn heard(&mut self, now: Instant) {
        self.line.heard(now);
    }

    /// The connection is lost, or couldn't be opened; with the code of the Close frame, if one came.
    pub fn disconnected(&mut self, code: Option<u16>, now: Instant) {
        self.line_closed(code, now);
    }

    /// There is reason to look at once: the network is back, the page visible, the laptop awake. The
    /// session connects again without waiting longer, or asks whether anybody is there. It also takes
    /// a [closed](Self::close) session with a seat back to work.
    pub fn wake(&mut self, now: Instant) {
        self.closed = false;
        self.look_at_line(now);
    }

    /// The [`deadline`](Self::deadline) has passed (earlier is harmless, and later is noticed).
    pub fn tick(&mut self, now: Instant) {
        self.tick_line(now);
        self.flush(now);
    }

    /// Asks for a partner, who is shown this profile (JSON as in docs/protocol.md; `None` for none).
    /// Stays in force through lost connections until there is one, or [`leave`](Self::leave), or the
    /// server answers by an error about `join`.
    ///
    /// # Errors
    /// `WrongState` while queued or in a conversation; `BadValue` for a profile that is malformed.
    pub fn join(&mut self, profile: Option<&str>, now: Instant) -> Result<(), Refusal> {
        self.wish_join(Wanted { profile, ..Wanted::default() }, now)
    }

    /// Asks for a partner such as this; otherwise as [`join`](Self::join).
    ///
    /// # Errors
    /// The same, and `BadValue` for rules that are malformed, and for what can't be a code.
    pub fn join_with(&mut self, wanted: Wanted<'_>, now: Instant) -> Result<(), Refusal> {
        self.wish_join(wanted, now)
    }

    /// Asks for an invitation, which comes as [`Event::Invitation`](crate::Event::Invitation), or as an
    /// error about `invite`. Stays in force through lost connections until then.
    ///
    /// # Errors
    /// `WrongState` if one is asked for already; `FeatureOff`.
    pub fn invite(&mut self, now: Instant) -> Result<(), Refusal> {
        self.wish_invitation(now)
    }

    /// Ends the conversation, if there is one, and asks for another partner, who is shown this
    /// profile, or without one that of before. The rules are those of before.
    ///
    /// # Errors
    /// `WrongState` while queued; `BadValue` for a profile that is malformed.
    pub fn next(&mut self, profile: Option<&str>, now: Instant) -> Result<(), Refusal> {
        self.next_with(profile, None, now)
    }

    /// The same, with these rules (JSON as in docs/protocol.md), or without any those of before.
    ///
    /// # Errors
    /// The same, and `BadValue` for rules that are malformed.
    pub fn next_with(
        &mut self,
        profile: Option<&str>,
        rules: Option<&str>,
        now: Instant,
    ) -> Result<(), Refusal> {
        self.wish_partner(Wanted { profile, rules, invite: None }, true, None, now)
    }

    /// Ends the conversation, or the wait. [`Event::Ended`](crate::Event::Ended) follows, at once if
    /// there is no connection (then the partner hears of it when the grace is over).
    pub fn leave(&mut self, now: Instant) {
        self.wish_leave(now);
    }

    /// Ends the conversation, if it is going on, and has its two devices never paired again. Without
    /// a connection it is done as soon as there is one; until then the conversation stays.
    ///
    /// # Errors
    /// `WrongState` if there was no conversation on this connection, or a partner is being looked for;
    /// `FeatureOff`; `Offline` if the conversation is over and so is the connection.
    pub fn block(&mut self, now: Instant) -> Result<(), Refusal> {
        self.wish_block(now)
    }

    /// Tells the organiser about the present or the last conversation, in 1 to 500 bytes.
    ///
    /// # Errors
    /// As [`block`](Self::block), `Offline` whenever there is no connection, and `BadValue` for a
    /// reason that is empty or too long.
    pub fn report(&mut self, reason: &str, _now: Instant) -> Result<(), Refusal> {
        self.wish_report(reason)
    }

    /// Takes a message into the outbox, and returns its number. It is written as soon as the
    /// connection and the credit allow, kept until the partner's application has it, and written
    /// again on each new connection until then.
    ///
    /// # Errors
    /// See [`SendError`]. The message wasn't taken.
    pub fn send(&mut self, body: Body<'_>, now: Instant) -> Result<u64, SendError> {
        let n = self.put(body)?;
        self.flush(now);
        Ok(n)
    }

    /// The application's callback for the [`Event::Message`](crate::Event::Message) of this number
    /// has returned (or failed). To be called for each, in the order of the events; one out of order
    /// has no effect.
    pub fn taken(&mut self, n: u64, now: Instant) {
        if let Some((n, weight)) = self.untaken.take(n) {
            self.took(n, weight, now);
        }
        self.flush(now);
    }

    /// A person has seen the partner's messages up to this number. Of what isn't told yet, only the
    /// newest counts; nothing happens where the server doesn't offer it.
    pub fn read(&mut self, n: u64, now: Instant) {
        if let Place::Talking(talk) = &mut self.place {
            talk.inbox.saw(n);
        }
        self.flush(now);
    }

    /// The person types (call it at each key), or no longer. Told at most once a second, and not at
    /// all where the server doesn't offer it.
    pub fn typing(&mut self, on: bool, now: Instant) {
        self.type_to_partner(on, now);
        self.flush(now);
    }

    /// Sends something opaque that is never kept: any JSON value.
    ///
    /// # Errors
    /// `WrongState` without a conversation, `Offline` without a connection, `FeatureOff`, and
    /// `BadValue` for what is no JSON, or over 16 KiB as an envelope.
    pub fn signal(&mut self, payload: &str, _now: Instant) -> Result<(), Refusal> {
        self.wish_signal(payload)
    }

    /// Closes the connection and wishes for nothing more. A seat is kept: a later session may go on
    /// from what was saved, or this one after [`wake`](Self::wake), as long as the grace lasts.
    pub fn close(&mut self, now: Instant) {
        self.wish_close(now);
    }

    /// What has to be done next; to be called until there is nothing.
    pub fn next_action(&mut self) -> Option<Action> {
        self.out.pop()
    }

    /// When to call [`tick`](Self::tick), if nothing else happens until then.
    pub fn deadline(&self) -> Option<Instant> {
        let line = self.line.deadline(&self.settings);
        [line, self.place_deadline(), self.inviting.answer_by()].into_iter().flatten().min()
    }

    /// What the session is about.
    pub fn standing(&self) -> Standing {
        match &self.place {
            Place::Idle => Standing::Idle,
            Place::Queued(_) => Standing::Queued,
            Place::Talking(talk) => Standing::Talking(talk.conversation),
            Place::Leaving(_) => Standing::Leaving,
        }
    }

    /// Whether there is a connection on which the conversation, if any, goes on.
    pub fn online(&self) -> bool {
        self.line.is_open()
    }

    /// What the server told in its `hello`.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What is kept, as all the changes make it up: to begin another session from.
    pub fn saved(&self) -> Saved {
        let seat = match &self.place {
            Place::Talking(talk) => Some(talk.seat()),
            _ => None,
        };
        Saved { device: self.device.clone(), attempt: self.attempt, leaving: self.leaving, seat }
    }
}
