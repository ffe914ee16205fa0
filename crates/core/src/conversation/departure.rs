//! How a plain conversation ends for the one who stays.

use vyoma_protocol::Reason;

/// What becomes of the client whose partner has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is told, fenced, and queued again.
    Requeue,
    /// It is told, and stays connected without a partner.
    Stay,
    /// It is told (unless it is inside a message), and closed for this reason.
    Close(Reason),
}

/// What is known when a partner leaves.
#[derive(Debug, Clone, Copy)]
pub struct Departure {
    /// The survivor has received a part of a message whose rest will never come.
    pub cut_message: bool,
    /// The server is shutting down: nobody is queued any more.
    pub draining: bool,
    /// The organiser chose that survivors stay unpaired.
    pub stay: bool,
    /// The survivor came by an invitation: it wants nobody else.
    pub invited: bool,
}

impl Departure {
    /// The survivor's fate: a cut message can't be mended, so it weighs most.
    pub fn fate(self) -> Fate {
        if self.cut_message {
            Fate::Close(Reason::PartnerFailed)
        } else if self.draining {
            Fate::Close(Reason::Shutdown)
        } else if self.stay {
            Fate::Stay
        } else if self.invited {
            Fate::Close(Reason::InviteOver)
        } else {
            Fate::Requeue
        }
    }
}
