//! Which tickets are of which invitation: those of one may meet each other, and nobody else.
//!
//! Knows only that. Must not know codes, or whether an invitation still holds.

use std::collections::HashMap;

use super::Ticket;

/// The tickets of a pool in which everybody has come for somebody.
#[derive(Debug, Default)]
pub(super) struct Invited {
    invitations: HashMap<Ticket, u64>,
    /// By invitation; as many as hold a seat in it, so two.
    guests: HashMap<u64, Vec<Ticket>>,
}

impl Invited {
    /// A ticket is of this invitation.
    pub(super) fn enter(&mut self, ticket: Ticket, invitation: u64) {
        self.leave(ticket);
        self.invitations.insert(ticket, invitation);
        self.guests.entry(invitation).or_default().push(ticket);
    }

    /// A ticket is in the pool no longer.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        let Some(invitation) = self.invitations.remove(&ticket) else { return };
        if let Some(guests) = self.guests.get_mut(&invitation) {
            guests.retain(|guest| *guest != ticket);
            if guests.is_empty() {
                self.guests.remove(&invitation);
            }
        }
    }

    /// Of which invitation a ticket is.
    pub(super) fn invitation(&self, ticket: Ticket) -> Option<u64> {
        self.invitations.get(&ticket).copied()
    }

    /// The others of a ticket's invitation.
    pub(super) fn others(&self, ticket: Ticket) -> impl Iterator<Item = Ticket> {
        let invitation = self.invitation(ticket);
        let guests = invitation.into_iter().flat_map(|invitation| self.guests(invitation));
        guests.filter(move |guest| *guest != ticket)
    }

    /// The tickets of an invitation.
    pub(super) fn guests(&self, invitation: u64) -> impl Iterator<Item = Ticket> {
        self.guests.get(&invitation).into_iter().flatten().copied()
    }
}
