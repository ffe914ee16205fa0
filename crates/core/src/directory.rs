//! Which device sits where, and where each conversation is reached.
//!
//! Decides whether a device may join or resume, and who adopts a conversation: in one step each, so
//! that a device has at most one place, and a conversation at most one home. Generic over the `Desk`
//! at which a conversation is reached. Must not know what is said there.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use vyoma_protocol::envelope::{ConversationId, Side};
use vyoma_protocol::token::{BootId, Claims, Identity};

use crate::matching::Ticket;

/// A device's one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Waiting(Ticket),
    Seated(ConversationId, Side),
}

#[derive(Debug)]
struct Entry<Desk> {
    desk: Desk,
    /// Until when the seats are kept whose holders aren't connected.
    away_until: [Option<Instant>; 2],
    /// A side has left it by joining anew: it ends as soon as it is told.
    left: bool,
    /// It has ended, and stays only for who has still to hear of it.
    ended: bool,
}

/// What a device that wants to join may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join<Desk> {
    /// Queue.
    Free,
    /// Take over the place of its older connection, which waits with this ticket.
    TakeOver(Ticket),
    /// Queue, once this side of the conversation reached there has been told to leave.
    Leaving(Desk, Side),
    /// Nothing: it is in this conversation. If nobody is connected to its seat, that is kept for
    /// so long; if the other side has just left, it is over soon.
    Seated(ConversationId, Option<Duration>),
}

/// What a device that wants to resume may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumption<Desk> {
    /// Take its seat, at this desk.
    Seat(Desk),
    /// Adopt the conversation: it is reached at the desk that was given.
    Adopt,
    /// Nothing: it is over.
    Over,
    /// Nothing: the device is in this other conversation.
    Elsewhere(ConversationId),
    /// Nothing yet: an older connection of the device waits with this ticket. Once that is taken out,
    /// and [`Directory::stop_waiting`] told, it may ask again.
    Waiting(Ticket),
}

/// Devices and conversations.
#[derive(Debug)]
pub struct Directory<Desk> {
    boot: BootId,
    devices: HashMap<Identity, Place>,
    conversations: HashMap<ConversationId, Entry<Desk>>,
}

impl<Desk: Clone> Directory<Desk> {
    /// An empty one, of this process.
    pub fn new(boot: BootId) -> Self {
        Self { boot, devices: HashMap::new(), conversations: HashMap::new() }
    }

    /// The process this belongs to.
    pub fn boot(&self) -> BootId {
        self.boot
    }

    /// A device wants to queue, and to end the conversation `leave` first if it sits there. After
    /// anything but [`Join::Seated`] it has no place, until [`Directory::wait`].
    pub fn join(
        &mut self,
        device: Identity,
        leave: Option<ConversationId>,
        now: Instant,
    ) -> Join<Desk> {
        let (conversation, side) = match self.devices.get(&device) {
            None => return Join::Free,
            Some(Place::Waiting(ticket)) => return Join::TakeOver(*ticket),
            Some(Place::Seated(conversation, side)) => (*conversation, *side),
        };
        let Some(entry) = self.conversations.get_mut(&conversation) else { return Join::Free };
        // If both left at once, nobody would know yet that they have met.
        if !entry.ended && (leave != Some(conversation) || entry.left) {
            let until = entry.away_until[side as usize].or(entry.left.then_some(now));
            let rest = until.map(|until| until.saturating_duration_since(now));
            return Join::Seated(conversation, rest);
        }
        entry.left = true;
        let desk = entry.desk.clone();
        self.devices.remove(&device);
        Join::Leaving(desk, side)
    }

    /// A device waits with this ticket.
    pub fn wait(&mut self, device: Identity, ticket: Ticket) {
        self.devices.insert(device, Place::Waiting(ticket));
    }

    /// With which ticket a device waits, if it does.
    pub fn ticket(&self, device: Identity) -> Option<Ticket> {
        match self.devices.get(&device) {
            Some(Place::Waiting(ticket)) => Some(*ticket),
            _ => None,
        }
    }

    /// A device waits no longer, unless it does so with another ticket by now.
    pub fn stop_waiting(&mut self, device: Identity, ticket: Ticket) {
        if self.devices.get(&device) == Some(&Place::Waiting(ticket)) {
            self.devices.remove(&device);
        }
    }

    /// Two begin to talk, reached at `desk`; `None` is one without a device.
    pub fn begin(&mut self, id: ConversationId, devices: [Option<Identity>; 2], desk: Desk) {
        self.conversations
            .insert(id, Entry { desk, away_until: [None; 2], left: false, ended: false });
        for (side, device) in [Side::A, Side::B].into_iter().zip(devices) {
            if let Some(device) = device {
                self.devices.insert(device, Place::Seated(id, side));
            }
        }
    }

    /// A device wants a seat again, by its token. The two seats of a conversation that is adopted are
    /// kept until `until`.
    pub fn resume(&mut self, claims: &Claims, desk: &Desk, until: Instant) -> Resumption<Desk> {
        let (id, side, device) = (claims.conversation, claims.side, claims.identity);
        match self.devices.get(&device) {
            Some(Place::Seated(other, _)) if *other != id && self.goes_on(*other) => {
                return Resumption::Elsewhere(*other);
            }
            Some(Place::Waiting(ticket)) => return Resumption::Waiting(*ticket),
            _ => {}
        }
        let own = claims.boot == self.boot;
        let adopted = match self.conversations.get(&id) {
            None if own || claims.plain_partner => return Resumption::Over,
            None => true,
            Some(_) => false,
        };
        let entry = self.conversations.entry(id).or_insert_with(|| Entry {
            desk: desk.clone(),
            away_until: [Some(until); 2],
            left: false,
            ended: false,
        });
        self.devices.insert(device, Place::Seated(id, side));
        if adopted { Resumption::Adopt } else { Resumption::Seat(entry.desk.clone()) }
    }

    /// The connection of a seat came (`None`), or was lost, and is kept until then.
    pub fn note_presence(&mut self, id: ConversationId, side: Side, away_until: Option<Instant>) {
        if let Some(entry) = self.conversations.get_mut(&id) {
            entry.away_until[side as usize] = away_until;
        }
    }

    /// A conversation has ended: its devices are free to join.
    pub fn note_end(&mut self, id: ConversationId) {
        if let Some(entry) = self.conversations.get_mut(&id) {
            entry.ended = true;
        }
    }

    /// A device has nothing to do with a conversation any more.
    pub fn release(&mut self, id: ConversationId, side: Side, device: Identity) {
        if self.devices.get(&device) == Some(&Place::Seated(id, side)) {
            self.devices.remove(&device);
        }
    }

    /// Nobody sits there any more; all devices have been released.
    pub fn remove(&mut self, id: ConversationId) {
        self.conversations.remove(&id);
    }

    /// How many conversations are reached here.
    pub fn conversations(&self) -> usize {
        self.conversations.len()
    }

    /// Every device that has a place. Each has one.
    pub fn devices(&self) -> usize {
        self.devices.len()
    }

    fn goes_on(&self, id: ConversationId) -> bool {
        self.conversations.get(&id).is_some_and(|entry| !entry.ended)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a time to count from")]
mod tests {
    use super::*;

    #[test]
    fn of_two_who_leave_at_once_the_second_comes_back_when_it_is_known_that_they_have_met() {
        let (id, now) = (ConversationId([7; 16]), Instant::now());
        let [a, b] = [1, 2].map(|byte| Identity([byte; 16]));
        let mut directory = Directory::new(BootId(1));
        directory.begin(id, [Some(a), Some(b)], "there");
        assert_eq!(directory.join(b, None, now), Join::Seated(id, None));
        assert_eq!(directory.join(a, Some(id), now), Join::Leaving("there", Side::A));
        assert_eq!(directory.join(a, Some(id), now), Join::Free);
        let soon = Join::Seated(id, Some(Duration::ZERO));
        assert_eq!(directory.join(b, Some(id), now), soon);
        assert_eq!(directory.join(b, None, now), soon);
        directory.note_end(id);
        assert_eq!(directory.join(b, None, now), Join::Leaving("there", Side::B));
    }
}
