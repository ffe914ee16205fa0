//! A client's life after the handshake: queue, conversation, and queue again.
//!
//! A task owns one or two seats at a time, and goes on with whichever stays. Knows the story's
//! order; each chapter is told elsewhere.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use vyoma_core::conversation::{Departure, Fate};
use vyoma_core::roster::Place;
use vyoma_protocol::{Reason, plain};

use crate::alone::{Watch, Words};
use crate::closing::close;
use crate::config::Survivor;
use crate::counters;
use crate::exchange::Exchange;
use crate::lounge::{self, Exit};
use crate::queue::{self, Found};
use crate::seat::Seat;
use crate::shared::Shared;
use crate::talk::{Ended, Talk};

/// Where a client's task is in its story.
pub(crate) enum Chapter {
    /// It speaks `vyoma.v1`, and is neither queued nor in a conversation.
    Lounge(Box<Seat>),
    /// It looks for a partner.
    Queue(Box<Seat>),
    /// It has one, and both speak plain.
    Talk(Talk),
    /// It has one, and at least one of them speaks `vyoma.v1`.
    Exchange(Box<Exchange>),
    /// Its partner has left; what it had still said to that one is dropped.
    Fence(Box<Seat>),
    /// Its partner has left, and it stays, unpaired.
    Alone(Box<Seat>),
    /// It has gone, or moved to its partner's task.
    Over,
}

/// Lives a client's life, and then that of whoever is left in this task.
///
/// Conversations last, so what one needs is all that lies in the task itself; the other chapters
/// have a box each.
async fn live(mut chapter: Chapter, shared: Arc<Shared>) {
    loop {
        // Where it lies: moved into the match, it would take its room twice.
        if let Chapter::Talk(talk) = &mut chapter {
            talk.carry(&shared).await;
        }
        chapter = match chapter {
            Chapter::Lounge(seat) => Box::pin(rest(seat, &shared)).await,
            Chapter::Queue(seat) => Box::pin(seek(seat, &shared)).await,
            Chapter::Talk(talk) => part(talk.end(), &shared),
            Chapter::Exchange(exchange) => {
                // In a task that has room for that only.
                tokio::spawn(exchange.carry(shared));
                return;
            }
            Chapter::Fence(seat) => Box::pin(pass_fence(seat, &shared)).await,
            Chapter::Alone(seat) => Box::pin(stay(seat, &shared)).await,
            Chapter::Over => return,
        }
    }
}

/// Lets a client live on, or begin, in a task of its own.
pub(crate) fn spawn(chapter: Chapter, shared: &Arc<Shared>) {
    tokio::spawn(live(chapter, Arc::clone(shared)));
}

/// Works through what a client sent right behind its handshake's head, before anything else.
/// Returns its first chapter unless that ended its stay.
pub(crate) fn begin(mut seat: Box<Seat>, early: &[u8], shared: &Arc<Shared>) -> Option<Chapter> {
    let Some(reason) = seat.take_early(early, shared) else {
        let plain = seat.speaker.is_none();
        return Some(if plain { Chapter::Queue(seat) } else { Chapter::Lounge(seat) });
    };
    shared.lobby.closing(seat.id());
    bury(seat, reason, shared);
    None
}

async fn seek(seat: Box<Seat>, shared: &Arc<Shared>) -> Chapter {
    match queue::find(seat, shared).await {
        Found::Moved => Chapter::Over,
        Found::Gone(seat, reason, orphan) => {
            bury(seat, reason, shared);
            orphan.and_then(|orphan| settle(orphan, shared)).map_or(Chapter::Over, Chapter::Queue)
        }
        Found::Out(seat, orphan) => {
            if let Some(orphan) = orphan.and_then(|orphan| settle(orphan, shared)) {
                spawn(Chapter::Queue(orphan), shared);
            }
            Chapter::Lounge(seat)
        }
        Found::Partner(mine, theirs) => match settle(theirs, shared) {
            Some(theirs) if mine.speaker.is_none() && theirs.speaker.is_none() => {
                Chapter::Talk(Talk::begin(mine, theirs, shared))
            }
            Some(theirs) => Chapter::Exchange(Box::new(Exchange::begin(mine, theirs, shared))),
            None => Chapter::Queue(mine),
        },
    }
}

async fn rest(seat: Box<Seat>, shared: &Arc<Shared>) -> Chapter {
    match lounge::stay(seat, shared).await {
        Exit::Queue(seat) => Chapter::Queue(seat),
        Exit::Adopt(exchange) => Chapter::Exchange(exchange),
        Exit::Moved => Chapter::Over,
        Exit::Gone(seat, reason) => {
            shared.lobby.closing(seat.id());
            bury(seat, reason, shared);
            Chapter::Over
        }
    }
}

/// Lets a seat that came from another worker live on this one. `None` if that failed: for want
/// of memory, in the end.
pub(crate) fn settle(seat: Box<Seat>, shared: &Shared) -> Option<Box<Seat>> {
    let id = seat.id();
    let device = seat.speaker.as_ref().map(|speaker| speaker.device);
    let queued = seat.queued();
    let seat = seat.come_home(shared);
    if let Err(error) = &seat {
        counters::reason(Reason::Internal, 1);
        queued.into_iter().for_each(|queued| shared.lobby.abandon(queued.ticket, device));
        tracing::warn!(connection = id.0, %error, "lost in moving to another worker");
    }
    seat.ok()
}

/// Sees to both ends of a conversation that is over.
fn part(ended: Ended, shared: &Arc<Shared>) -> Chapter {
    let (goer, stayer, reason) = match ended {
        Ended::Left { goer, stayer, reason } => (goer, stayer, reason),
        Ended::Both(a, b) => {
            shared.lobby.part([a.id(), b.id()].map(|id| (id, Place::Closing)));
            bury(a, Reason::Shutdown, shared);
            bury(b, Reason::Shutdown, shared);
            return Chapter::Over;
        }
    };
    let cut_message = goer.relay.is_forwarding();
    let (fate, place) = after_partner(cut_message, stayer.invited, shared);
    // In one step: nobody is ever seen talking with one who has gone.
    shared.lobby.part([(goer.id(), Place::Closing), (stayer.id(), place)]);
    bury(goer, reason, shared);
    live_on(stayer, fate, cut_message, shared)
}

/// A plain client's partner has gone from a conversation of `vyoma.v1`, with all it had said
/// delivered.
pub(crate) fn survive(stayer: Box<Seat>, shared: &Arc<Shared>) -> Chapter {
    let (fate, place) = after_partner(false, stayer.invited, shared);
    shared.lobby.place(stayer.id(), place);
    live_on(stayer, fate, false, shared)
}

/// What becomes of a plain client whose partner has gone, perhaps in the middle of a message.
fn after_partner(cut_message: bool, invited: bool, shared: &Shared) -> (Fate, Place) {
    let departure = Departure {
        cut_message,
        draining: shared.shutdown.draining(),
        stay: shared.config.survivor == Survivor::Stay,
        invited,
    };
    let fate = departure.fate();
    let place = match fate {
        Fate::Requeue => Place::Fenced,
        Fate::Stay => Place::Unpaired,
        Fate::Close(_) => Place::Closing,
    };
    (fate, place)
}

fn live_on(mut stayer: Box<Seat>, fate: Fate, cut_message: bool, shared: &Arc<Shared>) -> Chapter {
    if !cut_message {
        stayer.outbox.message(plain::DISCONNECTED);
    }
    match fate {
        Fate::Requeue => Chapter::Fence(stayer),
        Fate::Stay => Chapter::Alone(stayer),
        Fate::Close(reason) => {
            bury(stayer, reason, shared);
            Chapter::Over
        }
    }
}

/// Drops what a survivor had still sent to its partner, and queues it once its fence has passed.
async fn pass_fence(mut seat: Box<Seat>, shared: &Arc<Shared>) -> Chapter {
    seat.relay.hold();
    seat.raise_fence(Instant::now());
    let mut watch = Watch::new();
    let gone = poll_fn(|cx| {
        let gone = seat.poll_alone(cx, &mut watch, Words::Hold, shared).map(Some);
        if gone.is_pending() && !seat.is_fenced() { Poll::Ready(None) } else { gone }
    });
    match gone.await {
        None => Chapter::Queue(seat),
        Some(reason) => {
            shared.lobby.closing(seat.id());
            bury(seat, reason, shared);
            Chapter::Over
        }
    }
}

/// Keeps a survivor connected, unpaired, until it goes.
async fn stay(mut seat: Box<Seat>, shared: &Arc<Shared>) -> Chapter {
    let mut watch = Watch::new();
    let reason = poll_fn(|cx| seat.poll_alone(cx, &mut watch, Words::Drop, shared)).await;
    shared.lobby.closing(seat.id());
    bury(seat, reason, shared);
    Chapter::Over
}

/// Closes a connection in a task of its own: nobody waits for a farewell.
pub(crate) fn bury(seat: Box<Seat>, reason: Reason, shared: &Arc<Shared>) {
    if seat.relay.in_message() {
        counters::reason(Reason::Incomplete, 1);
    }
    tokio::spawn(close(seat, reason, Arc::clone(shared)));
}
