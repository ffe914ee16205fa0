//! Who comes by an invitation: the seats in it, as clients' tasks hold them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vyoma_core::matching::{Code, INVITED, Pass, Ticket, Uninvited};
use vyoma_protocol::token::Identity;

use super::Lobby;
use crate::keys;
use crate::shared::Shared;

/// A seat in an invitation. It is free again when this is dropped, unless the two have met.
pub(crate) struct Invited {
    pass: Pass,
    shared: Arc<Shared>,
}

impl Invited {
    pub(crate) fn new(pass: Pass, shared: &Arc<Shared>) -> Self {
        Self { pass, shared: Arc::clone(shared) }
    }

    pub(crate) fn pass(&self) -> Pass {
        self.pass
    }

    /// The two have met: nobody else will by this invitation.
    pub(crate) fn spend(&self) {
        self.shared.lobby.lock().invitations.spend(self.pass);
    }
}

impl Drop for Invited {
    fn drop(&mut self) {
        self.shared.lobby.lock().invitations.free(self.pass);
    }
}

impl Lobby {
    /// Makes an invitation into a pool, and says for how long it holds.
    pub(crate) fn invite(
        &self,
        by: Identity,
        pool: &str,
        now: Instant,
    ) -> Result<(Code, Duration), Uninvited> {
        let mut state = self.lock();
        let life = state.invitations.life();
        state.invitations.make(by, pool, keys::random(), now).map(|code| (code, life))
    }

    /// A seat in an invitation, and a place in the queue, for a client that isn't queued yet.
    pub(crate) fn reserve(
        &self,
        code: Code,
        pool: &str,
        now: Instant,
    ) -> Result<(Pass, Ticket), Uninvited> {
        let mut state = self.lock();
        let pass = state.invitations.present(code, pool, None, now)?;
        state.book.joined(INVITED, now);
        Ok((pass, state.pools.issue(INVITED)))
    }
}
