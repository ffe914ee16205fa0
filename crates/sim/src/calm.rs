//! The end of a run: nothing goes wrong any more, and everything has to arrive.

use std::time::Duration;

use vyoma_reliable::Standing;

use crate::client::Client;
use crate::world::{Verdict, World};

/// Rounds after which everything has arrived, if it ever does: each lasts until something is due.
const ROUNDS: usize = 600;

impl World {
    /// Lets all be well, and waits until everything that was said has arrived, or is known to be lost.
    pub(crate) fn calm_down(&mut self) -> Verdict {
        for link in self.links.values_mut() {
            link.stalled = false;
            if link.half_open {
                link.cut();
            }
        }
        self.rng.seed(1);
        for _ in 0..ROUNDS {
            self.exhaust()?;
            self.check_reading()?;
            if self.clients.iter().all(is_done) {
                return Ok(());
            }
            let due = self.deadline().map_or(Duration::from_secs(1), |at| {
                at.saturating_duration_since(self.now).max(Duration::from_millis(1))
            });
            self.pass(due)?;
        }
        let stuck = self.clients.iter().position(|client| !is_done(client));
        Err(format!("nothing moves any more; client {stuck:?} has something to say, or to hear"))
    }

    /// Whoever speaks `vyoma.v1` is always read from, whatever its partner does: its acknowledgements are
    /// what the other one waits for.
    fn check_reading(&self) -> Verdict {
        let unread = |link: &&crate::link::Link| {
            let reliable = self.clients[link.client].standing().is_some();
            reliable && !link.to_server.is_empty() && !link.server_gone
        };
        self.links.values().find(unread).map_or(Ok(()), |link| {
            Err(format!("nothing moves, and nobody reads what client {} has sent", link.client))
        })
    }

    /// Everything that can be read, heard and called back is.
    fn exhaust(&mut self) -> Verdict {
        loop {
            let mut moved = false;
            for id in 0..self.clients.len() {
                while !self.clients[id].callbacks.is_empty() {
                    self.call_back(id, false)?;
                    moved = true;
                }
                if std::mem::take(&mut self.clients[id].connecting) {
                    self.connect(id)?;
                    moved = true;
                }
            }
            let links: Vec<_> = self.links.keys().copied().collect();
            for id in links {
                while self.is_heard(id) {
                    self.hear(id)?;
                    moved = true;
                }
                if self.links.get(&id).is_some_and(crate::link::Link::is_readable) {
                    self.read(id, usize::MAX)?;
                    moved = true;
                }
            }
            self.sweep();
            if !moved {
                return Ok(());
            }
        }
    }
}

/// Whether a client has heard everything, and said everything.
fn is_done(client: &Client) -> bool {
    let talking = matches!(client.standing(), Some(Standing::Talking(_)));
    let said = client.disk.seat.as_ref().is_none_or(|seat| seat.outbox.is_empty());
    client.thief || (client.callbacks.is_empty() && (!talking || said))
}
