//! The one read buffer of each worker: it is used within a single poll, never across an await.

use std::cell::RefCell;

use vyoma_protocol::{HEADROOM, READ_SIZE};

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> =
        RefCell::new(vec![0; HEADROOM + READ_SIZE].into_boxed_slice());
}

/// Lends this thread's buffer: [`HEADROOM`] bytes, then room for one read.
pub(crate) fn with<R>(work: impl FnOnce(&mut [u8]) -> R) -> R {
    BUFFER.with_borrow_mut(|buffer| work(buffer))
}
