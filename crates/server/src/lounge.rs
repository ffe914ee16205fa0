//! A `vyoma.v1` client that is neither queued nor in a conversation: it has just come, or a
//! conversation of its is over.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use vyoma_core::directory::Resumption;
use vyoma_core::roster::Place;
use vyoma_protocol::Reason;
use vyoma_protocol::envelope::{Ending, ErrorReport, ServerEnvelope, Subject};

use crate::alone::{Watch, Words};
use crate::exchange::Exchange;
use crate::letterbox::{Letter, Letterbox};
use crate::seat::Seat;
use crate::shared::Shared;
use crate::speaker::{State, Wish};
use crate::speech::about;

/// How a stay here ended.
pub(crate) enum Exit {
    /// It wants to be queued.
    Queue(Box<Seat>),
    /// It has adopted a conversation, and is the first to come.
    Adopt(Box<Exchange>),
    /// It has moved to its conversation's task.
    Moved,
    /// It goes, or has to go.
    Gone(Box<Seat>, Reason),
}

/// Waits until a client says where it wants to go.
pub(crate) async fn stay(mut seat: Box<Seat>, shared: &Arc<Shared>) -> Exit {
    shared.lobby.place(seat.id(), Place::Unpaired);
    let join_by = Instant::now() + shared.config.timing.join;
    loop {
        match wish(&mut seat, join_by, shared).await {
            Err(reason) => return Exit::Gone(seat, reason),
            Ok(wish @ Wish::Queue { .. }) => {
                seat.speaker().wish = Some(wish);
                return Exit::Queue(seat);
            }
            Ok(Wish::Resume(resume)) => match resume_seat(seat, *resume, shared) {
                Ok(exit) => return exit,
                Err(back) => seat = back,
            },
            Ok(Wish::Out) => seat.speaker().state = State::Ended,
            Ok(Wish::Block(conversation)) => {
                seat.speaker().state = State::Ended;
                seat.done(Subject::Block, conversation);
            }
        }
    }
}

/// Reads on until the client wishes for something, or is gone. One that has just come has until
/// `join_by` for it.
async fn wish(seat: &mut Seat, join_by: Instant, shared: &Shared) -> Result<Wish, Reason> {
    let mut watch = Watch::new();
    poll_fn(|cx| {
        if let Some(wish) = seat.speaker().wish.take() {
            return Poll::Ready(Ok(wish));
        }
        if let Poll::Ready(reason) = seat.poll_alone(cx, &mut watch, Words::Drop, shared) {
            return Poll::Ready(Err(reason));
        }
        if let Some(wish) = seat.speaker().wish.take() {
            return Poll::Ready(Ok(wish));
        }
        if seat.speaker().state == State::New {
            if Instant::now() >= join_by {
                return Poll::Ready(Err(Reason::JoinTimeout));
            }
            watch.wake_at(cx, join_by);
        }
        Poll::Pending
    })
    .await
}

/// Takes a client to its seat. Gives it back if it can't have that, once it was told.
fn resume_seat(
    mut seat: Box<Seat>,
    (claims, resume): (vyoma_protocol::token::Claims, vyoma_core::conversation::Resume),
    shared: &Arc<Shared>,
) -> Result<Exit, Box<Seat>> {
    let now = Instant::now();
    let own = Letterbox::default();
    let (conversation, side) = (claims.conversation, claims.side);
    seat.speaker().device = claims.identity;
    match shared.lobby.resume(&claims, &own, now + shared.config.grace) {
        Resumption::Seat(letterbox) => {
            match letterbox.post(Letter::Arrival { seat, side, resume }) {
                Ok(()) => Ok(Exit::Moved),
                Err(Letter::Arrival { mut seat, .. }) => {
                    seat.hears_it_is_over(conversation);
                    Err(seat)
                }
                Err(Letter::Departure(_)) => unreachable!("an arrival was posted"),
            }
        }
        Resumption::Adopt => {
            // Its own letterbox: it is open.
            let _ = own.post(Letter::Arrival { seat, side, resume });
            Ok(Exit::Adopt(Box::new(Exchange::adopt(conversation, own, shared))))
        }
        Resumption::Over => {
            seat.hears_it_is_over(conversation);
            Err(seat)
        }
        occupied @ (Resumption::Elsewhere(_) | Resumption::Waiting(_)) => {
            let report = about(Reason::InConversation, "resume");
            let report = match occupied {
                Resumption::Elsewhere(other) => ErrorReport { conversation: Some(other), ..report },
                // Just being matched: soon it is known with whom.
                _ => {
                    let wait = shared.config.timing.probe_answer.as_millis() as u64;
                    ErrorReport { retry_after_ms: Some(wait), ..report }
                }
            };
            match seat.refuse(report, now) {
                Some(reason) => Ok(Exit::Gone(seat, reason)),
                None => Err(seat),
            }
        }
    }
}

impl Seat {
    /// Tells a client that there is nothing to come back to.
    pub(crate) fn hears_it_is_over(
        &mut self,
        conversation: vyoma_protocol::envelope::ConversationId,
    ) {
        let (reason, conversation) = (Ending::Over, Some(conversation));
        self.say(&ServerEnvelope::Ended { conversation, reason, stream: None, last: None });
        self.speaker().state = State::Ended;
    }
}
