//! The world: clients, conversations, the lobby, and time.

use std::collections::BTreeMap;
use std::time::Instant;

use fastrand::Rng;
use vyoma_core::matching::{Code, Person};
use vyoma_protocol::envelope::{ConversationId, Profile, Side};
use vyoma_protocol::token::Identity;

use super::Report;
use super::client::{Client, ClientId};
use super::ledger::Ledger;
use super::lobby::{Lobby, News};
use super::talk::{Letter, Talk};
use crate::Flaw;
use crate::world::Verdict;

const WORDS: [&str; 4] = ["rust", "law", "funding", "design"];
const LANGUAGES: [&str; 2] = ["en", "hi"];

pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) flaw: Option<Flaw>,
    birth: Instant,
    pub(super) now: Instant,
    pub(super) lobby: Lobby,
    pub(super) clients: Vec<Client>,
    pub(super) talks: BTreeMap<ConversationId, Talk>,
    pub(super) ledger: Ledger,
    pub(super) report: Report,
    /// How many conversations have begun.
    pub(super) numbers: u128,
    /// What clients know: invitations, and whose seat is where.
    pub(super) codes: Vec<Code>,
    pub(super) seats: Vec<(Identity, ConversationId, Side)>,
    pub(super) devices: Vec<Identity>,
    pub(super) people: Vec<Person>,
    /// How many connections there may be at once, and in how many pools.
    pub(super) most_open: usize,
    pub(super) pools: usize,
    /// Whether everything is told as it happens.
    pub(super) tells: bool,
    told: Vec<String>,
}

impl World {
    pub(super) fn new(seed: u64, flaw: Option<Flaw>) -> Self {
        let mut rng = Rng::with_seed(seed);
        let birth = Instant::now();
        let devices = (0..rng.u8(2..7)).map(|byte| Identity([byte; 16])).collect();
        let people = (0..6).map(|_| person(&mut rng)).collect();
        Self {
            flaw,
            birth,
            now: birth,
            lobby: Lobby::new(birth, flaw),
            clients: Vec::new(),
            talks: BTreeMap::new(),
            ledger: Ledger::default(),
            report: Report::default(),
            numbers: 0,
            codes: Vec::new(),
            seats: Vec::new(),
            devices,
            people,
            most_open: rng.usize(3..10),
            pools: rng.usize(1..4),
            tells: false,
            told: Vec::new(),
            rng,
        }
    }

    /// Tells of everybody who has moved, or has said something.
    #[expect(clippy::print_stdout, reason = "it is asked for")]
    pub(super) fn tell(&mut self) {
        if !self.tells {
            return;
        }
        self.told.resize(self.clients.len(), String::new());
        for (id, client) in self.clients.iter().enumerate() {
            let Client { device, pool, said, at, wish, gone, dead, .. } = client;
            let device = device.map(|device| device.0[0]);
            let left =
                [(*gone, " gone"), (*dead, " dead")].map(|(is, word)| if is { word } else { "" });
            let state = format!("{at:?} {said:?} {wish:?}{}", left.concat());
            if self.told[id] != state {
                let after = self.now - self.birth;
                println!("{after:?}: client {id} of device {device:?}, pool {pool}: {state}");
                self.told[id] = state;
            }
        }
    }

    /// Takes notice of what the lobby has done besides.
    pub(super) fn heed(&mut self) -> Verdict {
        for news in std::mem::take(&mut self.lobby.news) {
            match news {
                News::TakenOver => self.report.taken_over += 1,
                News::KeptApart => self.report.kept_apart += 1,
                News::Departs(id, side) => {
                    let Some(talk) = self.talks.get_mut(&id) else { continue };
                    talk.letters.push_back(Letter::Departure(side));
                    if !talk.ended {
                        self.ledger.met(talk.devices, self.now + talk.cooldown);
                    }
                }
                News::Matched(ids) => {
                    self.report.matched += 2;
                    let both = ids.map(|id: ClientId| &self.clients[id]);
                    self.ledger.judge(ids, both, self.now)?;
                }
            }
        }
        Ok(())
    }
}

/// Somebody of few words, so that many fit. One of four demands a language.
fn person(rng: &mut Rng) -> Person {
    let mut list = |words: &[&str]| {
        let many = rng.usize(..=2);
        let words = rng.choose_multiple(words.iter(), many);
        words.into_iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(",")
    };
    let (offers, seeks, languages) = (list(&WORDS), list(&WORDS), list(&LANGUAGES));
    let json = format!(r#"{{"offers":[{offers}],"seeks":[{seeks}],"languages":[{languages}]}}"#);
    let person = Profile::from_json(&json).map(Person::new).unwrap_or_default();
    let demands = LANGUAGES.iter().copied().filter(|_| rng.u8(..8) == 0).take(1);
    person.requiring(demands.collect::<Vec<_>>().into_iter())
}
