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
}

impl Flaw {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::NoDedup,
        Self::ForgottenEntry,
        Self::LowerAttempt,
        Self::PausedReading,
        Self::RequeueUnasked,
        Self::AckBeforeCallback,
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
        }
    }

    /// The one of that name.
    ///
    /// # Errors
    /// The names there are.
    pub fn parse(name: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|flaw| flaw.name() == name).ok_or(format!("one of {names}"))
    }
}
