//! The decision log: what was recorded is decided again in the same way, byte for byte, and what was
//! changed in it is found.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a start to count from; later times are made up")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use vyoma_core::matching::decisions::{
    End, Fault, Header, NotALog, PoolRule, Recorded, Replay, Rules, Scout, Story, What,
};
use vyoma_core::matching::{Order, Patience, Person, Relaxation, Step, Ticket};
use vyoma_protocol::envelope::Profile;

const WORDS: [&str; 6] = ["rust", "Law", "fun\"ding", "design", "o\\ps", "ﬁnance\u{1}"];

#[derive(Debug, Clone)]
enum Act {
    Join(usize, [Vec<usize>; 4]),
    Describe(usize, [Vec<usize>; 4]),
    Leave(usize),
    /// Somebody who was matched comes back.
    Return(usize),
    Bar(usize, usize, Option<u64>),
    Heard(usize),
    Obey(usize),
    Mute(usize),
    Pass(u64),
}

fn words() -> impl Strategy<Value = [Vec<usize>; 4]> {
    let list = || proptest::collection::vec(0..WORDS.len(), 0..3);
    [list(), list(), list(), list()]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let any = || 0..32_usize;
    let act = prop_oneof![
        6 => (0..3_usize, words()).prop_map(|(pool, words)| Act::Join(pool, words)),
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

fn person(words: &[Vec<usize>; 4]) -> Person {
    let [offers, seeks, topics, languages] = words.each_ref().map(|list| {
        let words: Vec<_> = list.iter().map(|word| serde_json::Value::from(WORDS[*word])).collect();
        serde_json::Value::from(words).to_string()
    });
    let json = format!(
        r#"{{"name":"Ada","headline":"secret","offers":{offers},"seeks":{seeks},"topics":{topics},"languages":{languages}}}"#
    );
    Person::new(Profile::from_json(&json).unwrap())
}

fn header() -> Header {
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
    let rules = Rules { patience: Patience { fresh: 2 * second, answer: 2 * second }, pools };
    Header { program: "test".to_owned(), began: 1_700_000_000_000, rules }
}

#[derive(Default)]
struct Client {
    muted: bool,
    again: Option<Instant>,
}

/// A world as the lobby is one.
struct World {
    pools: Recorded,
    log: Arc<Mutex<Vec<u8>>>,
    now: Instant,
    clients: BTreeMap<Ticket, Client>,
    matched: Vec<(Ticket, Instant)>,
    since: BTreeMap<Ticket, Instant>,
    orders: Vec<(Ticket, Order)>,
    pairs: u64,
}

impl World {
    fn new() -> Self {
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
            pairs: 0,
        }
    }

    fn of(acts: &[Act]) -> Self {
        let mut world = Self::new();
        acts.iter().for_each(|act| world.act(act));
        world
    }

    fn text(&self) -> String {
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

    fn act(&mut self, act: &Act) {
        match act {
            Act::Join(pool, words) => {
                let ticket = self.pools.join(*pool, &person(words), self.now);
                self.enter(ticket, self.now);
            }
            Act::Return(index) if !self.matched.is_empty() => {
                let (ticket, since) = self.matched.remove(index % self.matched.len());
                self.pools.rejoin(ticket, &Person::default(), since, self.now);
                self.enter(ticket, since);
            }
            Act::Return(_) => {}
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

/// Goes through a log; the number of the line that is wrong, and what is.
fn replay(text: &str) -> Result<Replay, (usize, Fault)> {
    let mut lines = text.split_inclusive('\n');
    // Any time will do.
    let start = Instant::now() + Duration::from_secs(12_345);
    let mut replay = Replay::begin(lines.next().unwrap().as_bytes(), start).unwrap();
    for (index, line) in lines.enumerate() {
        replay.line(line.as_bytes(), &mut ()).map_err(|fault| (index + 2, fault))?;
    }
    Ok(replay)
}

fn begin(line: &str) -> Result<(), NotALog> {
    Replay::begin(line.as_bytes(), Instant::now()).map(drop)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_was_recorded_is_decided_again_to_the_byte(acts in acts()) {
        let world = World::of(&acts);
        let mut text = world.text();
        text.push_str(&End::Stopped.line());
        let replay = replay(&text).unwrap();
        prop_assert_eq!(replay.matches, world.pairs);
        prop_assert_eq!(replay.lines, text.lines().count() as u64);
        prop_assert_eq!(replay.end, Some(End::Stopped));
        for word in ["Ada", "secret"] {
            prop_assert!(!text.contains(word));
        }
    }

    #[test]
    fn a_changed_decision_is_found(acts in acts(), which in any::<prop::sample::Index>()) {
        let text = World::of(&acts).text();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let decided: Vec<_> = (1..lines.len()).filter(|at| lines[*at].contains("then")).collect();
        prop_assume!(!decided.is_empty());
        let at = *which.get(&decided);
        let original = lines[at].clone();
        lines[at] = match original.find("\"wait\"") {
            Some(_) => original.replace("\"wait\"", "\"pair\""),
            // The last digit of a score, a ticket or a time.
            None => {
                let digit = original.rfind(|c: char| c.is_ascii_digit()).unwrap();
                let other = if &original[digit..=digit] == "0" { "1" } else { "0" };
                let mut changed = original.clone();
                changed.replace_range(digit..=digit, other);
                changed
            }
        };
        let changed = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let found = Fault::Differs(format!("{original}\n").into_bytes());
        prop_assert_eq!(replay(&changed).unwrap_err(), (at + 1, found));
    }

    #[test]
    fn a_lost_line_is_noticed_or_mattered_to_nobody(acts in acts(), which in any::<prop::sample::Index>()) {
        let text = World::of(&acts).text();
        let mut lines: Vec<_> = text.split_inclusive('\n').collect();
        prop_assume!(lines.len() > 1);
        lines.remove(1 + which.index(lines.len() - 1));
        // Whatever it was: nothing panics.
        let _ = replay(&lines.concat());
    }

    #[test]
    fn damaged_lines_are_errors(acts in acts(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = World::of(&acts).text().into_bytes();
        let at = at.index(text.len());
        prop_assume!(text[at] != byte && text[at] != b'\n' && byte != b'\n');
        text[at] = byte;
        let mut lines = text.split_inclusive(|byte| *byte == b'\n');
        if let Ok(mut replay) = Replay::begin(lines.next().unwrap(), Instant::now()) {
            let fine = lines.all(|line| replay.line(line, &mut ()).is_ok());
            let header = text.iter().position(|byte| *byte == b'\n').unwrap();
            // A word that matters to nobody is copied, and so can be any other.
            prop_assert!(!fine || at < header || text[at].is_ascii_graphic() || text[at] >= 0x20);
        }
    }

    #[test]
    fn stories_are_told_of_everybody(acts in acts(), a in 0..8_u64, b in 0..8_u64, pool in 0..3_usize) {
        let text = World::of(&acts).text();
        let rules = header().rules;
        let name = &rules.pools[pool].name;
        let subjects: Vec<_> =
            [a, b].iter().map(|n| rules.ticket(&format!("{name}/{n}")).unwrap()).collect();
        let story = story(&text, &subjects);
        let joined: std::collections::BTreeSet<_> = text
            .lines()
            .filter(|line| line.contains("\"join\""))
            .filter_map(|line| subjects.iter().find(|t| line.contains(&format!("{:?}", rules.show(**t)))))
            .collect();
        let came = |event: &&vyoma_core::matching::decisions::Event| matches!(event.what, What::Came(_));
        prop_assert_eq!(story.events.iter().filter(came).count(), joined.len());
        let shown: Vec<_> = subjects.iter().map(|ticket| format!("{:?}", rules.show(*ticket))).collect();
        let pairs = text.lines().filter(|line| line.contains("\"pair\""));
        let of_them: usize = pairs.map(|line| shown.iter().filter(|own| line.contains(*own)).count()).sum();
        let matched = |event: &&vyoma_core::matching::decisions::Event| matches!(event.what, What::Matched(_));
        let distinct = if a == b { 2 } else { 1 };
        prop_assert_eq!(story.events.iter().filter(matched).count() * distinct, of_them);
    }
}

fn story(text: &str, subjects: &[Ticket]) -> Story {
    let mut scout = Scout::new(subjects);
    let start = Instant::now();
    let begin = || Replay::begin(text.split_inclusive('\n').next().unwrap().as_bytes(), start);
    let mut replay = begin().unwrap();
    for line in text.split_inclusive('\n').skip(1) {
        replay.line(line.as_bytes(), &mut scout).unwrap();
    }
    let mut story = Story::new(scout);
    let mut replay = begin().unwrap();
    for line in text.split_inclusive('\n').skip(1) {
        replay.line(line.as_bytes(), &mut story).unwrap();
    }
    story
}

#[test]
fn what_is_no_log_is_told_from_one_of_another_version() {
    let text = World::new().text();
    assert_eq!(begin(&text), Ok(()));
    for foreign in ["", "\n", "{}", "[1,2]", "GET / HTTP/1.1\r\n", "{\"log\":\"others\"}"] {
        assert_eq!(begin(foreign), Err(NotALog::Foreign), "{foreign}");
    }
    let next = text.replace("\"version\":1", "\"version\":2");
    assert_eq!(begin(&next), Err(NotALog::Version(2)));
    for (part, other) in [
        ("\"fresh\":2000000000", "\"fresh\":\"soon\""),
        ("[0,600]", "[1,600]"),
        ("[0,600]", "600"),
        ("\"pools\":[", "\"pools\":[7,"),
        ("\"name\":\"strict\"", "\"name\":\"a/b\""),
    ] {
        assert!(text.contains(part));
        assert_eq!(begin(&text.replace(part, other)), Err(NotALog::Header), "{other}");
    }
}

#[test]
fn lines_that_no_call_makes_are_refused() {
    let text = World::new().text();
    for line in [
        r#"{"call":"dance"}"#,
        r#"{"call":"step","at":0}"#,
        r#"{"call":"step","at":0,"ticket":"nowhere/1"}"#,
        r#"{"call":"step","at":0,"ticket":"default/99999999999999999999"}"#,
        r#"{"call":"step","at":0,"ticket":"7"}"#,
        r#"{"call":"heard","at":-1,"ticket":"default/1"}"#,
        r#"{"call":"bar","ticket":"default/1","other":"strict/1","until":null}"#,
        r#"{"call":"join","at":0,"ticket":"strict/0","offers":[7]}"#,
        r#"{"end":"of days"}"#,
        "{}",
        "null",
        "half a li",
    ] {
        let (number, fault) = replay(&format!("{text}{line}\n")).unwrap_err();
        assert!(matches!((number, &fault), (2, Fault::Unreadable(_))), "{line} {fault:?}");
    }
    let end = End::Behind.line();
    assert_eq!(replay(&format!("{text}{end}{end}")).unwrap_err(), (3, Fault::AfterEnd));
    // Orders that nobody gave, and a call written in another way.
    let none = replay(&format!("{text}{{\"call\":\"orders\",\"orders\":[]}}\n")).unwrap_err();
    assert_eq!(none, (2, Fault::Differs(Vec::new())));
    let line = "{\"call\":\"heard\",\"at\":0,\"ticket\":\"default/1\"}\n";
    assert!(replay(&format!("{text}{line}")).is_ok());
    let spaced = line.replace(':', ": ");
    let differs = Fault::Differs(line.as_bytes().to_vec());
    assert_eq!(replay(&format!("{text}{spaced}")).unwrap_err(), (2, differs));
}

#[test]
fn tickets_are_read_as_they_are_shown() {
    let rules = header().rules;
    for text in ["default/0", "founders/17", "strict/4000000000"] {
        assert_eq!(rules.show(rules.ticket(text).unwrap()), text);
    }
    assert_eq!(rules.ticket("17"), rules.ticket("default/17"));
    for bad in ["", "/", "default/", "/1", "default/+1", "-1", "nowhere/1", "default/1/1"] {
        assert_eq!(rules.ticket(bad), None, "{bad}");
    }
}

#[test]
fn a_log_that_is_refused_ends_and_the_pools_go_on() {
    let now = Instant::now();
    let mut left = 3;
    let sink = move |_: &[u8]| {
        left -= 1;
        left > 0
    };
    let mut pools = Recorded::recording(&header(), now, Box::new(sink));
    let tickets: Vec<_> = (0..4).map(|_| pools.join(0, &Person::default(), now)).collect();
    assert!(pools.end().is_none(), "it has ended by itself");
    let steps: Vec<_> = tickets.iter().map(|ticket| pools.step(*ticket, now)).collect();
    assert_eq!(steps[1], Step::Pair(tickets[0]));
}
