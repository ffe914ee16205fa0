//! Invitations: two who know a code meet each other, and nobody else.
//!
//! Knows codes, when they expire, who holds a seat in which, and how often guessing has failed. Must not
//! know tickets, or who is live: a pool pairs the two who hold the seats.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use vyoma_protocol::token::Identity;

use super::code::{CODE_BYTES, Code};
use crate::rate::{Bucket, Rate};

/// Invitations that may be open at once: some 150 bytes each, so 10 MB.
pub const MOST_OPEN: usize = 65_536;

/// Invitations that one device may have open at once: enough for whoever hands them out at an event, and
/// 4,096 of those.
pub const MOST_OPEN_PER_DEVICE: usize = 16;

/// Of so many that were used it is known that they were, until they expire; the oldest are forgotten first,
/// and are unknown from then on. As large as what may be open.
pub const MOST_SPENT: usize = 65_536;

/// How often a code may be presented that doesn't let in, over all clients: 20 a second. Somebody who
/// always uses that up finds a given code, which lives for a day, with a chance of
/// `20 * 86,400 / 2^48`, one in 160 million; any one of 65,536 after some 6 years in the mean
/// (`2^48 / (65,536 * 20)` seconds).
pub const FAILURES: Rate = Rate { burst: 200, interval: 50 };

/// Why there is no invitation, or no seat in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uninvited {
    /// There is none of this code here, or it has expired: which of both, isn't told.
    Unknown,
    /// Two others have its seats.
    Used,
    /// There are too many.
    TooMany,
    /// Too many codes were wrong; come back after this time.
    TooFast(Duration),
}

/// A seat in an invitation. Whoever holds it says when it is free again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    code: Code,
    number: u64,
    /// Until when the invitation holds.
    pub expires: Instant,
}

impl Pass {
    /// The invitation that it is of, as a number.
    pub fn invitation(self) -> u64 {
        self.code.number()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Guest {
    number: u64,
    /// Plain clients have none.
    device: Option<Identity>,
}

#[derive(Debug)]
enum State {
    /// Nobody has met by it.
    Open([Option<Guest>; 2]),
    /// Two have; with its place among those.
    Spent(u64),
}

#[derive(Debug)]
struct Invitation {
    pool: Box<str>,
    by: Identity,
    expires: Instant,
    state: State,
}

/// All invitations.
#[derive(Debug)]
pub struct Invitations {
    life: Duration,
    /// What its bucket counts from.
    start: Instant,
    all: HashMap<Code, Invitation>,
    expiring: BTreeSet<(Instant, Code)>,
    /// In the order in which they were.
    spent: BTreeMap<u64, Code>,
    /// How many each device has open.
    open: HashMap<Identity, usize>,
    failures: Bucket,
    numbers: u64,
}

impl Invitations {
    /// None yet; each will hold for `life`.
    pub fn new(life: Duration, now: Instant) -> Self {
        Self {
            life,
            start: now,
            all: HashMap::new(),
            expiring: BTreeSet::new(),
            spent: BTreeMap::new(),
            open: HashMap::new(),
            failures: Bucket::default(),
            numbers: 0,
        }
    }

    /// How long one holds.
    pub fn life(&self) -> Duration {
        self.life
    }

    /// Makes one, in this pool, for a device that wants to invite somebody; the code is random.
    ///
    /// # Errors
    /// [`Uninvited::TooMany`].
    pub fn make(
        &mut self,
        by: Identity,
        pool: &str,
        random: [u8; CODE_BYTES],
        now: Instant,
    ) -> Result<Code, Uninvited> {
        self.forget(now);
        let own = self.open.get(&by).copied().unwrap_or(0);
        if own >= MOST_OPEN_PER_DEVICE || self.len() >= MOST_OPEN {
            return Err(Uninvited::TooMany);
        }
        let mut code = Code::new(random);
        // Ends: there are more codes than there can be invitations.
        while self.all.contains_key(&code) {
            code = code.following();
        }
        let expires = now + self.life;
        let state = State::Open([None; 2]);
        self.all.insert(code, Invitation { pool: pool.into(), by, expires, state });
        self.expiring.insert((expires, code));
        self.open.insert(by, own + 1);
        Ok(code)
    }

    /// Whether somebody in this pool would get a seat by this code. A wrong one is counted.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(
        &mut self,
        code: Code,
        pool: &str,
        device: Option<Identity>,
        now: Instant,
    ) -> Result<(), Uninvited> {
        self.forget(now);
        self.failures.look(FAILURES, now - self.start).map_err(Uninvited::TooFast)?;
        let why = match self.all.get(&code).filter(|found| *found.pool == *pool) {
            None => Uninvited::Unknown,
            Some(Invitation { state: State::Open(seats), .. })
                if place(seats, device).is_some() =>
            {
                return Ok(());
            }
            Some(_) => Uninvited::Used,
        };
        // There was one left.
        let _ = self.failures.take(FAILURES, now - self.start);
        Err(why)
    }

    /// Gives a seat to somebody in this pool: a free one, or the one that the same device had, which is
    /// no longer the other connection's then.
    ///
    /// # Errors
    /// As [`Invitations::judge`].
    pub fn present(
        &mut self,
        code: Code,
        pool: &str,
        device: Option<Identity>,
        now: Instant,
    ) -> Result<Pass, Uninvited> {
        self.judge(code, pool, device, now)?;
        self.numbers += 1;
        let number = self.numbers;
        if let Some(Invitation { state: State::Open(seats), expires, .. }) = self.all.get_mut(&code)
            && let Some(place) = place(seats, device)
        {
            seats[place] = Some(Guest { number, device });
            return Ok(Pass { code, number, expires: *expires });
        }
        Err(Uninvited::Unknown)
    }

    /// A seat is free again, if it is still that one's, and the two haven't met.
    pub fn free(&mut self, pass: Pass) {
        if let Some(State::Open(seats)) = self.all.get_mut(&pass.code).map(|found| &mut found.state)
        {
            for seat in seats {
                seat.take_if(|guest| guest.number == pass.number);
            }
        }
    }

    /// Two have met by an invitation in which this is a seat: nobody does so again.
    pub fn spend(&mut self, pass: Pass) {
        let Some(invitation) = self.all.get_mut(&pass.code) else { return };
        let State::Open(seats) = &invitation.state else { return };
        if !seats.iter().flatten().any(|guest| guest.number == pass.number) {
            return;
        }
        self.numbers += 1;
        invitation.state = State::Spent(self.numbers);
        let by = invitation.by;
        self.close_one(by);
        self.spent.insert(self.numbers, pass.code);
        if self.spent.len() > MOST_SPENT
            && let Some((_, oldest)) = self.spent.first_key_value()
        {
            self.remove(*oldest);
        }
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.all.len() - self.spent.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets those that have expired.
    fn forget(&mut self, now: Instant) {
        while let Some((expires, code)) = self.expiring.first().copied()
            && expires <= now
        {
            self.remove(code);
        }
    }

    fn remove(&mut self, code: Code) {
        let Some(invitation) = self.all.remove(&code) else { return };
        self.expiring.remove(&(invitation.expires, code));
        match invitation.state {
            State::Open(_) => self.close_one(invitation.by),
            State::Spent(place) => drop(self.spent.remove(&place)),
        }
    }

    /// A device has one less open.
    fn close_one(&mut self, by: Identity) {
        if let Some(open) = self.open.get_mut(&by) {
            *open -= 1;
            if *open == 0 {
                self.open.remove(&by);
            }
        }
    }
}

/// Which seat is for this device: the one that it has, else a free one.
fn place(seats: &[Option<Guest>; 2], device: Option<Identity>) -> Option<usize> {
    let own = |guest: &Guest| device.is_some() && guest.device == device;
    let held = seats.iter().position(|seat| seat.as_ref().is_some_and(own));
    held.or_else(|| seats.iter().position(Option::is_none))
}

#[cfg(test)]
mod tests;
