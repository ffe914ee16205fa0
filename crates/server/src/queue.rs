//! The queue, as one client's task lives it: seeking, waiting, and being found.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::sync::mpsc::error::SendError;
use vyoma_core::matching::{Order, Person, Ticket};
use vyoma_core::roster::Place;
use vyoma_protocol::envelope::{ErrorReport, ServerEnvelope};
use vyoma_protocol::{Reason, plain};

use crate::alone::{Watch, Words};
use crate::config::PoolConfig;
use crate::lobby::{Entry, Newcomer, Next, Note, Stay, View};
use crate::seat::{Queued, Seat};
use crate::shared::Shared;
use crate::speaker::{State, Wish};
use crate::speech::about;

/// How a stay in the queue ended.
pub(crate) enum Found {
    /// A partner has come to this task.
    Partner(Box<Seat>, Box<Seat>),
    /// The client has moved to its partner's task.
    Moved,
    /// The client goes; a partner may have come at that very moment.
    Gone(Box<Seat>, Reason, Option<Box<Seat>>),
    /// The client isn't queued (any more), and stays connected; the same.
    Out(Box<Seat>, Option<Box<Seat>>),
}

/// What a parked client's task woke up for.
enum Wake {
    Partner(Box<Seat>),
    Step,
    Gone(Reason),
    /// It wants to be elsewhere.
    Out,
}

/// Queues a client until it has a partner or goes.
pub(crate) async fn find(mut seat: Box<Seat>, shared: &Arc<Shared>) -> Found {
    seat.relay.hold();
    loop {
        if shared.shutdown.draining() {
            shared.lobby.closing(seat.id());
            return Found::Gone(seat, Reason::Shutdown, None);
        }
        let mut stay = match enter(&mut seat, shared) {
            Ok(stay) => stay,
            Err(None) => return Found::Out(seat, None),
            Err(Some(reason)) => return Found::Gone(seat, reason, None),
        };
        loop {
            match stay.next {
                Next::Move(desk) => {
                    match desk.send(Note::Partner(seat)) {
                        Ok(()) => return Found::Moved,
                        // It has gone since; the seat comes back, and keeps its place.
                        Err(SendError(Note::Partner(back))) => seat = back,
                        Err(SendError(_)) => unreachable!("a partner was sent"),
                    }
                    break;
                }
                Next::Wait(_) => tell(&mut seat, stay.ticket, shared),
                Next::Probing(_) => {}
            }
            match park(&mut seat, &mut stay, shared).await {
                Wake::Partner(partner) => return Found::Partner(seat, partner),
                Wake::Step => stay.next = shared.lobby.step(seat.id(), stay.ticket, Instant::now()),
                Wake::Gone(reason) => {
                    let orphan = leave(&mut seat, stay, shared).await;
                    return Found::Gone(seat, reason, orphan);
                }
                Wake::Out => {
                    let orphan = leave(&mut seat, stay, shared).await;
                    return Found::Out(seat, orphan);
                }
            }
        }
    }
}

/// Enters the queue. An error is why the client isn't queued, once it was told: with a reason, it has
/// to go.
fn enter(seat: &mut Seat, shared: &Shared) -> Result<Stay, Option<Reason>> {
    let now = Instant::now();
    let place = seat.queued().map(|queued| (queued.ticket, queued.since));
    let mut person = Person::default();
    let (mut device, mut leave) = (None, None);
    if let Some(speaker) = &mut seat.speaker {
        device = Some(speaker.device);
        if shared.config.pool(seat.pool).relaxation.is_some() {
            person = speaker.profile().map(Person::new).unwrap_or_default();
        }
        if let Some(Wish::Queue { leave: wanted }) = speaker.wish.take() {
            leave = wanted;
        }
    }
    let newcomer =
        Newcomer { id: seat.id(), place, pool: usize::from(seat.pool), person, device, leave };
    let (conversation, wait) = match shared.lobby.enter(&newcomer, now) {
        Entry::Stay(stay) => {
            let (connection, ticket) = (seat.id().0, stay.ticket.sequence());
            let pool = &shared.config.pool(seat.pool).name;
            // The decision log names tickets only.
            tracing::debug!(connection, %pool, ticket, "queued");
            let queued = Queued { ticket: stay.ticket, since: now, told: None };
            seat.seeking().queued.get_or_insert(queued);
            if let Some(speaker) = &mut seat.speaker {
                speaker.state = State::Waiting;
            }
            return Ok(stay);
        }
        Entry::Seated(conversation, wait) => (Some(conversation), wait),
        Entry::Matched => (None, Some(shared.config.timing.probe_answer)),
    };
    let retry_after_ms = wait.map(|wait| wait.as_millis() as u64 + 1);
    let report = about(Reason::InConversation, "join");
    let report = ErrorReport { conversation, retry_after_ms, ..report };
    Err(seat.refuse(report, now))
}

/// Tells a client that it waits, and when what will do for it has fallen. Only this task writes to its
/// socket, so whatever the lobby decides meanwhile comes after it.
fn tell(seat: &mut Seat, ticket: Ticket, shared: &Shared) {
    let PoolConfig { name, relaxation } = shared.config.pool(seat.pool);
    let reliable = seat.speaker.is_some();
    let Some(queued) = &mut seat.seeking().queued else { return };
    if queued.told.is_some() && !(reliable && relaxation.is_some()) {
        return;
    }
    let view = shared.lobby.view(ticket, queued.told, Instant::now());
    let Some(View { ahead, widened }) = view else { return };
    queued.told = Some(widened);
    if reliable {
        let widened = relaxation.as_ref().map(|_| widened as u64);
        seat.say(&ServerEnvelope::Waiting { pool: name, ahead: ahead as u64, widened });
    } else {
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
                Note::Superseded => return Poll::Ready(Wake::Gone(Reason::Superseded)),
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
        if seat.speaker.as_ref().is_some_and(|speaker| speaker.wish.is_some()) {
            return Poll::Ready(Wake::Out);
        }
        let heard = seat.heartbeat.last_heard();
        // A quarter of the time that counts as fresh: soon enough, and seldom a lock.
        if heard > reported && (probed || heard - reported > shared.config.timing.fresh / 4) {
            (reported, probed) = (heard, false);
            shared.lobby.heard(stay.ticket, heard);
        }
        ask_again(stay, &mut watch, cx)
    })
    .await
}

/// Ready when it is time to ask for the outcome of a probe, or to look at the others again.
fn ask_again(stay: &Stay, watch: &mut Watch, cx: &mut Context<'_>) -> Poll<Wake> {
    let (Next::Probing(until) | Next::Wait(Some(until))) = stay.next else {
        return Poll::Pending;
    };
    if Instant::now() >= until {
        return Poll::Ready(Wake::Step);
    }
    watch.wake_at(cx, until);
    Poll::Pending
}

/// Leaves the queue. Whoever leaves closes its desk first and then takes what was already sent:
/// so no seat is lost between two tasks. Returns a partner who came at that very moment.
async fn leave(seat: &mut Seat, mut stay: Stay, shared: &Shared) -> Option<Box<Seat>> {
    let mut orphan = None;
    let device = seat.speaker.as_ref().map(|speaker| speaker.device);
    if !shared.lobby.leave(seat.id(), stay.ticket, device) {
        stay.notes.close();
        while let Some(note) = stay.notes.recv().await {
            if let Note::Partner(partner) = note {
                orphan = Some(partner);
            }
        }
        shared.lobby.abandon(stay.ticket, device);
    }
    seat.seeking().queued = None;
    shared.lobby.place(seat.id(), Place::Closing);
    orphan
}
