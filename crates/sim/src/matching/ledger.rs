//! What was promised about who meets whom, kept apart from the rules that are to hold it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use vyoma_core::matching::{Person, Ticket, score};
use vyoma_protocol::token::Identity;

use super::client::{Client, ClientId};
use super::lobby::relaxation;
use crate::world::Verdict;

/// What two clients and the time tell about whether they may meet.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    blocked: BTreeSet<[Identity; 2]>,
    /// Until when two don't meet again.
    recent: BTreeMap<[Identity; 2], Instant>,
    /// By which invitations two have met.
    spent: BTreeSet<u64>,
    /// Since when each ticket waits.
    since: BTreeMap<Ticket, Instant>,
    /// Who is matched, and doesn't talk yet.
    pub(super) pairing: BTreeSet<ClientId>,
}

impl Ledger {
    pub(super) fn blocks(&mut self, a: Identity, b: Identity) {
        self.blocked.insert(pair(a, b));
    }

    pub(super) fn met(&mut self, devices: [Option<Identity>; 2], until: Instant) {
        if let [Some(a), Some(b)] = devices {
            let known = self.recent.entry(pair(a, b)).or_insert(until);
            *known = until.max(*known);
        }
    }

    pub(super) fn queued(&mut self, ticket: Ticket, now: Instant) {
        self.since.entry(ticket).or_insert(now);
    }

    /// Two begin to talk, perhaps by an invitation.
    pub(super) fn begin(&mut self, clients: [ClientId; 2], invitation: Option<u64>) -> Verdict {
        for client in clients {
            if !self.pairing.remove(&client) {
                return Err(format!("client {client} talks, and wasn't matched"));
            }
        }
        match invitation.filter(|invitation| !self.spent.insert(*invitation)) {
            Some(_) => Err("two more have met by one invitation".into()),
            None => Ok(()),
        }
    }

    /// Two were matched: they had to be allowed to, and to want each other.
    pub(super) fn judge(
        &mut self,
        ids: [ClientId; 2],
        [a, b]: [&Client; 2],
        now: Instant,
    ) -> Verdict {
        for id in ids {
            if !self.pairing.insert(id) {
                return Err(format!("client {id} was matched twice"));
            }
        }
        if !self.may_ever_meet(a, b) {
            return Err(format!("{ids:?} are kept from each other, and were matched"));
        }
        let recent = || self.recent.get(&pair(a.device?, b.device?));
        if a.pass.is_none() && recent().is_some_and(|until| *until > now) {
            return Err(format!("{ids:?} were matched within their cooldown"));
        }
        let enough = |client: &Client| {
            let since = client.queued.and_then(|(ticket, _)| self.since.get(&ticket));
            let waited = since.map(|since| now - *since).unwrap_or_default();
            relaxation(client.pool).map_or(0, |relaxation| relaxation.threshold(waited))
        };
        let score = score(a.person.lists(), b.person.lists());
        if a.pass.is_none() && score < enough(a).max(enough(b)) {
            return Err(format!("{ids:?} were matched, and {score} will not do yet"));
        }
        Ok(())
    }

    /// Whether two who wait would be matched sooner or later.
    pub(super) fn will_meet(&self, a: &Client, b: &Client) -> bool {
        let last = |client: &Client| {
            let relaxation = relaxation(client.pool);
            relaxation.and_then(|it| it.steps().last().map(|(_, score)| *score)).unwrap_or(0)
        };
        let enough = score(a.person.lists(), b.person.lists()) >= last(a);
        self.may_ever_meet(a, b) && (a.pass.is_some() || enough)
    }

    fn may_ever_meet(&self, a: &Client, b: &Client) -> bool {
        let strangers = match (a.device, b.device) {
            (Some(a), Some(b)) => a != b && !self.blocked.contains(&pair(a, b)),
            _ => true,
        };
        let invitations = [a, b].map(|client| client.pass.map(|pass| pass.invitation()));
        let spoken = a.pass.is_some() || relaxation(a.pool).is_none() || understand(a, b);
        strangers && a.pool == b.pool && invitations[0] == invitations[1] && spoken
    }
}

/// Whether each speaks a language that the other one demands.
fn understand(a: &Client, b: &Client) -> bool {
    let content = |one: &Person, other: &Person| {
        let required = one.required();
        required.is_empty() || required.iter().any(|tag| other.lists().languages.contains(tag))
    };
    content(&a.person, &b.person) && content(&b.person, &a.person)
}

fn pair(a: Identity, b: Identity) -> [Identity; 2] {
    if a < b { [a, b] } else { [b, a] }
}
