//! The checkers: after every step, and once everything has come to rest.

use std::collections::BTreeMap;
use std::time::Instant;

use vyoma_core::matching::Pool;

use super::client::{At, Client, ClientId, Stay};
use super::lobby::Next;
use super::mail::Note;
use super::world::World;
use crate::world::Verdict;

/// Turns after which everything has come to rest, if it ever does.
const MOST_TURNS: usize = 20_000;

impl World {
    /// Looks whether a ticket, a seat or a device is lost, or is in two places.
    pub(super) fn check(&self) -> Verdict {
        self.lobby.pools.iter().try_for_each(Pool::check)?;
        self.check_tickets()?;
        self.check_seats()?;
        self.check_devices()
    }

    /// Every ticket has one holder, which waits with it.
    fn check_tickets(&self) -> Verdict {
        let tickets: usize = self.lobby.pools.iter().map(Pool::len).sum();
        if tickets != self.lobby.desks.len() {
            return Err(format!("{tickets} tickets, and {} who hold one", self.lobby.desks.len()));
        }
        for (ticket, (id, _)) in &self.lobby.desks {
            if !self.lobby.pools.contains(*ticket) {
                return Err(format!("client {id} holds a ticket that is in no pool"));
            }
            let waits = matches!(self.clients[*id].at, At::Queue(stay) if stay.ticket == *ticket);
            if !waits {
                return Err(format!("client {id} doesn't wait with the ticket that it holds"));
            }
        }
        Ok(())
    }

    /// Every seat is where somebody will look.
    fn check_seats(&self) -> Verdict {
        for (id, client) in self.clients.iter().enumerate() {
            let kept = match client.at {
                At::Queue(Stay { next: Next::Move(_), .. }) => self.ledger.pairing.contains(&id),
                At::Queue(Stay { ticket, desk, .. }) => {
                    let superseded = self.lobby.mail.holds(desk, Note::Superseded);
                    let matched = self.ledger.pairing.contains(&id) && self.is_awaited(desk);
                    self.lobby.holds(id, ticket) || superseded || matched
                }
                At::Travelling(desk) => self.lobby.mail.holds(desk, Note::Partner(id)),
                At::Seated(talk, side) => {
                    self.talks.get(&talk).is_some_and(|talk| talk.seats[side as usize] == Some(id))
                }
                At::Lounge | At::Entering | At::Leaving(..) | At::Arriving | At::Closed => true,
            };
            if !kept {
                return Err(format!("client {id} is lost: {:?}", client.at));
            }
        }
        Ok(())
    }

    /// Whether a partner is on its way to this desk.
    fn is_awaited(&self, desk: super::mail::Desk) -> bool {
        self.clients.iter().any(|client| match client.at {
            At::Queue(Stay { next: Next::Move(to), .. }) | At::Travelling(to) => to == desk,
            _ => false,
        })
    }

    /// Every device is in one place.
    fn check_devices(&self) -> Verdict {
        let mut places = BTreeMap::new();
        let held = self.lobby.desks.values().map(|(id, _)| *id);
        let matched = self.ledger.pairing.iter().copied();
        let clients = held.chain(matched).filter_map(|id| self.clients[id].device);
        let talks = self.talks.values();
        let talking = talks.flat_map(|talk| {
            let own = (0..2).filter(|side| talk.takes(*side));
            own.filter_map(|side| talk.devices[side])
        });
        for device in clients.chain(talking) {
            if places.insert(device, ()).is_some() {
                return Err("a device is in two places".into());
            }
        }
        Ok(())
    }

    /// Lets everything under way come to an end; then nobody may wait beside somebody who would do.
    pub(super) fn come_to_rest(&mut self) -> Verdict {
        self.rng.seed(1);
        for client in self.clients.iter_mut().filter(|client| client.dead) {
            // The network comes back, or the heartbeat finds that it doesn't.
            (client.dead, client.gone) = (false, client.gone || client.pool == 1);
        }
        self.rest_for_a_while()?;
        // Whoever lives is heard from, by the heartbeat at the latest.
        for id in 0..self.clients.len() {
            if let At::Queue(Stay { ticket, .. }) = self.clients[id].at {
                self.lobby.heard(ticket, self.now);
            }
        }
        self.rest_for_a_while()?;
        self.check_nobody_is_stuck()
    }

    fn rest_for_a_while(&mut self) -> Verdict {
        for _ in 0..MOST_TURNS {
            if let Some(id) = (0..self.clients.len()).find(|id| self.has_to_do(*id)) {
                self.turn(id)?;
            } else if let Some(talk) =
                self.talks.keys().copied().find(|id| self.talk_has_to_do(*id))
            {
                self.talk(talk)?;
            } else if let Some(due) = self.deadline() {
                self.now = self.now.max(due);
            } else {
                return Ok(());
            }
            self.tell();
            self.check()?;
        }
        Err("it never comes to rest".into())
    }

    /// When something is due by itself.
    fn deadline(&self) -> Option<Instant> {
        let asks = |client: &Client| match client.at {
            At::Queue(Stay { next: Next::Park(again), .. }) => {
                let expires = client.pass.map(|pass| pass.expires);
                again.into_iter().chain(expires).min()
            }
            _ => None,
        };
        let talks = self.talks.values().filter_map(super::talk::Talk::deadline);
        self.clients.iter().filter_map(asks).chain(talks).min()
    }

    fn check_nobody_is_stuck(&self) -> Verdict {
        let waits = |(id, client): (ClientId, &Client)| match client.at {
            At::Queue(stay) => Some((id, stay)),
            _ => None,
        };
        let all = self.clients.iter().enumerate();
        let waiting: Vec<(ClientId, Stay)> = all.filter_map(waits).collect();
        for (n, (a, _)) in waiting.iter().enumerate() {
            for (b, _) in &waiting[n + 1..] {
                if self.ledger.will_meet(&self.clients[*a], &self.clients[*b]) {
                    return Err(format!("clients {a} and {b} wait beside each other"));
                }
            }
        }
        let mut devices = self.clients.iter().filter_map(|client| client.device);
        let ghost = devices.find_map(|device| {
            let ticket = self.lobby.directory.ticket(device)?;
            (!self.lobby.desks.contains_key(&ticket)).then_some(ticket)
        });
        match ghost {
            Some(_) => Err("a device waits for ever with a ticket that nobody holds".into()),
            None => Ok(()),
        }
    }
}
