//! Where a conversation of `vyoma.v1` is reached: by a client that comes back to its seat, or by one
//! that leaves it from another connection.
//!
//! A letter comes once in a conversation's life at most, as a rule, so this is a list behind a lock:
//! a tenth of what a channel takes. Whoever ends a conversation closes its letterbox first, and then
//! takes what was already in it, so that no seat is lost between two tasks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use vyoma_core::conversation::Resume;
use vyoma_protocol::envelope::Side;

use crate::seat::Seat;

/// What reaches a conversation.
pub(crate) enum Letter {
    /// A client comes back, on another connection.
    Arrival { seat: Box<Seat>, side: Side, resume: Resume },
    /// This side's client leaves; it has another place by now.
    Departure(Side),
}

#[derive(Default)]
struct State {
    letters: Vec<Letter>,
    waker: Option<Waker>,
    closed: bool,
}

/// A conversation's letterbox; clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Letterbox(Arc<Mutex<State>>);

impl Letterbox {
    /// Posts a letter, and wakes the conversation; gives the letter back if that is over.
    pub(crate) fn post(&self, letter: Letter) -> Result<(), Letter> {
        let mut state = self.lock();
        if state.closed {
            return Err(letter);
        }
        state.letters.push(letter);
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// The letters that came; the task is woken when there are more.
    pub(crate) fn collect(&self, cx: &Context<'_>) -> Poll<Vec<Letter>> {
        let mut state = self.lock();
        if state.letters.is_empty() {
            if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                state.waker = Some(cx.waker().clone());
            }
            return Poll::Pending;
        }
        Poll::Ready(std::mem::take(&mut state.letters))
    }

    /// Takes no more letters; returns those that came.
    pub(crate) fn close(&self) -> Vec<Letter> {
        let mut state = self.lock();
        state.closed = true;
        std::mem::take(&mut state.letters)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
