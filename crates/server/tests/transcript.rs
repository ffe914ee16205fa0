//! What two clients see, byte for byte, and what HTTP answers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::Read;

use common::client::{Client, Dial, pair, upgrade_head};
use common::wire::{self, CONTINUATION, Event, TEXT};
use common::{CONNECTED, DISCONNECTED, House, WAITING, http};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

/// Whole frames as they must stand on the wire: FIN and text, the length, the words in UTF-8.
const WAITING_FRAME: &[u8] = b"\x81\x27\xe2\x8c\x9b Waiting for another entrepreneur...";
const CONNECTED_FRAME: &[u8] = b"\x81\x24\xf0\x9f\x8e\xaf Connected with an entrepreneur!";
const DISCONNECTED_FRAME: &[u8] = b"\x81\x1c\xe2\x9a\xa0\xef\xb8\x8f Partner disconnected.";

#[track_caller]
fn expect_bytes(client: &mut Client, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    client.stream.read_exact(&mut bytes).unwrap();
    assert_eq!(bytes, expected, "{}", String::from_utf8_lossy(&bytes));
}

#[test]
fn the_notices_byte_for_byte() {
    let house = House::open();
    let mut a = Client::join(house.address());
    expect_bytes(&mut a, WAITING_FRAME);
    let mut b = Client::join(house.address());
    expect_bytes(&mut b, CONNECTED_FRAME);
    expect_bytes(&mut a, CONNECTED_FRAME);

    a.say("hello");
    expect_bytes(&mut b, b"\x81\x05hello");
    b.say("hi");
    expect_bytes(&mut a, b"\x81\x02hi");

    b.send(&wire::close(1000, ""));
    expect_bytes(&mut b, b"\x88\x02\x03\xe8");
    b.expect_end();
    expect_bytes(&mut a, DISCONNECTED_FRAME);
    let fence = a.expect_ping();
    a.send(&wire::pong(&fence));
    expect_bytes(&mut a, WAITING_FRAME);
}

#[test]
fn text_stays_text_and_binary_stays_binary() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    let every_byte: Vec<u8> = (0..=255).collect();
    for words in
        ["", "a", "Grüße, 你好, 👩‍💻", "\0\u{1}\u{10ffff}", "⌛ Waiting for another entrepreneur..."]
    {
        a.say(words);
        b.expect(words);
    }
    for bytes in [&[][..], &[0], b"text, but binary", &every_byte] {
        b.send(&wire::binary(bytes));
        a.expect_binary(bytes);
    }
}

#[test]
fn every_size_up_to_the_limit_arrives() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    for size in [1, 125, 126, 127, 1000, 16 * 1024, 65_535, 65_536] {
        let bytes: Vec<u8> = (0..size).map(|i| (i * 31 % 251) as u8).collect();
        a.send(&wire::binary(&bytes));
        b.expect_binary(&bytes);
        let words = "x".repeat(size);
        b.say(&words);
        a.expect(&words);
    }
}

#[test]
fn messages_arrive_in_order_however_they_are_packed() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    let words: Vec<String> = (0..5_000).map(|n| format!("message {n}")).collect();
    let packed: Vec<u8> = words.iter().flat_map(|words| wire::text(words)).collect();
    let sender = std::thread::spawn(move || {
        for piece in packed.chunks(1_237) {
            a.send(piece);
        }
        a
    });
    for words in &words {
        b.expect(words);
    }
    sender.join().unwrap();
}

#[test]
fn a_message_sent_byte_by_byte_arrives_whole() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    let words = "é".repeat(100);
    for byte in wire::text(&words) {
        a.send(&[byte]);
    }
    b.expect(&words);
}

#[test]
fn a_fragmented_message_with_pings_between_arrives_as_one() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    a.send(&wire::frame(false, TEXT, b"one "));
    a.send(&wire::ping(b"first"));
    assert_eq!(a.event(), Event::Pong(b"first".to_vec()));
    a.send(&wire::frame(false, CONTINUATION, b""));
    a.send(&wire::ping(b"second"));
    assert_eq!(a.event(), Event::Pong(b"second".to_vec()));
    a.send(&wire::frame(true, CONTINUATION, b"two"));
    b.expect("one two");
}

#[test]
fn a_character_cut_by_fragments_arrives_whole() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    let euro = "€".as_bytes();
    a.send(&wire::frame(false, TEXT, &euro[..1]));
    a.send(&wire::frame(false, CONTINUATION, &euro[1..2]));
    a.send(&wire::frame(true, CONTINUATION, &euro[2..]));
    b.expect("€");
}

#[test]
fn pings_and_pongs_stay_between_client_and_server() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    a.send(&wire::ping(b""));
    assert_eq!(a.event(), Event::Pong(Vec::new()));
    a.send(&wire::pong(b"nobody asked"));
    a.say("after");
    assert_eq!(b.event(), Event::Text("after".to_owned()));
}

#[test]
fn words_sent_before_pairing_are_held_and_delivered_in_order() {
    let house = House::open();
    let mut a = Client::join_waiting(house.address());
    a.say("is anybody there?");
    a.send(&wire::binary(&[1, 2, 3]));
    a.send(&wire::frame(false, TEXT, b"in "));
    a.send(&wire::ping(b"all read"));
    a.send(&wire::frame(true, CONTINUATION, b"pieces"));
    assert_eq!(a.event(), Event::Pong(b"all read".to_vec()));

    let mut b = Client::join(house.address());
    b.expect(CONNECTED);
    b.expect("is anybody there?");
    b.expect_binary(&[1, 2, 3]);
    b.expect("in pieces");
    a.expect(CONNECTED);
    a.say("hello");
    b.expect("hello");
}

#[test]
fn a_message_begun_before_pairing_and_ended_after_it_arrives() {
    let house = House::open();
    let mut a = Client::join_waiting(house.address());
    let bytes = wire::text("begun early, ended late");
    a.send(&bytes[..10]);
    let mut b = Client::join(house.address());
    a.expect(CONNECTED);
    b.expect(CONNECTED);
    a.send(&bytes[10..]);
    b.expect("begun early, ended late");
}

#[test]
fn more_than_can_be_held_is_refused_with_1008() {
    let house = House::open();
    let mut a = Client::join_waiting(house.address());
    a.send(&wire::binary(&[7; 40_000]));
    a.send(&wire::binary(&[7; 40_000]));
    let why = a.expect_close(1008);
    assert!(!why.is_empty());
    assert_eq!(house.counted("hold_full"), 1);
    drop(a);
    house.expect_empty();
}

#[test]
fn goodbye_is_answered() {
    let house = House::open();
    let bodies: [(&[u8], Option<u16>); 4] = [
        (b"", None),
        (b"\x03\xe8", Some(1000)),
        (b"\x03\xe9going", Some(1001)),
        (b"\x0b\xb8", Some(3000)),
    ];
    for (body, code) in bodies {
        let mut client = Client::join_waiting(house.address());
        client.send(&wire::frame(true, wire::CLOSE, body));
        match client.event() {
            // RFC 6455, section 5.5.1: the answer typically echoes the code.
            Event::Close(answer, _) => {
                assert!(answer.is_none() || answer == code || answer == Some(1000))
            }
            other => panic!("no answer to {body:?}: {other:?}"),
        }
        client.expect_end();
        drop(client);
        house.expect_empty();
    }
}

#[test]
fn first_come_first_served() {
    let house = House::open();
    for round in 0..3 {
        let (mut a, mut b) = pair(house.address());
        let (mut c, mut d) = pair(house.address());
        a.say("a to b");
        c.say("c to d");
        b.expect("a to b");
        d.expect("c to d");
        assert_eq!(house.census().talking, 4, "in round {round}");
        for client in [a, b, c, d] {
            client.reset();
        }
        house.expect_empty();
    }
}

#[test]
fn the_socket_is_at_root_and_at_ws() {
    let house = House::open();
    let open = || Dial::default().open(house.address());
    let mut a = Client::upgrade(open(), "/ws", "", &[]);
    a.expect(WAITING);
    let mut b = Client::upgrade(open(), "/?name=b", "Sec-WebSocket-Protocol: unheard-of\r\n", &[]);
    b.expect(CONNECTED);
    a.expect(CONNECTED);
    assert_eq!(http::ask(house.address(), upgrade_head("/elsewhere", "").as_bytes()).status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn ordinary_clients_talk() {
    let house = House::open();
    let url = format!("ws://{}", house.address());
    let (mut a, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    assert_eq!(a.next().await.unwrap().unwrap(), Message::text(WAITING));
    let (mut b, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    assert_eq!(b.next().await.unwrap().unwrap(), Message::text(CONNECTED));
    assert_eq!(a.next().await.unwrap().unwrap(), Message::text(CONNECTED));
    for message in [Message::text("hello"), Message::binary(vec![0, 255]), Message::text("")] {
        a.send(message.clone()).await.unwrap();
        assert_eq!(b.next().await.unwrap().unwrap(), message);
    }
    b.close(None).await.unwrap();
    assert_eq!(a.next().await.unwrap().unwrap(), Message::text(DISCONNECTED));
}

#[test]
fn http_answers() {
    let house = House::open();
    let line = http::get(house.address(), "/", "");
    assert_eq!(line.status, 200);
    assert!(line.header("content-type").unwrap().starts_with("text/plain"), "{line:?}");
    assert_eq!(line.body.trim_end().lines().count(), 1, "{line:?}");

    let page = http::get(house.address(), "/", "Accept: text/html,*/*;q=0.8\r\n");
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"), "{page:?}");
    assert!(page.body.contains("<html"), "{page:?}");

    assert_eq!(http::get(house.address(), "/nowhere", "").status, 404);
    assert_eq!(http::get(house.address(), "/healthz", "").status, 200);
    assert_eq!(http::get(house.address(), "/readyz", "").status, 200);
}

#[test]
fn metrics_are_for_this_machine_only() {
    let house = House::open();
    let metrics = http::get(house.address(), "/metrics", "");
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("# TYPE "), "{metrics:?}");
    for header in ["X-Forwarded-For: 203.0.113.1\r\n", "Forwarded: for=203.0.113.1\r\n"] {
        let refused = http::get(house.address(), "/metrics", header);
        assert!((400..500).contains(&refused.status), "{refused:?}");
        assert!(!refused.body.contains("# TYPE "), "{refused:?}");
    }
}

#[test]
fn metrics_may_have_an_address_of_their_own() {
    let house = House::with(|config| config.metrics_bind = Some("127.0.0.1:0".parse().unwrap()));
    let apart = house.metrics_addr().expect("an address for metrics");
    assert_eq!(http::get(apart, "/metrics", "").status, 200);
    assert_ne!(http::get(house.address(), "/metrics", "").status, 200);
}

#[test]
fn a_wrong_version_is_told_the_right_one() {
    let house = House::open();
    for version in ["8", "12", "14", "130"] {
        let head = upgrade_head("/", "").replace("Version: 13", &format!("Version: {version}"));
        let refused = http::ask(house.address(), head.as_bytes());
        assert_eq!(refused.status, 426, "{refused:?}");
        assert_eq!(refused.header("sec-websocket-version"), Some("13"));
    }
}

#[test]
fn messages_and_bytes_are_counted() {
    let house = House::open();
    let (mut a, mut b) = pair(house.address());
    a.say("four");
    b.expect("four");
    b.say("sixsix");
    a.expect("sixsix");
    assert_eq!(house.relayed(), 2);
    assert_eq!(house.metric("vyoma_bytes_relayed_total"), 10);
}
