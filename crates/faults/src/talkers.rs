//! Clients that talk, and keep account.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use tokio::time::{sleep, timeout};
use vyoma_client::{Client, Event, Happening, Happenings, Options, Receipt, Settings};

use crate::history::Account;

/// What all talkers share.
#[derive(Debug)]
pub(crate) struct Stage {
    /// They have said enough.
    pub(crate) enough: AtomicBool,
    /// Messages that arrived, for the progress to be shown.
    pub(crate) arrived: AtomicU64,
    /// Connections that couldn't be opened.
    pub(crate) refused: AtomicU64,
    /// Connections that were lost.
    pub(crate) lost: AtomicU64,
    /// When somebody was back in its seat.
    pub(crate) returns: Mutex<Vec<Instant>>,
    /// Everybody listens until all have said everything, and know that it was delivered.
    all_done: Barrier,
}

impl Stage {
    /// A stage for so many talkers; a process full of them counts as one.
    pub(crate) fn new(talkers: usize) -> Self {
        Self {
            enough: AtomicBool::new(false),
            arrived: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            returns: Mutex::default(),
            all_done: Barrier::new(talkers),
        }
    }

    /// Somebody is back in its seat.
    pub(crate) fn returned(&self) {
        self.returns.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
    }

    /// Returns when all have said everything; without those who failed, after a while.
    pub(crate) async fn await_all(&self) {
        let _ = timeout(PATIENCE, self.all_done.wait()).await;
    }
}

/// How long a message may take once there are no faults any more.
const PATIENCE: Duration = Duration::from_secs(60);

fn settings() -> Settings {
    Settings {
        backoff_first: Duration::from_millis(100),
        backoff_most: Duration::from_secs(1),
        heartbeat: Duration::from_secs(2),
        probe: Duration::from_secs(1),
        ..Settings::default()
    }
}

/// A client that has joined.
pub(crate) struct Talker {
    id: u32,
    client: Client,
    happenings: Happenings,
    stage: Arc<Stage>,
}

impl Talker {
    /// Joins.
    pub(crate) async fn join(
        id: u32,
        server: SocketAddr,
        stage: &Arc<Stage>,
    ) -> anyhow::Result<Self> {
        let options = Options { settings: settings(), ..Options::default() };
        let (client, happenings) = Client::start(&format!("ws://{server}"), options)?;
        client.join(None).await?;
        Ok(Self { id, client, happenings, stage: Arc::clone(stage) })
    }

    /// Talks, pausing so long between messages, until it has been enough and everything is delivered.
    pub(crate) async fn talk(mut self, pause: Duration) -> (u32, Account) {
        let mut account = Account::default();
        loop {
            match self.happenings.next().await {
                Some(Happening::Event(Event::Matched { .. })) => break,
                Some(_) => {}
                None => {
                    account.surprises.push("it was closed".to_owned());
                    return (self.id, account);
                }
            }
        }
        let (id, client, stage) = (self.id, self.client.clone(), Arc::clone(&self.stage));
        let mut saying = tokio::spawn(async move { say(id, &client, &stage, pause).await });
        let said = loop {
            tokio::select! {
                said = &mut saying => break said,
                happening = self.happenings.next() => match happening {
                    Some(happening) => hear(happening, &mut account, &self.stage),
                    None => break saying.await,
                }
            }
        };
        match said {
            Ok((said, delivered)) => (account.said, account.delivered) = (said, delivered),
            Err(error) => account.surprises.push(error.to_string()),
        }
        (self.id, account)
    }
}

/// Says 1, 2, 3 ...; returns how many, and how many of them were delivered.
async fn say(id: u32, client: &Client, stage: &Stage, pause: Duration) -> (u64, u64) {
    let mut receipts: Vec<Receipt> = Vec::new();
    while !stage.enough.load(Relaxed) {
        let text = format!("{id} {}", receipts.len() + 1);
        match client.say(&text).await {
            Ok(receipt) => receipts.push(receipt),
            Err(_) => break,
        }
        sleep(pause).await;
    }
    let (said, mut delivered) = (receipts.len() as u64, 0);
    for receipt in receipts {
        let known = timeout(PATIENCE, receipt.delivered()).await;
        delivered += u64::from(known == Ok(true));
    }
    stage.await_all().await;
    (said, delivered)
}

fn hear(happening: Happening, account: &mut Account, stage: &Stage) {
    let event = match happening {
        Happening::Event(event) => event,
        Happening::CannotConnect(_) => {
            stage.refused.fetch_add(1, Relaxed);
            return;
        }
        Happening::NotKept(error) => return account.surprises.push(error.to_string()),
    };
    match event {
        Event::Message { content, .. } => {
            stage.arrived.fetch_add(1, Relaxed);
            let text = content.text();
            let parts =
                text.split_once(' ').and_then(|(id, n)| Some((id.parse().ok()?, n.parse().ok()?)));
            match parts {
                Some(seen) => account.seen.push(seen),
                None => account.surprises.push(format!("nobody said {text:?}")),
            }
        }
        Event::Lost => {
            stage.lost.fetch_add(1, Relaxed);
        }
        Event::Restored { .. } => stage.returned(),
        Event::Gap { .. }
        | Event::Undelivered { .. }
        | Event::Ended { .. }
        | Event::Trouble(_)
        | Event::Error(_) => {
            account.surprises.push(format!("{event:?}"));
        }
        _ => {}
    }
}
