//! What the task of a client without a partner does, one step at a time.

use std::time::Instant;

use vyoma_core::directory::Resumption;
use vyoma_core::matching::{CODE_BYTES, INVITED, Order};
use vyoma_protocol::envelope::{ConversationId, Side};

use super::client::{At, ClientId, Exit, Said, Stay, Wish};
use super::lobby::{NAMES, Newcomer, Next, Placed};
use super::mail::{Desk, Note};
use super::talk::{GRACE, Letter};
use super::world::World;
use crate::Flaw;
use crate::world::Verdict;

impl World {
    /// The task that holds this client's seat takes a step.
    pub(super) fn turn(&mut self, id: ClientId) -> Verdict {
        match self.clients[id].at {
            At::Lounge => self.rest(id),
            At::Entering => self.enter(id),
            At::Queue(stay @ Stay { next: Next::Move(desk), .. }) => {
                self.send_seat(id, stay, desk);
                Ok(())
            }
            At::Queue(stay @ Stay { next: Next::Park(again), .. }) => self.park(id, stay, again),
            At::Leaving(stay, exit) => {
                self.look_once_more(id, stay, exit);
                Ok(())
            }
            At::Seated(talk, _) => self.talk(talk),
            At::Travelling(_) | At::Arriving | At::Closed => Ok(()),
        }
    }

    /// Whether that would change anything before more time has passed.
    pub(super) fn has_to_do(&self, id: ClientId) -> bool {
        let client = &self.clients[id];
        let unread = !client.said.is_empty() || client.gone || client.wish.is_some();
        match client.at {
            At::Lounge => unread,
            At::Entering | At::Leaving(..) => true,
            At::Queue(Stay { next: Next::Move(_), .. }) => true,
            At::Queue(Stay { desk, next: Next::Park(again), .. }) => {
                let due = |at: Instant| at <= self.now;
                let over = client.pass.is_some_and(|pass| due(pass.expires));
                let answers = client.pinged && !client.dead;
                unread || answers || over || again.is_some_and(due) || self.lobby.mail.waits(desk)
            }
            At::Seated(talk, _) => self.talk_has_to_do(talk),
            At::Travelling(_) | At::Arriving | At::Closed => false,
        }
    }

    fn rest(&mut self, id: ClientId) -> Verdict {
        let client = &mut self.clients[id];
        match client.wish {
            Some(Wish::Queue { .. }) => client.at = At::Entering,
            Some(Wish::Out) => client.wish = None,
            None => match client.said.pop_front() {
                Some(Said::Resume(talk, side)) if client.last.is_none() => {
                    return self.resume(id, talk, side);
                }
                Some(said) => self.aside(id, said),
                None if client.gone => client.at = At::Closed,
                None => {}
            },
        }
        Ok(())
    }

    /// Takes what a client sent that is in no conversation (any more).
    pub(super) fn aside(&mut self, id: ClientId, said: Said) {
        let waits = matches!(self.clients[id].at, At::Queue(_));
        match said {
            Said::Join { leave, invite } if !waits => {
                self.clients[id].wish = Some(Wish::Queue { leave, invite });
            }
            Said::Next if !waits => {
                self.clients[id].wish = Some(Wish::Queue { leave: None, invite: None });
            }
            Said::Leave => self.clients[id].wish = Some(Wish::Out),
            Said::Block if !waits => self.block(id),
            Said::Invite => self.invite(id),
            Said::Join { .. } | Said::Next | Said::Block | Said::Resume(..) => {}
        }
    }

    pub(super) fn block(&mut self, id: ClientId) {
        let client = &self.clients[id];
        if let (Some(device), Some((_, Some(partner)))) = (client.device, client.last) {
            self.ledger.blocks(device, partner);
            self.lobby.block(device, partner);
        }
    }

    pub(super) fn invite(&mut self, id: ClientId) {
        let client = &self.clients[id];
        let Some(device) = client.device else { return };
        let mut random = [0; CODE_BYTES];
        self.rng.fill(&mut random);
        let made = self.lobby.invitations.make(device, NAMES[client.pool], random, self.now);
        self.codes.extend(made.ok());
    }

    /// A plain client has an invitation in its address. False if that doesn't let it in.
    pub(super) fn reserve(&mut self, id: ClientId, code: vyoma_core::matching::Code) -> bool {
        let (now, client) = (self.now, &mut self.clients[id]);
        let presented = self.lobby.invitations.present(code, NAMES[client.pool], None, now);
        let Ok(pass) = presented else { return false };
        client.pass = Some(pass);
        client.queued = Some((self.lobby.pools.pool(INVITED).issue(), now));
        true
    }

    fn enter(&mut self, id: ClientId) -> Verdict {
        let (now, client) = (self.now, &mut self.clients[id]);
        let (leave, invite) = match client.wish.take() {
            Some(Wish::Queue { leave, invite }) => (leave, invite),
            Some(Wish::Out) | None => (None, None),
        };
        let newcomer = Newcomer {
            id,
            place: client.queued,
            pool: client.pool,
            person: &client.person,
            device: client.device,
            leave,
            invite,
            pass: client.pass,
        };
        let Some(placed) = self.lobby.enter(&newcomer, now) else {
            self.report.refused += 1;
            client.at = At::Lounge;
            return self.heed();
        };
        self.settle_in(id, placed)?;
        self.heed()
    }

    fn settle_in(&mut self, id: ClientId, placed: Placed) -> Verdict {
        let Placed { ticket, pass, desk, next } = placed;
        let client = &mut self.clients[id];
        if client.returned.take().is_some_and(|before| before != ticket) {
            return Err(format!("client {id} came back, and has lost its place"));
        }
        self.ledger.queued(ticket, self.now);
        client.queued.get_or_insert((ticket, self.now));
        if let Some(older) =
            std::mem::replace(&mut client.pass, pass).filter(|_| client.pass != pass)
        {
            self.lobby.invitations.free(older);
        }
        client.at = At::Queue(Stay { ticket, desk, next });
        Ok(())
    }

    /// A matched client's seat goes to its partner; it comes back if that has gone.
    fn send_seat(&mut self, id: ClientId, stay: Stay, desk: Desk) {
        self.lobby.mail.close(stay.desk);
        if self.lobby.mail.send(desk, Note::Partner(id)) {
            self.clients[id].at = At::Travelling(desk);
        } else {
            self.come_back(id);
        }
    }

    /// A matched client has nobody, and is queued again where it was.
    fn come_back(&mut self, id: ClientId) {
        self.report.returned += 1;
        self.ledger.pairing.remove(&id);
        let client = &mut self.clients[id];
        client.returned = client.queued.map(|(ticket, _)| ticket);
        client.at = At::Entering;
        if self.flaw == Some(Flaw::AgeLost)
            && let Some((ticket, _)) = client.queued.take()
            && let Some(device) = client.device
        {
            self.lobby.directory.stop_waiting(device, ticket);
        }
    }

    fn park(&mut self, id: ClientId, stay: Stay, again: Option<Instant>) -> Verdict {
        if let Some(note) = self.lobby.mail.take(stay.desk) {
            return self.take_note(id, stay, note);
        }
        let (now, client) = (self.now, &mut self.clients[id]);
        if let Some(said) = client.said.pop_front() {
            self.aside(id, said);
        } else if client.gone {
            return self.leave(id, stay, Exit::Closed);
        }
        let client = &mut self.clients[id];
        if client.wish.take().is_some() {
            return self.leave(id, stay, Exit::Lounge);
        }
        if client.pinged && !client.dead {
            client.pinged = false;
            self.lobby.heard(stay.ticket, now);
        }
        let client = &self.clients[id];
        if client.pass.is_some_and(|pass| pass.expires <= now) {
            let plain = client.device.is_none();
            return self.leave(id, stay, if plain { Exit::Closed } else { Exit::Lounge });
        }
        if again.is_some_and(|again| again <= now) { self.seek(id, stay) } else { Ok(()) }
    }

    fn take_note(&mut self, id: ClientId, stay: Stay, note: Note) -> Verdict {
        match note {
            Note::Partner(partner) => {
                self.lobby.mail.close(stay.desk);
                self.begin([id, partner])
            }
            Note::Superseded => self.leave(id, stay, Exit::Superseded),
            Note::Order(Order::Seek) => self.seek(id, stay),
            Note::Order(Order::Probe) => {
                self.clients[id].pinged = true;
                Ok(())
            }
        }
    }

    fn seek(&mut self, id: ClientId, stay: Stay) -> Verdict {
        let next = self.lobby.step(id, stay.ticket, self.now);
        self.clients[id].at = At::Queue(Stay { next, ..stay });
        self.heed()
    }

    fn leave(&mut self, id: ClientId, stay: Stay, exit: Exit) -> Verdict {
        if self.lobby.leave(id, stay.ticket, self.clients[id].device) {
            self.lobby.mail.close(stay.desk);
            self.go(id, exit);
        } else {
            self.ledger.pairing.remove(&id);
            self.clients[id].at = At::Leaving(stay, exit);
        }
        Ok(())
    }

    /// Who leaves closes its mailbox, and takes what was already sent. What was taken over is for the other tab
    /// to give up.
    fn look_once_more(&mut self, id: ClientId, stay: Stay, exit: Exit) {
        let mut superseded = exit == Exit::Superseded;
        for note in self.lobby.mail.close(stay.desk) {
            match note {
                Note::Partner(_) if self.flaw == Some(Flaw::SeatForgotten) => {}
                Note::Partner(orphan) => self.come_back(orphan),
                Note::Superseded => superseded = true,
                Note::Order(_) => {}
            }
        }
        if !superseded || self.flaw == Some(Flaw::SupersededAbandons) {
            self.lobby.abandon(stay.ticket, self.clients[id].device);
        }
        self.go(id, exit);
    }

    fn go(&mut self, id: ClientId, exit: Exit) {
        let client = &mut self.clients[id];
        client.queued = None;
        client.at = match exit {
            Exit::Lounge => At::Lounge,
            Exit::Closed | Exit::Superseded => At::Closed,
        };
        client.pass.take().into_iter().for_each(|pass| self.lobby.invitations.free(pass));
    }

    fn resume(&mut self, id: ClientId, talk: ConversationId, side: Side) -> Verdict {
        let Some(device) = self.clients[id].device else { return Ok(()) };
        let answer = self.lobby.resume((talk, side), device, self.now + GRACE);
        self.heed()?;
        match answer {
            Resumption::Seat(talk) => match self.talks.get_mut(&talk) {
                Some(talk) => {
                    talk.letters.push_back(Letter::Arrival(id, side));
                    self.clients[id].at = At::Arriving;
                }
                None => self.report.refused += 1,
            },
            Resumption::Adopt => return Err("a conversation of this process was adopted".into()),
            Resumption::Over | Resumption::Elsewhere(_) | Resumption::Waiting(_) => {
                self.report.refused += 1;
            }
        }
        Ok(())
    }
}
