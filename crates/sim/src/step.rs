//! What can happen next, and how likely it is.

use std::time::Duration;

use vyoma_reliable::Standing;

use crate::client::Speaks;
use crate::link::{LinkId, Said};
use crate::world::{Verdict, World};

type Step = fn(&mut World) -> Verdict;

/// What goes on, with its weight.
const COURSE: [(u32, Step); 9] = [
    (40, read),
    (40, hear),
    (30, call_back),
    (40, say),
    (4, burst),
    (20, wish),
    (20, connect),
    (10, wait),
    (3, chatter),
];

impl World {
    /// Something happens, drawn from `entropy` alone.
    pub(crate) fn step(&mut self, entropy: u64) -> Verdict {
        self.rng.seed(entropy);
        if self.rng.u32(..self.steps_per_fault) == 0 {
            self.fault()?;
        } else {
            let all: u32 = COURSE.iter().map(|(weight, _)| weight).sum();
            let mut drawn = self.rng.u32(..all);
            for (weight, step) in COURSE {
                if drawn < weight {
                    step(self)?;
                    break;
                }
                drawn -= weight;
            }
        }
        self.sweep();
        Ok(())
    }

    /// One of the links for which this holds.
    pub(crate) fn any_link(&mut self, holds: impl Fn(&Self, LinkId) -> bool) -> Option<LinkId> {
        let links: Vec<_> = self.links.keys().copied().filter(|id| holds(self, *id)).collect();
        self.rng.choice(links)
    }

    pub(crate) fn any_client(&mut self) -> usize {
        self.rng.usize(..self.clients.len())
    }
}

fn read(world: &mut World) -> Verdict {
    let readable = |world: &World, id| world.links.get(&id).is_some_and(|link| link.is_readable());
    let Some(link) = world.any_link(readable) else { return Ok(()) };
    let most = if world.rng.bool() { usize::MAX } else { world.rng.usize(1..200) };
    world.read(link, most)
}

fn hear(world: &mut World) -> Verdict {
    let Some(link) = world.any_link(World::is_heard) else { return Ok(()) };
    world.hear(link)
}

fn call_back(world: &mut World) -> Verdict {
    let id = world.any_client();
    world.call_back(id, false)
}

fn say(world: &mut World) -> Verdict {
    let id = world.any_client();
    say_once(world, id)
}

/// More than the credit allows, from one who has much to say.
fn burst(world: &mut World) -> Verdict {
    let id = world.any_client();
    (0..20).try_for_each(|_| say_once(world, id))
}

fn say_once(world: &mut World, id: usize) -> Verdict {
    let now = world.now;
    if matches!(world.clients[id].speaks, Speaks::Reliable(_)) {
        world.clients[id].say(id, &mut world.ledger, now);
        return world.act(id);
    }
    let (Some(conversation), Some(link)) = (world.clients[id].conversation, world.clients[id].link)
    else {
        return Ok(());
    };
    let text = world.ledger.next_text(conversation, id);
    if let Some(link) = world.links.get_mut(&link).filter(|link| !link.client_gone) {
        world.ledger.said(conversation, id, None);
        link.send(Said::Text(text.into()));
    }
    Ok(())
}

/// A client that has nobody looks for a partner; one that has may leave it.
fn wish(world: &mut World) -> Verdict {
    let id = world.any_client();
    let (now, dice) = (world.now, world.rng.u8(..40));
    let client = &mut world.clients[id];
    // A thief only uses what it stole; the application hears of the end before it goes on.
    if client.thief || !client.callbacks.is_empty() {
        return Ok(());
    }
    let unconnected = client.link.is_none();
    match (client.standing(), client.session()) {
        (None, None) if unconnected => client.connecting = true,
        (Some(Standing::Idle), Some(session)) => {
            let _ = session.join(None, now);
        }
        (Some(Standing::Talking(_)), Some(session)) if dice == 0 => {
            let _ = session.next(None, now);
        }
        (Some(Standing::Talking(_)), Some(session)) if dice == 1 => session.leave(now),
        (Some(Standing::Queued), Some(session)) if dice == 2 => session.leave(now),
        _ => {}
    }
    world.act(id)
}

fn connect(world: &mut World) -> Verdict {
    let wanting: Vec<_> =
        (0..world.clients.len()).filter(|id| world.clients[*id].connecting).collect();
    match world.rng.choice(wanting) {
        Some(id) => world.connect(id),
        None => Ok(()),
    }
}

/// Time passes: to the next thing that is due, or just so.
fn wait(world: &mut World) -> Verdict {
    let just_so = Duration::from_millis(world.rng.u64(..1_000));
    let due = world.deadline().map_or(just_so, |at| at.saturating_duration_since(world.now));
    let time = if world.rng.bool() { due.min(Duration::from_secs(5)) } else { just_so };
    world.pass(time)
}

/// What costs nothing when it gets lost.
fn chatter(world: &mut World) -> Verdict {
    let id = world.any_client();
    let (now, on) = (world.now, world.rng.bool());
    let received = world.clients[id].disk.seat.as_ref().map_or(0, |seat| seat.received);
    if let Some(session) = world.clients[id].session() {
        match world.rng.u8(..3) {
            0 => session.typing(on, now),
            1 => session.read(received, now),
            _ => session.wake(now),
        }
    }
    world.act(id)
}

impl World {
    pub(crate) fn call_back(&mut self, id: usize, crashes: bool) -> Verdict {
        let (now, flaw) = (self.now, self.flaw);
        self.clients[id].call_back(id, &mut self.ledger, flaw, now, crashes)?;
        self.act(id)
    }
}
