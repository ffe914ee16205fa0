//! The bell: wakes every client's task of this worker when the server's phase changes.
//!
//! A task that parks leaves its waker here. It costs 24 bytes a task and nothing a message;
//! a cancellation token would take a shared lock on every poll.

use std::cell::RefCell;
use std::task::{Context, Waker};

use slab::Slab;

thread_local! {
    static SLEEPERS: RefCell<Slab<Waker>> = const { RefCell::new(Slab::new()) };
}

/// A task's place at the bell, given back when dropped.
#[derive(Default)]
pub(crate) struct Bell(Option<usize>);

impl Bell {
    /// Lets [`ring`] wake the task that polls. A task keeps its waker, so once is enough.
    pub(crate) fn hear(&mut self, cx: &Context<'_>) {
        self.0.get_or_insert_with(|| SLEEPERS.with_borrow_mut(|s| s.insert(cx.waker().clone())));
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        if let Some(key) = self.0 {
            // At the thread's end the list may be gone before the last task.
            let _ = SLEEPERS.try_with(|sleepers| sleepers.borrow_mut().try_remove(key));
        }
    }
}

/// Wakes every task of this worker that hears the bell.
pub(crate) fn ring() {
    SLEEPERS.with_borrow(|sleepers| sleepers.iter().for_each(|(_, waker)| waker.wake_by_ref()));
}
