//! The end of a connection: what is left to write, the Close frame, then a bounded farewell.

use std::future::poll_fn;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use vyoma_protocol::Reason;
use vyoma_protocol::envelope::ServerEnvelope;

use crate::counters::{self, Counter};
use crate::keys;
use crate::linger::linger;
use crate::seat::Seat;
use crate::shared::Shared;
use crate::speaker::State;

/// Closes a client's connection: everything that waits for it goes out first, if it takes it in
/// time, then the Close frame with the reason's code, then the write side is shut down and what
/// still arrives is read and discarded for a while, so that no reset destroys what is on its way.
pub(crate) async fn close(mut seat: Box<Seat>, reason: Reason, shared: Arc<Shared>) {
    counters::reason(reason, 1);
    tracing::debug!(connection = seat.id().0, reason = reason.name(), "closing");
    if reason == Reason::Shutdown
        && let Some(speaker) = &seat.speaker
        && speaker.state() != State::Matched
    {
        // Who isn't in a conversation has nothing to wait for here.
        let delay_ms = keys::random_up_to(shared.config.spread().as_millis() as u64);
        seat.say(&ServerEnvelope::Goaway { delay_ms });
    }
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
