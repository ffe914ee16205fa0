//! The connection: when one is wanted, when it is dead, and what follows when it is lost.

use std::time::Instant;

use vyoma_protocol::Reason;
use vyoma_protocol::envelope::{ClientEnvelope, ConversationId, MAX_NUMBER};

use super::Session;
use super::place::{Inviting, Place, Queued};
use crate::backoff::{self, Cause};
use crate::pulse::{Pulse, Verdict};
use crate::{Change, End, Event, Settings, Trouble};

/// We close because nothing more is wanted (RFC 6455, section 7.4.1).
const DONE: u16 = 1000;
/// We close because another connection takes over.
const AGAIN: u16 = 1001;

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// There is none, and none is wanted.
    Down,
    /// The next try comes at this time.
    Waiting(Instant),
    /// It has to open until then.
    Opening(Instant),
    /// `hello` has to come until then.
    Greeting(Instant),
    /// The answer to `resume` has to come until then.
    Resuming(Instant),
    /// It is there, for whatever is wished.
    Open,
}

/// The connection.
#[derive(Debug)]
pub(super) struct Line {
    phase: Phase,
    pulse: Pulse,
    /// The time of day at which it opened, in milliseconds since 1970.
    unix_ms: u64,
    /// The server leaves: to be replaced then.
    replace_at: Option<Instant>,
    /// `join`, `next`, `leave` or `block` has to be answered until then.
    pub(super) answer_by: Option<Instant>,
    /// `read`, `token` and the like were too many: none before this.
    pub(super) quiet_until: Option<Instant>,
    /// A stored token has to be confirmed.
    pub(super) confirm: bool,
    /// The device of this connection's `hello`, for one whose own is refused.
    pub(super) offered: Option<String>,
    /// A conversation that we never heard of was left already.
    pub(super) left_unheard: bool,
    /// The last conversation of this connection.
    pub(super) last: Option<ConversationId>,
}

impl Line {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            phase: Phase::Down,
            pulse: Pulse::new(now),
            unix_ms: 0,
            replace_at: None,
            answer_by: None,
            quiet_until: None,
            confirm: false,
            offered: None,
            left_unheard: false,
            last: None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    pub(super) fn awaits_hello(&self) -> bool {
        matches!(self.phase, Phase::Greeting(_))
    }

    pub(super) fn awaits_resumed(&self) -> bool {
        matches!(self.phase, Phase::Resuming(_))
    }

    /// Whether something can be heard on it.
    pub(super) fn is_up(&self) -> bool {
        !matches!(self.phase, Phase::Down | Phase::Waiting(_) | Phase::Opening(_))
    }

    pub(super) fn open(&mut self) {
        self.phase = Phase::Open;
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.pulse.heard(now);
    }

    /// When something was heard last.
    pub(super) fn heard_at(&self) -> Instant {
        self.pulse.heard_at()
    }

    /// The server leaves in so many milliseconds.
    pub(super) fn leaves(&mut self, delay_ms: u64, now: Instant) {
        self.replace_at = Some(backoff::later(delay_ms, now));
    }

    /// When it needs attention.
    pub(super) fn deadline(&self, settings: &Settings) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Down => return None,
            Phase::Waiting(at) | Phase::Opening(at) => return Some(at),
            Phase::Greeting(at) | Phase::Resuming(at) => Some(at),
            Phase::Open => Some(self.pulse.deadline(settings)),
        };
        [phase, self.replace_at, self.answer_by].into_iter().flatten().min()
    }
}

impl Session {
    /// Connects if there is no connection, and a reason for one.
    pub(super) fn connect_if_wanted(&mut self, now: Instant) {
        if self.line.phase == Phase::Down && self.wants_line() {
            self.connect(now);
        }
    }

    /// (Who is leaving doesn't: without a connection that is over.)
    fn wants_line(&self) -> bool {
        let wished = matches!(self.place, Place::Queued(_) | Place::Talking(_));
        !self.closed && (wished || self.inviting != Inviting::No)
    }

    fn connect(&mut self, now: Instant) {
        self.backoff.trying(now);
        self.line.phase = Phase::Opening(now + self.settings.answer);
        self.out.connect();
    }

    pub(super) fn opened(&mut self, unix_ms: u64, now: Instant) {
        if matches!(self.line.phase, Phase::Opening(_)) {
            let phase = Phase::Greeting(now + self.settings.answer);
            self.line = Line { phase, unix_ms, ..Line::new(now) };
        }
    }

    /// `resume` was written.
    pub(super) fn await_resumed(&mut self, now: Instant) {
        self.line.phase = Phase::Resuming(now + self.settings.answer);
    }

    /// `join`, `next`, `leave` or `block` was written.
    pub(super) fn await_answer(&mut self, now: Instant) {
        self.line.answer_by = Some(now + self.settings.answer);
    }

    /// The number for a `resume`: higher than any before, and not below the time of day, so that a
    /// lost count locks nobody out.
    pub(super) fn raise_attempt(&mut self) -> u64 {
        self.attempt = (self.attempt + 1).max(self.line.unix_ms).min(MAX_NUMBER);
        self.out.save(Change::Attempt(self.attempt));
        self.attempt
    }

    pub(super) fn line_closed(&mut self, code: Option<u16>, now: Instant) {
        if matches!(self.line.phase, Phase::Down | Phase::Waiting(_)) {
            return;
        }
        match code {
            Some(4409) => self.superseded(now),
            Some(4429) => self.lost(Cause::Fault, now),
            // What breaks rules or limits: docs/protocol.md, "Why the server closes".
            Some(1002 | 1003 | 1007..=1010) => self.lost(Cause::Trouble, now),
            _ => self.lost(Cause::Lost, now),
        }
    }

    /// Something can't be true: another connection may set it right.
    pub(super) fn trouble(&mut self, what: Trouble, now: Instant) {
        self.out.event(Event::Trouble(what));
        self.drop_line(Cause::Trouble, now);
    }

    /// Gives the connection up, for another.
    pub(super) fn drop_line(&mut self, cause: Cause, now: Instant) {
        self.out.close(AGAIN);
        self.lost(cause, now);
    }

    fn lost(&mut self, cause: Cause, now: Instant) {
        self.forget_line(now);
        if !self.wants_line() {
            return;
        }
        let at = self.backoff.lost(cause, self.limits.grace_ms, &self.settings, now);
        self.line.phase = Phase::Waiting(at);
        if !std::mem::replace(&mut self.told_lost, true) {
            self.out.event(Event::Lost);
        }
    }

    /// The server leaves, and another process is there already.
    fn replace(&mut self, now: Instant) {
        self.out.close(AGAIN);
        self.forget_line(now);
        if self.wants_line() {
            let at = self.backoff.replaced(self.limits.grace_ms, &self.settings, now);
            if at <= now {
                self.connect(now);
            } else {
                self.line.phase = Phase::Waiting(at);
            }
        }
    }

    /// Another connection holds this place. Final.
    fn superseded(&mut self, now: Instant) {
        self.line = Line::new(now);
        let place = std::mem::replace(&mut self.place, Place::Idle);
        let talk = match place {
            Place::Talking(talk) => Some(*talk),
            Place::Leaving(leaving) => leaving.talk,
            Place::Idle | Place::Queued(_) => None,
        };
        self.told_lost = false;
        match talk {
            Some(talk) => self.say_end(&talk, End::Superseded, 0, false),
            None => self.say_unqueued(End::Superseded),
        }
        self.forget_invitation(Reason::Superseded);
        self.free();
    }

    /// What becomes of the place without this connection.
    fn forget_line(&mut self, now: Instant) {
        self.line = Line::new(now);
        self.inviting.lose_line();
        let place = std::mem::replace(&mut self.place, Place::Idle);
        self.place = match place {
            Place::Idle => Place::Idle,
            Place::Queued(queued) => {
                self.maybe_matched |= queued.asked;
                Place::Queued(Queued { asked: false, ..queued })
            }
            Place::Talking(mut talk) => {
                let typing = std::mem::take(&mut talk.typing);
                if typing.over().is_some() {
                    self.out.event(Event::Typing { on: false });
                }
                Place::Talking(talk)
            }
            Place::Leaving(leaving) => {
                self.maybe_matched |= leaving.talk.is_none();
                self.say_left(*leaving)
            }
        };
    }

    /// The network, the page or the machine is back.
    pub(super) fn look_at_line(&mut self, now: Instant) {
        let soon = now + self.settings.wake_probe;
        match self.line.phase {
            Phase::Down => self.connect_if_wanted(now),
            Phase::Waiting(at) => {
                let earliest = self.backoff.hurried(&self.settings, now);
                if earliest <= now {
                    self.connect(now);
                } else {
                    self.line.phase = Phase::Waiting(at.min(earliest));
                }
            }
            Phase::Opening(by) => self.line.phase = Phase::Opening(by.min(soon)),
            Phase::Greeting(by) => self.line.phase = Phase::Greeting(by.min(soon)),
            Phase::Resuming(by) => self.line.phase = Phase::Resuming(by.min(soon)),
            Phase::Open => {
                if self.line.pulse.ask(&self.settings, now) {
                    self.out.write(&ClientEnvelope::Ping { id: None });
                }
            }
        }
    }

    /// What the time demands of the connection.
    pub(super) fn tick_line(&mut self, now: Instant) {
        match self.line.phase {
            Phase::Down => return,
            Phase::Waiting(at) => {
                if at <= now {
                    self.connect(now);
                }
                return;
            }
            Phase::Opening(by) | Phase::Greeting(by) | Phase::Resuming(by) => {
                if by <= now {
                    return self.drop_line(Cause::Lost, now);
                }
            }
            Phase::Open => match self.line.pulse.judge(&self.settings, now) {
                Verdict::Fine => {}
                Verdict::Ask => self.out.write(&ClientEnvelope::Ping { id: None }),
                Verdict::Dead => return self.drop_line(Cause::Lost, now),
            },
        }
        let answer_by =
            [self.line.answer_by, self.inviting.answer_by()].into_iter().flatten().min();
        if answer_by.is_some_and(|by| by <= now) {
            self.drop_line(Cause::Lost, now);
        } else if self.line.replace_at.is_some_and(|at| at <= now) {
            self.replace(now);
        }
    }

    /// The application wants no connection any more.
    pub(super) fn wish_close(&mut self, now: Instant) {
        self.closed = true;
        let phase = self.line.phase;
        if phase == Phase::Open {
            self.acknowledge();
        }
        self.forget_line(now);
        (self.told_lost, self.inviting) = (false, Inviting::No);
        if matches!(self.place, Place::Queued(_)) {
            self.place = Place::Idle;
        }
        if !matches!(phase, Phase::Down | Phase::Waiting(_)) {
            self.out.close(DONE);
        }
    }

    /// The wish for a partner is withdrawn before the server heard of it.
    pub(super) fn hang_up(&mut self, now: Instant) {
        if !matches!(self.line.phase, Phase::Down | Phase::Waiting(_)) {
            self.out.close(DONE);
        }
        self.line = Line::new(now);
        self.told_lost = false;
        self.inviting.lose_line();
        self.connect_if_wanted(now);
    }
}
