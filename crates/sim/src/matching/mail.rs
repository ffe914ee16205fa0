//! The mailboxes of tasks that wait: read late, and closed at any time.

use std::collections::{BTreeMap, VecDeque};

use vyoma_core::matching::Order;

use super::client::ClientId;

/// Where a waiting client's task is reached: one for each stay in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Desk(u64);

/// What reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    /// The seat of a partner.
    Partner(ClientId),
    Order(Order),
    Superseded,
}

/// All mailboxes that are open.
#[derive(Debug, Default)]
pub(super) struct Mail {
    open: BTreeMap<Desk, VecDeque<Note>>,
    opened: u64,
}

impl Mail {
    pub(super) fn open(&mut self) -> Desk {
        self.opened += 1;
        let desk = Desk(self.opened);
        self.open.insert(desk, VecDeque::new());
        desk
    }

    /// Whether the note lies there now; else nobody will read it.
    pub(super) fn send(&mut self, desk: Desk, note: Note) -> bool {
        let Some(notes) = self.open.get_mut(&desk) else { return false };
        notes.push_back(note);
        true
    }

    pub(super) fn take(&mut self, desk: Desk) -> Option<Note> {
        self.open.get_mut(&desk)?.pop_front()
    }

    /// Closes a mailbox, and returns what still lay there.
    pub(super) fn close(&mut self, desk: Desk) -> VecDeque<Note> {
        self.open.remove(&desk).unwrap_or_default()
    }

    pub(super) fn holds(&self, desk: Desk, note: Note) -> bool {
        self.open.get(&desk).is_some_and(|notes| notes.contains(&note))
    }

    /// Whether something lies there.
    pub(super) fn waits(&self, desk: Desk) -> bool {
        self.open.get(&desk).is_some_and(|notes| !notes.is_empty())
    }
}
