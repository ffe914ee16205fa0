//! A connection: its client, what that has sent, and where its seat is.

use std::collections::VecDeque;
use std::time::Instant;

use vyoma_core::matching::{Code, Pass, Person, Ticket};
use vyoma_protocol::envelope::{ConversationId, Side};
use vyoma_protocol::token::Identity;

use super::lobby::Next;
use super::mail::Desk;

/// Its number among the connections.
pub(super) type ClientId = usize;

/// What a client of `vyoma.v1` sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Join { leave: Option<ConversationId>, invite: Option<Code> },
    Next,
    Leave,
    Block,
    Invite,
    Resume(ConversationId, Side),
}

/// Where a client wants to be, whose seat is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Queue { leave: Option<ConversationId>, invite: Option<Code> },
    Out,
}

/// A stay in the queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stay {
    pub(super) ticket: Ticket,
    pub(super) desk: Desk,
    pub(super) next: Next,
}

/// Where it goes that leaves the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Lounge,
    Closed,
    /// Closed, since another tab has its place.
    Superseded,
}

/// Where a seat is.
#[derive(Debug, Clone, Copy)]
pub(super) enum At {
    Lounge,
    /// About to enter the queue.
    Entering,
    /// Its own task holds it.
    Queue(Stay),
    /// It leaves the queue, and was told that it has just been matched: it looks into its mailbox yet.
    Leaving(Stay, Exit),
    /// It lies in a mailbox.
    Travelling(Desk),
    /// In a conversation.
    Seated(ConversationId, Side),
    /// In its letterbox.
    Arriving,
    Closed,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Client {
    /// Plain clients have none.
    pub(super) device: Option<Identity>,
    /// The pool in its address.
    pub(super) pool: usize,
    pub(super) person: Person,
    /// What it sent that isn't read yet.
    pub(super) said: VecDeque<Said>,
    /// It closes its connection behind that.
    pub(super) gone: bool,
    /// Its network is away: it answers no ping.
    pub(super) dead: bool,
    /// It was asked whether it lives, and hasn't answered yet.
    pub(super) pinged: bool,
    pub(super) at: At,
    pub(super) wish: Option<Wish>,
    /// Its place in the queue, and since when it has it.
    pub(super) queued: Option<(Ticket, Instant)>,
    pub(super) pass: Option<Pass>,
    /// Its last conversation was by an invitation.
    pub(super) invited: bool,
    pub(super) last: Option<(ConversationId, Option<Identity>)>,
    /// The place at which it is to be queued again.
    pub(super) returned: Option<Ticket>,
}

impl Client {
    pub(super) fn new(device: Option<Identity>, pool: usize, person: Person) -> Self {
        let at = if device.is_some() { At::Lounge } else { At::Entering };
        Self {
            device,
            pool,
            person,
            said: VecDeque::new(),
            gone: false,
            dead: false,
            pinged: false,
            at,
            wish: None,
            queued: None,
            pass: None,
            invited: false,
            last: None,
            returned: None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        !matches!(self.at, At::Closed)
    }
}
