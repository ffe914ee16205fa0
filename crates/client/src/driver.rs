//! The task that carries out what the rules want: it owns the session, the socket and the store.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep_until;
use vyoma_reliable::{Action, Body, Content, Event, Refusal, SendError, Session, Wanted};

use crate::client::{Happening, Invitation, NotInvited, Options, Refused};
use crate::receipt::{Receipt, Receipts};
use crate::socket::{ConnectError, Incoming, Socket};
use crate::store::Store;
use crate::url::Url;

type Answer = oneshot::Sender<Result<(), Refusal>>;
type InviteAnswer = oneshot::Sender<Result<Invitation, NotInvited>>;
type SendAnswer = oneshot::Sender<Result<Receipt, SendError>>;

/// What the application wants.
#[derive(Debug)]
pub(crate) enum Command {
    Join { profile: Option<String>, invite: Option<String>, rules: Option<String>, reply: Answer },
    Next { profile: Option<String>, rules: Option<String>, reply: Answer },
    Invite { reply: InviteAnswer },
    Leave,
    Block { reply: Answer },
    Report { reason: String, reply: Answer },
    Send { content: Content, reply: SendAnswer },
    Taken(u64),
    Read(u64),
    Typing(bool),
    Signal { payload: String, reply: Answer },
    Wake,
    Close(oneshot::Sender<()>),
}

/// The connection, as far as there is one.
enum Line {
    None,
    Opening(Pin<Box<dyn Future<Output = Result<Socket, ConnectError>> + Send>>),
    Open(Box<Socket>),
}

/// What the task woke up for.
enum Wake {
    Command(Option<Command>),
    Opened(Result<Socket, ConnectError>),
    Incoming(Incoming),
    Due,
}

pub(crate) struct Driver {
    url: Url,
    session: Session,
    store: Option<Box<dyn Store>>,
    commands: mpsc::UnboundedReceiver<Command>,
    happenings: mpsc::UnboundedSender<Happening>,
    line: Line,
    receipts: Receipts,
    /// Messages that wait for room in the outbox.
    crowd: VecDeque<(Content, SendAnswer)>,
    /// Who awaits an invitation.
    inviter: Option<InviteAnswer>,
    farewells: Vec<JoinHandle<()>>,
}

impl Driver {
    pub(crate) fn new(
        url: Url,
        options: Options,
        commands: mpsc::UnboundedReceiver<Command>,
        happenings: mpsc::UnboundedSender<Happening>,
    ) -> Result<Self, Refused> {
        let Options { settings, mut store } = options;
        let mut seed = [0; 8];
        getrandom::fill(&mut seed)?;
        let saved = store.as_mut().map(|store| store.load()).transpose()?.unwrap_or_default();
        let session = Session::new(settings, saved, u64::from_ne_bytes(seed), Instant::now());
        Ok(Self {
            url,
            session,
            store,
            commands,
            happenings,
            line: Line::None,
            receipts: Receipts::default(),
            crowd: VecDeque::new(),
            inviter: None,
            farewells: Vec::new(),
        })
    }

    /// Lives until the client is closed.
    pub(crate) async fn run(mut self) {
        let mut closed = None;
        loop {
            self.act();
            match self.wake().await {
                Wake::Command(Some(Command::Close(reply))) => {
                    closed = Some(reply);
                    break;
                }
                Wake::Command(None) => break,
                Wake::Command(Some(command)) => self.obey(command),
                Wake::Opened(opened) => self.opened(opened),
                Wake::Incoming(incoming) => self.hear(incoming),
                Wake::Due => self.session.tick(Instant::now()),
            }
        }
        self.session.close(Instant::now());
        self.act();
        for farewell in self.farewells {
            // It ends by itself; that it was cancelled says the runtime ends.
            let _ = farewell.await;
        }
        if let Some(reply) = closed {
            // Who doesn't wait for the answer doesn't need it.
            let _ = reply.send(());
        }
    }

    async fn wake(&mut self) -> Wake {
        let due = self.session.deadline();
        let (commands, line) = (&mut self.commands, &mut self.line);
        tokio::select! {
            command = commands.recv() => Wake::Command(command),
            wake = poll_fn(|cx| line.poll(cx)) => wake,
            () = sleep(due) => Wake::Due,
        }
    }

    /// Does what the session wants, in its order.
    fn act(&mut self) {
        while let Some(action) = self.session.next_action() {
            match action {
                Action::Connect => {
                    self.line = Line::Opening(Box::pin(Socket::open(self.url.clone())));
                }
                Action::Write(frame) => {
                    if let Line::Open(socket) = &mut self.line {
                        socket.push(&frame);
                    }
                }
                Action::Save(_) => {
                    let Some(store) = &mut self.store else { continue };
                    if let Err(error) = store.save(&self.session.saved()) {
                        self.tell(Happening::NotKept(error));
                    }
                }
                Action::Close(code) => {
                    if let Line::Open(socket) = std::mem::replace(&mut self.line, Line::None) {
                        self.farewells.retain(|farewell| !farewell.is_finished());
                        self.farewells.push(tokio::spawn(socket.close(code)));
                    }
                }
                Action::Event(event) => self.happen(event),
            }
        }
    }

    fn happen(&mut self, event: Event) {
        self.receipts.note(&event);
        self.answer_inviter(&event);
        match event {
            Event::Writable => self.retry(),
            Event::Ended { .. } => {
                for (_, reply) in self.crowd.drain(..) {
                    // Who doesn't wait for the answer doesn't need it.
                    let _ = reply.send(Err(SendError::NoPartner));
                }
                self.tell(Happening::Event(event));
            }
            event => self.tell(Happening::Event(event)),
        }
    }

    fn tell(&self, happening: Happening) {
        // Nobody has to listen.
        let _ = self.happenings.send(happening);
    }

    fn obey(&mut self, command: Command) {
        let now = Instant::now();
        let session = &mut self.session;
        let (reply, done) = match command {
            Command::Join { profile, invite, rules, reply } => {
                let (profile, rules) = (profile.as_deref(), rules.as_deref());
                let wanted = Wanted { profile, invite: invite.as_deref(), rules };
                (reply, session.join_with(wanted, now))
            }
            Command::Invite { reply } => return self.invite(reply, now),
            Command::Next { profile, rules, reply } => {
                (reply, session.next_with(profile.as_deref(), rules.as_deref(), now))
            }
            Command::Block { reply } => (reply, session.block(now)),
            Command::Report { reason, reply } => (reply, session.report(&reason, now)),
            Command::Signal { payload, reply } => (reply, session.signal(&payload, now)),
            Command::Send { content, reply } => {
                self.crowd.push_back((content, reply));
                return self.retry();
            }
            Command::Leave => return session.leave(now),
            Command::Taken(n) => return session.taken(n, now),
            Command::Read(n) => return session.read(n, now),
            Command::Typing(on) => return session.typing(on, now),
            Command::Wake => return session.wake(now),
            Command::Close(_) => return,
        };
        // Who doesn't wait for the answer doesn't need it.
        let _ = reply.send(done);
    }

    fn invite(&mut self, reply: InviteAnswer, now: Instant) {
        match self.session.invite(now) {
            Ok(()) => self.inviter = Some(reply),
            // Who doesn't wait for the answer doesn't need it.
            Err(refusal) => drop(reply.send(Err(NotInvited::Refused(refusal)))),
        }
    }

    fn answer_inviter(&mut self, event: &Event) {
        let answer = match event {
            Event::Invitation { code, expires_ms } => {
                let holds = Duration::from_millis(*expires_ms);
                Ok(Invitation { code: code.clone(), holds })
            }
            Event::Error(error) if error.about.as_deref() == Some("invite") => {
                Err(NotInvited::Server(error.clone()))
            }
            _ => return,
        };
        if let Some(inviter) = self.inviter.take() {
            // The same.
            let _ = inviter.send(answer);
        }
    }

    /// Puts what waits into the outbox, as far as there is room.
    fn retry(&mut self) {
        while let Some((content, reply)) = self.crowd.pop_front() {
            let body = match &content {
                Content::Json(json) => Body::Json(json),
                Content::Binary(bytes) => Body::Binary(bytes),
            };
            let sent = match self.session.send(body, Instant::now()) {
                Err(SendError::Full) => {
                    self.crowd.push_front((content, reply));
                    return;
                }
                sent => sent.map(|n| self.receipts.issue(n)),
            };
            let _ = reply.send(sent);
        }
    }

    fn opened(&mut self, opened: Result<Socket, ConnectError>) {
        let now = Instant::now();
        match opened {
            Ok(socket) => {
                self.line = Line::Open(Box::new(socket));
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                let unix_ms = since.map_or(0, |since| since.as_millis() as u64);
                self.session.connected(unix_ms, now);
            }
            Err(error) => {
                self.line = Line::None;
                self.tell(Happening::CannotConnect(error));
                self.session.disconnected(None, now);
            }
        }
    }

    fn hear(&mut self, incoming: Incoming) {
        let now = Instant::now();
        match incoming {
            Incoming::Text(text) => self.session.text(&text, now),
            Incoming::Binary(message) => self.session.binary(&message, now),
            Incoming::Heard => self.session.heard(now),
            Incoming::Closed(code) => {
                self.line = Line::None;
                self.session.disconnected(code, now);
            }
        }
    }
}

impl Line {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        match self {
            Self::None => Poll::Pending,
            Self::Opening(opening) => opening.as_mut().poll(cx).map(Wake::Opened),
            Self::Open(socket) => socket.poll_next(cx).map(Wake::Incoming),
        }
    }
}

async fn sleep(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until.into()).await,
        None => std::future::pending().await,
    }
}
