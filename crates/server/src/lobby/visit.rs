//! What clients' tasks and the lobby say to each other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use vyoma_core::matching::estimate::Interval;
use vyoma_core::matching::{self, Code, Pass, Person, Ticket, Uninvited};
use vyoma_core::roster::ConnectionId;
use vyoma_protocol::envelope::ConversationId;
use vyoma_protocol::token::Identity;

use crate::pools::NamedPool;
use crate::seat::Seat;

/// What reaches a queued client's task.
pub(crate) enum Note {
    /// A partner takes its place beside you.
    Partner(Box<Seat>),
    /// An order of the pool.
    Order(matching::Order),
    /// Another connection of the same device has taken this place.
    Superseded,
}

/// Where a queued client's task is reached. At most one seat and a few orders ever lie here.
pub(crate) type Desk = UnboundedSender<Note>;

/// What a client in the queue does next.
pub(crate) enum Next {
    /// It moves to this desk.
    Move(Desk),
    /// Somebody is being probed until then; it asks again when told to, or at that time.
    Probing(Instant),
    /// It waits; it asks again when told to, and at that time, if there is one.
    Wait(Option<Instant>),
}

/// A client's stay in the queue.
pub(crate) struct Stay {
    pub(crate) ticket: Ticket,
    /// Since when that waits: longer than its holder, if it has taken over the place of another tab.
    pub(crate) since: Instant,
    /// Its seat in an invitation.
    pub(crate) pass: Option<Pass>,
    pub(crate) next: Next,
    pub(crate) notes: UnboundedReceiver<Note>,
}

/// What a client that waits may know.
pub(crate) struct View {
    /// How many came before.
    pub(crate) ahead: usize,
    /// How often what will do has fallen.
    pub(crate) widened: usize,
    /// In which time from now on it will be matched, if that can be said.
    pub(crate) estimate: Option<Interval>,
}

/// Who wants to be queued.
pub(crate) struct Newcomer {
    pub(crate) id: ConnectionId,
    /// The place it had before, and since when.
    pub(crate) place: Option<(Ticket, Instant)>,
    /// The pool that it wants.
    pub(crate) pool: Arc<NamedPool>,
    /// What it shows of itself.
    pub(crate) person: Person,
    /// Its device, if it has one.
    pub(crate) device: Option<Identity>,
    /// The conversation of its device that is to end first.
    pub(crate) leave: Option<ConversationId>,
    /// The invitation that it presents.
    pub(crate) invite: Option<Code>,
    /// The seat that it has in one.
    pub(crate) pass: Option<Pass>,
}

/// What becomes of somebody who wants to be queued.
pub(crate) enum Entry {
    Stay(Stay),
    /// Its device is in this conversation, with nobody connected for so long yet.
    Seated(ConversationId, Option<Duration>),
    /// Its device has just been matched, on another connection.
    Matched,
    /// Its invitation doesn't let it in.
    Uninvited(Uninvited),
}
