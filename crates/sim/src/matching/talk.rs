//! Conversations, as far as they begin and end: nothing is said in them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use vyoma_protocol::envelope::{ConversationId, Side};
use vyoma_protocol::token::Identity;

use super::client::{At, ClientId, Said, Wish};
use super::lobby::COOLDOWNS;
use super::world::World;
use crate::world::Verdict;

/// For how long a seat is kept.
pub(super) const GRACE: Duration = Duration::from_secs(10);

const SIDES: [Side; 2] = [Side::A, Side::B];

/// What comes for a conversation's task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letter {
    /// A seat is taken again.
    Arrival(ClientId, Side),
    /// A device has left by joining anew.
    Departure(Side),
}

/// A conversation under way.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) seats: [Option<ClientId>; 2],
    pub(super) devices: [Option<Identity>; 2],
    pub(super) left: [bool; 2],
    pub(super) letters: VecDeque<Letter>,
    pub(super) cooldown: Duration,
    away_until: [Option<Instant>; 2],
    /// Whether the lobby knows that it has ended.
    pub(super) ended: bool,
}

impl Talk {
    /// Whether a device is still taken by it.
    pub(super) fn takes(&self, side: usize) -> bool {
        let departs =
            |letter: &Letter| matches!(letter, Letter::Departure(own) if *own as usize == side);
        self.goes_on() && !self.letters.iter().any(departs)
    }

    fn goes_on(&self) -> bool {
        self.left == [false; 2]
    }

    /// When a seat is given up.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let away = self.away_until.iter().flatten().min();
        away.copied().filter(|_| self.goes_on())
    }
}

impl World {
    /// Two begin to talk, at the first one's task.
    pub(super) fn begin(&mut self, ids: [ClientId; 2]) -> Verdict {
        self.numbers += 1;
        let id = ConversationId(self.numbers.to_be_bytes());
        let devices = ids.map(|id| self.clients[id].device);
        let passes = ids.map(|id| self.clients[id].pass.take());
        self.lobby.directory.begin(id, devices, id);
        passes[0].into_iter().for_each(|pass| self.lobby.spend(pass));
        passes.into_iter().flatten().for_each(|pass| self.lobby.invitations.free(pass));
        self.ledger.begin(ids, passes[0].map(|pass| pass.invitation()))?;
        self.report.invited += 2 * u64::from(passes[0].is_some());
        for side in SIDES {
            let (own, other) = (side as usize, side.other() as usize);
            let client = &mut self.clients[ids[own]];
            (client.queued, client.invited) = (None, passes[0].is_some());
            (client.at, client.last) = (At::Seated(id, side), Some((id, devices[other])));
            self.seats.extend(devices[own].map(|device| (device, id, side)));
        }
        let talk = Talk {
            seats: ids.map(Some),
            devices,
            left: [false; 2],
            letters: VecDeque::new(),
            cooldown: COOLDOWNS[self.clients[ids[0]].pool],
            away_until: [None; 2],
            ended: false,
        };
        self.talks.insert(id, talk);
        Ok(())
    }

    /// A conversation's task takes a step: it opens its letters, and reads a little from both.
    pub(super) fn talk(&mut self, id: ConversationId) -> Verdict {
        let Some(mut talk) = self.talks.remove(&id) else { return Ok(()) };
        while let Some(letter) = talk.letters.pop_front() {
            self.open(id, &mut talk, letter);
        }
        if talk.deadline().is_some_and(|at| at <= self.now) {
            talk.left = [true; 2];
        }
        for side in SIDES {
            self.read(id, &mut talk, side);
        }
        self.part(id, &mut talk);
        if talk.goes_on() || talk.seats.iter().any(Option::is_some) {
            self.talks.insert(id, talk);
            return Ok(());
        }
        SIDES.into_iter().for_each(|side| self.release(id, &talk, side));
        self.lobby.directory.remove(id);
        Ok(())
    }

    pub(super) fn talk_has_to_do(&self, id: ConversationId) -> bool {
        let Some(talk) = self.talks.get(&id) else { return false };
        let moves = |id: &ClientId| {
            let client = &self.clients[*id];
            let goes = client.wish.is_some() || client.device.is_none();
            !client.said.is_empty() || client.gone || goes && !talk.goes_on()
        };
        let due = talk.deadline().is_some_and(|at| at <= self.now);
        let told = talk.goes_on() || talk.ended;
        due || !told || !talk.letters.is_empty() || talk.seats.iter().flatten().any(moves)
    }

    fn open(&mut self, id: ConversationId, talk: &mut Talk, letter: Letter) {
        match letter {
            Letter::Arrival(client, _) if !talk.goes_on() => self.clients[client].at = At::Lounge,
            Letter::Arrival(client, side) => {
                let (own, other) = (side as usize, side.other() as usize);
                self.lobby.directory.note_presence(id, side, None);
                talk.away_until[own] = None;
                self.clients[client].last = Some((id, talk.devices[other]));
                self.clients[client].at = At::Seated(id, side);
                if let Some(older) = talk.seats[own].replace(client) {
                    self.clients[older].at = At::Closed;
                }
            }
            Letter::Departure(side) => {
                talk.left[side as usize] = true;
                if let Some(client) = talk.seats[side as usize].take() {
                    self.clients[client].at = At::Closed;
                }
                self.release(id, talk, side);
            }
        }
    }

    /// Takes one thing that a side has sent.
    fn read(&mut self, id: ConversationId, talk: &mut Talk, side: Side) {
        let Some(client) = talk.seats[side as usize] else { return };
        let Some(said) = self.clients[client].said.pop_front() else {
            if self.clients[client].gone {
                self.vacate(id, talk, side);
            }
            return;
        };
        let wish = match said {
            _ if !talk.goes_on() => return self.aside(client, said),
            Said::Next => Wish::Queue { leave: None, invite: None },
            Said::Leave => Wish::Out,
            Said::Block => {
                self.block(client);
                Wish::Out
            }
            Said::Invite => return self.invite(client),
            Said::Join { .. } | Said::Resume(..) => return,
        };
        talk.left[side as usize] = true;
        self.clients[client].wish = Some(wish);
    }

    /// A side's connection is lost. Who speaks `vyoma.v1` may come back for a while.
    fn vacate(&mut self, id: ConversationId, talk: &mut Talk, side: Side) {
        let Some(client) = talk.seats[side as usize].take() else { return };
        self.clients[client].at = At::Closed;
        if self.clients[client].device.is_none() {
            talk.left[side as usize] = true;
        } else if talk.goes_on() {
            let until = self.now + GRACE;
            talk.away_until[side as usize] = Some(until);
            self.lobby.directory.note_presence(id, side, Some(until));
        } else {
            self.release(id, talk, side);
        }
    }

    /// Lets everyone go for whom it is over.
    fn part(&mut self, id: ConversationId, talk: &mut Talk) {
        if talk.goes_on() {
            return;
        }
        if !std::mem::replace(&mut talk.ended, true) {
            self.ledger.met(talk.devices, self.now + talk.cooldown);
            self.lobby.note_end(id, talk.devices, talk.cooldown, self.now);
        }
        for side in SIDES {
            let Some(client) = talk.seats[side as usize] else { continue };
            let client = &mut self.clients[client];
            client.at = match (client.device, client.wish) {
                (Some(_), None) => continue,
                (Some(_), Some(_)) => At::Lounge,
                (None, _) if client.invited => At::Closed,
                (None, _) => At::Entering,
            };
            talk.seats[side as usize] = None;
            self.release(id, talk, side);
        }
    }

    fn release(&mut self, id: ConversationId, talk: &Talk, side: Side) {
        if let Some(device) = talk.devices[side as usize] {
            self.lobby.directory.release(id, side, device);
        }
    }
}
