//! A client's life after the handshake: queue, conversation, and queue again.
//!
//! A task owns one or two seats at a time, and goes on with whichever stays. Knows the story's
//! order; each chapter is told elsewhere.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Instant;

use vyoma_core::conversation::{Departure, Fate};
use vyoma_core::roster::Place;
use vyoma_protocol::{Reason, plain};

use crate::alone::{Watch, Words};
use crate::closing::close;
use crate::config::Survivor;
use crate::counters;
use crate::queue::{self, Found};
use crate::seat::Seat;
use crate::shared::Shared;
use crate::talk::{Ended, talk};

/// Lives a client's life, and then that of whoever is left in this task.
pub(crate) async fn live(seat: Box<Seat>, shared: Arc<Shared>) {
    let mut next = Some(seat);
    while let Some(seat) = next.take() {
        next = match queue::find(seat, &shared).await {
            Found::Moved => None,
            Found::Gone(seat, reason, orphan) => {
                bury(seat, reason, &shared);
                orphan.and_then(|orphan| settle(orphan, &shared))
            }
            Found::Partner(mine, theirs) => match settle(theirs, &shared) {
                Some(theirs) => converse(mine, theirs, &shared).await,
                None => Some(mine),
            },
        };
    }
}

/// Lets a seat that came from another worker live on this one. `None` if that failed: for want
/// of memory, in the end.
fn settle(seat: Box<Seat>, shared: &Shared) -> Option<Box<Seat>> {
    let id = seat.id;
    let seat = seat.come_home(shared);
    if let Err(error) = &seat {
        counters::reason(Reason::Internal, 1);
        tracing::warn!(connection = id.0, %error, "lost in moving to another worker");
    }
    seat.ok()
}

/// Carries a conversation to its end, and returns who is to be queued again.
async fn converse(a: Box<Seat>, b: Box<Seat>, shared: &Arc<Shared>) -> Option<Box<Seat>> {
    let (goer, mut stayer, reason) = match talk(a, b, shared).await {
        Ended::Left { goer, stayer, reason } => (goer, stayer, reason),
        Ended::Both(a, b) => {
            shared.lobby.part((a.id, Place::Closing), (b.id, Place::Closing));
            bury(a, Reason::Shutdown, shared);
            bury(b, Reason::Shutdown, shared);
            return None;
        }
    };
    let departure = Departure {
        cut_message: goer.relay.is_forwarding(),
        draining: shared.shutdown.draining(),
        stay: shared.config.survivor == Survivor::Stay,
    };
    let fate = departure.fate();
    let place = match fate {
        Fate::Requeue => Place::Fenced,
        Fate::Stay => Place::Unpaired,
        Fate::Close(_) => Place::Closing,
    };
    shared.lobby.part((goer.id, Place::Closing), (stayer.id, place));
    if goer.relay.in_message() {
        counters::reason(Reason::Incomplete, 1);
    }
    bury(goer, reason, shared);
    if !departure.cut_message {
        stayer.outbox.message(plain::DISCONNECTED);
    }
    match fate {
        Fate::Requeue => pass_fence(stayer, shared).await,
        Fate::Stay => {
            stay(stayer, shared).await;
            None
        }
        Fate::Close(reason) => {
            bury(stayer, reason, shared);
            None
        }
    }
}

/// Drops what a survivor had still sent to its partner. Returns it once its fence has passed.
async fn pass_fence(mut seat: Box<Seat>, shared: &Arc<Shared>) -> Option<Box<Seat>> {
    seat.relay.hold();
    seat.raise_fence(Instant::now());
    let mut watch = Watch::new();
    let gone = poll_fn(|cx| {
        let gone = seat.poll_alone(cx, &mut watch, Words::Hold, shared).map(Some);
        if gone.is_pending() && !seat.is_fenced() { std::task::Poll::Ready(None) } else { gone }
    });
    match gone.await {
        None => Some(seat),
        Some(reason) => {
            shared.lobby.closing(seat.id);
            bury(seat, reason, shared);
            None
        }
    }
}

/// Keeps a survivor connected, unpaired, until it goes.
async fn stay(mut seat: Box<Seat>, shared: &Arc<Shared>) {
    let mut watch = Watch::new();
    let reason = poll_fn(|cx| seat.poll_alone(cx, &mut watch, Words::Drop, shared)).await;
    shared.lobby.closing(seat.id);
    bury(seat, reason, shared);
}

/// Closes a connection in a task of its own: nobody waits for a farewell.
fn bury(seat: Box<Seat>, reason: Reason, shared: &Arc<Shared>) {
    tokio::spawn(close(seat, reason, Arc::clone(shared)));
}
