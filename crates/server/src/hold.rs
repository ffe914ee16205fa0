//! What a client sends before it has a partner: held, within limits, and delivered on pairing.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use vyoma_protocol::{MAX_UNMASKED_HEADER, Reason, Window};

use crate::counters;

/// Held over all waiting clients, in bytes: a thousand full holds at the default message size.
pub(crate) const HELD_OVER_ALL: usize = 64 * 1024 * 1024;

/// The bytes held over all waiting clients.
#[derive(Default)]
pub(crate) struct Budget(AtomicUsize);

/// Bytes of the budget; given back when dropped.
pub(crate) struct Charge {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Charge {
    /// Charges `bytes` in all. False, and nothing changes, if that would be more than there are.
    fn raise_to(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let fits = self.budget.0.fetch_add(more, Relaxed) + more <= HELD_OVER_ALL;
        if fits {
            self.bytes += more;
        } else {
            self.budget.0.fetch_sub(more, Relaxed);
        }
        fits
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.bytes, Relaxed);
    }
}

/// One client's words to the partner to come.
pub(crate) struct Hold {
    frames: Vec<u8>,
    messages: u64,
    bytes: u64,
    /// For the frames, and an incomplete message in the relay.
    charge: Charge,
}

/// What was held, to be delivered.
pub(crate) struct Held {
    /// Whole frames.
    pub(crate) frames: Vec<u8>,
    /// How many messages they are, and the bytes of their payload.
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    /// To be kept until they are written.
    pub(crate) charge: Charge,
}

impl Hold {
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        let charge = Charge { budget, bytes: 0 };
        Self { frames: Vec::new(), messages: 0, bytes: 0, charge }
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
        if !self.charge.raise_to(held) {
            return Err(Reason::HoldFullTotal);
        }
        output.iter().for_each(|part| self.frames.extend_from_slice(part));
        self.messages += window.messages;
        self.bytes += window.bytes;
        Ok(())
    }

    /// Hands everything over.
    pub(crate) fn take(&mut self) -> Held {
        let nothing = Charge { budget: Arc::clone(&self.charge.budget), bytes: 0 };
        Held {
            frames: mem::take(&mut self.frames),
            messages: mem::take(&mut self.messages),
            bytes: mem::take(&mut self.bytes),
            charge: mem::replace(&mut self.charge, nothing),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        counters::reason(Reason::Held, self.messages);
    }
}
