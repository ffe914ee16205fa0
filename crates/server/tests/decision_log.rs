//! The decision log over real sockets: what the server decided is decided again, and nothing of what
//! people said or are called is in it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use common::client::{Client, Dial};
use common::speaker::Speaker;
use common::wire::{self, Event};
use common::{House, eventually};
use serde_json::{Value, json};
use vyoma_core::matching::decisions::{End, Replay, Scout, Story, Watch, What};
use vyoma_server::{Config, OnDemand, PoolConfig, Relaxation, Rule};

/// A server that writes a log, with a scored pool in which 300 will do, and anybody after a second.
fn house(name: &str, change: impl FnOnce(&mut Config)) -> (House, PathBuf) {
    let name = format!("vyoma-decision-log-{}-{name}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    let house = House::with(|config| {
        let steps = vec![(Duration::ZERO, 300), (Duration::from_secs(1), 0)];
        let rule = Rule::Scored(Relaxation::new(steps).unwrap());
        config.pools = vec![PoolConfig::usual(), PoolConfig::new("founders", rule)];
        config.decision_log = Some(path.clone());
        change(config);
    });
    (house, path)
}

fn join(house: &House, path: &str, profile: &Value) -> Speaker {
    let mut speaker = Speaker::connect_at(house.address(), path);
    speaker.say(&json!({"type": "join", "profile": profile}));
    speaker
}

/// A plain client that answers pings until it is connected.
fn listening(house: &House) -> JoinHandle<Client> {
    let mut client = Client::upgrade(Dial::default().open(house.address()), "/", "", &[]);
    std::thread::spawn(move || {
        loop {
            match client.event() {
                Event::Text(text) if text == common::CONNECTED => return client,
                Event::Ping(body) => client.send(&wire::pong(&body)),
                _ => {}
            }
        }
    })
}

/// Goes through a log, in which nothing may be wrong.
fn replay(text: &str, watch: &mut impl Watch) -> Replay {
    let mut lines = text.split_inclusive('\n');
    let mut replay = Replay::begin(lines.next().unwrap().as_bytes(), Instant::now()).unwrap();
    for line in lines {
        let gone = replay.line(line.as_bytes(), watch);
        assert_eq!(gone, Ok(()), "line {}: {line}", replay.lines);
    }
    replay
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_decision_is_the_same_again_and_no_word_that_was_said_is_in_it() {
    // Nobody is probed: each of these clients answers only while the test listens to it.
    let (house, path) = house("same", |config| {
        (config.cooldown, config.timing.fresh) =
            (Duration::from_millis(300), Duration::from_secs(60));
    });
    let founder = |name: &str, offers: &str, seeks: &str| json!({"name": name, "headline": "Headline here", "offers": [offers], "seeks": [seeks]});
    let mut law = join(&house, "/ws?pool=founders", &founder("Name One", "Law", "ops"));
    law.expect("waiting");
    let mut rust = join(&house, "/ws?pool=founders", &founder("Name Two", "RUST", "funding"));
    rust.expect("waiting");
    let mut fund = join(&house, "/ws?pool=founders", &founder("Name Three", "Funding", "rust"));
    fund.expect("matched");
    rust.expect("matched");
    fund.message(1, "words in an envelope");
    rust.expect_message(1, "words in an envelope");
    fund.say(&json!({"type": "next"}));
    rust.expect("ended");
    rust.say(&json!({"type": "next"}));
    let (mut plain, mut other) = common::client::pair(house.address());
    plain.say("plain words");
    other.expect("plain words");
    // In another tab, with another profile.
    let mut tab = Speaker::connect_at(house.address(), "/ws?pool=founders");
    let profile = json!({"offers": ["ops"], "seeks": ["law"]});
    tab.say(&json!({"type": "join", "device": law.device, "profile": profile}));
    law.client.expect_close(4409);
    // The two meet again when their cooldown is over, or one of them that tab.
    let begun = || house.metric("vyoma_conversations_started_total");
    eventually("three conversations", || begun() >= 3);
    drop((law, rust, fund, plain, other, tab));
    house.expect_empty();
    drop(house);

    let text = read(&path);
    let gone = replay(&text, &mut ());
    assert_eq!(gone.end, Some(End::Stopped));
    assert!(gone.matches >= 3, "{text}");
    for call in ["join", "describe", "bar", "step", "leave"] {
        assert!(text.contains(&format!("{{\"call\":\"{call}\"")), "no {call} in {text}");
    }
    for secret in ["Name", "Headline", "words"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_deaf_waiter_and_who_was_taken_instead_are_in_it() {
    let (house, path) = house("deaf", |config| {
        config.timing.fresh = Duration::from_millis(100);
        config.timing.probe_answer = Duration::from_millis(300);
    });
    // The test doesn't listen to this one, so it answers no ping.
    let mut deaf = Client::upgrade(Dial::default().open(house.address()), "/", "", &[]);
    deaf.expect(common::WAITING);
    let since = Instant::now();
    eventually("it has to be asked", || since.elapsed() > Duration::from_millis(100));
    let second = listening(&house);
    eventually("the deaf one is found out", || house.metric("vyoma_probes_failed_total") > 0);
    let third = listening(&house);
    let [second, third] = [second, third].map(|thread| thread.join().unwrap());
    drop((deaf, second, third));
    house.expect_empty();
    drop(house);

    let text = read(&path);
    let mut scout = Scout::new(&[]);
    let rules = replay(&text, &mut scout).header().rules.clone();
    let subjects = ["default/0", "default/1"].map(|name| rules.ticket(name).unwrap());
    let mut scout = Scout::new(&subjects);
    replay(&text, &mut scout);
    let mut story = Story::new(scout);
    replay(&text, &mut story);
    let [deaf, second] = subjects;
    let befell = |ticket, test: fn(&What) -> bool| {
        story.events.iter().any(|event| event.ticket == ticket && test(&event.what))
    };
    assert!(befell(deaf, |what| matches!(what, What::Silent)), "{text}");
    assert!(befell(deaf, |what| matches!(what, What::Left)), "{text}");
    assert!(befell(second, |what| matches!(what, What::Matched(_))), "{text}");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn invitations_and_pools_on_demand_are_in_it_and_no_code_is() {
    let (house, path) = house("invited", |config| {
        config.on_demand = Some(OnDemand { most: 3, rule: Rule::Open });
    });
    let to = house.address();
    let mut ada = Speaker::connect(to);
    ada.say(&json!({"type": "invite"}));
    let code = ada.expect("invitation")["code"].as_str().unwrap().to_owned();
    ada.say(&json!({"type": "join", "invite": code}));
    ada.expect("waiting");
    // A plain client has its place before it is let in.
    let invited = format!("/ws?invite={code}");
    let mut plain = Client::upgrade(Dial::default().open(to), &invited, "", &[]);
    plain.expect(common::CONNECTED);
    ada.expect("matched");
    let mut first = join(&house, "/ws?pool=green", &json!({}));
    first.expect("waiting");
    let mut second = join(&house, "/ws?pool=green", &json!({}));
    second.expect("matched");
    first.expect("matched");
    drop((ada, plain, first, second));
    house.expect_empty();
    drop(house);

    let text = read(&path);
    assert_eq!(replay(&text, &mut ()).matches, 2);
    for call in [
        "\"call\":\"issue\",\"ticket\":\"@invited/1\"}",
        "\"call\":\"admit\",\"ticket\":\"@invited/1\",\"with\":\"@invited/0\"}",
        "\"call\":\"put\",\"number\":2,\"pool\":{\"name\":\"green@2\"}}",
        "\"ticket\":\"green@2/1\",\"then\":\"pair\",\"with\":\"green@2/0\"}",
    ] {
        assert!(text.contains(call), "no {call} in {text}");
    }
    assert!(
        code.split('-').filter(|word| word.len() > 3).all(|word| !text.contains(word)),
        "{text}"
    );
    std::fs::remove_file(path).unwrap();
}
