//! What goes wrong: links, clients, servers, clocks and secrets.

use std::time::Duration;

use vyoma_protocol::envelope::StreamId;

use crate::client::{Client, Speaks};
use crate::process::Process;
use crate::world::{Verdict, World};

type Fault = fn(&mut World) -> Verdict;

const FAULTS: [(u32, &str, Fault); 13] = [
    (10, "cut", cut),
    (5, "half open", half_open),
    (10, "notice half open", notice_half_open),
    (5, "stall", stall),
    (10, "unstall", unstall),
    (4, "deadline", deadline),
    (6, "crash", crash),
    (3, "crash in callback", crash_in_callback),
    (1, "lose state", lose_state),
    (1, "steal", steal),
    (1, "kill", kill),
    (2, "take over", take_over),
    (1, "oversleep", oversleep),
];

impl World {
    /// Something goes wrong.
    pub(crate) fn fault(&mut self) -> Verdict {
        self.faults += 1;
        let all: u32 = FAULTS.iter().map(|(weight, _, _)| weight).sum();
        let mut drawn = self.rng.u32(..all);
        for (weight, name, fault) in FAULTS {
            if drawn < weight {
                self.tell(|| format!("fault: {name}"));
                return fault(self);
            }
            drawn -= weight;
        }
        Ok(())
    }
}

fn cut(world: &mut World) -> Verdict {
    if let Some(link) = world.any_link(|_, _| true) {
        world.links.entry(link).and_modify(crate::link::Link::cut);
    }
    Ok(())
}

fn half_open(world: &mut World) -> Verdict {
    if let Some(link) = world.any_link(|_, _| true) {
        world.links.entry(link).and_modify(|link| link.half_open = true);
    }
    Ok(())
}

/// The server finds a dead link; a client finds its own by its heartbeat.
fn notice_half_open(world: &mut World) -> Verdict {
    let dead = |world: &World, id| world.links.get(&id).is_some_and(|link| link.half_open);
    world.drop_one(dead)
}

/// The server has waited too long for a client that doesn't read.
fn deadline(world: &mut World) -> Verdict {
    let blocked = |world: &World, id| {
        world.links.get(&id).is_some_and(|link| link.stalled && link.is_blocked())
    };
    world.drop_one(blocked)
}

fn stall(world: &mut World) -> Verdict {
    if let Some(link) = world.any_link(|_, _| true) {
        world.links.entry(link).and_modify(|link| link.stalled = true);
    }
    Ok(())
}

fn unstall(world: &mut World) -> Verdict {
    world.links.values_mut().for_each(|link| link.stalled = false);
    Ok(())
}

/// A client's process dies, in the middle of anything; the link may take long to die.
fn crash(world: &mut World) -> Verdict {
    let id = world.any_client();
    world.restart(id)
}

fn crash_in_callback(world: &mut World) -> Verdict {
    let id = world.any_client();
    if matches!(world.clients[id].speaks, Speaks::Reliable(_)) {
        world.call_back(id, true)?;
        world.restart(id)?;
    }
    Ok(())
}

/// A client finds its token, but nothing else.
fn lose_state(world: &mut World) -> Verdict {
    let id = world.any_client();
    let stream = StreamId(world.rng.u64(..));
    let Some(seat) = &world.clients[id].disk.seat else { return Ok(()) };
    let (conversation, reliable) = (seat.conversation, seat.reliable);
    world.clients[id].disk.lose_state(stream);
    world.ledger.forgot(conversation, id);
    if !reliable {
        let plain = |client: &Client| matches!(client.speaks, Speaks::Plain);
        for other in (0..world.clients.len()).filter(|other| plain(&world.clients[*other])) {
            world.ledger.expect_hole(conversation, other);
        }
    }
    world.restart(id)
}

/// Somebody copies a client's memory, and uses it.
fn steal(world: &mut World) -> Verdict {
    let id = world.any_client();
    let Some(seat) = &world.clients[id].disk.seat else { return Ok(()) };
    world.ledger.steal(seat.conversation);
    let (disk, seed) = (world.clients[id].disk.clone(), world.rng.u64(..));
    let thief = Client { thief: true, ..Client::reliable(disk, seed, world.now) };
    world.clients.push(thief);
    world.act(world.clients.len() - 1)
}

/// All processes die at once; another one begins, with the same keys.
fn kill(world: &mut World) -> Verdict {
    world.processes.clear();
    for link in world.links.values_mut() {
        link.cut();
        link.server_gone = true;
    }
    world.start_process();
    Ok(())
}

/// A new process takes over; the one before is leaving, and the one before that has left.
fn take_over(world: &mut World) -> Verdict {
    let processes: Vec<_> = world.processes.keys().copied().collect();
    for id in processes {
        if world.processes.get(&id).is_some_and(|process| process.draining) {
            world.at(id, Process::close_all)?;
            world.processes.remove(&id);
        } else {
            world.at(id, Process::drain)?;
        }
    }
    world.start_process();
    Ok(())
}

/// A laptop is closed and opened, a clock is set, a grace passes.
fn oversleep(world: &mut World) -> Verdict {
    let id = world.any_client();
    world.clients[id].skew = world.rng.i64(-100_000..100_000);
    let time = Duration::from_millis(world.rng.u64(..90_000));
    world.pass(time)
}

impl World {
    fn drop_one(&mut self, holds: impl Fn(&Self, u64) -> bool) -> Verdict {
        let Some(id) = self.any_link(holds) else { return Ok(()) };
        let Some(process) = self.links.get(&id).map(|link| link.process) else { return Ok(()) };
        self.at(process, |process, net| process.drop_link(id, net))
    }

    fn restart(&mut self, id: usize) -> Verdict {
        if let Some(link) = self.clients[id].link.take().and_then(|id| self.links.get_mut(&id)) {
            (link.client_gone, link.end_for_server) = (true, true);
            link.half_open = self.rng.bool();
        }
        if matches!(self.clients[id].speaks, Speaks::Plain) {
            self.clients[id] = Client::plain();
            return Ok(());
        }
        let (seed, now) = (self.rng.u64(..), self.now);
        self.clients[id].restart(seed, now, id, &mut self.ledger);
        self.act(id)
    }
}
