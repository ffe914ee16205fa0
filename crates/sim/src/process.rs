//! A server process: a stand-in for `vyoma-server`'s tasks around the same rules, as thin as it can be.

mod exchange;
mod lounge;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fastrand::Rng;
use vyoma_core::conversation::{Conversation, Question, Terms};
use vyoma_core::directory::Directory;
use vyoma_core::matching::{Patience, Pool, Ticket};
use vyoma_protocol::envelope::{ConversationId, ErrorReport, ServerEnvelope, Side};
use vyoma_protocol::token::{BootId, Identity, Keyring};
use vyoma_protocol::{Reason, encode_text};

use crate::Flaw;
use crate::link::{Link, LinkId, Said};

pub(crate) const SIDES: [Side; 2] = [Side::A, Side::B];

/// What a window may weigh: a dozen messages of this world.
pub(crate) const CREDIT: usize = 1_500;

pub(crate) const GRACE: Duration = Duration::from_secs(60);

/// All that a process needs of the world around it.
pub(crate) struct Net<'w> {
    pub(crate) links: &'w mut BTreeMap<LinkId, Link>,
    pub(crate) rng: &'w mut Rng,
    pub(crate) keys: &'w Keyring,
    pub(crate) now: Instant,
    /// Seconds of the server's clock.
    pub(crate) unix: u64,
    pub(crate) flaw: Option<Flaw>,
    /// The first promise that was seen broken.
    pub(crate) violation: &'w mut Option<String>,
    pub(crate) counts: &'w mut Counts,
}

/// What happened, in numbers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) matched: u64,
    pub(crate) resumed: u64,
    pub(crate) adopted: u64,
    pub(crate) superseded: u64,
}

impl Net<'_> {
    fn say(&mut self, link: LinkId, envelope: &ServerEnvelope<'_>) {
        let mut bytes = Vec::new();
        encode_text(&mut bytes, |out| envelope.write(out));
        self.push(link, &bytes);
    }

    fn refuse(&mut self, link: LinkId, report: ErrorReport<'_>) {
        self.say(link, &report.envelope());
    }

    fn push(&mut self, link: LinkId, bytes: &[u8]) {
        if let Some(link) = self.links.get_mut(&link) {
            link.push(bytes);
        }
    }

    fn close(&mut self, link: LinkId, reason: Option<Reason>) {
        if reason == Some(Reason::Superseded) {
            self.counts.superseded += 1;
        }
        if let Some(link) = self.links.get_mut(&link) {
            link.close_by_server(reason.and_then(Reason::close_code));
        }
    }

    fn violated(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }
}

/// Where a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whereabouts {
    Lounge,
    Queue(Ticket),
    Seat(ConversationId, Side),
}

/// What a client of `vyoma.v1` may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Waiting,
    Matched,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Queue(Option<ConversationId>),
    Out,
}

#[derive(Debug)]
struct Guest {
    /// `None` speaks plain.
    device: Option<Identity>,
    state: State,
    wish: Option<Wish>,
    at: Whereabouts,
}

#[derive(Debug, Default)]
struct Chair {
    link: Option<LinkId>,
    device: Option<Identity>,
    asked: Option<Question>,
}

#[derive(Debug)]
struct Exchange {
    conversation: Conversation,
    chairs: [Chair; 2],
    ended: bool,
}

/// One process.
pub(crate) struct Process {
    boot: BootId,
    pool: Pool,
    directory: Directory<ConversationId>,
    desks: BTreeMap<Ticket, LinkId>,
    guests: BTreeMap<LinkId, Guest>,
    exchanges: BTreeMap<ConversationId, Exchange>,
    /// The epoch and attempt with which each seat was taken last.
    holders: BTreeMap<(ConversationId, usize), (u64, u64)>,
    pub(crate) draining: bool,
}

impl Process {
    pub(crate) fn new(boot: u64) -> Self {
        // Everybody counts as fresh: who waits is proven by other tests.
        let for_ever = Duration::from_secs(1 << 30);
        Self {
            boot: BootId(boot),
            pool: Pool::new(Patience { fresh: for_ever, answer: for_ever }),
            directory: Directory::new(BootId(boot)),
            desks: BTreeMap::new(),
            guests: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            holders: BTreeMap::new(),
            draining: false,
        }
    }

    /// Whether the server reads from this client just now.
    pub(crate) fn reads(&self, link: LinkId, flaw: Option<Flaw>) -> bool {
        let Some(guest) = self.guests.get(&link) else { return true };
        let Whereabouts::Seat(id, side) = guest.at else { return true };
        let Some(exchange) = self.exchanges.get(&id) else { return true };
        let left = exchange.conversation.credit_left(side);
        match guest.device {
            None => left > 0,
            Some(_) if flaw == Some(Flaw::PausedReading) => left > CREDIT / 4,
            Some(_) => true,
        }
    }

    /// A message came.
    pub(crate) fn hear(&mut self, link: LinkId, said: &Said, net: &mut Net<'_>) {
        match self.guests.get(&link).map(|guest| guest.at) {
            Some(Whereabouts::Seat(id, side)) => self.hear_seated(link, (id, side), said, net),
            Some(_) => self.hear_aside(link, said, net),
            None => {}
        }
    }

    /// The connection is lost.
    pub(crate) fn lost(&mut self, link: LinkId, net: &mut Net<'_>) {
        let Some(guest) = self.guests.remove(&link) else { return };
        match guest.at {
            Whereabouts::Lounge => {}
            Whereabouts::Queue(ticket) => {
                if self.desks.get(&ticket) == Some(&link) {
                    self.desks.remove(&ticket);
                    self.pool.leave(ticket);
                    if let Some(device) = guest.device {
                        self.directory.stop_waiting(device, ticket);
                    }
                }
            }
            Whereabouts::Seat(id, side) => {
                self.vacate(id, side, net);
                self.settle(id, net);
            }
        }
    }

    /// The server has had enough of a connection.
    pub(crate) fn drop_link(&mut self, link: LinkId, net: &mut Net<'_>) {
        net.close(link, None);
        self.lost(link, net);
    }

    /// A socket has room again.
    pub(crate) fn writable(&mut self, link: LinkId, net: &mut Net<'_>) {
        if let Some(Whereabouts::Seat(id, _)) = self.guests.get(&link).map(|guest| guest.at) {
            self.settle(id, net);
        }
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.exchanges.values().filter_map(|exchange| exchange.conversation.deadline()).min()
    }

    /// Does what is due.
    pub(crate) fn tick(&mut self, net: &mut Net<'_>) {
        let due =
            |exchange: &Exchange| exchange.conversation.deadline().is_some_and(|at| at <= net.now);
        let due: Vec<_> = self
            .exchanges
            .iter()
            .filter(|(_, exchange)| due(exchange))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            if let Some(exchange) = self.exchanges.get_mut(&id) {
                exchange.conversation.tick(net.now);
                exchange.conversation.shrink();
            }
            self.settle(id, net);
        }
    }

    /// Who has a partner on this connection, and in which conversation.
    pub(crate) fn conversation_of(&self, link: LinkId) -> Option<ConversationId> {
        match self.guests.get(&link)?.at {
            Whereabouts::Seat(id, _) => Some(id),
            _ => None,
        }
    }

    /// Looks whether a device is in two conversations, or one takes too much memory.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.pool.check()?;
        let mut devices = std::collections::BTreeSet::new();
        for (id, exchange) in &self.exchanges {
            let held = exchange.conversation.held();
            // Two windows, which may have grown to twice what they hold.
            if held > 2 * 2 * (2 * CREDIT) + 4096 {
                return Err(format!("conversation {id} holds {held} bytes"));
            }
            for (side, chair) in SIDES.iter().zip(&exchange.chairs) {
                let here =
                    exchange.conversation.is_going_on() && exchange.conversation.is_here(*side);
                if let Some(device) = chair.device.filter(|_| here)
                    && !devices.insert(device.0)
                {
                    return Err(format!("a device is in {id} and in another conversation"));
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn terms() -> Terms {
    Terms { grace: GRACE, credit: CREDIT, renewal: Duration::from_secs(90) }
}
