//! Who may come in: how many at once, how many from one address, and how often one may try.
//!
//! Knows addresses, counts and times that are passed in. Must not know sockets, proxies, HTTP or
//! configuration files. What it keeps per address is forgotten as soon as it says nothing any more.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use vyoma_protocol::handshake::Refusal;

/// An address may save up its attempts for this long: the burst is ten times the rate.
pub const BURST: Duration = Duration::from_secs(10);

/// Places beyond the limit for connections that turn out to be plain HTTP, such as a health check
/// or a scrape: a full server must not look like a dead one. Two checkers that each keep a few
/// connections open need less than ten.
pub const RESERVE: usize = 32;

/// What to tell a client that comes when the server, or its address's share of it, is full. Places
/// become free as people go; a few seconds spread the next attempts without losing anyone.
pub const RETRY_WHEN_FULL: Duration = Duration::from_secs(5);

/// Below this many addresses nothing is swept: 1024 entries take about 50 KiB.
const SWEEP_FROM: usize = 1024;

/// The limits. Zero stands for no limit in those per address.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once, over all addresses.
    pub connections: usize,
    /// Connections at once from one address.
    pub connections_per_address: u32,
    /// New connections a second from one address, over time.
    pub attempts_per_address: u32,
}

/// Whose limits count: one IPv4 address, or one IPv6 /64, which is what one customer gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressKey {
    /// An IPv4 address, also where it came mapped into IPv6.
    V4(u32),
    /// The first 64 bits of an IPv6 address.
    V6(u64),
}

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.to_bits()),
            IpAddr::V6(v6) => Self::V6((v6.to_bits() >> 64) as u64),
        }
    }
}

/// Why a connection may not come in, and when it may try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// What the client is told.
    pub why: Refusal,
    /// When to try again, where that helps.
    pub retry_after: Option<Duration>,
}

impl From<Refusal> for Refused {
    fn from(why: Refusal) -> Self {
        Self { why, retry_after: None }
    }
}

/// Where a connection was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Within the limit: it may become a WebSocket.
    Regular,
    /// In the [`RESERVE`]: it may not, unless another connection has gone by then.
    Reserve,
}

/// All that is counted.
#[derive(Debug)]
pub struct Admission {
    limits: Limits,
    open: usize,
    addresses: HashMap<AddressKey, Usage>,
    sweep_at: usize,
}

/// What one address has taken.
#[derive(Debug)]
struct Usage {
    connections: u32,
    /// When its bucket of attempts is full again. Each attempt moves this on by one interval, the
    /// time one attempt takes to grow back; so one instant is all there is to a token bucket.
    full_at: Instant,
}

impl Usage {
    fn says_nothing(&self, now: Instant) -> bool {
        self.connections == 0 && self.full_at <= now
    }
}

impl Admission {
    /// With nobody in.
    pub fn new(limits: Limits) -> Self {
        Self { limits, open: 0, addresses: HashMap::new(), sweep_at: SWEEP_FROM }
    }

    /// Takes a place for a connection; give it back with [`Admission::leave`].
    ///
    /// # Errors
    /// [`Refusal::Full`] if even the reserve is taken.
    pub fn enter(&mut self) -> Result<Place, Refused> {
        let place = match self.open {
            open if open < self.limits.connections => Place::Regular,
            open if open < self.limits.connections.saturating_add(RESERVE) => Place::Reserve,
            _ => return Err(full()),
        };
        self.open += 1;
        Ok(place)
    }

    /// Whether a connection let in at `place` may become a WebSocket now.
    ///
    /// # Errors
    /// [`Refusal::Full`] if it came into the reserve and the server is still full.
    pub fn stay(&self, place: Place) -> Result<(), Refused> {
        match place {
            Place::Reserve if self.open > self.limits.connections => Err(full()),
            _ => Ok(()),
        }
    }

    /// Gives back a place.
    pub fn leave(&mut self) {
        debug_assert!(self.open > 0, "a place is given back once");
        self.open -= 1;
    }

    /// Counts an attempt and a connection of one address; give the connection back with
    /// [`Admission::leave_address`]. An attempt that comes too soon is not counted.
    ///
    /// # Errors
    /// [`Refusal::AddressAttempts`] or [`Refusal::AddressConnections`].
    pub fn enter_address(&mut self, key: AddressKey, now: Instant) -> Result<(), Refused> {
        self.sweep(now);
        let limits = self.limits;
        let usage = self.addresses.entry(key).or_insert(Usage { connections: 0, full_at: now });
        if limits.attempts_per_address > 0 {
            let interval = Duration::from_secs(1) / limits.attempts_per_address;
            let full_at = usage.full_at.max(now) + interval;
            let excess = full_at.duration_since(now).saturating_sub(BURST);
            if !excess.is_zero() {
                return Err(Refused { why: Refusal::AddressAttempts, retry_after: Some(excess) });
            }
            usage.full_at = full_at;
        }
        let most = limits.connections_per_address;
        if most > 0 && usage.connections >= most {
            let why = Refusal::AddressConnections;
            return Err(Refused { why, retry_after: Some(RETRY_WHEN_FULL) });
        }
        usage.connections += 1;
        Ok(())
    }

    /// Gives back a connection of one address.
    pub fn leave_address(&mut self, key: AddressKey) {
        let usage = self.addresses.get_mut(&key);
        debug_assert!(usage.as_ref().is_some_and(|usage| usage.connections > 0));
        if let Some(usage) = usage {
            usage.connections -= 1;
        }
    }

    /// Connections that are in, the reserve included.
    pub fn open(&self) -> usize {
        self.open
    }

    /// Addresses that something is kept for.
    pub fn addresses(&self) -> usize {
        self.addresses.len()
    }

    /// Forgets the addresses that say nothing, once there are twice as many as the last sweep
    /// left: so a sweep costs each arrival a constant, and the table stays within twice the
    /// addresses that are connected or came within the last [`BURST`].
    fn sweep(&mut self, now: Instant) {
        if self.addresses.len() < self.sweep_at {
            return;
        }
        self.addresses.retain(|_, usage| !usage.says_nothing(now));
        self.sweep_at = (2 * self.addresses.len()).max(SWEEP_FROM);
        self.addresses.shrink_to(self.sweep_at);
    }
}

fn full() -> Refused {
    Refused { why: Refusal::Full, retry_after: Some(RETRY_WHEN_FULL) }
}

#[cfg(test)]
mod tests;
