//! The memory that all conversations together keep for resuming: counted, and capped.
//!
//! A conversation says what it holds after each read. So the cap can be passed by what one read
//! brings each, and no more: who passes it is closed, and told to come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// All that is held, in bytes.
#[derive(Default)]
pub(crate) struct Replay(AtomicUsize);

impl Replay {
    /// What is held over all conversations, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.0.load(Relaxed)
    }
}

/// What one conversation holds; given back when dropped.
pub(crate) struct Share {
    replay: Arc<Replay>,
    bytes: usize,
}

impl Share {
    pub(crate) fn new(replay: &Arc<Replay>) -> Self {
        Self { replay: Arc::clone(replay), bytes: 0 }
    }

    /// It holds so much now; returns whether that is more than before.
    pub(crate) fn set(&mut self, bytes: usize) -> bool {
        let before = std::mem::replace(&mut self.bytes, bytes);
        if bytes > before {
            self.replay.0.fetch_add(bytes - before, Relaxed);
        } else if bytes < before {
            self.replay.0.fetch_sub(before - bytes, Relaxed);
        }
        bytes > before
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}
