//! The queue, as one client's task lives it: seeking, waiting, and being found.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::sync::mpsc::error::SendError;
use vyoma_core::matching::Order;
use vyoma_protocol::{Reason, plain};

use crate::alone::{Watch, Words};
use crate::lobby::{Next, Note, Stay};
use crate::seat::{Queued, Seat};
use crate::shared::Shared;

/// How a stay in the queue ended.
pub(crate) enum Found {
    /// A partner has come to this task.
    Partner(Box<Seat>, Box<Seat>),
    /// The client has moved to its partner's task.
    Moved,
    /// The client goes; a partner may have come at that very moment.
    Gone(Box<Seat>, Reason, Option<Box<Seat>>),
}

/// What a parked client's task woke up for.
enum Wake {
    Partner(Box<Seat>),
    Step,
    Gone(Reason),
}

/// Queues a client until it has a partner or goes.
pub(crate) async fn find(mut seat: Box<Seat>, shared: &Arc<Shared>) -> Found {
    seat.relay.hold();
    loop {
        if shared.shutdown.draining() {
            shared.lobby.closing(seat.id());
            return Found::Gone(seat, Reason::Shutdown, None);
        }
        let mut stay = enter(&mut seat, shared);
        loop {
            match stay.next {
                Next::Move(desk) => {
                    match desk.send(Note::Partner(seat)) {
                        Ok(()) => return Found::Moved,
                        // It has gone since; the seat comes back, and keeps its place.
                        Err(SendError(Note::Partner(back))) => seat = back,
                        Err(SendError(Note::Order(_))) => unreachable!("a partner was sent"),
                    }
                    break;
                }
                Next::Wait => tell(&mut seat),
                Next::Probing(_) => {}
            }
            match park(&mut seat, &mut stay, shared).await {
                Wake::Partner(partner) => return Found::Partner(seat, partner),
                Wake::Step => stay.next = shared.lobby.step(stay.ticket, Instant::now()),
                Wake::Gone(reason) => return leave(seat, stay, reason, shared).await,
            }
        }
    }
}

fn enter(seat: &mut Seat, shared: &Shared) -> Stay {
    let now = Instant::now();
    let place = seat.seeking().queued.map(|queued| queued.ticket);
    let stay = shared.lobby.enter(seat.id(), place, now);
    seat.seeking().queued.get_or_insert(Queued { ticket: stay.ticket, since: now, told: false });
    stay
}

/// Tells a client that it waits, once. Only this task writes to its socket, so whatever the
/// lobby decides meanwhile comes after it.
fn tell(seat: &mut Seat) {
    if let Some(queued) = &mut seat.seeking().queued
        && !std::mem::replace(&mut queued.told, true)
    {
        seat.outbox.message(plain::WAITING);
    }
}

/// Reads on, and waits for a partner, an order, or the time to ask again.
async fn park(seat: &mut Seat, stay: &mut Stay, shared: &Shared) -> Wake {
    let mut watch = Watch::new();
    let mut reported = seat.heartbeat.last_heard();
    let mut probed = false;
    poll_fn(|cx| {
        while let Poll::Ready(Some(note)) = stay.notes.poll_recv(cx) {
            match note {
                Note::Partner(partner) => return Poll::Ready(Wake::Partner(partner)),
                Note::Order(Order::Seek) => return Poll::Ready(Wake::Step),
                Note::Order(Order::Probe) => {
                    let now = Instant::now();
                    seat.ping(now);
                    watch.no_later_than(now + shared.config.timing.ping_answer);
                    // Only what is heard from here on answers the probe.
                    (reported, probed) = (seat.heartbeat.last_heard(), true);
                }
            }
        }
        if let Poll::Ready(reason) = seat.poll_alone(cx, &mut watch, Words::Hold, shared) {
            return Poll::Ready(Wake::Gone(reason));
        }
        let heard = seat.heartbeat.last_heard();
        // A quarter of the time that counts as fresh: soon enough, and seldom a lock.
        if heard > reported && (probed || heard - reported > shared.config.timing.fresh / 4) {
            (reported, probed) = (heard, false);
            shared.lobby.heard(stay.ticket, heard);
        }
        wait_for_probe(stay, &mut watch, cx)
    })
    .await
}

/// Ready when it is time to ask for the outcome of a probe.
fn wait_for_probe(stay: &Stay, watch: &mut Watch, cx: &mut Context<'_>) -> Poll<Wake> {
    let Next::Probing(until) = stay.next else { return Poll::Pending };
    if Instant::now() >= until {
        return Poll::Ready(Wake::Step);
    }
    watch.wake_at(cx, until);
    Poll::Pending
}

/// Leaves the queue. Whoever leaves closes its desk first and then takes what was already sent:
/// so no seat is lost between two tasks.
async fn leave(seat: Box<Seat>, mut stay: Stay, reason: Reason, shared: &Shared) -> Found {
    let mut orphan = None;
    if !shared.lobby.leave(seat.id(), stay.ticket) {
        stay.notes.close();
        while let Some(note) = stay.notes.recv().await {
            if let Note::Partner(partner) = note {
                orphan = Some(partner);
            }
        }
    }
    Found::Gone(seat, reason, orphan)
}
