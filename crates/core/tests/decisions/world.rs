//! A world in which people come, change, fall silent, come back and go, and all that is recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use vyoma_core::matching::decisions::{Header, PoolRule, Recorded, Rules};
use vyoma_core::matching::{INVITED, Order, Patience, Person, Relaxation, Step, Ticket};
use vyoma_protocol::envelope::Profile;

const WORDS: [&str; 6] = ["rust", "Law", "fun\"ding", "design", "o\\ps", "ﬁnance\u{1}"];

/// What somebody offers, seeks, talks about, speaks and requires: places in [`WORDS`].
pub(crate) type Words = [Vec<usize>; 5];

/// What the numbers of invitations begin with.
pub(crate) const SECRET: u64 = 77_123_456_789_000;

/// Pools that aren't there from the beginning.
const LATER: std::ops::Range<u8> = 3..5;

#[derive(Debug, Clone)]
pub(crate) enum Act {
    Join(usize, Words),
    /// Somebody comes by an invitation; maybe has a ticket before.
    Invited(u64, bool),
    /// A pool is put at this number, unless somebody is in the one that has it.
    Put(u8, bool),
    Describe(usize, Words),
    Leave(usize),
    /// Somebody who was matched comes back.
    Return(usize),
    Bar(usize, usize, Option<u64>),
    Heard(usize),
    Obey(usize),
    Mute(usize),
    Pass(u64),
}

fn words() -> impl Strategy<Value = Words> {
    let list = || proptest::collection::vec(0..WORDS.len(), 0..3);
    let required = prop_oneof![3 => Just(Vec::new()), 1 => list()];
    (list(), list(), list(), list(), required).prop_map(<[_; 5]>::from)
}

pub(crate) fn acts() -> impl Strategy<Value = Vec<Act>> {
    let any = || 0..32_usize;
    let act = prop_oneof![
        6 => (0..5_usize, words()).prop_map(|(pool, words)| Act::Join(pool, words)),
        2 => (0..4_u64, proptest::bool::ANY).prop_map(|(code, later)| Act::Invited(code, later)),
        1 => (LATER, proptest::bool::ANY).prop_map(|(number, scored)| Act::Put(number, scored)),
        1 => (any(), words()).prop_map(|(index, words)| Act::Describe(index, words)),
        1 => any().prop_map(Act::Leave),
        1 => any().prop_map(Act::Return),
        1 => (any(), any(), proptest::option::of(1..30_000_u64))
            .prop_map(|(a, b, until)| Act::Bar(a, b, until)),
        2 => any().prop_map(Act::Heard),
        4 => any().prop_map(Act::Obey),
        2 => any().prop_map(Act::Mute),
        5 => (0..4_000_u64).prop_map(Act::Pass),
    ];
    proptest::collection::vec(act, 1..100)
}

fn person(words: &Words) -> Person {
    let required = words[4].iter().map(|word| WORDS[*word]);
    let [offers, seeks, topics, languages, _] = words.each_ref().map(|list| {
        let words: Vec<_> = list.iter().map(|word| serde_json::Value::from(WORDS[*word])).collect();
        serde_json::Value::from(words).to_string()
    });
    let json = format!(
        r#"{{"name":"Ada","headline":"secret","offers":{offers},"seeks":{seeks},"topics":{topics},"languages":{languages}}}"#
    );
    Person::new(Profile::from_json(&json).unwrap()).requiring(required)
}

pub(crate) fn header() -> Header {
    let steps = |steps: &[(u64, u16)]| {
        let steps = steps.iter().map(|(after, score)| (Duration::from_secs(*after), *score));
        Relaxation::new(steps.collect())
    };
    let pool = |name: &str, relaxation| PoolRule { name: name.to_owned(), relaxation };
    let pools = vec![
        pool("default", None),
        pool("founders", steps(&[(0, 600), (3, 300), (9, 0)])),
        pool("strict", steps(&[(0, 400)])),
    ];
    let second = Duration::from_secs(1);
    let rules = Rules::new(Patience { fresh: 2 * second, answer: 2 * second }, pools);
    Header { program: "test".to_owned(), began: 1_700_000_000_000, rules }
}

#[derive(Default)]
struct Client {
    muted: bool,
    again: Option<Instant>,
}

/// A world as the lobby is one.
pub(crate) struct World {
    pools: Recorded,
    log: Arc<Mutex<Vec<u8>>>,
    now: Instant,
    clients: BTreeMap<Ticket, Client>,
    matched: Vec<(Ticket, Instant)>,
    since: BTreeMap<Ticket, Instant>,
    orders: Vec<(Ticket, Order)>,
    /// Who has a seat in which invitation.
    guests: BTreeMap<Ticket, u64>,
    invitations: u64,
    pub(crate) pairs: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        let (now, log) = (Instant::now(), Arc::<Mutex<Vec<u8>>>::default());
        let into = Arc::clone(&log);
        let sink = move |line: &[u8]| {
            into.lock().unwrap().extend_from_slice(line);
            true
        };
        Self {
            pools: Recorded::recording(&header(), now, Box::new(sink)),
            log,
            now,
            clients: BTreeMap::new(),
            matched: Vec::new(),
            since: BTreeMap::new(),
            orders: Vec::new(),
            guests: BTreeMap::new(),
            invitations: 4,
            pairs: 0,
        }
    }

    pub(crate) fn of(acts: &[Act]) -> Self {
        let mut world = Self::new();
        acts.iter().for_each(|act| world.act(act));
        world
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.log.lock().unwrap().clone()).unwrap()
    }

    fn pick(&self, index: usize) -> Option<Ticket> {
        self.clients.keys().copied().nth(index % self.clients.len().max(1))
    }

    fn enter(&mut self, ticket: Ticket, since: Instant) {
        self.clients.insert(ticket, Client::default());
        self.since.insert(ticket, since);
        self.step(ticket);
    }

    pub(crate) fn act(&mut self, act: &Act) {
        match act {
            Act::Join(pool, _) if self.pools.pools().get(*pool).is_none() => {}
            Act::Join(pool, words) => {
                let ticket = self.pools.join(*pool, &person(words), self.now);
                self.enter(ticket, self.now);
            }
            Act::Return(index) if !self.matched.is_empty() => {
                let (ticket, since) = self.matched.remove(index % self.matched.len());
                self.pools.rejoin(ticket, &Person::default(), since, self.now);
                if let Some(invitation) = self.guests.get(&ticket) {
                    self.pools.admit(ticket, SECRET + *invitation);
                }
                self.enter(ticket, since);
            }
            Act::Return(_) => {}
            Act::Invited(code, later) => self.invite(*code, *later),
            Act::Put(number, scored) => self.put(*number, *scored),
            Act::Pass(millis) => self.pass(self.now + Duration::from_millis(*millis)),
            Act::Obey(index) if !self.orders.is_empty() => {
                let (ticket, order) = self.orders.remove(index % self.orders.len());
                self.obey(ticket, order);
            }
            Act::Obey(_) => {}
            Act::Describe(index, _)
            | Act::Leave(index)
            | Act::Bar(index, ..)
            | Act::Heard(index)
            | Act::Mute(index) => {
                if let Some(ticket) = self.pick(*index) {
                    self.befall(ticket, act);
                }
            }
        }
        self.orders.extend(self.pools.take_orders());
    }

    fn invite(&mut self, code: u64, later: bool) {
        // A third one has another code.
        let taken = self.guests.values().filter(|theirs| **theirs == code).count() > 1;
        self.invitations += u64::from(taken);
        let code = if taken { self.invitations } else { code };
        let ticket = if later {
            let ticket = self.pools.issue(INVITED);
            self.pools.rejoin(ticket, &Person::default(), self.now, self.now);
            ticket
        } else {
            self.pools.join(INVITED, &Person::default(), self.now)
        };
        self.guests.insert(ticket, code);
        // As the numbers of codes are: nothing of them may be seen.
        self.pools.admit(ticket, SECRET + code);
        self.enter(ticket, self.now);
    }

    fn put(&mut self, number: u8, scored: bool) {
        let there = self.pools.pools().get(usize::from(number));
        if there.is_some_and(|pool| !pool.is_empty()) {
            return;
        }
        let steps = vec![(Duration::ZERO, 200)];
        let relaxation = Relaxation::new(steps).filter(|_| scored);
        self.pools.put(number, PoolRule { name: format!("later@{number}"), relaxation });
        self.matched.retain(|(ticket, _)| ticket.pool() != usize::from(number));
    }

    fn befall(&mut self, ticket: Ticket, act: &Act) {
        match act {
            Act::Describe(_, words) => {
                self.pools.describe(ticket, &person(words));
                self.step(ticket);
            }
            Act::Leave(_) => {
                assert!(self.pools.leave(ticket));
                assert!(!self.pools.leave(ticket));
                self.clients.remove(&ticket);
                self.guests.remove(&ticket);
            }
            Act::Bar(_, other, millis) => {
                let until = millis.map(|millis| self.now + Duration::from_millis(millis));
                if let Some(other) = self.pick(*other)
                    && other != ticket
                    && other.pool() == ticket.pool()
                {
                    self.pools.bar(ticket, other, until);
                }
            }
            Act::Heard(_) => self.pools.heard(ticket, self.now),
            _ => self.clients.get_mut(&ticket).unwrap().muted = true,
        }
    }

    fn obey(&mut self, ticket: Ticket, order: Order) {
        let Some(client) = self.clients.get(&ticket) else { return };
        match order {
            Order::Seek => self.step(ticket),
            Order::Probe if !client.muted => self.pools.heard(ticket, self.now),
            Order::Probe => {}
        }
    }

    fn step(&mut self, ticket: Ticket) {
        let step = self.pools.step(ticket, self.now);
        if let Step::Pair(other) = step {
            self.pairs += 1;
            for ticket in [ticket, other] {
                self.clients.remove(&ticket);
                self.matched.push((ticket, self.since[&ticket]));
            }
            return;
        }
        if let Some(client) = self.clients.get_mut(&ticket) {
            client.again = match step {
                Step::Probing(until) => Some(until),
                Step::Wait(again) => again,
                Step::Pair(_) => None,
            };
        }
    }

    fn pass(&mut self, until: Instant) {
        let due = |world: &Self| {
            let clients = world.clients.iter();
            let due = clients.filter_map(|(ticket, client)| Some((client.again?, *ticket)));
            due.min().filter(|(again, _)| *again <= until)
        };
        while let Some((again, ticket)) = due(self) {
            self.now = self.now.max(again);
            self.clients.get_mut(&ticket).unwrap().again = None;
            self.step(ticket);
        }
        self.now = until;
    }
}
