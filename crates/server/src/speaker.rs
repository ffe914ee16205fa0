//! What a client that speaks `vyoma.v1` has besides its socket: who it is, what it wants, and how often
//! it may say so.

use std::time::{Duration, Instant};

use vyoma_core::conversation::Resume;
use vyoma_core::matching::Code;
use vyoma_core::rate::{Bucket, Rate};
use vyoma_protocol::Reason;
use vyoma_protocol::envelope::{ClientEnvelope, ConversationId, ErrorReport, Profile, Rules};
use vyoma_protocol::token::{Claims, Identity};

/// Errors that a client may cause: a working one causes none.
const ERRORS: Rate = Rate { burst: 64, interval: 1000 };
/// What costs the partner or a file something, and isn't bounded by the credit.
const FLEETING: Rate = Rate { burst: 128, interval: 1000 / 32 };
/// What costs the lobby something.
const MOVES: Rate = Rate { burst: 16, interval: 1000 };

/// Codes of invitations that don't let in: typing errors of a person, who needs as long to type another.
const GUESSES: Rate = Rate { burst: 5, interval: 10_000 };

/// Where a client is in its story, as it knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Connected, nothing joined.
    New,
    /// Queued.
    Waiting,
    /// In a conversation.
    Matched,
    /// Neither.
    Ended,
}

/// Where a client wants to go.
pub(crate) enum Wish {
    /// Into the queue, perhaps for whoever has the same invitation; this conversation of its device is to
    /// end first.
    Queue { leave: Option<ConversationId>, invite: Option<Code> },
    /// Back to its seat.
    Resume(Box<(Claims, Resume)>),
    /// Out of the queue or the conversation.
    Out,
    /// Out of the conversation, whose partner it has blocked.
    Block(ConversationId),
}

/// The last conversation of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Last {
    pub(crate) conversation: ConversationId,
    /// The partner's device, if it has one and has been there.
    pub(crate) partner: Option<Identity>,
}

pub(crate) struct Speaker {
    pub(crate) device: Identity,
    /// What its partners are shown, as compact JSON.
    profile: Option<Box<[u8]>>,
    /// What its partners have to be like, if it asks for anything: likewise.
    rules: Option<Box<[u8]>>,
    pub(crate) state: State,
    pub(crate) wish: Option<Wish>,
    pub(crate) last: Option<Last>,
    /// What its buckets count from.
    born: Instant,
    errors: Bucket,
    fleeting: Bucket,
    moves: Bucket,
    guesses: Bucket,
}

impl Speaker {
    /// A client that has just connected, to which this device is offered.
    pub(crate) fn new(device: Identity, now: Instant) -> Self {
        Self {
            device,
            profile: None,
            rules: None,
            state: State::New,
            wish: None,
            last: None,
            born: now,
            errors: Bucket::default(),
            fleeting: Bucket::default(),
            moves: Bucket::default(),
            guesses: Bucket::default(),
        }
    }

    /// Where it is, or will be once its wish is done.
    pub(crate) fn state(&self) -> State {
        match self.wish {
            Some(Wish::Queue { .. }) => State::Waiting,
            Some(Wish::Resume(_)) => State::Matched,
            Some(Wish::Out | Wish::Block(_)) => State::Ended,
            None => self.state,
        }
    }

    /// Keeps what its partners are shown.
    pub(crate) fn show(&mut self, profile: Profile<'_>) {
        let mut json = Vec::new();
        profile.push_compact(&mut json);
        self.profile = Some(json.into_boxed_slice());
    }

    /// What its partners are shown.
    pub(crate) fn profile(&self) -> Option<Profile<'_>> {
        let json = std::str::from_utf8(self.profile.as_ref()?).ok()?;
        Profile::from_json(json)
    }

    /// Keeps what its partners have to be like; `None`: like anybody.
    pub(crate) fn require(&mut self, rules: Option<Rules<'_>>) {
        let rules = rules.filter(|rules| rules.languages().next().is_some());
        self.rules = rules.map(|rules| {
            let mut json = Vec::new();
            rules.push_compact(&mut json);
            json.into_boxed_slice()
        });
    }

    /// For its next partner: what isn't there is as before.
    pub(crate) fn renew(&mut self, profile: Option<Profile<'_>>, rules: Option<Rules<'_>>) {
        profile.into_iter().for_each(|profile| self.show(profile));
        if rules.is_some() {
            self.require(rules);
        }
    }

    /// What its partners have to be like, if it asks for anything.
    pub(crate) fn rules(&self) -> Option<Rules<'_>> {
        let json = std::str::from_utf8(self.rules.as_ref()?).ok()?;
        Rules::from_json(json)
    }

    /// Whether one more error is borne.
    pub(crate) fn may_err(&mut self, now: Instant) -> bool {
        self.errors.take(ERRORS, now - self.born).is_ok()
    }

    /// Whether it may present a code now.
    ///
    /// # Errors
    /// The time to wait.
    pub(crate) fn may_guess(&self, now: Instant) -> Result<(), Duration> {
        self.guesses.look(GUESSES, now - self.born)
    }

    /// It has presented a code that didn't let it in.
    pub(crate) fn guessed(&mut self, now: Instant) {
        // Who may not guess isn't asked for its code.
        let _ = self.guesses.take(GUESSES, now - self.born);
    }

    /// Whether it may send this now.
    ///
    /// # Errors
    /// `too_fast`, with the time to wait.
    pub(crate) fn allow(
        &mut self,
        envelope: &ClientEnvelope<'_>,
        now: Instant,
    ) -> Result<(), ErrorReport<'static>> {
        use ClientEnvelope::{Ack, Invite, Join, Leave, Message, Next, Resume};
        let now = now - self.born;
        let taken = match envelope {
            Message { .. } | Ack { .. } => return Ok(()),
            Join { .. } | Next { .. } | Leave {} | Resume { .. } | Invite {} => {
                self.moves.take(MOVES, now)
            }
            _ => self.fleeting.take(FLEETING, now),
        };
        taken.map_err(|wait| ErrorReport {
            about: Some(envelope.kind()),
            retry_after_ms: Some(wait.as_millis() as u64 + 1),
            ..ErrorReport::new(Reason::TooFast)
        })
    }
}
