//! Where every connection is: in exactly one place, at all times.
//!
//! Bookkeeping that decides nothing: who owns what is settled by ownership of the sockets. It is
//! there to be checked (in tests and on demand) and counted. Knows ids and places only.

use std::collections::HashMap;

use crate::matching::Ticket;

/// A connection, for as long as the process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// Where a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the queue: seeking or waiting, with this ticket.
    Queued(Ticket),
    /// Matched, and on its way into a conversation.
    Pairing,
    /// In a conversation with this one.
    Talking(ConnectionId),
    /// In a conversation of `vyoma.v1`, whether its partner is there or not.
    Seated,
    /// Its partner has left, and its fence hasn't been answered.
    Fenced,
    /// Connected, without a partner, not in the queue.
    Unpaired,
    /// Being closed.
    Closing,
}

/// How many connections are in each place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// Waiting for a partner, or seeking one.
    pub waiting: usize,
    /// Matched, and on the way into a conversation.
    pub pairing: usize,
    /// In a conversation; an even number.
    pub talking: usize,
    /// In a conversation of `vyoma.v1`, or with one who speaks that.
    pub seated: usize,
    /// Between a conversation and the queue.
    pub fenced: usize,
    /// Connected and not in the queue.
    pub unpaired: usize,
    /// Being closed.
    pub closing: usize,
}

impl Census {
    /// All connections.
    pub fn total(&self) -> usize {
        let talking = self.talking + self.seated;
        self.waiting + self.pairing + talking + self.fenced + self.unpaired + self.closing
    }
}

/// Who is where.
#[derive(Debug, Default)]
pub struct Roster {
    places: HashMap<ConnectionId, Place>,
    census: Census,
}

impl Roster {
    /// Notes where a connection is now. Two talkers are noted by [`Roster::pair`].
    pub fn set(&mut self, id: ConnectionId, place: Place) {
        *self.count(place) += 1;
        if let Some(old) = self.places.insert(id, place) {
            *self.count(old) -= 1;
        }
    }

    /// Notes that two talk with each other.
    pub fn pair(&mut self, a: ConnectionId, b: ConnectionId) {
        self.set(a, Place::Talking(b));
        self.set(b, Place::Talking(a));
    }

    /// Forgets a connection that is closed.
    pub fn remove(&mut self, id: ConnectionId) {
        if let Some(old) = self.places.remove(&id) {
            *self.count(old) -= 1;
        }
    }

    /// Where a connection is.
    pub fn place(&self, id: ConnectionId) -> Option<Place> {
        self.places.get(&id).copied()
    }

    /// How many are where.
    pub fn census(&self) -> Census {
        self.census
    }

    /// Checks what must always hold: talkers talk with each other, `queued` knows every ticket
    /// (and no more than those: their number is `tickets`), and the counts are right.
    ///
    /// # Errors
    /// The first violation found, in words.
    pub fn check(&self, queued: impl Fn(Ticket) -> bool, tickets: usize) -> Result<(), String> {
        let mut recount = Roster::default();
        for (id, place) in &self.places {
            *recount.count(*place) += 1;
            match place {
                Place::Talking(with) if self.place(*with) != Some(Place::Talking(*id)) => {
                    return Err(format!("{id:?} talks with {with:?}: {:?}", self.place(*with)));
                }
                Place::Queued(ticket) if !queued(*ticket) => {
                    return Err(format!("{id:?} waits with {ticket:?}, which is not queued"));
                }
                _ => {}
            }
        }
        if recount.census != self.census {
            return Err(format!("counted {:?}, but it is {:?}", self.census, recount.census));
        }
        if tickets != self.census.waiting {
            return Err(format!("{tickets} tickets for {} who wait", self.census.waiting));
        }
        Ok(())
    }

    fn count(&mut self, place: Place) -> &mut usize {
        match place {
            Place::Queued(_) => &mut self.census.waiting,
            Place::Pairing => &mut self.census.pairing,
            Place::Talking(_) => &mut self.census.talking,
            Place::Seated => &mut self.census.seated,
            Place::Fenced => &mut self.census.fenced,
            Place::Unpaired => &mut self.census.unpaired,
            Place::Closing => &mut self.census.closing,
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a ticket is drawn at some time")]
mod tests {
    use super::*;

    const IDS: [ConnectionId; 3] = [ConnectionId(1), ConnectionId(2), ConnectionId(3)];

    #[test]
    fn finds_one_who_talks_with_somebody_else() {
        let mut roster = Roster::default();
        roster.pair(IDS[0], IDS[1]);
        assert_eq!(roster.check(|_| false, 0), Ok(()));
        roster.set(IDS[1], Place::Talking(IDS[2]));
        assert!(roster.check(|_| false, 0).is_err());
        roster.set(IDS[0], Place::Closing);
        roster.remove(IDS[1]);
        assert_eq!(roster.check(|_| false, 0), Ok(()));
        assert_eq!(roster.census(), Census { closing: 1, ..Census::default() });
    }

    #[test]
    fn finds_one_who_waits_without_a_ticket_and_a_ticket_without_one_who_waits() {
        let mut pool = crate::matching::Pool::new(crate::matching::Patience {
            fresh: std::time::Duration::from_secs(2),
            answer: std::time::Duration::from_secs(2),
        });
        let ticket = pool.join(std::time::Instant::now());
        let mut roster = Roster::default();
        assert!(roster.check(|_| true, 1).is_err());
        roster.set(IDS[0], Place::Queued(ticket));
        assert_eq!(roster.check(|t| pool.contains(t), pool.len()), Ok(()));
        pool.leave(ticket);
        assert!(roster.check(|t| pool.contains(t), 1).is_err());
    }
}
