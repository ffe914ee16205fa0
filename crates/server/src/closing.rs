//! The end of a connection: what is left to write, the Close frame, then a bounded farewell.

use std::future::poll_fn;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use vyoma_protocol::Reason;

use crate::counters::{self, Counter};
use crate::linger::linger;
use crate::seat::Seat;
use crate::shared::Shared;

/// Closes a client's connection: everything that waits for it goes out first, if it takes it in
/// time, then the Close frame with the reason's code, then the write side is shut down and what
/// still arrives is read and discarded for a while, so that no reset destroys what is on its way.
pub(crate) async fn close(mut seat: Box<Seat>, reason: Reason, shared: Arc<Shared>) {
    counters::reason(reason, 1);
    tracing::debug!(connection = seat.id().0, reason = reason.name(), "closing");
    seat.close_frame(reason);
    let deadline = Instant::now() + shared.config.timing.closing;
    let flush = poll_fn(|cx| seat.poll_flush(cx));
    // One that doesn't take its last words in time goes without them.
    if timeout_at(deadline, flush).await.is_err() {
        counters::add(Counter::BytesUnsent, seat.outbox.len() as u64);
    }
    let (stream, remains) = seat.into_remains();
    linger(stream, deadline - Instant::now()).await;
    drop(remains);
}
