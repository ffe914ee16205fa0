//! A client: a thin driver around `vyoma-reliable`, with a disk, and an application that is called back;
//! or one that speaks plain.

use std::collections::VecDeque;
use std::time::Instant;

use vyoma_protocol::envelope::ConversationId;
use vyoma_reliable::{Action, Body, Event, Saved, Session, Settings, Standing};

use crate::Flaw;
use crate::ledger::Ledger;
use crate::link::{LinkId, Said};

/// What the application is told, one after the other.
#[derive(Debug)]
pub(crate) enum Callback {
    Message { n: u64, text: String },
    Gap,
    Ended { complete: bool },
}

#[derive(Debug)]
pub(crate) enum Speaks {
    Plain,
    Reliable(Box<Session>),
}

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) speaks: Speaks,
    /// All that survives a crash.
    pub(crate) disk: Saved,
    pub(crate) link: Option<LinkId>,
    pub(crate) connecting: bool,
    /// The conversation that the application is told of.
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) callbacks: VecDeque<(ConversationId, Callback)>,
    /// Uses somebody else's memory.
    pub(crate) thief: bool,
    /// How far its clock is off, in milliseconds.
    pub(crate) skew: i64,
}

/// What a client wants of its connection.
#[derive(Debug)]
pub(crate) enum Order {
    Write(Said),
    Close,
}

impl Client {
    pub(crate) fn plain() -> Self {
        Self::with(Speaks::Plain, Saved::default())
    }

    pub(crate) fn reliable(disk: Saved, seed: u64, now: Instant) -> Self {
        let session = Session::new(Settings::default(), disk.clone(), seed, now);
        Self::with(Speaks::Reliable(Box::new(session)), disk)
    }

    fn with(speaks: Speaks, disk: Saved) -> Self {
        let conversation = disk.seat.as_ref().map(|seat| seat.conversation);
        Self {
            speaks,
            disk,
            link: None,
            connecting: false,
            conversation,
            callbacks: VecDeque::new(),
            thief: false,
            skew: 0,
        }
    }

    pub(crate) fn session(&mut self) -> Option<&mut Session> {
        match &mut self.speaks {
            Speaks::Plain => None,
            Speaks::Reliable(session) => Some(session),
        }
    }

    pub(crate) fn standing(&self) -> Option<Standing> {
        match &self.speaks {
            Speaks::Plain => None,
            Speaks::Reliable(session) => Some(session.standing()),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.speaks {
            Speaks::Plain => None,
            Speaks::Reliable(session) => session.deadline(),
        }
    }

    /// The process ends here, and another one begins with what is on the disk.
    pub(crate) fn restart(&mut self, seed: u64, now: Instant, id: usize, ledger: &mut Ledger) {
        for (conversation, callback) in self.callbacks.drain(..) {
            if matches!(callback, Callback::Gap) {
                ledger.gap(conversation, id);
            }
        }
        let (skew, thief) = (self.skew, self.thief);
        *self = Self { skew, thief, ..Self::reliable(self.disk.clone(), seed, now) };
    }

    /// Carries out what the session asks for. Returns what is for its connection.
    pub(crate) fn act(
        &mut self,
        id: usize,
        ledger: &mut Ledger,
        flaw: Option<Flaw>,
        now: Instant,
    ) -> Result<Vec<Order>, String> {
        let mut orders = Vec::new();
        loop {
            let Speaks::Reliable(session) = &mut self.speaks else { return Ok(orders) };
            let Some(action) = session.next_action() else { return Ok(orders) };
            match action {
                Action::Connect => self.connecting = true,
                Action::Write(frame) => orders.push(Order::Write(match frame {
                    vyoma_reliable::Frame::Text(text) => Said::Text(text),
                    vyoma_reliable::Frame::Binary(bytes) => Said::Binary(bytes),
                })),
                Action::Save(change) => self.disk.apply(&change),
                Action::Close(_) => {
                    self.connecting = false;
                    orders.push(Order::Close);
                }
                Action::Event(event) => {
                    if let Event::Message { n, .. } = &event
                        && flaw == Some(Flaw::AckBeforeCallback)
                    {
                        session.taken(*n, now);
                    }
                    self.happen(id, event, ledger)?;
                }
            }
        }
    }

    fn happen(&mut self, id: usize, event: Event, ledger: &mut Ledger) -> Result<(), String> {
        if let Event::Matched { conversation, .. } = event {
            self.conversation = Some(conversation);
        }
        let Some(conversation) = self.conversation else { return trouble(id, &event) };
        if self.thief && !matches!(event, Event::Message { .. }) {
            return Ok(());
        }
        match event {
            Event::Message { n, content } => {
                let callback = Callback::Message { n, text: content.text() };
                self.callbacks.push_back((conversation, callback));
            }
            Event::Gap { .. } => self.callbacks.push_back((conversation, Callback::Gap)),
            Event::Ended { complete, conversation: Some(ended), .. } => {
                self.callbacks.push_back((ended, Callback::Ended { complete }));
            }
            Event::Delivered { n } => return ledger.delivered(conversation, id, n),
            Event::Accepted { n } => ledger.accepted(conversation, id, n),
            event if !ledger.is_stolen(conversation) => return trouble(id, &event),
            _ => {}
        }
        Ok(())
    }

    /// Says the next thing to the partner, if there is one.
    pub(crate) fn say(&mut self, id: usize, ledger: &mut Ledger, now: Instant) {
        let Speaks::Reliable(session) = &mut self.speaks else { return };
        let Standing::Talking(conversation) = session.standing() else { return };
        if self.thief {
            return;
        }
        let text = ledger.next_text(conversation, id);
        if let Ok(n) = session.send(Body::Json(&format!("\"{text}\"")), now) {
            ledger.said(conversation, id, Some(n));
        }
    }

    /// The application is called back with the next thing. `crashes`: in the middle of that.
    pub(crate) fn call_back(
        &mut self,
        id: usize,
        ledger: &mut Ledger,
        flaw: Option<Flaw>,
        now: Instant,
        crashes: bool,
    ) -> Result<(), String> {
        let Some((conversation, callback)) = self.callbacks.pop_front() else { return Ok(()) };
        match callback {
            Callback::Gap => ledger.gap(conversation, id),
            Callback::Ended { complete } => return ledger.ended(conversation, id, complete),
            Callback::Message { n, text } => {
                if !self.thief {
                    ledger.saw(conversation, id, &text)?;
                }
                if crashes {
                    ledger.crashed_after_callback(conversation, id);
                } else if flaw != Some(Flaw::AckBeforeCallback)
                    && let Speaks::Reliable(session) = &mut self.speaks
                {
                    session.taken(n, now);
                }
            }
        }
        Ok(())
    }
}

/// What a server never gives a client reason for, however bad the connections are.
fn trouble(id: usize, event: &Event) -> Result<(), String> {
    match event {
        Event::Trouble(trouble) => Err(format!("client {id} was in trouble: {}", trouble.name())),
        Event::Error(error) if !matches!(&error.name[..], "in_conversation" | "replay_full") => {
            Err(format!("client {id} was told {} of {:?}", error.name, error.about))
        }
        _ => Ok(()),
    }
}
