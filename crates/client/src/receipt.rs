//! What became of a message.

use std::collections::BTreeMap;

use tokio::sync::watch;
use vyoma_reliable::Event;

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It is in the outbox.
    Kept,
    /// It was written to a connection.
    Written,
    /// The server answers for it: it survives this client's leaving.
    Accepted,
    /// It was not confirmed, and never will be; the partner may have seen it.
    Undelivered,
    /// The partner's application has it.
    Delivered,
}

/// A message's receipt.
#[derive(Debug, Clone)]
pub struct Receipt {
    n: u64,
    stage: watch::Receiver<Stage>,
}

impl Receipt {
    /// The message's number in its conversation.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// How far it has come by now.
    pub fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// Waits until it has come so far, or is known to come no further; returns how far it is then.
    pub async fn reached(mut self, stage: Stage) -> Stage {
        // The sender goes when nothing more will be known.
        let reached = self.stage.wait_for(|now| *now >= stage).await.map(|now| *now);
        reached.unwrap_or_else(|_| self.stage())
    }

    /// Waits until the partner's application has it: true; or until it is clear that this will never
    /// be known: false.
    pub async fn delivered(self) -> bool {
        self.reached(Stage::Delivered).await == Stage::Delivered
    }
}

/// The receipts of a conversation's messages that may still come further.
#[derive(Default)]
pub(crate) struct Receipts(BTreeMap<u64, watch::Sender<Stage>>);

impl Receipts {
    /// For a message that was taken into the outbox.
    pub(crate) fn issue(&mut self, n: u64) -> Receipt {
        let (sender, stage) = watch::channel(Stage::Kept);
        self.0.insert(n, sender);
        Receipt { n, stage }
    }

    /// Notes what an event says.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Written { n } => self.raise(1, *n, Stage::Written),
            Event::Accepted { n } => self.raise(1, *n, Stage::Accepted),
            Event::Delivered { n } => {
                self.raise(1, *n, Stage::Delivered);
                self.0 = self.0.split_off(&(n + 1));
            }
            Event::Undelivered { from, to } => self.raise(*from, *to, Stage::Undelivered),
            Event::Ended { .. } | Event::Matched { .. } => self.0.clear(),
            _ => {}
        }
    }

    fn raise(&mut self, from: u64, to: u64, stage: Stage) {
        for sender in self.0.range(from..=to.max(from)).map(|(_, sender)| sender) {
            sender.send_if_modified(|now| {
                let higher = stage > *now;
                *now = stage.max(*now);
                higher
            });
        }
    }
}
