//! Who may come in, around the rules in `vyoma_core::admission`: permits that give back what they
//! hold when they go.
//!
//! Knows which peers are proxies and which are exempt. Must not know HTTP. The lock is held for a
//! look-up, never across an await.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use vyoma_core::admission::{self as rules, AddressKey, Limits, Place, Refused};

use crate::Config;

/// Refused connections that are answered at one time; more are closed without a word. Each holds
/// a descriptor until its client has read the answer, a few milliseconds with an honest one and a
/// few seconds with a deaf one; 256 are 1 % of what a small machine has.
const ANSWERS: usize = 256;

/// The server's door.
pub(crate) struct Admission {
    door: Arc<Door>,
    answers: Arc<Semaphore>,
}

struct Door {
    book: Mutex<rules::Admission>,
    trusted_proxies: Vec<IpNet>,
    limit_loopback: bool,
}

impl Door {
    fn book(&self) -> MutexGuard<'_, rules::Admission> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies.iter().any(|net| net.contains(&address))
    }

    /// Whether the limits per address don't count for this one.
    fn exempts(&self, address: IpAddr) -> bool {
        !self.limit_loopback && address.to_canonical().is_loopback()
    }
}

/// A connection's place; given back when it is dropped.
pub(crate) struct Permit {
    door: Arc<Door>,
    /// Whose limits it counts towards, if any.
    address: Option<AddressKey>,
    place: Place,
}

impl Admission {
    pub(crate) fn new(config: &Config) -> Self {
        let limits = Limits {
            connections: config.max_connections,
            connections_per_address: config.max_connections_per_address,
            attempts_per_address: config.max_attempts_per_address,
        };
        let door = Door {
            book: Mutex::new(rules::Admission::new(limits)),
            trusted_proxies: config.trusted_proxies.clone(),
            limit_loopback: config.limit_loopback,
        };
        Self { door: Arc::new(door), answers: Arc::new(Semaphore::new(ANSWERS)) }
    }

    /// Lets a connection in, to say what it wants. One from a trusted proxy counts towards no
    /// address until [`Permit::forwarded`] says which.
    ///
    /// # Errors
    /// What to tell the client instead.
    pub(crate) fn admit(&self, peer: SocketAddr) -> Result<Permit, Refused> {
        let place = self.door.book().enter()?;
        let mut permit = Permit { door: Arc::clone(&self.door), address: None, place };
        if !self.door.trusts(peer.ip()) && !self.door.exempts(peer.ip()) {
            permit.charge(peer.ip())?;
        }
        Ok(permit)
    }

    /// Whether a peer is a proxy whose forwarded address is believed.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.door.trusts(address)
    }

    /// Leave to answer a connection that was not admitted; `None` if too many are being answered.
    pub(crate) fn may_answer(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.answers).try_acquire_owned().ok()
    }

    /// Connections that are in, whatever they are doing.
    pub(crate) fn open(&self) -> usize {
        self.door.book().open()
    }
}

impl Permit {
    /// Counts a connection that came through the trusted proxy `peer` towards the client it was
    /// forwarded for, of which it may have several, one after the other, each an attempt; where that
    /// isn't known, towards the proxy itself, even on loopback: else a client could escape its limits
    /// by sending a header that makes no sense.
    ///
    /// # Errors
    /// What to tell the client instead.
    pub(crate) fn forwarded(
        &mut self,
        client: Option<IpAddr>,
        peer: SocketAddr,
    ) -> Result<(), Refused> {
        match client {
            Some(client) if self.door.exempts(client) => {
                self.discharge();
                Ok(())
            }
            Some(client) => self.charge(client),
            None => self.charge(peer.ip()),
        }
    }

    /// Asks to keep the place for a WebSocket.
    ///
    /// # Errors
    /// What to tell the client instead.
    pub(crate) fn stay(&self) -> Result<(), Refused> {
        self.door.book().stay(self.place)
    }

    fn charge(&mut self, address: IpAddr) -> Result<(), Refused> {
        let key = AddressKey::from(address);
        if self.address == Some(key) {
            return Ok(());
        }
        self.discharge();
        self.door.book().enter_address(key, Instant::now())?;
        self.address = Some(key);
        Ok(())
    }

    fn discharge(&mut self) {
        if let Some(key) = self.address.take() {
            self.door.book().leave_address(key);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.discharge();
        self.door.book().leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vyoma_protocol::handshake::Refusal;

    fn peer(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().unwrap(), 4711)
    }

    fn admission(change: impl FnOnce(&mut Config)) -> Admission {
        let mut config =
            Config { max_connections_per_address: 1, max_connections: 4, ..Config::default() };
        change(&mut config);
        Admission::new(&config)
    }

    fn why(result: Result<Permit, Refused>) -> Option<Refusal> {
        result.err().map(|refused| refused.why)
    }

    #[test]
    fn a_permit_gives_back_all_it_holds() {
        let admission = admission(|_| {});
        let first = admission.admit(peer("192.0.2.1")).unwrap();
        assert_eq!(why(admission.admit(peer("192.0.2.1"))), Some(Refusal::AddressConnections));
        assert_eq!(
            why(admission.admit(peer("::ffff:192.0.2.1"))),
            Some(Refusal::AddressConnections)
        );
        assert_eq!(admission.open(), 1, "a refused one holds nothing");
        drop(first);
        assert_eq!(admission.open(), 0);
        assert!(admission.admit(peer("192.0.2.1")).is_ok());
    }

    #[test]
    fn loopback_is_exempt_unless_it_is_limited() {
        let open = admission(|_| {});
        let _permits = ["127.0.0.1", "127.0.0.1", "::1", "::ffff:127.0.0.1"]
            .map(|text| open.admit(peer(text)).unwrap());
        let limited = admission(|config| config.limit_loopback = true);
        let _permit = limited.admit(peer("127.0.0.1")).unwrap();
        assert_eq!(why(limited.admit(peer("127.0.0.1"))), Some(Refusal::AddressConnections));
    }

    #[test]
    fn a_proxy_s_connections_count_towards_its_clients() {
        let admission = admission(|c| c.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]);
        let proxy = peer("::ffff:127.0.0.1");
        let [mut first, mut second, mut third, mut fourth] =
            [(); 4].map(|()| admission.admit(proxy).unwrap());
        let client = Some("192.0.2.1".parse().unwrap());
        assert_eq!(first.forwarded(client, proxy), Ok(()));
        let refused = second.forwarded(client, proxy).unwrap_err();
        assert_eq!(refused.why, Refusal::AddressConnections);
        assert_eq!(third.forwarded(None, proxy), Ok(()), "the proxy itself is one address");
        assert!(fourth.forwarded(None, proxy).is_err());
        drop(first);
        assert_eq!(second.forwarded(client, proxy), Ok(()));
    }

    #[test]
    fn a_full_server_lets_a_few_ask_but_not_stay() {
        let admission = admission(|config| config.max_connections = 1);
        let regular = admission.admit(peer("192.0.2.1")).unwrap();
        let reserve = admission.admit(peer("192.0.2.2")).unwrap();
        assert_eq!(regular.stay(), Ok(()));
        assert_eq!(reserve.stay().unwrap_err().why, Refusal::Full);
        drop(regular);
        assert_eq!(reserve.stay(), Ok(()));
    }

    #[test]
    fn a_permit_is_small() {
        assert!(size_of::<Permit>() <= 32, "{}", size_of::<Permit>());
    }
}
