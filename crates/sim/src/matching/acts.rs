//! What can happen next, and how likely it is.

use std::time::Duration;

use super::client::{At, Client, ClientId, Said};
use super::world::World;
use crate::world::Verdict;

type Act = fn(&mut World) -> Verdict;

/// What goes on, with its weight.
const COURSE: [(u32, Act); 6] =
    [(60, turn), (15, talk), (12, connect), (14, say), (10, wait), (5, trouble)];

impl World {
    /// Something happens, drawn from `entropy` alone; then everything is looked at.
    pub(super) fn step(&mut self, entropy: u64) -> Verdict {
        self.rng.seed(entropy);
        let all: u32 = COURSE.iter().map(|(weight, _)| weight).sum();
        let mut drawn = self.rng.u32(..all);
        for (weight, act) in COURSE {
            if drawn < weight {
                act(self)?;
                break;
            }
            drawn -= weight;
        }
        self.tell();
        self.check()
    }

    fn any(&mut self, is: impl Fn(&Self, ClientId) -> bool) -> Option<ClientId> {
        let all: Vec<_> = (0..self.clients.len()).filter(|id| is(self, *id)).collect();
        self.rng.choice(all)
    }
}

/// A task that has something to do does it: one that is late may be later yet.
fn turn(world: &mut World) -> Verdict {
    match world.any(World::has_to_do) {
        Some(id) => world.turn(id),
        None => Ok(()),
    }
}

fn talk(world: &mut World) -> Verdict {
    let talks: Vec<_> = world.talks.keys().copied().collect();
    match world.rng.choice(talks) {
        Some(id) => world.talk(id),
        None => Ok(()),
    }
}

/// A new connection, perhaps another tab of somebody who is there.
fn connect(world: &mut World) -> Verdict {
    if world.clients.iter().filter(|client| client.is_open()).count() >= world.most_open {
        return Ok(());
    }
    let device = world.rng.choice(world.devices.clone()).filter(|_| world.rng.u8(..6) > 0);
    let pool = world.rng.usize(..world.pools);
    let person = world.rng.choice(world.people.clone()).unwrap_or_default();
    // Plain clients show nothing of themselves.
    let person = if device.is_some() { person } else { Default::default() };
    let id = world.clients.len();
    world.clients.push(Client::new(device, pool, person));
    let invited = device.is_none() && world.rng.bool();
    if let Some(code) = world.codes.last().copied().filter(|_| invited)
        && !world.reserve(id, code)
    {
        world.clients[id].at = At::Closed;
    }
    let seat = world.seats.iter().rev().find(|(whose, ..)| Some(*whose) == device).copied();
    match seat {
        Some((_, talk, side)) if world.rng.u8(..4) == 0 => {
            world.clients[id].said.push_back(Said::Resume(talk, side));
        }
        _ if device.is_some() => join(world, id),
        _ => {}
    }
    Ok(())
}

/// A client sends what somebody in its place might.
fn say(world: &mut World) -> Verdict {
    let alive = |world: &World, id: ClientId| {
        let client = &world.clients[id];
        client.is_open() && !client.gone && !client.dead && client.device.is_some()
    };
    let Some(id) = world.any(alive) else { return Ok(()) };
    let dice = world.rng.u8(..10);
    let has_met = world.clients[id].last.is_some();
    let said = match (world.clients[id].at, dice) {
        (_, 0) => Said::Invite,
        (At::Lounge, 1..=4) if has_met => Said::Block,
        (At::Seated(..), 1 | 2) => Said::Block,
        (At::Seated(..), 3..=6) => Said::Next,
        (At::Seated(..), 7) => Said::Leave,
        (At::Queue(_) | At::Leaving(..) | At::Travelling(_), 1..=3) => Said::Leave,
        (At::Lounge, 5) => Said::Next,
        (At::Lounge, _) | (At::Seated(..), 8) => {
            join(world, id);
            return Ok(());
        }
        _ => return Ok(()),
    };
    world.clients[id].said.push_back(said);
    Ok(())
}

/// A client joins, perhaps out of a conversation of another tab, perhaps by an invitation.
fn join(world: &mut World, id: ClientId) {
    let device = world.clients[id].device;
    let seat = world.seats.iter().rev().find(|(whose, ..)| Some(*whose) == device);
    let leave = seat.map(|(_, talk, _)| *talk).filter(|_| world.rng.bool());
    let lately = world.codes.iter().rev().take(2).copied().collect::<Vec<_>>();
    let invite = world.rng.choice(lately).filter(|_| world.rng.u8(..3) == 0);
    world.clients[id].said.push_back(Said::Join { leave, invite });
}

/// Time passes: seldom so much that everything is done meanwhile.
fn wait(world: &mut World) -> Verdict {
    let most = if world.rng.u8(..8) == 0 { 20_000 } else { 1_500 };
    world.now += Duration::from_millis(world.rng.u64(..most));
    Ok(())
}

/// A client goes, its network goes away, or comes back.
fn trouble(world: &mut World) -> Verdict {
    let Some(id) = world.any(|world, id| world.clients[id].is_open()) else { return Ok(()) };
    let dice = world.rng.u8(..3);
    let client = &mut world.clients[id];
    match dice {
        0 => client.gone = true,
        1 => client.dead = true,
        _ => client.dead = false,
    }
    Ok(())
}
