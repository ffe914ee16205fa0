//! What a client sends before it has a partner: held, within limits, and delivered on pairing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use vyoma_protocol::{MAX_UNMASKED_HEADER, Reason, Window};

use crate::counters;

/// Held over all waiting clients, in bytes: a thousand full holds at the default message size.
pub(crate) const HELD_OVER_ALL: usize = 64 * 1024 * 1024;

/// The bytes held over all waiting clients.
#[derive(Default)]
pub(crate) struct Budget(AtomicUsize);

impl Budget {
    fn take(&self, n: usize) -> bool {
        let before = self.0.fetch_add(n, Relaxed);
        let fits = before + n <= HELD_OVER_ALL;
        if !fits {
            self.give(n);
        }
        fits
    }

    fn give(&self, n: usize) {
        self.0.fetch_sub(n, Relaxed);
    }
}

/// One client's words to the partner to come.
pub(crate) struct Hold {
    frames: Vec<u8>,
    messages: u64,
    bytes: u64,
    /// What is charged to the budget: the frames, and an incomplete message in the relay.
    charged: usize,
    budget: Arc<Budget>,
}

impl Hold {
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        Self { frames: Vec::new(), messages: 0, bytes: 0, charged: 0, budget }
    }

    /// Keeps a window's output; `incomplete` bytes more are in the relay.
    pub(crate) fn keep(
        &mut self,
        window: &Window<'_>,
        incomplete: usize,
        max_message: usize,
    ) -> Result<(), Reason> {
        let output = window.output();
        let held = self.frames.len() + output[0].len() + output[1].len() + incomplete;
        // One largest message with its header fits, in one frame or in the making.
        if held > max_message + MAX_UNMASKED_HEADER {
            return Err(Reason::HoldFull);
        }
        if held > self.charged {
            if !self.budget.take(held - self.charged) {
                return Err(Reason::HoldFullTotal);
            }
            self.charged = held;
        }
        output.iter().for_each(|part| self.frames.extend_from_slice(part));
        self.messages += window.messages;
        self.bytes += window.bytes;
        Ok(())
    }

    /// Hands the frames over, and with them the count of messages and payload bytes.
    pub(crate) fn take(&mut self) -> (Vec<u8>, u64, u64) {
        self.budget.give(std::mem::take(&mut self.charged));
        let frames = std::mem::take(&mut self.frames);
        (frames, std::mem::take(&mut self.messages), std::mem::take(&mut self.bytes))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let (_, messages, _) = self.take();
        if messages > 0 {
            counters::reason(Reason::Held, messages);
        }
    }
}
