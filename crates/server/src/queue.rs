//! The queue, as one client's task lives it: seeking, waiting, and being found.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::SendError;
use tokio::task::yield_now;
use vyoma_core::matching::decisions::INVITED_NAME;
use vyoma_core::matching::estimate::Interval;
use vyoma_core::matching::{INVITED, Order, Pass, Person, Ticket, Uninvited};
use vyoma_core::roster::Place;
use vyoma_protocol::envelope::{ConversationId, ErrorReport, ServerEnvelope};
use vyoma_protocol::{Reason, plain};

use crate::alone::{Watch, Words};
use crate::config::{PoolConfig, Rule};
use crate::lobby::{Entry, Invited, Newcomer, Next, Note, Stay, View};
use crate::seat::{Queued, Seat};
use crate::shared::Shared;
use crate::speaker::{Speaker, State, Wish};
use crate::speech::{about, uninvited};

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
    /// Its invitation has expired.
    Over,
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
                Wake::Step => {
                    stay.next = shared.lobby.step(seat.id(), stay.ticket, Instant::now());
                    if matches!(stay.next, Next::Wait(Some(at)) if at <= Instant::now()) {
                        // It goes on at once, when others of this worker have had their turn.
                        yield_now().await;
                    }
                }
                Wake::Gone(reason) => {
                    let superseded = reason == Reason::Superseded;
                    let orphan = leave(&mut seat, stay, superseded, shared).await;
                    return Found::Gone(seat, reason, orphan);
                }
                Wake::Out => {
                    let orphan = leave(&mut seat, stay, false, shared).await;
                    return Found::Out(seat, orphan);
                }
                Wake::Over => {
                    let orphan = leave(&mut seat, stay, false, shared).await;
                    return match expire(&mut seat) {
                        Some(reason) => Found::Gone(seat, reason, orphan),
                        None => Found::Out(seat, orphan),
                    };
                }
            }
        }
    }
}

/// Enters the queue. An error is why the client isn't queued, once it was told: with a reason, it has
/// to go.
fn enter(seat: &mut Seat, shared: &Arc<Shared>) -> Result<Stay, Option<Reason>> {
    let now = Instant::now();
    let mut newcomer = Newcomer {
        id: seat.id(),
        place: seat.queued().map(|queued| (queued.ticket, queued.since)),
        pool: shared.pools.get(seat.pool),
        person: Person::default(),
        device: None,
        leave: None,
        invite: None,
        pass: seat.seeking().invited.as_ref().map(Invited::pass),
    };
    if let Some(speaker) = &mut seat.speaker {
        newcomer.device = Some(speaker.device);
        if newcomer.pool.config.relaxation().is_some() {
            newcomer.person = person(speaker);
        }
        if let Some(Wish::Queue { leave, invite }) = speaker.wish.take() {
            (newcomer.leave, newcomer.invite) = (leave, invite);
        }
    }
    let entered = match judge(seat, &newcomer, now) {
        Ok(()) => shared.lobby.enter(&newcomer, now),
        Err(report) => {
            if let Some(speaker) = &mut seat.speaker {
                speaker.require(None);
            }
            return Err(seat.refuse(report, now));
        }
    };
    let report = match entered {
        Entry::Stay(stay) => {
            settle_in(seat, &stay, shared);
            return Ok(stay);
        }
        Entry::Seated(conversation, wait) => occupied(Some(conversation), wait),
        Entry::Matched => occupied(None, Some(shared.config.timing.probe_answer)),
        Entry::Uninvited(why) => {
            if let Some(speaker) = &mut seat.speaker {
                speaker.guessed(now);
            }
            uninvited(why, "join")
        }
    };
    Err(seat.refuse(report, now))
}

/// What matching may know of a client.
fn person(speaker: &Speaker) -> Person {
    let person = speaker.profile().map(Person::new).unwrap_or_default();
    let Some(rules) = speaker.rules() else { return person };
    let languages: Vec<_> = rules.languages().map(|language| language.text()).collect();
    person.requiring(languages.iter().map(AsRef::as_ref))
}

/// Whether a client may try to enter, as far as that is known without the others.
fn judge(seat: &Seat, newcomer: &Newcomer, now: Instant) -> Result<(), ErrorReport<'static>> {
    if newcomer.invite.is_some()
        && let Some(speaker) = &seat.speaker
    {
        speaker.may_guess(now).map_err(|wait| uninvited(Uninvited::TooFast(wait), "join"))?;
    }
    let invited = newcomer.invite.is_some() || newcomer.pass.is_some();
    if newcomer.pool.config.rule == Rule::InviteOnly && !invited {
        return Err(about(Reason::InviteNeeded, "join"));
    }
    let choosy = seat.speaker.as_ref().is_some_and(|speaker| speaker.rules().is_some());
    if choosy && (invited || newcomer.pool.config.relaxation().is_none()) {
        return Err(ErrorReport { field: Some("rules"), ..about(Reason::NoRules, "join") });
    }
    Ok(())
}

/// A client is in the queue.
fn settle_in(seat: &mut Seat, stay: &Stay, shared: &Arc<Shared>) {
    log_ticket(seat, stay.ticket, shared);
    let queued = Queued { ticket: stay.ticket, since: stay.since, told: None };
    let seeking = seat.seeking();
    seeking.queued.get_or_insert(queued);
    if let Some(pass) = stay.pass
        && seeking.invited.as_ref().map(Invited::pass) != Some(pass)
    {
        seeking.invited = Some(Invited::new(pass, shared));
    }
    if let Some(speaker) = &mut seat.speaker {
        speaker.state = State::Waiting;
    }
}

/// The decision log names tickets only: this tells whose they are.
fn log_ticket(seat: &Seat, ticket: Ticket, shared: &Shared) {
    if tracing::enabled!(tracing::Level::DEBUG) {
        let pool = match ticket.pool() {
            INVITED => INVITED_NAME.to_owned(),
            _ => shared.pools.get(seat.pool).name_in_log(),
        };
        let (connection, ticket) = (seat.id().0, ticket.sequence());
        tracing::debug!(connection, %pool, ticket, "queued");
    }
}

/// A client's device is somewhere already.
fn occupied(conversation: Option<ConversationId>, wait: Option<Duration>) -> ErrorReport<'static> {
    let retry_after_ms = wait.map(|wait| wait.as_millis() as u64 + 1);
    ErrorReport { conversation, retry_after_ms, ..about(Reason::InConversation, "join") }
}

/// An invitation has expired before anybody came. Returns why the client has to go, if it has to.
fn expire(seat: &mut Seat) -> Option<Reason> {
    let Some(speaker) = &mut seat.speaker else { return Some(Reason::InviteOver) };
    speaker.state = State::Ended;
    seat.refuse(about(Reason::BadInvite, "join"), Instant::now())
}

/// Tells a client that it waits, and when what will do for it has fallen. Only this task writes to its
/// socket, so whatever the lobby decides meanwhile comes after it.
fn tell(seat: &mut Seat, ticket: Ticket, shared: &Shared) {
    let pool = shared.pools.get(seat.pool);
    let PoolConfig { name, .. } = &pool.config;
    // Who was invited waits for one person, whatever the pool's rule.
    let scored = seat.seeking().invited.is_none() && pool.config.relaxation().is_some();
    let reliable = seat.speaker.is_some();
    let Some(queued) = &mut seat.seeking().queued else { return };
    if queued.told.is_some() && !(reliable && scored) {
        return;
    }
    let view = shared.lobby.view(ticket, queued.told, Instant::now());
    let Some(View { ahead, widened, estimate }) = view else { return };
    queued.told = Some(widened);
    if reliable {
        let widened = scored.then_some(widened as u64);
        let (pool, ahead) = (name.as_str(), ahead as u64);
        let (estimate_from_ms, estimate_to_ms) = estimate.map(in_millis).unzip();
        seat.say(&ServerEnvelope::Waiting {
            pool,
            ahead,
            widened,
            estimate_from_ms,
            estimate_to_ms,
        });
    } else {
        seat.outbox.message(plain::WAITING);
    }
}

/// An interval in milliseconds, no narrower than it is.
fn in_millis(Interval { from, to }: Interval) -> (u64, u64) {
    (from.as_millis() as u64, to.as_micros().div_ceil(1000) as u64)
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
    if let Some(Pass { expires, .. }) = stay.pass {
        if Instant::now() >= expires {
            return Poll::Ready(Wake::Over);
        }
        watch.wake_at(cx, expires);
    }
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
/// so no seat is lost between two tasks. If it is `superseded`, its device's place is another tab's, which
/// may be matched by now. Returns a partner who came at that very moment.
async fn leave(
    seat: &mut Seat,
    mut stay: Stay,
    mut superseded: bool,
    shared: &Shared,
) -> Option<Box<Seat>> {
    let mut orphan = None;
    let device = seat.speaker.as_ref().map(|speaker| speaker.device);
    if !shared.lobby.leave(seat.id(), stay.ticket, device) {
        stay.notes.close();
        while let Some(note) = stay.notes.recv().await {
            match note {
                Note::Partner(partner) => orphan = Some(partner),
                Note::Superseded => superseded = true,
                Note::Order(_) => {}
            }
        }
        if !superseded {
            shared.lobby.abandon(stay.ticket, device);
        }
    }
    let seeking = seat.seeking();
    (seeking.queued, seeking.invited) = (None, None);
    shared.lobby.place(seat.id(), Place::Closing);
    orphan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_in_milliseconds_is_no_narrower_than_it_is() {
        let micros = Duration::from_micros;
        for (from, to, told) in [(0, 0, (0, 0)), (1_999, 2_001, (1, 3)), (5_000, 7_000, (5, 7))] {
            assert_eq!(in_millis(Interval { from: micros(from), to: micros(to) }), told);
        }
    }
}
