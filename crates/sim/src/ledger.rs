//! What was said to whom, and what came of it: the checkers of the promises about messages.

use std::collections::{BTreeMap, BTreeSet};

use vyoma_protocol::envelope::ConversationId;

/// One side of one conversation, as its application knows it.
#[derive(Debug, Default)]
struct Account {
    /// How many messages the application has said.
    said: u64,
    /// Which of them has the number 1 of the present numbering.
    first: u64,
    /// Up to which of them it was told that they are with the partner's application.
    delivered: u64,
    /// The highest that it was told the server answers for, or the partner has.
    promised: u64,
    /// The partner's messages that its callback has seen, and the last of them.
    seen: BTreeSet<u64>,
    last: u64,
    /// A hole was announced since the last message.
    gap: bool,
    /// There may be a hole that nobody can tell it of.
    untold: bool,
    /// A hole was announced ever.
    holes: bool,
    /// It crashed between a callback and the saving of that: the last message may come once more.
    may_repeat: bool,
    over: bool,
}

/// All accounts.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    accounts: BTreeMap<(ConversationId, usize), Account>,
    /// Conversations in which a client's memory was copied: two share a seat.
    stolen: BTreeSet<ConversationId>,
    pub(crate) messages: u64,
    pub(crate) gaps: u64,
}

type Verdict = Result<(), String>;

impl Ledger {
    /// The text of the next message of a client: it tells where it belongs.
    pub(crate) fn next_text(&mut self, conversation: ConversationId, client: usize) -> String {
        format!("{conversation} {client} {}", self.account(conversation, client).said + 1)
    }

    /// That message was taken into the outbox under this number (`None`: it has none).
    pub(crate) fn said(&mut self, conversation: ConversationId, client: usize, n: Option<u64>) {
        let account = self.account(conversation, client);
        account.said += 1;
        if n == Some(1) {
            account.first = account.said;
        }
    }

    /// A copy of a client's memory was made.
    pub(crate) fn steal(&mut self, conversation: ConversationId) {
        self.stolen.insert(conversation);
    }

    pub(crate) fn is_stolen(&self, conversation: ConversationId) -> bool {
        self.stolen.contains(&conversation)
    }

    /// A client crashed after the callback of the last message, before that was saved.
    pub(crate) fn crashed_after_callback(&mut self, conversation: ConversationId, client: usize) {
        self.account(conversation, client).may_repeat = true;
    }

    /// A client has lost all but its token, and knows it: what it can't remember it takes as new.
    pub(crate) fn forgot(&mut self, conversation: ConversationId, client: usize) {
        let account = self.account(conversation, client);
        (account.last, account.may_repeat) = (0, false);
        (account.gap, account.holes) = (true, true);
        // What was said under the old numbering is told of no more.
        account.delivered = account.said;
    }

    /// A plain client's partner has lost its state; nobody tells the former.
    pub(crate) fn expect_hole(&mut self, conversation: ConversationId, client: usize) {
        let account = self.account(conversation, client);
        (account.untold, account.holes) = (true, true);
    }

    /// A client's application was handed a message, in what it takes for this conversation.
    pub(crate) fn saw(
        &mut self,
        conversation: ConversationId,
        client: usize,
        said: &str,
    ) -> Verdict {
        self.messages += 1;
        let Some((meant, from, k)) = parse(said) else {
            return Err(format!("client {client} saw {said:?}, which nobody said"));
        };
        if self.is_stolen(conversation) || self.is_stolen(meant) {
            return Ok(());
        }
        if meant != conversation || from == client {
            return Err(format!("client {client} saw {said:?} in conversation {conversation}"));
        }
        let account = self.account(conversation, client);
        if account.over {
            return Err(format!("client {client} saw {said:?} after the end"));
        }
        let last = account.last;
        if k <= last && !(account.may_repeat && k == last) {
            return Err(format!("client {client} saw {said:?} after {last}"));
        }
        if k > last + 1 && !(account.gap || account.untold) {
            return Err(format!("client {client} saw {said:?} after {last}, and heard of no gap"));
        }
        account.seen.insert(k);
        (account.last, account.gap, account.may_repeat) = (k, false, false);
        Ok(())
    }

    /// A client was told of a hole.
    pub(crate) fn gap(&mut self, conversation: ConversationId, client: usize) {
        self.gaps += 1;
        let account = self.account(conversation, client);
        (account.gap, account.holes) = (true, true);
    }

    /// A client was told that its messages up to this number are with its partner's application.
    pub(crate) fn delivered(
        &mut self,
        conversation: ConversationId,
        client: usize,
        n: u64,
    ) -> Verdict {
        if self.is_stolen(conversation) {
            return Ok(());
        }
        let account = self.account(conversation, client);
        let (before, now) = (account.delivered, account.first + n - 1);
        account.delivered = before.max(now);
        account.promised = account.promised.max(now);
        let other = self.other(conversation, client);
        match (before + 1..=now).find(|k| !other.is_some_and(|other| other.seen.contains(k))) {
            None => Ok(()),
            Some(k) => Err(format!("client {client} was told that its {k} was delivered: false")),
        }
    }

    /// A client was told that the server answers for its messages up to this number.
    pub(crate) fn accepted(&mut self, conversation: ConversationId, client: usize, n: u64) {
        let account = self.account(conversation, client);
        account.promised = account.promised.max(account.first + n - 1);
    }

    /// A client was told that it is over, and whether it has everything but for the holes it was told of.
    pub(crate) fn ended(
        &mut self,
        conversation: ConversationId,
        client: usize,
        complete: bool,
    ) -> Verdict {
        self.account(conversation, client).over = true;
        if self.is_stolen(conversation) || !complete {
            return Ok(());
        }
        let promised = self.other(conversation, client).map_or(0, |other| other.promised);
        let Account { seen, holes, last, gap, .. } = self.account(conversation, client);
        let excused = |k: u64| *gap || (*holes && k <= *last);
        match (1..=promised).find(|k| !seen.contains(k) && !excused(*k)) {
            None => Ok(()),
            Some(k) => Err(format!("client {client} was told it had everything, but misses {k}")),
        }
    }

    fn account(&mut self, conversation: ConversationId, client: usize) -> &mut Account {
        self.accounts.entry((conversation, client)).or_default()
    }

    fn other(&self, conversation: ConversationId, client: usize) -> Option<&Account> {
        let mut both = self.accounts.range((conversation, 0)..=(conversation, usize::MAX));
        both.find(|((_, who), _)| *who != client).map(|(_, account)| account)
    }
}

fn parse(text: &str) -> Option<(ConversationId, usize, u64)> {
    let mut parts = text.split(' ');
    let conversation = ConversationId::parse(parts.next()?)?;
    Some((conversation, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
