//! Invitations over real sockets: the two meet, and nobody else comes in between.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::client::{Client, Dial, upgrade_head};
use common::http::{self, Answer};
use common::speaker::Speaker;
use common::{CONNECTED, DISCONNECTED, House, WAITING, eventually};
use serde_json::{Value, json};
use vyoma_server::{Config, PoolConfig, Rule};

/// A code from somebody who has gone since.
fn code(to: SocketAddr, path: &str) -> String {
    let mut host = Speaker::connect_at(to, path);
    host.say(&json!({"type": "invite"}));
    told_code(&host.expect("invitation"))
}

fn told_code(invitation: &Value) -> String {
    invitation["code"].as_str().unwrap().to_owned()
}

fn presents(to: SocketAddr, path: &str, code: &str) -> Speaker {
    let mut speaker = Speaker::connect_at(to, path);
    speaker.say(&json!({"type": "join", "invite": code}));
    speaker
}

/// The same device on another connection.
fn again(to: SocketAddr, of: &Speaker, code: &str) -> Speaker {
    let mut speaker = Speaker::connect(to);
    speaker.say(&json!({"type": "join", "device": of.device, "invite": code}));
    speaker
}

fn plain(to: SocketAddr, path: &str) -> Client {
    Client::upgrade(Dial::default().open(to), path, "", &[])
}

fn refused(to: SocketAddr, path: &str, more: &str) -> Answer {
    http::ask(to, upgrade_head(path, more).as_bytes())
}

fn matched_by_invitation(a: &mut Speaker, b: &mut Speaker) {
    for speaker in [a, b] {
        let told = speaker.expect("matched");
        assert_eq!((&told["why"], &told["common"]), (&json!(["invited"]), &Value::Null));
        speaker.matched = told;
    }
}

#[test]
fn the_two_who_present_a_code_meet_and_a_third_is_refused() {
    let house = House::open();
    let to = house.address();
    // Whoever waits for anybody isn't meant, be it before or behind.
    let mut stranger = Speaker::connect(to);
    stranger.say(&json!({"type": "join"}));
    stranger.expect("waiting");

    let mut ada = Speaker::connect(to);
    ada.say(&json!({"type": "invite"}));
    let invitation = ada.expect("invitation");
    assert_eq!(invitation["expires_ms"], 24 * 60 * 60 * 1000);
    let code = told_code(&invitation);
    ada.say(&json!({"type": "join", "invite": code, "profile": {"name": "Ada"}}));
    let waiting = ada.expect("waiting");
    assert_eq!((&waiting["pool"], &waiting["ahead"]), (&json!("default"), &json!(0)));
    let mut other = Speaker::connect(to);
    other.say(&json!({"type": "join"}));
    other.expect("matched");
    stranger.expect("matched");

    // As a person says it.
    let heard = code.to_uppercase().replace('-', " ");
    let mut ben = presents(to, "/", &heard);
    matched_by_invitation(&mut ada, &mut ben);
    assert_eq!(ben.matched["partner"]["name"], "Ada");
    ada.message(1, "It's you!");
    ben.expect_message(1, "It's you!");
    let mut third = presents(to, "/", &code);
    assert_eq!(third.expect_error("invite_used")["about"], "join");
    // It is free to do something else.
    third.say(&json!({"type": "join"}));
    third.expect("waiting");
    ada.say(&json!({"type": "leave"}));
    ben.expect("ended");
    ben.say(&json!({"type": "join", "invite": code}));
    ben.expect_error("invite_used");
}

#[test]
fn a_third_is_refused_while_two_still_look_for_each_other() {
    // They never meet: one has blocked the other. Which isn't told.
    let house = House::with(|config| config.cooldown = Duration::ZERO);
    let to = house.address();
    let (mut a, mut b) = common::speaker::pair(to);
    let conversation = a.matched["conversation"].clone();
    a.say(&json!({"type": "block", "conversation": conversation}));
    a.expect("ended");
    a.expect("done");
    b.expect("ended");
    let code = code(to, "/");
    for speaker in [&mut a, &mut b] {
        speaker.say(&json!({"type": "join", "invite": code}));
        speaker.expect("waiting");
    }
    presents(to, "/", &code).expect_error("invite_used");
    // Who leaves makes room for another.
    a.say(&json!({"type": "leave"}));
    a.expect("ended");
    let mut c = presents(to, "/", &code);
    matched_by_invitation(&mut b, &mut c);
}

#[test]
fn two_tabs_of_one_device_are_one_guest() {
    let house = House::open();
    let to = house.address();
    let code = code(to, "/");
    let mut first = presents(to, "/", &code);
    first.expect("waiting");
    let mut second = again(to, &first, &code);
    second.expect("waiting");
    first.client.expect_close(4409);
    // A typing error in a third tab changes nothing.
    let mut third = again(to, &first, "baba-baba-baba-baba");
    third.expect_error("bad_invite");
    // With another invitation it is elsewhere, and its seat in this one is free.
    let elsewhere = {
        third.say(&json!({"type": "invite"}));
        told_code(&third.expect("invitation"))
    };
    third.say(&json!({"type": "join", "device": first.device, "invite": elsewhere}));
    third.expect("waiting");
    second.client.expect_close(4409);
    let (mut x, mut y) = (None, None);
    eventually("both seats of the first are free", || {
        let mut one = presents(to, "/", &code);
        let waits = one.hear()["type"] == "waiting";
        if waits {
            x = Some(one);
        }
        waits
    });
    eventually("the other one, too", || {
        let mut one = presents(to, "/", &code);
        let matched = one.hear()["type"] == "matched";
        if matched {
            y = Some(one);
        }
        matched
    });
    x.unwrap().expect("matched");
    let mut friend = presents(to, "/", &elsewhere);
    matched_by_invitation(&mut third, &mut friend);
}

#[test]
fn who_comes_back_has_the_seat_again() {
    let house = House::open();
    let to = house.address();
    let code = code(to, "/");
    let mut ada = presents(to, "/", &code);
    ada.expect("waiting");
    let device = ada.device.clone();
    drop(ada);
    let mut back = Speaker::connect(to);
    back.device = device;
    back.say(&json!({"type": "join", "device": back.device, "invite": code}));
    back.expect("waiting");
    let mut ben = presents(to, "/", &code);
    matched_by_invitation(&mut back, &mut ben);
    // Their conversation survives a lost connection like any other.
    let resume = back.resume(1, 0, 1, 1);
    drop(back);
    assert_eq!(ben.expect("partner")["state"], "away");
    let mut resumed = Speaker::connect(to);
    resumed.say(&resume);
    resumed.expect("resumed");
    ben.expect("partner");
}

#[test]
fn two_who_have_just_met_may_meet_again_by_an_invitation() {
    let house = House::open();
    let to = house.address();
    let (mut a, mut b) = common::speaker::pair(to);
    a.say(&json!({"type": "invite"}));
    let code = told_code(&a.expect("invitation"));
    a.say(&json!({"type": "leave"}));
    for speaker in [&mut a, &mut b] {
        speaker.expect("ended");
        speaker.say(&json!({"type": "join", "invite": code}));
    }
    a.expect("waiting");
    matched_by_invitation(&mut a, &mut b);
}

#[test]
fn an_expired_invitation_is_as_unknown_as_any_and_who_waits_with_it_is_told() {
    let house = House::with(|config| config.invite_expiry = Duration::from_secs(2));
    let to = house.address();
    let mut ada = Speaker::connect(to);
    ada.say(&json!({"type": "invite"}));
    let invitation = ada.expect("invitation");
    assert_eq!(invitation["expires_ms"], 2000);
    let code = told_code(&invitation);
    let mut ben = plain(to, &format!("/ws?invite={code}"));
    ben.expect(WAITING);
    ben.expect_close(1008);
    assert_eq!(house.counted("invite_over"), 1);
    ada.say(&json!({"type": "join", "invite": code}));
    let late = ada.expect_error("bad_invite");
    let mut eve = presents(to, "/", "baba-baba-baba-baba");
    assert_eq!(eve.expect_error("bad_invite"), late, "nobody learns that there was one");

    ada.say(&json!({"type": "invite"}));
    let code = told_code(&ada.expect("invitation"));
    ada.say(&json!({"type": "join", "invite": code}));
    ada.expect("waiting");
    assert_eq!(ada.expect_error("bad_invite"), late);
    // It isn't queued any more.
    ada.say(&json!({"type": "join"}));
    ada.expect("waiting");
}

#[test]
fn plain_clients_come_by_the_address() {
    let house = House::open();
    let to = house.address();
    let code = code(to, "/");
    let path = format!("/ws?invite={code}");
    let mut ada = plain(to, &path);
    ada.expect(WAITING);
    ada.say("early");
    let mut stranger = plain(to, "/ws");
    stranger.expect(WAITING);
    let mut ben = plain(to, &path);
    ben.expect(CONNECTED);
    ada.expect(CONNECTED);
    ben.expect("early");
    let answer = refused(to, &path, "");
    assert_eq!(answer.status, 409, "{answer:?}");
    assert!(answer.body.contains("have used that invitation"), "{answer:?}");
    for wrong in ["baba-baba-baba-baba", "xyz", ""] {
        let answer = refused(to, &format!("/ws?invite={wrong}"), "");
        assert_eq!(answer.status, 404, "{answer:?}");
        assert!(answer.body.contains("no such invitation"), "{answer:?}");
    }
    let answer = refused(to, &path, "Sec-WebSocket-Protocol: vyoma.v1\r\n");
    assert_eq!(answer.status, 400, "{answer:?}");
    // It wanted one partner, and not the stranger who waits.
    drop(ben);
    ada.expect(DISCONNECTED);
    ada.expect_close(1008);
    assert_eq!(house.counted("invite_over"), 1);
    plain(to, "/ws").expect(CONNECTED);
    stranger.expect(CONNECTED);
}

#[test]
fn one_who_is_plain_and_one_who_is_not_meet_and_a_seat_that_is_left_is_free() {
    let house = House::open();
    let to = house.address();
    let code = code(to, "/");
    let path = format!("/ws?invite={code}");
    let mut first = plain(to, &path);
    first.expect(WAITING);
    drop(first);
    house.expect_empty();
    let mut ada = plain(to, &path);
    ada.expect(WAITING);
    let mut ben = presents(to, "/", &code);
    let told = ben.expect("matched");
    assert_eq!((&told["reliable"], &told["why"]), (&json!(false), &json!(["invited"])));
    ada.expect(CONNECTED);
    ben.say(&json!({"type": "leave"}));
    ada.expect(DISCONNECTED);
    ada.expect_close(1008);
}

#[test]
fn guessing_is_slowed_down_for_a_connection_and_for_all() {
    let house = House::open();
    let to = house.address();
    let code = code(to, "/");
    let mut eve = Speaker::connect(to);
    for _ in 0..5 {
        eve.say(&json!({"type": "join", "invite": "baba-baba-baba-baba"}));
        eve.expect_error("bad_invite");
    }
    eve.say(&json!({"type": "join", "invite": code}));
    let told = eve.expect_error("too_fast");
    let wait = told["retry_after_ms"].as_u64().unwrap();
    assert!((1..=10_001).contains(&wait), "{told}");
    // The others aren't held up by her ...
    let mut ada = presents(to, "/", &code);
    ada.expect("waiting");
    // ... unless she comes in droves: 200 at once, and 20 a second.
    let mut answer = refused(to, "/ws?invite=baba-baba-baba-baba", "");
    for _ in 0..2000 {
        if answer.status == 429 {
            break;
        }
        assert_eq!(answer.status, 404, "{answer:?}");
        answer = refused(to, "/ws?invite=baba-baba-baba-baba", "");
    }
    assert!(answer.body.contains("Too many invitations were tried"), "{answer:?}");
    assert!(house.counted("invite_attempts") >= 1);
}

#[test]
fn a_device_may_have_so_many_open() {
    let house = House::open();
    let to = house.address();
    let mut host = Speaker::connect(to);
    for _ in 0..15 {
        host.say(&json!({"type": "invite"}));
        host.expect("invitation");
    }
    // On another connection, and whether it waits or talks.
    let mut again = Speaker::connect(to);
    again.say(&json!({"type": "join", "device": host.device}));
    again.expect("waiting");
    again.say(&json!({"type": "invite"}));
    let code = told_code(&again.expect("invitation"));
    again.say(&json!({"type": "invite"}));
    assert_eq!(again.expect_error("too_many_invites")["about"], "invite");
    let mut other = Speaker::connect(to);
    other.say(&json!({"type": "join"}));
    other.expect("matched");
    again.expect("matched");
    again.say(&json!({"type": "invite"}));
    again.expect_error("too_many_invites");
    // Once one was used there may be another.
    let (mut a, mut b) = (presents(to, "/", &code), presents(to, "/", &code));
    a.expect("waiting");
    matched_by_invitation(&mut a, &mut b);
    again.say(&json!({"type": "invite"}));
    again.expect("invitation");
}

#[test]
fn who_is_invited_only_by_the_organiser_s_leave() {
    let house = House::with(|config| {
        config.features.retain(|feature| feature.name() != "invite");
    });
    let mut ada = Speaker::connect(house.address());
    ada.say(&json!({"type": "invite"}));
    ada.expect_error("feature_off");
}

fn team(config: &mut Config) {
    config.pools = vec![PoolConfig::usual(), PoolConfig::new("team", Rule::InviteOnly)];
}

#[test]
fn in_an_invite_only_pool_nobody_is_paired_by_chance() {
    let house = House::with(team);
    let to = house.address();
    let mut ada = Speaker::connect_at(to, "/ws?pool=team");
    ada.say(&json!({"type": "join"}));
    assert_eq!(ada.expect_error("invite_needed")["about"], "join");
    let answer = refused(to, "/ws?pool=team", "");
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(answer.body.contains("without an invitation"), "{answer:?}");

    ada.say(&json!({"type": "invite"}));
    let code = told_code(&ada.expect("invitation"));
    ada.say(&json!({"type": "join", "invite": code}));
    assert_eq!(ada.expect("waiting")["pool"], "team");
    // It holds in this pool only, and one made elsewhere doesn't.
    presents(to, "/", &code).expect_error("bad_invite");
    assert_eq!(refused(to, &format!("/ws?invite={code}"), "").status, 404);
    let elsewhere = self::code(to, "/");
    presents(to, "/ws?pool=team", &elsewhere).expect_error("bad_invite");
    let mut ben = plain(to, &format!("/ws?pool=team&invite={code}"));
    ben.expect(CONNECTED);
    ada.expect("matched");
    // Afterwards, too.
    ada.say(&json!({"type": "next"}));
    ada.expect("ended");
    ada.expect_error("invite_needed");
    ben.expect(DISCONNECTED);
    ben.expect_close(1008);
}
