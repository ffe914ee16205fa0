//! What a seat has only while its client has no partner.

use std::sync::Arc;
use std::time::Instant;

use vyoma_core::matching::Ticket;

use super::Seat;
use crate::hold::Hold;
use crate::lobby::Invited;

/// What only a client that seeks a partner needs, or soon will.
pub(crate) struct Seeking {
    /// What it says to the partner to come.
    pub(crate) hold: Hold,
    pub(crate) queued: Option<Queued>,
    /// Its seat in an invitation, if it has come by one.
    pub(crate) invited: Option<Invited>,
}

/// A client's place in the queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Queued {
    pub(crate) ticket: Ticket,
    pub(crate) since: Instant,
    /// Whether the client was told that it waits, and with what `widened`.
    pub(crate) told: Option<usize>,
}

impl Seat {
    /// What it needs without a partner.
    pub(crate) fn seeking(&mut self) -> &mut Seeking {
        let held = &self.membership.shared.held;
        self.seeking.get_or_insert_with(|| {
            Box::new(Seeking { hold: Hold::new(Arc::clone(held)), queued: None, invited: None })
        })
    }

    /// Its place in the queue, if it has one.
    pub(crate) fn queued(&self) -> Option<Queued> {
        self.seeking.as_ref()?.queued
    }

    /// It has come by an invitation, with a place in the queue.
    pub(crate) fn come_by(&mut self, invited: Invited, ticket: Ticket) {
        let queued = Queued { ticket, since: Instant::now(), told: None };
        let seeking = self.seeking();
        (seeking.queued, seeking.invited) = (Some(queued), Some(invited));
        self.invited = true;
    }

    /// Whether it has come by an invitation; then nobody else does so from now on: it has met its partner.
    pub(crate) fn spend_invitation(&mut self) -> bool {
        let invited = self.seeking.as_ref().and_then(|seeking| seeking.invited.as_ref());
        invited.is_some_and(|invited| {
            invited.spend();
            true
        })
    }

    /// What it needs without a partner, given up: it has one now.
    pub(crate) fn take_seeking(&mut self) -> Option<Box<Seeking>> {
        self.seeking.take()
    }
}
