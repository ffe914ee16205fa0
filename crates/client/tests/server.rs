//! Against a real server, in this process, on a port of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use tokio::time::timeout;
use vyoma_client::{
    Client, Event, FileStore, Gone, Happening, Happenings, JoinOptions, NotInvited, Options,
    Refusal, Stage,
};
use vyoma_server::{Config, Listeners, PoolConfig, Relaxation, Rule, Server};

fn config() -> Config {
    Config { bind: Some([127, 0, 0, 1].into()), port: 0, workers: 1, ..Config::default() }
}

fn url(server: &Server) -> String {
    format!("ws://{}", server.local_addr())
}

/// Waits for an event for which `pick` returns something.
async fn until<T>(happenings: &mut Happenings, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
    let found = async {
        loop {
            match happenings.next().await.unwrap() {
                Happening::Event(event) => {
                    if let Some(found) = pick(&event) {
                        return found;
                    }
                }
                Happening::CannotConnect(_) => {}
                Happening::NotKept(error) => panic!("{error}"),
            }
        }
    };
    timeout(Duration::from_secs(20), found).await.unwrap()
}

async fn matched(happenings: &mut Happenings) {
    until(happenings, |event| matches!(event, Event::Matched { .. }).then_some(())).await;
}

async fn hears(happenings: &mut Happenings) -> (u64, String) {
    let message = |event: &Event| match event {
        Event::Message { n, content } => Some((*n, content.text())),
        Event::Gap { .. } => panic!("{event:?}"),
        _ => None,
    };
    until(happenings, message).await
}

async fn pair(url: &str) -> [(Client, Happenings); 2] {
    let (a, mut a_hears) = Client::start(url, Options::default()).unwrap();
    let (b, mut b_hears) = Client::start(url, Options::default()).unwrap();
    a.join(Some(r#"{"name":"Ada"}"#)).await.unwrap();
    b.join(None).await.unwrap();
    matched(&mut a_hears).await;
    matched(&mut b_hears).await;
    [(a, a_hears), (b, b_hears)]
}

#[tokio::test]
async fn two_talk_and_know_what_was_delivered() {
    let server = Server::start(config()).unwrap();
    let [(a, mut a_hears), (b, mut b_hears)] = pair(&url(&server)).await;
    let receipt = a.say("Grüße \u{231B} \"quoted\"").await.unwrap();
    assert_eq!(hears(&mut b_hears).await, (1, "Grüße \u{231B} \"quoted\"".to_owned()));
    assert!(receipt.stage() < Stage::Delivered, "not taken before the next is asked for");
    let asking = tokio::spawn(async move { (hears(&mut b_hears).await, b_hears) });
    assert!(receipt.delivered().await);
    a.send(vyoma_client::Body::Binary(&[0, 255])).await.unwrap();
    let (heard, mut b_hears) = asking.await.unwrap();
    assert_eq!(heard, (2, "(2 bytes)".to_owned()));
    b.leave();
    let ended = |event: &Event| matches!(event, Event::Ended { .. }).then_some(());
    until(&mut b_hears, ended).await;
    until(&mut a_hears, ended).await;
    assert!(a.say("too late").await.is_err());
    assert_eq!(server.check(), Ok(()));
}

#[tokio::test]
async fn two_who_have_the_same_code_meet_and_a_third_is_told_why_not() {
    let server = Server::start(config()).unwrap();
    let start = || Client::start(&url(&server), Options::default()).unwrap();
    let (ada, mut ada_hears) = start();
    let (first, second) = (ada.clone(), ada.clone());
    let asking = tokio::spawn(async move { first.invite().await });
    let invitation = timeout(Duration::from_secs(20), asking).await.unwrap().unwrap().unwrap();
    assert_eq!(invitation.holds, Duration::from_secs(24 * 60 * 60));
    assert!(matches!(
        ada.join_invited("no c0de", None).await,
        Err(Gone::Refused(Refusal::BadValue))
    ));
    ada.join_invited(&invitation.code, None).await.unwrap();
    until(&mut ada_hears, |event| matches!(event, Event::Waiting { .. }).then_some(())).await;
    let (ben, mut ben_hears) = start();
    ben.join_invited(&invitation.code.to_uppercase(), None).await.unwrap();
    for hears in [&mut ada_hears, &mut ben_hears] {
        let why = |event: &Event| match event {
            Event::Matched { why, .. } => Some(why.clone()),
            _ => None,
        };
        assert_eq!(until(hears, why).await, ["invited"]);
    }
    let (eve, mut eve_hears) = start();
    eve.join_invited(&invitation.code, None).await.unwrap();
    let refused = |event: &Event| match event {
        Event::Error(error) => Some(error.name.clone()),
        _ => None,
    };
    assert_eq!(until(&mut eve_hears, refused).await, "invite_used");
    // In the middle of a conversation, too; and so many, until there are too many.
    let mut refused = None;
    while refused.is_none() {
        refused = second.invite().await.err();
    }
    match refused {
        Some(NotInvited::Server(error)) => {
            assert!(["too_many_invites", "too_fast"].contains(&error.name.as_str()), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
    ada.close().await;
    assert_eq!(ada.invite().await, Err(NotInvited::Closed));
    assert_eq!(server.check(), Ok(()));
}

#[tokio::test]
async fn languages_are_required_where_profiles_decide() {
    let relaxation = Relaxation::new(vec![(Duration::ZERO, 0)]).unwrap();
    let founders = PoolConfig::new("founders", Rule::Scored(relaxation));
    let pools = vec![PoolConfig::usual(), founders];
    let server = Server::start(Config { pools, ..config() }).unwrap();
    let start = |pool: &str| {
        let url = format!("{}/ws?pool={pool}", url(&server));
        Client::start(&url, Options::default()).unwrap()
    };
    let wants = |languages| JoinOptions { languages, ..JoinOptions::default() };
    let (open, mut open_hears) = start("default");
    let bad = open.join_with(wants(&["x"])).await;
    assert!(matches!(bad, Err(Gone::Refused(Refusal::BadValue))));
    open.join_with(wants(&["de"])).await.unwrap();
    let refused = |event: &Event| match event {
        Event::Error(error) => Some(error.name.clone()),
        _ => None,
    };
    assert_eq!(until(&mut open_hears, refused).await, "no_rules");

    let waiting = |event: &Event| matches!(event, Event::Waiting { .. }).then_some(());
    let matched = |event: &Event| match event {
        Event::Matched { partner, .. } => Some(partner.clone()),
        _ => None,
    };
    let (ada, mut ada_hears) = start("founders");
    ada.join_with(wants(&["de", "en"])).await.unwrap();
    until(&mut ada_hears, waiting).await;
    let (mute, mut mute_hears) = start("founders");
    mute.join(Some(r#"{"offers":["silence"]}"#)).await.unwrap();
    until(&mut mute_hears, waiting).await;
    let (ben, mut ben_hears) = start("founders");
    let profile = r#"{"languages":["EN"]}"#;
    ben.join_with(JoinOptions { profile: Some(profile), ..wants(&[]) }).await.unwrap();
    let both = [until(&mut ben_hears, matched).await, until(&mut ada_hears, matched).await];
    assert_eq!(both, [None, Some(profile.to_owned())]);
    // The next one, too; but any will do after that.
    ada.next(None).await.unwrap();
    until(&mut ada_hears, waiting).await;
    ada.leave();
    ada.next_requiring(None, &[]).await.unwrap();
    until(&mut ada_hears, matched).await;
    until(&mut mute_hears, matched).await;
}

#[tokio::test]
async fn every_message_comes_once_and_in_order_though_the_server_is_replaced_again_and_again() {
    const MESSAGES: u64 = 400;
    let config = config();
    let listeners = Listeners::bind(&config).unwrap();
    let begin = || Server::start_on(listeners.try_clone().unwrap(), config.clone()).unwrap();
    let mut server = begin();
    let ends = pair(&url(&server)).await;
    let talking = ends.map(|(client, mut happenings)| {
        let says = client.clone();
        let saying = tokio::spawn(async move {
            let mut last = None;
            for n in 1..=MESSAGES {
                last = Some(says.say(&n.to_string()).await.unwrap());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            last.unwrap().delivered().await
        });
        let hearing = tokio::spawn(async move {
            for n in 1..=MESSAGES {
                assert_eq!(hears(&mut happenings).await, (n, n.to_string()));
            }
            happenings
        });
        (client, saying, hearing)
    });
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        // Dropped: it stops in the middle of everything, as if it were killed.
        drop(server);
        server = begin();
    }
    let (mut said, mut heard) = (Vec::new(), Vec::new());
    for (client, saying, hearing) in talking {
        heard.push(timeout(Duration::from_secs(60), hearing).await.unwrap().unwrap());
        said.push((client, saying));
    }
    // What is asked for last takes the last message.
    let taking = heard.into_iter().map(|mut happenings| async move { happenings.next().await });
    let taking: Vec<_> = taking.map(tokio::spawn).collect();
    for (_, saying) in said {
        assert!(timeout(Duration::from_secs(20), saying).await.unwrap().unwrap());
    }
    taking.iter().for_each(|taking| taking.abort());
    assert_eq!(server.check(), Ok(()));
}

#[tokio::test]
async fn a_client_that_crashed_goes_on_from_its_file() {
    let server = Server::start(config()).unwrap();
    let path = std::env::temp_dir().join(format!("vyoma-client-seat-{}", std::process::id()));
    let kept = || {
        let store = FileStore::open(&path).unwrap();
        Options { store: Some(Box::new(store)), ..Options::default() }
    };
    let (b, mut b_hears) = Client::start(&url(&server), Options::default()).unwrap();
    b.join(None).await.unwrap();
    // A runtime of its own, which is stopped in the middle of everything.
    let (own_url, options) = (url(&server), kept());
    let crash = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (a, mut a_hears) = Client::start(&own_url, options).unwrap();
            a.join(None).await.unwrap();
            matched(&mut a_hears).await;
            assert_eq!(hears(&mut a_hears).await.0, 1);
            a.say("before").await.unwrap();
            // Takes the first message, and waits for another that never comes.
            assert!(timeout(Duration::from_millis(300), hears(&mut a_hears)).await.is_err());
        });
        runtime.shutdown_timeout(Duration::ZERO);
    });
    matched(&mut b_hears).await;
    b.say("one").await.unwrap();
    assert_eq!(hears(&mut b_hears).await, (1, "before".to_owned()));
    let away = |event: &Event| matches!(event, Event::Away).then_some(());
    until(&mut b_hears, away).await;
    crash.join().unwrap();
    b.say("two").await.unwrap();
    let (a, mut a_hears) = Client::start(&url(&server), kept()).unwrap();
    assert_eq!(hears(&mut a_hears).await, (2, "two".to_owned()), "not the first once more");
    a.say("after").await.unwrap();
    assert_eq!(hears(&mut b_hears).await, (2, "after".to_owned()));
    std::fs::remove_file(&path).unwrap();
    std::fs::remove_file(path.with_extension("lock")).unwrap_or(());
}

#[tokio::test]
async fn what_isnt_a_server_is_said() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (client, mut happenings) =
        Client::start(&format!("ws://{closed}"), Options::default()).unwrap();
    client.join(None).await.unwrap();
    let why = loop {
        if let Happening::CannotConnect(error) = happenings.next().await.unwrap() {
            break error.to_string();
        }
    };
    assert!(why.contains("cannot reach 127.0.0.1"), "{why}");
    assert!(Client::start("wss://a", Options::default()).is_err());
}
