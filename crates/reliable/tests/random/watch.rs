//! Drives a session through a step, and checks all that must hold of what it does.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use vyoma_protocol::envelope::{ClientEnvelope, StreamId, parse_binary, weight};
use vyoma_reliable::{
    Action, Body, Change, Event, Frame, Saved, SendError, Session, Settings, Standing,
};

use crate::Step;
use crate::server::Server;

/// The shortest that lies between two tries, when nobody wishes otherwise: a tenth of the first wait.
const CALM: Duration = Duration::from_millis(50);

/// What the watch knows of the connection.
#[derive(Debug, Default, PartialEq)]
enum Line {
    #[default]
    Down,
    Opening,
    /// Nothing may be written but `join` or `resume`.
    New,
    /// `resume` was written: nothing else may be, until something comes.
    Resuming,
    Open,
}

/// A session, and what it has done.
pub(crate) struct Watch {
    session: Session,
    settings: Settings,
    seed: u64,
    now: Instant,
    server: Server,
    line: Line,
    /// What a disk would have.
    kept: Saved,
    /// What the application was given, and hasn't taken.
    given: VecDeque<u64>,
    last_given: Option<u64>,
    /// The end of a gap right behind that.
    gap: Option<u64>,
    /// The last number written and acknowledged on this connection.
    written: Option<u64>,
    acked: (Option<StreamId>, u64),
    /// The last try, unless somebody has wished something since.
    tried: Option<Instant>,
    /// The process dies after so many actions of the next call.
    dies: Option<usize>,
}

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "a time to count from")]
    pub(crate) fn new(seed: u64) -> Self {
        let now = Instant::now();
        let settings = Settings {
            outbox_bytes: 1_500,
            outbox_count: 6,
            inbox_bytes: 400,
            ..Settings::default()
        };
        let mut watch = Self {
            session: Session::new(settings.clone(), Saved::default(), seed, now),
            settings,
            seed,
            now,
            server: Server::default(),
            line: Line::Down,
            kept: Saved::default(),
            given: VecDeque::new(),
            last_given: None,
            gap: None,
            written: None,
            acked: (None, 0),
            tried: None,
            dies: None,
        };
        watch.settle();
        watch
    }

    pub(crate) fn step(&mut self, step: &Step) {
        self.call(step);
        self.settle();
        self.check_deadline();
        self.check_saved();
    }

    fn call(&mut self, step: &Step) {
        let (now, session) = (self.now, &mut self.session);
        match step {
            Step::Later(ms) => {
                self.now += Duration::from_millis(*ms);
                session.tick(self.now);
            }
            Step::Deadline => {
                if let Some(deadline) = session.deadline() {
                    self.now = self.now.max(deadline);
                    session.tick(self.now);
                }
            }
            Step::Opened if self.line == Line::Opening => {
                self.line = Line::New;
                self.server.opened();
                (self.written, self.acked) = (None, (None, 0));
                session.connected(1_000_000, now);
            }
            Step::Lost(code) if self.line != Line::Down => {
                self.line = Line::Down;
                session.disconnected(*code, now);
            }
            Step::Say(say) if !matches!(self.line, Line::Down | Line::Opening) => {
                let text = self.server.say(say);
                self.answered();
                self.session.text(&text, now);
            }
            Step::Garbage(text) => session.text(text, now),
            Step::Binary(bytes) => session.binary(bytes, now),
            Step::Heard => session.heard(now),
            Step::Wake => session.wake(now),
            Step::Crash(actions) => self.dies = Some(*actions),
            Step::Forget => {
                let mut saved = self.kept.clone();
                self.seed = self.seed.wrapping_add(1);
                saved.lose_state(StreamId(self.seed));
                self.kept = saved;
                self.reborn();
            }
            _ => self.wish(step),
        }
    }

    /// What the application does.
    fn wish(&mut self, step: &Step) {
        let (now, session) = (self.now, &mut self.session);
        match step {
            Step::Take => {
                if let Some(n) = self.given.pop_front() {
                    session.taken(n, now);
                }
                return;
            }
            Step::TakeWrongly(n) if self.given.front() != Some(n) => return session.taken(*n, now),
            Step::Read(n) => return session.read(*n, now),
            Step::Typing(on) => return session.typing(*on, now),
            Step::Send(length) => {
                let json = format!("\"{}\"", "a".repeat(*length));
                return self.send(Body::Json(&json));
            }
            Step::SendBinary(length) => return self.send(Body::Binary(&vec![0; *length])),
            _ => {}
        }
        self.tried = None;
        // A refusal is as good as anything else.
        let _ = match step {
            Step::Leave => return session.leave(now),
            Step::Close => return session.close(now),
            Step::Join => session.join(Some(r#"{"name":"Ada"}"#), now),
            Step::Next => session.next(None, now),
            Step::Block => session.block(now),
            Step::Signal => session.signal("1", now),
            Step::Report => session.report("spam", now),
            _ => Ok(()),
        };
    }

    fn send(&mut self, body: Body<'_>) {
        let before = self.session.saved().seat;
        let talking = matches!(self.session.standing(), Standing::Talking(_));
        match self.session.send(body, self.now) {
            Ok(n) => assert_eq!(n, before.unwrap().next, "numbers rise by one"),
            Err(error) => {
                assert_eq!(talking, error != SendError::NoPartner);
                assert_eq!(before, self.session.saved().seat, "a refusal changes nothing");
            }
        }
    }

    /// Something was heard: that may have been `resumed`.
    fn answered(&mut self) {
        if self.line == Line::Resuming {
            self.line = Line::Open;
        }
    }

    /// Carries out all actions; fewer if the process dies.
    fn settle(&mut self) {
        let mut left = self.dies.take();
        while let Some(action) = self.session.next_action() {
            match left.as_mut() {
                Some(0) => return self.reborn(),
                Some(left) => *left -= 1,
                None => {}
            }
            self.carry_out(action);
        }
        if left.is_some() {
            return self.reborn();
        }
        assert_eq!(self.kept, self.session.saved(), "what is saved is what is known");
    }

    /// The process is started again, with what the disk has.
    fn reborn(&mut self) {
        let saved = Saved::from_json(&self.kept.to_json()).unwrap();
        assert_eq!(saved, self.kept);
        self.session = Session::new(self.settings.clone(), saved, self.seed, self.now);
        (self.line, self.tried) = (Line::Down, None);
        (self.last_given, self.gap) = (None, None);
        self.given.clear();
        self.settle();
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Connect => {
                assert_eq!(self.line, Line::Down, "one connection at a time");
                let calm = self.tried.is_none_or(|tried| self.now >= tried + CALM);
                assert!(calm, "a hot loop");
                (self.line, self.tried) = (Line::Opening, Some(self.now));
            }
            Action::Close(code) => {
                assert!(matches!(code, 1000 | 1001));
                assert_ne!(self.line, Line::Down);
                self.line = Line::Down;
            }
            Action::Save(change) => {
                assert_eq!(Change::from_json(&change.to_json()).unwrap(), change);
                if matches!(change, Change::Partner(_) | Change::Seat(_)) {
                    (self.last_given, self.gap) = (None, None);
                }
                if let Change::Seat(seat) = &change {
                    (self.written, self.acked) = (None, (seat.partner_stream, seat.received));
                }
                self.kept.apply(&change);
            }
            Action::Write(frame) => self.wrote(&frame),
            Action::Event(event) => self.told(&event),
        }
    }

    fn told(&mut self, event: &Event) {
        match event {
            Event::Message { n, .. } => {
                let after = |last: u64| *n == last + 1;
                let last = self.last_given();
                assert!(last.is_some_and(after) || self.gap.is_some_and(after), "in order, once");
                (self.last_given, self.gap) = (Some(*n), None);
                self.given.push_back(*n);
            }
            // Of an older numbering it would mean nothing here; the event doesn't tell.
            Event::Gap { from, to } if self.last_given() == Some(from - 1) => self.gap = *to,
            Event::Ended { .. } => (self.last_given, self.gap) = (None, None),
            _ => {}
        }
    }

    fn last_given(&self) -> Option<u64> {
        self.last_given.or(self.kept.seat.as_ref().map(|seat| seat.received))
    }

    fn wrote(&mut self, frame: &Frame) {
        assert!(!matches!(self.line, Line::Down | Line::Opening), "there is no connection");
        assert_ne!(self.line, Line::Resuming, "nothing before resumed");
        let Frame::Text(text) = frame else {
            return self.wrote_message(parse_binary(frame.as_bytes()).unwrap().0, frame);
        };
        self.server.heard(text);
        let saved = &self.kept;
        match ClientEnvelope::parse(text).unwrap() {
            ClientEnvelope::Resume { attempt, first, next, received, .. } => {
                let seat = saved.seat.as_ref().unwrap();
                assert_eq!(self.line, Line::New);
                assert_eq!(saved.attempt, attempt, "stored before it is used");
                assert_eq!((seat.next, seat.received), (next, received));
                assert_eq!(first, next - seat.outbox.len() as u64);
                self.acked = (seat.partner_stream, received);
                self.line = Line::Resuming;
            }
            ClientEnvelope::Join { .. } => {
                assert_eq!(saved.seat, None);
                self.line = Line::Open;
            }
            ClientEnvelope::Message { n, .. } => self.wrote_message(n, frame),
            ClientEnvelope::Ack { stream, n, .. } => {
                let seat = saved.seat.as_ref().unwrap();
                assert!(n <= seat.received, "acknowledged before it was taken and stored");
                assert_eq!(Some(stream), seat.partner_stream);
                let before = if self.acked.0 == Some(stream) { self.acked.1 } else { 0 };
                assert!(n > before, "an acknowledgement says more than the last");
                self.acked = (Some(stream), n);
            }
            ClientEnvelope::Read { stream, n, .. } => {
                assert!(n <= self.acked.1 && self.acked.0 == Some(stream), "read comes after ack");
            }
            ClientEnvelope::Next { .. } | ClientEnvelope::Leave {} => assert_eq!(saved.seat, None),
            ClientEnvelope::Token { epoch } => {
                assert_eq!(saved.seat.as_ref().unwrap().epoch, epoch, "stored, then confirmed");
            }
            _ => {}
        }
    }

    fn wrote_message(&mut self, n: u64, frame: &Frame) {
        assert_eq!(self.line, Line::Open);
        let seat = self.kept.seat.as_ref().unwrap();
        let kept =
            seat.outbox.iter().find(|kept| kept.n == n).expect("stored before it is written");
        assert_eq!(kept.frame, *frame, "the same whenever it is written");
        // What is acknowledged between two writes is left out.
        let next = self.written.map(|last| (last + 1).max(seat.outbox[0].n));
        assert!(next.is_none_or(|next| n == next), "in order, none left out");
        let in_flight = seat.outbox.iter().filter(|kept| kept.n <= n);
        let in_flight: usize = in_flight.map(|kept| weight(kept.frame.len())).sum();
        assert!(in_flight as u64 <= self.session.limits().credit, "over the credit");
        assert!(frame.len() as u64 <= self.session.limits().max_message);
        self.written = Some(n);
    }

    fn check_deadline(&mut self) {
        for _ in 0..2 {
            self.session.tick(self.now);
            self.settle();
        }
        if let Some(deadline) = self.session.deadline() {
            assert!(deadline > self.now, "a deadline that a tick doesn't move is a hot loop");
        }
    }

    fn check_saved(&self) {
        let Some(seat) = &self.kept.seat else { return };
        let bytes: usize = seat.outbox.iter().map(|kept| weight(kept.frame.len())).sum();
        assert!(seat.outbox.len() <= self.settings.outbox_count);
        assert!(bytes <= self.settings.outbox_bytes || seat.outbox.len() == 1);
    }
}
