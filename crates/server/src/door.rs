//! Whether the server accepts: it stops when another process takes its sockets over, and goes on if
//! that one fails.
//!
//! Knows only that. Must not know sockets, nor who takes over.

use tokio::sync::watch;

/// What the accepting tasks do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// They have been told to stop.
    Shutting,
    /// They have stopped: whoever connects waits in the socket's backlog.
    Shut,
}

/// The server's door.
pub(crate) struct Door(watch::Sender<State>);

impl Door {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(State::Open))
    }

    /// Shuts the door: nobody comes through any more once this returns.
    pub(crate) async fn shut(&self) {
        self.0.send_if_modified(|state| {
            let open = *state == State::Open;
            if open {
                *state = State::Shutting;
            }
            open
        });
        // It lives as long as we do.
        let _ = self.0.subscribe().wait_for(|state| *state != State::Shutting).await;
    }

    /// Opens it again.
    pub(crate) fn open(&self) {
        self.0.send_replace(State::Open);
    }

    /// What the accepting task looks at.
    pub(crate) fn watch(&self) -> Doorkeeper<'_> {
        Doorkeeper { door: self, state: self.0.subscribe() }
    }
}

/// The accepting task's view of the door.
pub(crate) struct Doorkeeper<'d> {
    door: &'d Door,
    state: watch::Receiver<State>,
}

impl Doorkeeper<'_> {
    /// Runs `accept` while the door is open. `None` if it has been shut and opened again meanwhile.
    pub(crate) async fn while_open<T>(&mut self, accept: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            _ = self.state.wait_for(|state| *state == State::Shutting) => {}
            accepted = accept => return Some(accepted),
        }
        self.door.0.send_if_modified(|state| {
            let shutting = *state == State::Shutting;
            if shutting {
                *state = State::Shut;
            }
            shutting
        });
        let _ = self.state.wait_for(|state| *state == State::Open).await;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[tokio::test]
    async fn nobody_comes_through_a_door_that_is_shut() {
        let door = Door::new();
        assert_eq!(door.watch().while_open(ready(1)).await, Some(1));
        let keep = async {
            let mut keeper = door.watch();
            let first = keeper.while_open(pending::<i32>()).await;
            (first, keeper.while_open(ready(2)).await)
        };
        let ask = async {
            door.shut().await;
            // Already shut: it takes no time.
            door.shut().await;
            assert_eq!(*door.0.borrow(), State::Shut);
            door.open();
        };
        let ((), kept) = tokio::join!(ask, keep);
        assert_eq!(kept, (None, Some(2)));
    }
}
