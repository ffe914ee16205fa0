//! The world: clients, processes, the links between them, and time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fastrand::Rng;
use vyoma_protocol::token::Keyring;
use vyoma_reliable::Saved;

use crate::Flaw;
use crate::client::{Client, Order, Speaks};
use crate::ledger::Ledger;
use crate::link::{Link, LinkId};
use crate::process::{Counts, Net, Process};

/// The day on which every world begins, in seconds since 1970.
const BIRTH: u64 = 1_800_000_000;

pub(crate) type Verdict = Result<(), String>;

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) flaw: Option<Flaw>,
    birth: Instant,
    pub(crate) now: Instant,
    keys: Keyring,
    pub(crate) clients: Vec<Client>,
    pub(crate) processes: BTreeMap<usize, Process>,
    next_process: usize,
    pub(crate) links: BTreeMap<LinkId, Link>,
    next_link: LinkId,
    pub(crate) ledger: Ledger,
    violation: Option<String>,
    pub(crate) counts: Counts,
    pub(crate) faults: u64,
    /// How hostile this world is.
    pub(crate) steps_per_fault: u32,
    /// Whether everything is told as it happens.
    tells: bool,
}

impl World {
    pub(crate) fn new(seed: u64, flaw: Option<Flaw>, tells: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let birth = Instant::now();
        // Two who speak plain would be no conversation of this kind.
        let (reliable, plain) = (rng.usize(2..6), rng.usize(..2));
        let mut clients: Vec<_> =
            (0..reliable).map(|_| Client::reliable(Saved::default(), rng.u64(..), birth)).collect();
        clients.extend((0..plain).map(|_| Client::plain()));
        let mut world = Self {
            flaw,
            birth,
            now: birth,
            keys: Keyring::new([7; 32]),
            clients,
            processes: BTreeMap::new(),
            next_process: 0,
            links: BTreeMap::new(),
            next_link: 0,
            ledger: Ledger::default(),
            violation: None,
            counts: Counts::default(),
            faults: 0,
            steps_per_fault: 1 << rng.u32(2..6),
            tells,
            rng,
        };
        world.start_process();
        world
    }

    pub(crate) fn start_process(&mut self) {
        let process = Process::new(self.rng.u64(..));
        self.processes.insert(self.next_process, process);
        self.next_process += 1;
    }

    /// Tells what happens, to somebody who looks for the cause of a violation.
    #[expect(clippy::print_stdout, reason = "it is asked for")]
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if self.tells {
            println!("{:>9.3} {}", (self.now - self.birth).as_secs_f64(), what());
        }
    }

    fn unix_ms(&self) -> u64 {
        BIRTH * 1000 + (self.now - self.birth).as_millis() as u64
    }

    /// Lets a process do something, and whatever that leads to at the clients is left on the links.
    pub(crate) fn at(
        &mut self,
        process: usize,
        act: impl FnOnce(&mut Process, &mut Net<'_>),
    ) -> Verdict {
        let unix = self.unix_ms() / 1000;
        let Some(process) = self.processes.get_mut(&process) else { return Ok(()) };
        let mut net = Net {
            links: &mut self.links,
            rng: &mut self.rng,
            keys: &self.keys,
            now: self.now,
            unix,
            flaw: self.flaw,
            violation: &mut self.violation,
            counts: &mut self.counts,
        };
        act(process, &mut net);
        process.check()?;
        self.violation.take().map_or(Ok(()), Err)
    }

    /// Carries out what a client's session asks for.
    pub(crate) fn act(&mut self, id: usize) -> Verdict {
        let client = &mut self.clients[id];
        for order in client.act(id, &mut self.ledger, self.flaw, self.now)? {
            let Some(link) = client.link else { continue };
            let Some(link) = self.links.get_mut(&link) else { continue };
            match order {
                Order::Write(said) => link.send(said),
                Order::Close => {
                    (link.end_for_server, link.client_gone) = (true, true);
                    client.link = None;
                }
            }
        }
        Ok(())
    }

    /// A client's connection opens, if there is somebody to connect to.
    pub(crate) fn connect(&mut self, id: usize) -> Verdict {
        let unix_ms = self.unix_ms().saturating_add_signed(self.clients[id].skew);
        let (now, newest) =
            (self.now, self.processes.last_key_value().map(|(process, _)| *process));
        let Some(process) = newest else {
            self.clients[id].connecting = false;
            self.clients[id]
                .session()
                .into_iter()
                .for_each(|session| session.disconnected(None, now));
            return self.act(id);
        };
        let link = self.next_link;
        self.next_link += 1;
        self.tell(|| format!("{link}: {id} connects to process {process}"));
        let capacity = 1 << self.rng.u32(5..12);
        self.links.insert(link, Link::new(id, process, capacity));
        let client = &mut self.clients[id];
        (client.link, client.connecting) = (Some(link), false);
        let reliable = match &mut client.speaks {
            Speaks::Plain => false,
            Speaks::Reliable(session) => {
                session.connected(unix_ms, now);
                true
            }
        };
        self.at(process, |process, net| process.greet(link, reliable, net))?;
        self.act(id)
    }

    /// A client reads so much of what has come, and hears of the end behind that.
    pub(crate) fn read(&mut self, link_id: LinkId, most: usize) -> Verdict {
        let Some(link) = self.links.get_mut(&link_id) else { return Ok(()) };
        let (id, process, got) = (link.client, link.process, link.read(most));
        let ended = link.end_for_client.filter(|_| link.is_drained());
        let now = self.now;
        for got in got {
            self.tell(|| format!("{link_id}: {id} <- {}", String::from_utf8_lossy(&got.payload)));
            match &mut self.clients[id].speaks {
                Speaks::Plain => self.hear_plain(id, link_id, &got.payload)?,
                Speaks::Reliable(session) => {
                    match (got.kind, std::str::from_utf8(&got.payload)) {
                        (vyoma_protocol::Kind::Text, Ok(text)) => session.text(text, now),
                        _ => session.binary(&got.payload, now),
                    }
                    self.act(id)?;
                    // It may have closed this connection upon what it heard.
                    if self.clients[id].link != Some(link_id) {
                        return Ok(());
                    }
                }
            }
        }
        self.at(process, |process, net| process.writable(link_id, net))?;
        match ended {
            Some(code) => self.disconnect(id, link_id, code),
            None => Ok(()),
        }
    }

    fn disconnect(&mut self, id: usize, link: LinkId, code: Option<u16>) -> Verdict {
        self.tell(|| format!("{link}: {id} has lost it, {code:?}"));
        self.links.entry(link).and_modify(|link| {
            (link.client_gone, link.end_for_server) = (true, true);
        });
        let client = &mut self.clients[id];
        (client.link, client.conversation) = match &client.speaks {
            Speaks::Plain => (None, None),
            Speaks::Reliable(_) => (None, client.conversation),
        };
        let now = self.now;
        if self.flaw == Some(Flaw::NoDedup) && !client.thief {
            client.disk.seat.iter_mut().for_each(|seat| seat.received = 0);
            client.restart(self.rng.u64(..), now, id, &mut self.ledger);
        } else if let Some(session) = client.session() {
            session.disconnected(code, now);
        }
        self.act(id)
    }

    /// A plain client hears one of three notices, or its partner.
    fn hear_plain(&mut self, id: usize, link: LinkId, payload: &[u8]) -> Verdict {
        use vyoma_protocol::plain::{CONNECTED, DISCONNECTED, WAITING};
        let text = std::str::from_utf8(payload).map_err(|_| "a plain client heard no text")?;
        let client = &mut self.clients[id];
        match (text, client.conversation) {
            (WAITING, None) => Ok(()),
            (CONNECTED, None) => {
                let process =
                    self.links.get(&link).and_then(|link| self.processes.get(&link.process));
                // It may be over by now: then only the end follows.
                client.conversation = process.and_then(|process| process.conversation_of(link));
                Ok(())
            }
            (DISCONNECTED, _) => {
                client.conversation = None;
                Ok(())
            }
            (said, Some(conversation)) => self.ledger.saw(conversation, id, said),
            (said, None) => {
                // What it hears of a conversation that is over says itself which one it was.
                let first = said
                    .split(' ')
                    .next()
                    .and_then(vyoma_protocol::envelope::ConversationId::parse);
                first.map_or_else(
                    || Err(format!("plain client {id} heard {said:?}")),
                    |conversation| self.ledger.saw(conversation, id, said),
                )
            }
        }
    }

    /// The server reads one message, or hears of the end.
    pub(crate) fn hear(&mut self, link_id: LinkId) -> Verdict {
        let Some(link) = self.links.get_mut(&link_id) else { return Ok(()) };
        let process = link.process;
        let (id, said) = (link.client, link.to_server.pop_front());
        self.tell(|| format!("{link_id}: {id} -> {said:?}"));
        match said {
            Some(said) => self.at(process, |process, net| process.hear(link_id, &said, net)),
            None => {
                self.links.entry(link_id).and_modify(|link| {
                    link.server_gone = true;
                    link.end_for_client.get_or_insert(None);
                });
                self.at(process, |process, net| process.lost(link_id, net))
            }
        }
    }

    /// Whether the server would read from this link now.
    pub(crate) fn is_heard(&self, link_id: LinkId) -> bool {
        let Some(link) = self.links.get(&link_id).filter(|link| link.is_heard()) else {
            return false;
        };
        let ended = link.to_server.is_empty();
        let process = self.processes.get(&link.process);
        ended || process.is_none_or(|process| process.reads(link_id, self.flaw))
    }

    /// When something is due next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let clients = self.clients.iter().filter_map(Client::deadline);
        clients.chain(self.processes.values().filter_map(Process::deadline)).min()
    }

    /// Time passes, and what is due by then is done.
    pub(crate) fn pass(&mut self, time: Duration) -> Verdict {
        self.now += time;
        let now = self.now;
        for id in 0..self.clients.len() {
            if self.clients[id].deadline().is_some_and(|at| at <= now) {
                self.clients[id].session().into_iter().for_each(|session| session.tick(now));
                self.act(id)?;
            }
        }
        let processes: Vec<_> = self.processes.keys().copied().collect();
        processes.into_iter().try_for_each(|id| self.at(id, |process, net| process.tick(net)))
    }

    /// Forgets links that nobody holds.
    pub(crate) fn sweep(&mut self) {
        self.links.retain(|_, link| !(link.client_gone && link.server_gone));
    }
}
