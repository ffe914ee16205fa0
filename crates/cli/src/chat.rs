//! `vyoma chat`: a client for people at a terminal, and for scripts in a pipe.
//!
//! Knows lines, commands and how to show what happens. Must not know the protocol: the SDK does.

pub(crate) mod options;
mod screen;
mod terminal;

use std::io::{self, BufRead as _, IsTerminal as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use vyoma_client::{
    Client, Event, FileStore, Gone, Happening, Happenings, Options, Receipt, Refusal,
};

use options::ChatOptions;
use screen::Screen;

/// Something that was said is lost, or may be.
const EXIT_INCOMPLETE: u8 = 3;

/// How long the server may take to hear that we leave.
const FAREWELL: Duration = Duration::from_secs(2);

const HELP: &str = "/next: another partner, /invite: somebody you know, /leave: end this, /block: never again with this one, /quit: end and go";

/// What a person, or a script, wants.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Say(String),
    Next,
    Invite,
    Leave,
    Block,
    Help,
    Quit,
}

/// How the chat stands, for whoever has something to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Talking,
    Over,
}

/// Chats until there is nothing more to do, and tells by the exit code how it went.
#[expect(clippy::print_stderr, reason = "there is no screen yet")]
pub(crate) fn run(options: &ChatOptions) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime.context("cannot start").and_then(|runtime| {
        let outcome = runtime.block_on(chat(options));
        // A thread may still wait for a line.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_INCOMPLETE),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn chat(options: &ChatOptions) -> anyhow::Result<bool> {
    let store = options.store.as_ref().map(FileStore::open).transpose();
    let store = store.context("--store")?.map(|store| Box::new(store) as _);
    let own = Options { store, ..Options::default() };
    let (client, happenings) = Client::start(&options.url, own)?;
    let person = io::stdin().is_terminal() && io::stdout().is_terminal();
    let (wishes, wished) = mpsc::unbounded_channel();
    let screen = if person {
        let (screen, editor) = terminal::open().context("the terminal can't be used")?;
        std::thread::spawn(move || editor.read(&wishes));
        screen
    } else {
        std::thread::spawn(move || read_lines(&wishes));
        Screen::Pipe
    };
    let profile = profile(options);
    // If it kept a seat it goes on there, and a wish for another partner comes too early.
    let joined = match &options.invite {
        Some(code) => client.join_invited(code, profile.as_deref()).await,
        None => client.join(profile.as_deref()).await,
    };
    if let Err(refused @ Gone::Refused(Refusal::BadValue)) = joined {
        return Err(refused).context("--name, --headline or --invite");
    }
    let above = screen.clone();
    let (state, stands) = watch::channel(State::Waiting);
    let mut chat = Chat { screen, state, person, connected: false, said: 0, whole: true };
    let mut hearing = Box::pin(chat.hear(happenings, &options.url));
    let mut all = true;
    if person {
        tokio::select! {
            heard = &mut hearing => heard?,
            () = obey(&client, profile.as_deref(), wished, stands, above) => {}
        }
    } else {
        tokio::select! {
            heard = &mut hearing => heard?,
            delivered = say_all(&client, wished, stands, options.timeout.0) => {
                all = delivered;
                client.leave();
                // The answer, unless the server is gone.
                let _ = timeout(FAREWELL, &mut hearing).await;
            }
        }
    }
    drop(hearing);
    client.close().await;
    Ok(person || (all && chat.whole))
}

fn profile(options: &ChatOptions) -> Option<String> {
    let mut profile = serde_json::Map::new();
    for (key, value) in [("name", &options.name), ("headline", &options.headline)] {
        profile.extend(value.iter().map(|value| (key.to_owned(), json!(value))));
    }
    (!profile.is_empty()).then(|| serde_json::Value::from(profile).to_string())
}

/// Every line of a pipe is said as it is.
fn read_lines(wishes: &mpsc::UnboundedSender<Wish>) {
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        if wishes.send(Wish::Say(line)).is_err() {
            return;
        }
    }
}

/// Says every line, and waits until all of them are delivered. Whether they were.
async fn say_all(
    client: &Client,
    mut wished: mpsc::UnboundedReceiver<Wish>,
    mut stands: watch::Receiver<State>,
    patience: Duration,
) -> bool {
    let mut receipts: Vec<Receipt> = Vec::new();
    // Those who only listen stay until the partner goes.
    while let Some(wish) = wished.recv().await {
        let Wish::Say(line) = wish else { continue };
        let _ = stands.wait_for(|state| *state != State::Waiting).await;
        match client.say(&line).await {
            Ok(receipt) => receipts.push(receipt),
            Err(_) => return false,
        }
    }
    let _ = stands.wait_for(|state| *state != State::Waiting).await;
    let all = async {
        let mut all = true;
        for receipt in receipts {
            all &= receipt.delivered().await;
        }
        all
    };
    timeout(patience, all).await.unwrap_or(false)
}

/// Does what a person types, until that one quits.
async fn obey(
    client: &Client,
    profile: Option<&str>,
    mut wished: mpsc::UnboundedReceiver<Wish>,
    mut stands: watch::Receiver<State>,
    mut screen: Screen,
) {
    while let Some(wish) = wished.recv().await {
        let done = match wish {
            Wish::Say(line) => client.say(&line).await.map(drop).map_err(|error| error.to_string()),
            Wish::Next if *stands.borrow() == State::Waiting => Err("you wait already".to_owned()),
            Wish::Next => client.next(None).await.map_err(|error| error.to_string()),
            Wish::Invite => {
                let state = *stands.borrow();
                invite(client, state, profile, &mut screen).await
            }
            Wish::Block => client.block().await.map_err(|error| error.to_string()),
            Wish::Leave => {
                client.leave();
                Ok(())
            }
            Wish::Help => Err(HELP.to_owned()),
            Wish::Quit => {
                client.leave();
                // Until that is answered: the partner is to hear of it.
                let over = stands.wait_for(|state| *state != State::Talking);
                let _ = timeout(FAREWELL, over).await;
                return;
            }
        };
        if let Err(why) = done {
            screen.state(&why);
        }
    }
}

/// Makes an invitation, and waits for whoever has its code, unless there is a partner just now.
async fn invite(
    client: &Client,
    state: State,
    profile: Option<&str>,
    screen: &mut Screen,
) -> Result<(), String> {
    let code = client.invite().await.map_err(|error| error.to_string())?.code;
    screen.state(&format!("tell this code to somebody, for --invite or the page: {code}"));
    if state == State::Talking {
        return Ok(());
    }
    client.leave();
    client.join_invited(&code, profile).await.map_err(|error| error.to_string())
}

/// What is shown, and what came of it.
struct Chat {
    screen: Screen,
    state: watch::Sender<State>,
    /// There is a person, who decides when it is over.
    person: bool,
    connected: bool,
    /// The last number that was written.
    said: u64,
    /// Nothing is known to be missing.
    whole: bool,
}

impl Chat {
    /// Shows what happens. A script is done when its partner is gone.
    async fn hear(&mut self, mut happenings: Happenings, url: &str) -> anyhow::Result<()> {
        while let Some(happening) = happenings.next().await {
            match happening {
                Happening::CannotConnect(error) if !self.connected => {
                    anyhow::bail!("{url}: {error}; is the server running? (`vyoma` starts one)")
                }
                Happening::CannotConnect(_) => {}
                Happening::NotKept(error) => self.screen.state(&error.to_string()),
                Happening::Event(event) => {
                    if self.show(event) && !self.person {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the conversation is over.
    fn show(&mut self, event: Event) -> bool {
        match event {
            Event::Waiting { ahead, widened, .. } => {
                self.stand(State::Waiting);
                self.screen.state(&match widened {
                    None | Some(0) => format!("waiting for a partner; {ahead} came before you"),
                    Some(_) => "still waiting; a lesser match will do by now".to_owned(),
                });
            }
            Event::Matched { partner, reliable, .. } => {
                self.stand(State::Talking);
                self.screen.state(&format!("matched with {}", introduce(partner.as_deref())));
                if !reliable {
                    self.screen.state("your partner's client can't come back when it is cut off");
                }
            }
            Event::Message { content, .. } => self.screen.partner(&content.text()),
            Event::Written { n } => self.said = n,
            Event::Delivered { n } if n >= self.said && self.person => {
                self.screen.state("delivered");
            }
            Event::Typing { on: true } => self.screen.state("your partner types ..."),
            Event::Away => self.screen.state("your partner's connection is lost; it may come back"),
            Event::Back => self.screen.state("your partner is back"),
            Event::Lost => self.screen.state("the connection is lost; trying again"),
            Event::Restored { conversation } => {
                self.stand(if conversation.is_some() { State::Talking } else { State::Waiting });
                self.screen.state("connected again");
            }
            Event::Gap { .. } => self.lack("some of your partner's messages are lost"),
            Event::Undelivered { from, to } => {
                self.lack(&format!("your last {} did not arrive", to - from + 1));
            }
            Event::Ended { reason, .. } => {
                self.stand(State::Over);
                self.screen.state(reason.sentence());
                if self.person {
                    self.screen.state(HELP);
                }
                return true;
            }
            Event::Error(error) => {
                self.screen.state(&error.sentence);
                // Else it is tried again.
                let never = error.retry_after_ms.is_none();
                if never && error.about.as_deref() == Some("join") {
                    self.whole = false;
                    self.stand(State::Over);
                    return true;
                }
            }
            _ => {}
        }
        false
    }

    fn lack(&mut self, what: &str) {
        self.whole = false;
        self.screen.state(what);
    }

    fn stand(&mut self, state: State) {
        self.connected = true;
        self.state.send_replace(state);
    }
}

/// A partner's profile as a person reads it.
fn introduce(profile: Option<&str>) -> String {
    let profile = profile.and_then(|json| serde_json::from_str(json).ok());
    let profile: serde_json::Value = profile.unwrap_or_default();
    let name = profile["name"].as_str().unwrap_or("somebody");
    match profile["headline"].as_str() {
        Some(headline) => format!("{name} ({headline})"),
        None => name.to_owned(),
    }
}
