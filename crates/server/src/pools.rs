//! The pools there are: those that the organiser declared, and those that somebody asked for.
//!
//! Knows names, and whose number is whose. Must not know who waits in them: that is the lobby's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use vyoma_core::matching::INVITED;
use vyoma_core::roster::ConnectionId;
use vyoma_protocol::handshake::Refusal;

use crate::config::{Config, OnDemand, PoolConfig};
use crate::lobby::{self, Lobby};

/// A pool, by number and by name. One that was made on demand lasts as long as somebody holds it, as every
/// connection does with its own.
pub(crate) struct NamedPool {
    /// Its number in the lobby.
    pub(crate) number: u8,
    pub(crate) config: PoolConfig,
    /// Whether it was made on demand.
    pub(crate) on_demand: bool,
}

impl NamedPool {
    /// What the decision log calls it: one that was made on demand with its number, since another of its
    /// name may come after it.
    pub(crate) fn name_in_log(&self) -> String {
        let Self { number, config: PoolConfig { name, .. }, on_demand } = self;
        if *on_demand { format!("{name}@{number}") } else { name.clone() }
    }
}

/// All pools.
pub(crate) struct Pools {
    /// Numbered from 0 on.
    declared: Vec<Arc<NamedPool>>,
    on_demand: Option<OnDemand>,
    demanded: Mutex<Demanded>,
}

/// The pools that were made on demand.
#[derive(Default)]
struct Demanded {
    /// Numbered from behind the declared ones on. Where nobody holds one any more, another may have its
    /// number.
    pools: Vec<Weak<NamedPool>>,
    /// Which connection holds which: here, since a pointer in each seat would be too much for one that
    /// hardly anybody has.
    held: HashMap<ConnectionId, Arc<NamedPool>>,
}

impl Pools {
    pub(crate) fn new(config: &Config) -> Self {
        let named = |(number, config): (u8, &PoolConfig)| {
            Arc::new(NamedPool { number, config: config.clone(), on_demand: false })
        };
        Self {
            declared: (0..INVITED as u8).zip(&config.pools).map(named).collect(),
            on_demand: config.on_demand.clone(),
            demanded: Mutex::default(),
        }
    }

    /// The pool of this name, which is made if it isn't there and may be; the first one without a name.
    ///
    /// # Errors
    /// `no_such_pool`, or `pools_full`.
    pub(crate) fn find(
        &self,
        name: Option<&str>,
        lobby: &Lobby,
    ) -> Result<Arc<NamedPool>, Refusal> {
        let name = name.unwrap_or(&self.declared[0].config.name);
        if let Some(pool) = self.declared.iter().find(|pool| pool.config.name == name) {
            return Ok(Arc::clone(pool));
        }
        match &self.on_demand {
            Some(on_demand) if PoolConfig::is_name(name) => self.demand(name, on_demand, lobby),
            _ => Err(Refusal::NoSuchPool),
        }
    }

    /// Why [`Pools::find`] would refuse this pool now; makes none.
    pub(crate) fn refusal(&self, name: Option<&str>) -> Option<Refusal> {
        let name = name?;
        if self.declared.iter().any(|pool| pool.config.name == name) {
            return None;
        }
        let Some(on_demand) = self.on_demand.as_ref().filter(|_| PoolConfig::is_name(name)) else {
            return Some(Refusal::NoSuchPool);
        };
        let pools = &self.lock().pools;
        let held = pools.iter().filter_map(Weak::upgrade);
        let names: Vec<_> = held.map(|pool| pool.config.name.clone()).collect();
        let there = names.iter().any(|own| own == name);
        (!there && names.len() >= on_demand.most).then_some(Refusal::PoolsFull)
    }

    /// The pool of this number, which a connection has.
    pub(crate) fn get(&self, number: u8) -> Arc<NamedPool> {
        let place = usize::from(number);
        if let Some(pool) = self.declared.get(place) {
            return Arc::clone(pool);
        }
        let held = self.lock().pools.get(place - self.declared.len()).and_then(Weak::upgrade);
        held.unwrap_or_else(|| unreachable!("a connection holds its pool"))
    }

    /// This connection is in this pool, until it is forgotten.
    pub(crate) fn hold(&self, id: ConnectionId, pool: Arc<NamedPool>) {
        if usize::from(pool.number) >= self.declared.len() {
            self.lock().held.insert(id, pool);
        }
    }

    /// A connection is no more.
    pub(crate) fn forget(&self, id: ConnectionId) {
        if self.on_demand.is_some() {
            self.lock().held.remove(&id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Demanded> {
        self.demanded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn demand(
        &self,
        name: &str,
        on_demand: &OnDemand,
        lobby: &Lobby,
    ) -> Result<Arc<NamedPool>, Refusal> {
        let mut demanded = self.lock();
        let pools = &mut demanded.pools;
        let mut known = pools.iter().filter_map(Weak::upgrade);
        if let Some(pool) = known.find(|pool| pool.config.name == name) {
            return Ok(pool);
        }
        let free = pools.iter().position(|pool| pool.strong_count() == 0);
        let place = free.unwrap_or(pools.len());
        if place >= on_demand.most {
            return Err(Refusal::PoolsFull);
        }
        let config = PoolConfig::new(name, on_demand.rule.clone());
        // The configuration's check leaves room for all of them below the last number.
        let number = (self.declared.len() + place) as u8;
        let pool = Arc::new(NamedPool { number, config, on_demand: true });
        lobby.open_pool(number, lobby::rule(pool.name_in_log(), &pool.config));
        let held = Arc::downgrade(&pool);
        match pools.get_mut(place) {
            Some(free) => *free = held,
            None => pools.push(held),
        }
        Ok(pool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Rule;
    use vyoma_protocol::token::BootId;

    #[test]
    fn pools_on_demand_last_as_long_as_somebody_is_there() {
        let on_demand = Some(OnDemand { most: 2, rule: Rule::Open });
        let config = Config { on_demand, ..Config::default() };
        let lobby = Lobby::new(&config, BootId(1), Vec::new(), None);
        let pools = Pools::new(&config);
        let find = |name: &str| pools.find(Some(name), &lobby).map_err(Refusal::name);
        assert_eq!(pools.find(None, &lobby).map(|pool| pool.number).ok(), Some(0));
        assert_eq!(find("default").map(|pool| pool.number), Ok(0));
        for no_name in ["", "Upper", "a-b", "ä", &"x".repeat(33)] {
            assert_eq!(find(no_name).err(), Some("no_such_pool"), "{no_name}");
        }
        let (a, b) = (find("a"), find("b"));
        assert_eq!((number(&a), number(&b), number(&find("a"))), (Some(1), Some(2), Some(1)));
        assert_eq!(find("c").err(), Some("pools_full"));
        // Whoever only asks makes none.
        let why = |name: &str| pools.refusal(Some(name)).map(Refusal::name);
        assert_eq!((why("c"), why("a"), why("default")), (Some("pools_full"), None, None));
        assert_eq!((why("a-b"), pools.refusal(None)), (Some("no_such_pool"), None));
        // A connection holds its pool, too.
        pools.hold(ConnectionId(7), a.unwrap());
        assert_eq!((find("c").err(), pools.get(1).config.name.as_str()), (Some("pools_full"), "a"));
        pools.forget(ConnectionId(7));
        assert_eq!((why("c"), pools.lock().pools[0].strong_count()), (None, 0));
        assert_eq!((number(&find("c")), number(&find("b"))), (Some(1), Some(2)));
    }

    fn number(pool: &Result<Arc<NamedPool>, &str>) -> Option<u8> {
        pool.as_ref().ok().map(|pool| pool.number)
    }
}
