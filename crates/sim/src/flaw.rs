//! Bugs that are put in on purpose: the checkers have to find each.

/// A deliberate bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A client forgets, with each connection, how far it was, and takes everything as new.
    NoDedup,
    /// The server forgets one message that it has accepted.
    ForgottenEntry,
    /// A connection with a lower attempt gets the seat.
    LowerAttempt,
    /// The server stops reading from a client whose window is full.
    PausedReading,
    /// A client is queued again without its own `next`.
    RequeueUnasked,
    /// A message is acknowledged before the application has it.
    AckBeforeCallback,
    /// A second tab is queued beside the first one.
    TakeoverBeside,
    /// Who comes is not kept from those whom it has blocked.
    BlockUnasked,
    /// Two who wait already may be matched, although one of them has blocked the other.
    BlockLate,
    /// Who has met somebody may do so again at once.
    CooldownForgotten,
    /// Who leaves the queue doesn't look whether a partner's seat has come meanwhile.
    SeatForgotten,
    /// An invitation holds for the next two as well.
    InvitationUnspent,
    /// Who was superseded takes the ticket out that another tab has now.
    StaleLeave,
    /// Who leaves just when it was matched keeps its device's place.
    NotAbandoned,
    /// Who was superseded gives its device's place up, which is another tab's now.
    SupersededAbandons,
    /// Whose partner has gone is queued as the youngest.
    AgeLost,
}

impl Flaw {
    /// Those about what is said in conversations.
    pub const OF_CONVERSATIONS: [Self; 6] = [
        Self::NoDedup,
        Self::ForgottenEntry,
        Self::LowerAttempt,
        Self::PausedReading,
        Self::RequeueUnasked,
        Self::AckBeforeCallback,
    ];

    /// Those about who meets whom.
    pub const OF_MATCHING: [Self; 10] = [
        Self::TakeoverBeside,
        Self::BlockUnasked,
        Self::BlockLate,
        Self::CooldownForgotten,
        Self::SeatForgotten,
        Self::InvitationUnspent,
        Self::StaleLeave,
        Self::NotAbandoned,
        Self::SupersededAbandons,
        Self::AgeLost,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoDedup => "no-dedup",
            Self::ForgottenEntry => "forgotten-entry",
            Self::LowerAttempt => "lower-attempt",
            Self::PausedReading => "paused-reading",
            Self::RequeueUnasked => "requeue-unasked",
            Self::AckBeforeCallback => "ack-before-callback",
            Self::TakeoverBeside => "takeover-beside",
            Self::BlockUnasked => "block-unasked",
            Self::BlockLate => "block-late",
            Self::CooldownForgotten => "cooldown-forgotten",
            Self::SeatForgotten => "seat-forgotten",
            Self::InvitationUnspent => "invitation-unspent",
            Self::StaleLeave => "stale-leave",
            Self::NotAbandoned => "not-abandoned",
            Self::SupersededAbandons => "superseded-abandons",
            Self::AgeLost => "age-lost",
        }
    }

    /// The one of that name.
    ///
    /// # Errors
    /// The names there are.
    pub fn parse(name: &str) -> Result<Self, String> {
        let all = || Self::OF_CONVERSATIONS.into_iter().chain(Self::OF_MATCHING);
        let names = || all().map(Self::name).collect::<Vec<_>>().join(", ");
        all().find(|flaw| flaw.name() == name).ok_or_else(|| format!("one of {}", names()))
    }
}
