//! Pools over real sockets: who is matched with whom, why, and who isn't.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::House;
use common::client::{Client, Dial, upgrade_head};
use common::http;
use common::speaker::Speaker;
use serde_json::{Value, json};
use vyoma_server::{Config, OnDemand, PoolConfig, Relaxation, Rule};

/// What will do at once, and after how many milliseconds anybody will.
fn scored(name: &str, threshold: u16, anybody_after: u64) -> PoolConfig {
    let steps = vec![(Duration::ZERO, threshold), (Duration::from_millis(anybody_after), 0)];
    PoolConfig::new(name, Rule::Scored(Relaxation::new(steps).unwrap()))
}

fn house(pools: Vec<PoolConfig>, change: impl FnOnce(&mut Config)) -> House {
    House::with(|config| {
        config.pools = std::iter::once(PoolConfig::usual()).chain(pools).collect();
        change(config);
    })
}

const HOUR: u64 = 3_600_000;

fn join(to: SocketAddr, pool: &str, profile: &Value) -> Speaker {
    let mut speaker = Speaker::connect_at(to, &format!("/ws?pool={pool}"));
    speaker.say(&json!({"type": "join", "profile": profile}));
    speaker
}

fn waits(speaker: &mut Speaker, pool: &str) {
    assert_eq!(speaker.expect("waiting")["pool"], pool);
}

#[test]
fn the_one_who_fits_best_is_taken_and_both_are_told_why() {
    let house = house(vec![scored("founders", 300, HOUR)], |_| {});
    let to = house.address();
    let mut law = join(to, "founders", &json!({"offers": ["Law"], "seeks": ["design"]}));
    waits(&mut law, "founders");
    let mut fair = join(to, "founders", &json!({"offers": ["FUNDING", "law"], "seeks": ["rust"]}));
    waits(&mut fair, "founders");
    let best = json!({"offers": ["funding"], "seeks": ["Rust"], "languages": ["en"]});
    let mut best = join(to, "founders", &best);
    waits(&mut best, "founders");

    let ada =
        json!({"name": "Ada", "offers": ["RUST"], "seeks": ["Funding"], "languages": ["EN", "de"]});
    let mut ada = join(to, "founders", &ada);
    let told = ada.expect("matched");
    assert_eq!(told["why"], json!(["seeks_met", "offers_met", "languages"]));
    let common = json!({"offers": ["RUST"], "seeks": ["Funding"], "languages": ["EN"]});
    assert_eq!(told["common"], common);
    let told = best.expect("matched");
    assert_eq!(told["partner"]["name"], "Ada");
    assert_eq!(
        told["common"],
        json!({"offers": ["funding"], "seeks": ["Rust"], "languages": ["en"]})
    );
}

#[test]
fn what_will_do_falls_until_anybody_will() {
    let house = house(vec![scored("founders", 900, 600)], |_| {});
    let to = house.address();
    let mut ada = join(to, "founders", &json!({"offers": ["rust"]}));
    waits(&mut ada, "founders");
    // It is told when anybody will do; the plain one, who shows no profile, comes after that.
    let told = ada.expect("waiting");
    assert_eq!((&told["widened"], &told["ahead"]), (&json!(1), &json!(0)));
    let mut plain = Client::upgrade(Dial::default().open(to), "/ws?pool=founders", "", &[]);
    plain.expect(common::WAITING);
    let told = ada.expect("matched");
    assert_eq!((&told["why"], &told["common"]), (&json!(["next_in_line"]), &json!({})));
    plain.expect(common::CONNECTED);
}

/// Who offers and seeks the same, and speaks this.
fn alike(speaks: &str) -> Value {
    json!({"offers": ["rust"], "seeks": ["rust"], "languages": [speaks]})
}

/// Who requires a language joins with that profile.
fn requiring(to: SocketAddr, pool: &str, profile: &Value, language: &str) -> Speaker {
    let mut speaker = Speaker::connect_at(to, &format!("/ws?pool={pool}"));
    let rules = json!({"languages": [language]});
    speaker.say(&json!({"type": "join", "profile": profile, "rules": rules}));
    speaker
}

#[test]
fn a_language_that_is_required_never_relaxes_and_is_not_shown() {
    // Nobody is probed: each of these clients answers only while the test listens to it.
    let house = house(vec![scored("founders", 300, 300)], |config| {
        config.timing.fresh = Duration::from_secs(60);
        config.cooldown = Duration::ZERO;
    });
    let to = house.address();
    let mut ada = requiring(to, "founders", &alike("en"), "DE");
    waits(&mut ada, "founders");
    // The best there could be, but for that: neither when it comes nor when anybody will do.
    let mut best = join(to, "founders", &alike("en"));
    waits(&mut best, "founders");
    let mut plain = Client::upgrade(Dial::default().open(to), "/ws?pool=founders", "", &[]);
    plain.expect(common::WAITING);
    assert_eq!(ada.expect("waiting")["widened"], 1);
    // Who requires nothing takes the other one; perhaps it is told before that by now anybody will do.
    while best.hear()["type"] == "waiting" {}
    plain.expect(common::CONNECTED);
    // One who speaks it, and nothing else of what it wants.
    let mut german = join(to, "founders", &json!({"languages": ["de"]}));
    waits(&mut german, "founders");
    while german.hear()["type"] == "waiting" {}
    ada.expect("matched");

    // The next one has to speak it, too, until it is asked for no longer.
    ada.say(&json!({"type": "next"}));
    ada.expect("ended");
    waits(&mut ada, "founders");
    ada.expect("waiting");
    let mut english = join(to, "founders", &alike("en"));
    waits(&mut english, "founders");
    english.expect("waiting");
    ada.say(&json!({"type": "leave"}));
    ada.expect("ended");
    ada.say(&json!({"type": "next", "rules": {}}));
    let told = ada.expect("matched");
    assert_eq!(told["partner"], alike("en"));
    let told = english.expect("matched").to_string();
    assert!(!told.contains("rules"), "{told}");
}

#[test]
fn where_profiles_do_not_decide_rules_are_refused() {
    let house = house(vec![scored("founders", 300, HOUR)], |_| {});
    let to = house.address();
    let mut open = requiring(to, "default", &json!({}), "de");
    assert_eq!(open.expect_error("no_rules")["field"], "rules");
    // Without them it is welcome; rules that ask for nothing are none.
    open.say(&json!({"type": "join", "rules": {"languages": []}}));
    waits(&mut open, "default");
    let mut host = Speaker::connect_at(to, "/ws?pool=founders");
    host.say(&json!({"type": "invite"}));
    let code = host.expect("invitation")["code"].clone();
    host.say(&json!({"type": "join", "invite": code, "rules": {"languages": ["de"]}}));
    host.expect_error("no_rules");
    host.say(&json!({"type": "join"}));
    waits(&mut host, "founders");
}

#[test]
fn pools_are_apart_and_one_that_is_not_there_is_refused() {
    let open = PoolConfig::new("lobby2", Rule::Open);
    let house = house(vec![open], |_| {});
    let to = house.address();
    let mut there = join(to, "lobby2", &json!({}));
    waits(&mut there, "lobby2");
    let mut here = join(to, "default", &json!({}));
    waits(&mut here, "default");
    let mut second = join(to, "lobby2", &json!({}));
    assert_eq!(second.expect("matched")["why"], json!(["next_in_line"]));
    there.expect("matched");

    let answer = http::ask(to, upgrade_head("/ws?pool=nowhere", "").as_bytes());
    assert_eq!(answer.status, 404, "{answer:?}");
    assert!(answer.body.contains("no pool of that name"), "{answer:?}");
}

#[test]
fn a_pool_on_demand_is_made_by_the_first_and_goes_with_the_last() {
    let house = house(vec![], |config| {
        config.on_demand = Some(OnDemand { most: 2, rule: Rule::Open });
    });
    let to = house.address();
    let status =
        |pool: &str| http::ask(to, upgrade_head(&format!("/ws?pool={pool}"), "").as_bytes()).status;
    let mut ada = join(to, "green", &json!({}));
    waits(&mut ada, "green");
    let mut eve = join(to, "blue", &json!({}));
    waits(&mut eve, "blue");
    let mut ben = join(to, "green", &json!({}));
    ben.expect("matched");
    ada.expect("matched");
    // A third one is too much; the declared ones are there all the same.
    assert_eq!((status("red"), status("No+name")), (503, 404));
    // A page can ask why.
    let why = |pool: &str| http::get(to, &format!("/ws?pool={pool}"), "").status;
    assert_eq!((why("red"), why("No+name"), why("green")), (503, 404, 426));
    let mut plain = Client::upgrade(Dial::default().open(to), "/ws", "", &[]);
    plain.expect(common::WAITING);
    // Who talks is in it, too, and comes back to it.
    ben.say(&json!({"type": "next"}));
    ben.expect("ended");
    waits(&mut ben, "green");
    assert_eq!(status("red"), 503);
    drop((ada, ben));
    common::eventually("there is room again", || house.census().total() == 2);
    let mut red = join(to, "red", &json!({}));
    waits(&mut red, "red");
    let mut other = join(to, "red", &json!({}));
    other.expect("matched");
    red.expect("matched");
}

#[test]
fn pools_on_demand_have_the_rule_that_was_written() {
    let steps = vec![(Duration::ZERO, 300)];
    let rule = Rule::Scored(Relaxation::new(steps).unwrap());
    let house = house(vec![], |config| config.on_demand = Some(OnDemand { most: 9, rule }));
    let to = house.address();
    let mut law = join(to, "new", &json!({"offers": ["law"], "seeks": ["ops"]}));
    waits(&mut law, "new");
    let mut ada = join(to, "new", &json!({"offers": ["rust"], "seeks": ["funding"]}));
    waits(&mut ada, "new");
    let mut ben = join(to, "new", &json!({"offers": ["funding"], "seeks": ["rust"]}));
    assert_eq!(ben.expect("matched")["why"], json!(["seeks_met", "offers_met"]));
    ada.expect("matched");
}

#[test]
fn a_pool_may_have_a_cooldown_of_its_own() {
    let cooldown = Some(Duration::ZERO);
    let quick = PoolConfig { cooldown, ..PoolConfig::new("quick", Rule::Open) };
    // Nobody is probed: each of these clients answers only while the test listens to it.
    let house = house(vec![quick], |config| config.timing.fresh = Duration::from_secs(60));
    let to = house.address();
    for (pool, again) in [("quick", true), ("default", false)] {
        let (mut a, mut b) = (join(to, pool, &json!({})), join(to, pool, &json!({})));
        a.expect("waiting");
        a.expect("matched");
        b.expect("matched");
        a.say(&json!({"type": "next"}));
        a.expect("ended");
        b.expect("ended");
        waits(&mut a, pool);
        b.say(&json!({"type": "next"}));
        if again {
            b.expect("matched");
            a.expect("matched");
        } else {
            waits(&mut b, pool);
        }
    }
}

#[test]
fn who_have_met_are_not_paired_again_before_their_cooldown_is_over() {
    let cooldown = Duration::from_secs(4);
    // Nobody is probed: each of these clients answers only while the test listens to it.
    let house = house(vec![], |config| {
        (config.cooldown, config.timing.fresh) = (cooldown, Duration::from_secs(60));
    });
    let to = house.address();
    let (mut a, mut b) = (join(to, "default", &json!({})), join(to, "default", &json!({})));
    a.expect("waiting");
    a.expect("matched");
    b.expect("matched");
    a.say(&json!({"type": "next"}));
    a.expect("ended");
    b.expect("ended");
    b.say(&json!({"type": "next"}));
    waits(&mut a, "default");
    waits(&mut b, "default");
    // A third is no stranger to neither, and the older one is first.
    let mut c = join(to, "default", &json!({}));
    c.expect("matched");
    a.expect("matched");
    c.say(&json!({"type": "leave"}));
    a.expect("ended");
    a.say(&json!({"type": "next"}));
    // ... until the time is over, without anybody's doing.
    a.expect("waiting");
    a.expect("matched");
    b.expect("matched");
}

#[test]
fn one_who_joins_in_another_tab_takes_its_place_along_with_another_profile() {
    let house = house(vec![scored("founders", 500, HOUR)], |_| {});
    let to = house.address();
    let mut first = join(to, "founders", &json!({"offers": ["law"], "seeks": ["ops"]}));
    waits(&mut first, "founders");
    let mut ben = join(to, "founders", &json!({"offers": ["rust"], "seeks": ["funding"]}));
    waits(&mut ben, "founders");
    let mut second = Speaker::connect_at(to, "/ws?pool=founders");
    let profile = json!({"offers": ["funding"], "seeks": ["rust"]});
    second.say(&json!({"type": "join", "device": first.device, "profile": profile}));
    second.expect("matched");
    ben.expect("matched");
    first.client.expect_close(4409);

    // In another pool it is a newcomer.
    let mut third = join(to, "founders", &json!({}));
    waits(&mut third, "founders");
    let mut elsewhere = Speaker::connect_at(to, "/ws");
    elsewhere.say(&json!({"type": "join", "device": third.device}));
    waits(&mut elsewhere, "default");
    third.client.expect_close(4409);
}

#[test]
fn a_block_outlives_the_server() {
    let path = std::env::temp_dir().join(format!("vyoma-pools-blocks-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    // The devices are known to the next server, too, and so is the block, but no cooldown.
    let keys = vyoma_protocol::token::Keyring::new([9; 32]);
    let kept = |config: &mut Config| {
        (config.keys, config.blocks) = (keys.clone(), Some(path.clone()));
        config.cooldown = Duration::ZERO;
    };
    let first = house(vec![], kept);
    let to = first.address();
    let (mut a, mut b) = (join(to, "default", &json!({})), join(to, "default", &json!({})));
    a.expect("waiting");
    let conversation = a.expect("matched")["conversation"].clone();
    b.expect("matched");
    a.say(&json!({"type": "block", "conversation": conversation}));
    a.expect("ended");
    a.expect("done");
    let devices = [&a, &b].map(|speaker| speaker.device.clone());
    drop((a, b));
    drop(first);

    let second = house(vec![], kept);
    let to = second.address();
    let mut again = devices.map(|device| {
        let mut speaker = Speaker::connect_at(to, "/ws");
        speaker.say(&json!({"type": "join", "device": device}));
        waits(&mut speaker, "default");
        speaker
    });
    let mut stranger = join(to, "default", &json!({}));
    stranger.expect("matched");
    again[0].expect("matched");
    std::fs::remove_file(path).unwrap();
}
