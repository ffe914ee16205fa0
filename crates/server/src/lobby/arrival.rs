//! Where somebody who wants to be queued belongs: which pool, whose place, which invitation.

use std::time::Instant;

use vyoma_core::directory::Join;
use vyoma_core::matching::{INVITED, Pass, Person, Ticket};

use super::{Entry, Newcomer, State};
use crate::letterbox::Letter;

impl State {
    /// A newcomer's ticket, in the pool where it belongs, and its seat in an invitation.
    pub(super) fn place(
        &mut self,
        newcomer: &Newcomer,
        now: Instant,
    ) -> Result<(Ticket, Option<Pass>), Entry> {
        let Newcomer { place, ref pool, ref person, device, leave, invite, .. } = *newcomer;
        let name = &pool.config.name;
        if let Some(code) = invite {
            // Before anything else, so that a wrong one changes nothing.
            self.invitations.judge(code, name, device, now).map_err(Entry::Uninvited)?;
        }
        let joined = device.filter(|_| place.is_none());
        let mut older = None;
        match joined.map(|device| self.directory.join(device, leave, now)) {
            None | Some(Join::Free) => {}
            Some(Join::Seated(conversation, rest)) => {
                return Err(Entry::Seated(conversation, rest));
            }
            Some(Join::TakeOver(ticket)) if self.supersede(ticket) => older = Some(ticket),
            Some(Join::TakeOver(_)) => return Err(Entry::Matched),
            Some(Join::Leaving(letterbox, side)) => {
                // If that is over already, all the better.
                let _ = letterbox.post(Letter::Departure(side));
            }
        }
        let present = |code| self.invitations.present(code, name, device, now);
        let pass = invite.map(present).transpose().map_err(Entry::Uninvited)?.or(newcomer.pass);
        let number = pass.map_or(usize::from(pool.number), |_| INVITED);
        let invitation = pass.map(Pass::invitation);
        let ticket = match (older, place) {
            (Some(ticket), _) if self.is_place(ticket, number, invitation) => {
                self.pools.heard(ticket, now);
                self.pools.describe(ticket, person);
                ticket
            }
            (Some(older), _) => {
                self.forget_ticket(older, device);
                self.dispatch();
                self.come(number, person, now)
            }
            (None, Some((ticket, since))) => {
                self.pools.rejoin(ticket, person, since, now);
                ticket
            }
            (None, None) => self.come(number, person, now),
        };
        invitation.into_iter().for_each(|it| self.pools.admit(ticket, it));
        Ok((ticket, pass))
    }

    /// A ticket of somebody who is new in this pool.
    fn come(&mut self, pool: usize, person: &Person, now: Instant) -> Ticket {
        self.book.joined(pool, now);
        self.pools.join(pool, person, now)
    }

    /// Whether a ticket is in this pool, and of this invitation.
    fn is_place(&self, ticket: Ticket, pool: usize, invitation: Option<u64>) -> bool {
        let own = self.pools.pools().at(ticket).and_then(|own| own.invitation(ticket));
        ticket.pool() == pool && own == invitation
    }
}
