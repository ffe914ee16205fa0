//! What an application holds: the client, and what happens to it.

use std::fmt;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use vyoma_protocol::push_escaped;
use vyoma_reliable::{Body, Content, Event, Refusal, SendError, ServerError, Settings};

use crate::driver::{Command, Driver};
use crate::receipt::Receipt;
use crate::socket::ConnectError;
use crate::store::{Store, StoreError};
use crate::url::{BadUrl, Url};

/// Whom to ask for.
#[derive(Debug, Clone, Copy, Default)]
pub struct JoinOptions<'a> {
    /// What the partner is shown, as JSON.
    pub profile: Option<&'a str>,
    /// The code of an invitation, as somebody has typed it: for the one who presents the same, and nobody
    /// else.
    pub invite: Option<&'a str>,
    /// Languages of which the partner has to speak one, however long that takes; none: any will do. They hold
    /// where profiles decide; elsewhere the server answers by error `no_rules`.
    pub languages: &'a [&'a str],
}

/// How a client behaves.
#[derive(Default)]
pub struct Options {
    /// The rules' numbers.
    pub settings: Settings,
    /// Where it keeps what it needs to come back after a crash; only in memory if not given.
    pub store: Option<Box<dyn Store>>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Something that happened.
#[derive(Debug)]
pub enum Happening {
    /// What the rules tell.
    Event(Event),
    /// There was no connection to be had; the client tries again by itself.
    CannotConnect(ConnectError),
    /// What the client would need after a crash couldn't be kept.
    NotKept(StoreError),
}

/// Why a client can't start.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The address makes no sense.
    #[error(transparent)]
    Url(#[from] BadUrl),
    /// What was kept can't be read.
    #[error("what this client has kept can't be used: {0}")]
    Store(#[from] StoreError),
    /// There are no random numbers.
    #[error("the system has no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// Why a wish had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Gone {
    /// The rules refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
}

/// An invitation: the two who join with its code meet each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The code, to be told to somebody.
    pub code: String,
    /// For how long it holds.
    pub holds: Duration,
}

/// Why there is no invitation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInvited {
    /// The rules refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The server didn't make one: `too_many_invites`, `too_fast`, `feature_off`.
    #[error("{}", .0.sentence)]
    Server(ServerError),
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
}

/// Why a message wasn't taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// The rules refused it.
    #[error(transparent)]
    Refused(#[from] SendError),
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
}

/// One place on one server. Clones are the same place; when the last one is dropped the client is
/// closed, and the seat stays for the grace.
#[derive(Debug, Clone)]
pub struct Client {
    commands: mpsc::UnboundedSender<Command>,
}

/// What happens to a client, in order.
#[derive(Debug)]
pub struct Happenings {
    happenings: mpsc::UnboundedReceiver<Happening>,
    commands: mpsc::WeakUnboundedSender<Command>,
    /// A message that was handed out, and isn't taken yet.
    handed_out: Option<u64>,
}

impl Happenings {
    /// Waits for the next; `None` once the client is closed.
    ///
    /// A message counts as taken, and is acknowledged to the partner, when this is called again: by
    /// then the application has done with it what it does.
    pub async fn next(&mut self) -> Option<Happening> {
        if let (Some(n), Some(commands)) = (self.handed_out.take(), self.commands.upgrade()) {
            // A closed client acknowledges nothing any more.
            let _ = commands.send(Command::Taken(n));
        }
        let next = self.happenings.recv().await;
        if let Some(Happening::Event(Event::Message { n, .. })) = next {
            self.handed_out = Some(n);
        }
        next
    }
}

impl Client {
    /// Starts a client for a server, in a task of the current tokio runtime. It connects when it is
    /// asked to join, or at once if it kept a seat in a conversation.
    ///
    /// # Errors
    /// If the address makes no sense, or what was kept can't be read.
    pub fn start(url: &str, options: Options) -> Result<(Self, Happenings), Refused> {
        let url: Url = url.parse()?;
        let (commands, orders) = mpsc::unbounded_channel();
        let (tell, happenings) = mpsc::unbounded_channel();
        let driver = Driver::new(url, options, orders, tell)?;
        tokio::spawn(driver.run());
        let weak = commands.downgrade();
        Ok((Self { commands }, Happenings { happenings, commands: weak, handed_out: None }))
    }

    /// Asks for a partner, who is shown this profile (JSON).
    ///
    /// # Errors
    /// If it is queued or talks already, or the profile is malformed.
    pub async fn join(&self, profile: Option<&str>) -> Result<(), Gone> {
        self.join_with(JoinOptions { profile, ..JoinOptions::default() }).await
    }

    /// Asks for a partner such as this.
    ///
    /// # Errors
    /// If it is queued or talks already, the profile or a language is malformed, or that can't be a code.
    pub async fn join_with(&self, options: JoinOptions<'_>) -> Result<(), Gone> {
        let JoinOptions { profile, invite, languages } = options;
        let [profile, invite] = [profile, invite].map(|text| text.map(str::to_owned));
        let rules = (!languages.is_empty()).then(|| rules(languages));
        self.ask(|reply| Command::Join { profile, invite, rules, reply }).await
    }

    /// Asks for the one who presents the same invitation's code, as somebody has typed it, and for nobody
    /// else; otherwise as [`join`](Self::join).
    ///
    /// # Errors
    /// If it is queued or talks already, the profile is malformed, or that can't be a code.
    pub async fn join_invited(&self, code: &str, profile: Option<&str>) -> Result<(), Gone> {
        self.join_with(JoinOptions { profile, invite: Some(code), languages: &[] }).await
    }

    /// Makes an invitation; waits for a connection, and for the server's answer.
    ///
    /// # Errors
    /// If another one is awaited, or the server makes none.
    pub async fn invite(&self) -> Result<Invitation, NotInvited> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Invite { reply });
        answer.await.map_err(|_| NotInvited::Closed)?
    }

    /// Ends the conversation, if there is one, and asks for another partner, who is shown this profile
    /// or the one of before, and has to speak one of the same languages as the one before.
    ///
    /// # Errors
    /// If it is queued already, or the profile is malformed.
    pub async fn next(&self, profile: Option<&str>) -> Result<(), Gone> {
        let (profile, rules) = (profile.map(str::to_owned), None);
        self.ask(|reply| Command::Next { profile, rules, reply }).await
    }

    /// The same, but the partner has to speak one of these languages; none: any will do.
    ///
    /// # Errors
    /// The same, and if a language is malformed.
    pub async fn next_requiring(
        &self,
        profile: Option<&str>,
        languages: &[&str],
    ) -> Result<(), Gone> {
        let (profile, rules) = (profile.map(str::to_owned), Some(rules(languages)));
        self.ask(|reply| Command::Next { profile, rules, reply }).await
    }

    /// Ends the conversation, or the wait.
    pub fn leave(&self) {
        self.tell(Command::Leave);
    }

    /// Ends the conversation, and never meets this partner again.
    ///
    /// # Errors
    /// If there is none, or the server doesn't offer it.
    pub async fn block(&self) -> Result<(), Gone> {
        self.ask(|reply| Command::Block { reply }).await
    }

    /// Tells the organiser about the present or the last partner, in 1 to 500 bytes.
    ///
    /// # Errors
    /// If there is none, no connection, or the server doesn't offer it.
    pub async fn report(&self, reason: &str) -> Result<(), Gone> {
        let reason = reason.to_owned();
        self.ask(|reply| Command::Report { reason, reply }).await
    }

    /// Sends a text, and waits for room in the outbox where that is full.
    ///
    /// # Errors
    /// If there is no partner, or it is too long.
    pub async fn say(&self, text: &str) -> Result<Receipt, Unsent> {
        let mut json = vec![b'"'];
        vyoma_protocol::push_escaped(text, &mut json);
        json.push(b'"');
        self.send(Body::Json(&String::from_utf8_lossy(&json))).await
    }

    /// Sends any JSON, or any bytes; the same.
    ///
    /// # Errors
    /// If there is no partner, it is too long, or no JSON.
    pub async fn send(&self, body: Body<'_>) -> Result<Receipt, Unsent> {
        let content = match body {
            Body::Json(json) => Content::Json(json.to_owned()),
            Body::Binary(bytes) => Content::Binary(bytes.to_vec()),
        };
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Send { content, reply });
        answer.await.map_err(|_| Unsent::Closed)?.map_err(Unsent::Refused)
    }

    /// A person has seen the partner's messages up to this number.
    pub fn read(&self, n: u64) {
        self.tell(Command::Read(n));
    }

    /// The person types (call it at each key), or no longer.
    pub fn typing(&self, on: bool) {
        self.tell(Command::Typing(on));
    }

    /// Sends something opaque (JSON) that is never kept, for instance for WebRTC.
    ///
    /// # Errors
    /// If there is no partner, no connection, or it is no JSON of at most 16 KiB.
    pub async fn signal(&self, payload: &str) -> Result<(), Gone> {
        let payload = payload.to_owned();
        self.ask(|reply| Command::Signal { payload, reply }).await
    }

    /// There is reason to look at the connection at once: the network is back, the machine awake.
    pub fn wake(&self) {
        self.tell(Command::Wake);
    }

    /// Closes the connection; the seat is kept for the grace. Returns when the goodbye was said.
    pub async fn close(&self) {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Close(reply));
        // An error means that it was closed before.
        let _ = answer.await;
    }

    fn tell(&self, command: Command) {
        // A closed client wants nothing.
        let _ = self.commands.send(command);
    }

    async fn ask(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<(), Refusal>>) -> Command,
    ) -> Result<(), Gone> {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply));
        answer.await.map_err(|_| Gone::Closed)?.map_err(Gone::Refused)
    }
}

/// The rules that a partner speaks one of these languages, as JSON.
fn rules(languages: &[&str]) -> String {
    let quoted = |language: &&str| {
        let mut quoted = Vec::from(*b"\"");
        push_escaped(language, &mut quoted);
        quoted.push(b'"');
        // It was text, and what is escaped is ASCII.
        String::from_utf8(quoted).unwrap_or_default()
    };
    let languages: Vec<_> = languages.iter().map(quoted).collect();
    format!("{{\"languages\":[{}]}}", languages.join(","))
}
