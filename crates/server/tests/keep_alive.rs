//! Several requests on one connection: they are answered in order, none hides in another, and the
//! connection counts once and ends in time.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use common::client::{Client, Dial, upgrade_head};
use common::{CONNECTED, House, http, wire};

const HOUR: Duration = Duration::from_secs(3600);

fn head(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n")
}

/// One answer, and not a byte of what follows: its status, its head and its body.
fn answer(stream: &mut TcpStream, bodiless: bool) -> (u16, String, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; if bodiless { 0 } else { length.parse().unwrap() }];
    stream.read_exact(&mut body).unwrap();
    (head[9..12].parse().unwrap(), head, String::from_utf8(body).unwrap())
}

fn ask(stream: &mut TcpStream, path: &str, more: &str) -> (u16, String, String) {
    stream.write_all(head("GET", path, more).as_bytes()).unwrap();
    answer(stream, false)
}

fn is_closing(head: &str) -> bool {
    head.contains("\r\nconnection: close")
}

/// Whatever comes until the end.
#[track_caller]
fn rest(mut stream: TcpStream) -> String {
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("the server ends it");
    rest
}

#[test]
fn requests_on_one_connection_count_as_one_attempt() {
    let house = House::with(|config| {
        config.limit_loopback = true;
        // Ten at once.
        config.max_attempts_per_address = 1;
        config.max_connections_per_address = 2;
        config.timing.idle = HOUR;
    });
    let mut stream = Dial::default().open(house.address());
    for _ in 0..50 {
        let (status, head, body) = ask(&mut stream, "/healthz", "");
        assert_eq!((status, body.as_str(), is_closing(&head)), (200, "ok\n", false));
    }
    assert_eq!(house.metric("vyoma_http_requests_total"), 50);
    // It is one connection of this address all the while, and a place less.
    let second = Dial::default().open(house.address());
    let refused = http::ask(house.address(), head("GET", "/healthz", "").as_bytes());
    assert_eq!(refused.status, 429);
    drop((stream, second));
}

#[test]
fn what_is_sent_together_is_answered_in_order() {
    let house = House::open();
    let requests = [
        head("GET", "/healthz", ""),
        head("HEAD", "/healthz", ""),
        // As curl asks for HTTP/2.
        head("GET", "/nowhere", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"),
        head("PUT", "/healthz", ""),
        head("GET", "/readyz", ""),
    ]
    .concat();
    for piece in [requests.len(), 1, 7, 64] {
        let mut stream = Dial::default().open(house.address());
        for piece in requests.as_bytes().chunks(piece) {
            stream.write_all(piece).unwrap();
        }
        let statuses = [false, true, false, false, false].map(|head| answer(&mut stream, head));
        let told = statuses.each_ref().map(|(status, _, body)| (*status, body.as_str()));
        assert_eq!(told[..3], [(200, "ok\n"), (200, ""), (404, "There is nothing here.\n")]);
        assert_eq!((told[3].0, told[4]), (405, (200, "ready\n")));
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(rest(stream), "");
    }
}

#[test]
fn nothing_in_a_body_is_taken_for_a_request() {
    let house = House::open();
    let hidden = head("GET", "/metrics", "");
    let length = format!("Content-Length: {}\r\n", hidden.len());
    for (method, fields, body) in [
        ("GET", length.as_str(), hidden.clone()),
        ("POST", length.as_str(), hidden.clone()),
        ("POST", "Transfer-Encoding: chunked\r\n", format!("0\r\n\r\n{hidden}")),
    ] {
        let mut stream = Dial::default().open(house.address());
        assert_eq!(ask(&mut stream, "/healthz", "").0, 200);
        stream.write_all((head(method, "/healthz", fields) + &body).as_bytes()).unwrap();
        let (status, head, _) = answer(&mut stream, false);
        assert_eq!(status, if method == "GET" { 200 } else { 405 });
        assert!(is_closing(&head), "{head}");
        assert_eq!(rest(stream), "", "{method} {fields}");
    }
    // What could be read in two ways is refused on a kept connection, too.
    let mut stream = Dial::default().open(house.address());
    assert_eq!(ask(&mut stream, "/healthz", "").0, 200);
    let (status, head, _) = ask(&mut stream, "/", "Content-Length: 1\r\nContent-Length: 1\r\n");
    assert_eq!((status, is_closing(&head)), (400, true));
    assert_eq!(rest(stream), "");
}

#[test]
fn an_upgrade_behind_other_requests_becomes_a_websocket() {
    let house = House::open();
    let mut waiter = Client::join_waiting(house.address());
    let mut stream = Dial::default().open(house.address());
    assert_eq!(ask(&mut stream, "/healthz", "").0, 200);
    // All at once, as a proxy may send it: a request, an upgrade, and the first words.
    let request = head("GET", "/readyz", "") + &upgrade_head("/", "");
    stream.write_all(&[request.as_bytes(), &wire::text("early")].concat()).unwrap();
    assert_eq!(answer(&mut stream, false).2, "ready\n");
    let mut late = Client::upgraded(stream);
    late.expect(CONNECTED);
    waiter.expect(CONNECTED);
    waiter.expect("early");
    waiter.say("welcome");
    late.expect("welcome");
    // One that can't be is told so, and that is the end.
    let mut stream = Dial::default().open(house.address());
    assert_eq!(ask(&mut stream, "/healthz", "").0, 200);
    stream.write_all(upgrade_head("/nowhere", "").as_bytes()).unwrap();
    assert_eq!(answer(&mut stream, false).0, 404);
    assert_eq!(rest(stream), "");
}

#[test]
fn a_connection_ends_after_a_hundred_answers() {
    let house = House::open();
    let mut stream = Dial::default().open(house.address());
    for number in 1..=100 {
        let (status, head, _) = ask(&mut stream, "/healthz", "");
        assert_eq!((status, is_closing(&head)), (200, number == 100), "{number}");
    }
    assert_eq!(rest(stream), "");
}

#[test]
fn a_connection_over_which_nothing_is_asked_ends() {
    let house = House::with(|config| {
        config.timing.idle = Duration::from_millis(50);
        config.timing.handshake = Duration::from_millis(50);
    });
    let mut stream = Dial::default().open(house.address());
    let (_, head, _) = ask(&mut stream, "/healthz", "");
    assert!(!is_closing(&head), "{head}");
    assert_eq!(rest(stream), "", "without a word, since nothing was asked");
    // Also after a head that fills the buffer it is read into, to the byte: an answer to nothing could be
    // taken for that to the next request.
    for length in 2045..=2051 {
        let mut stream = Dial::default().open(house.address());
        let short = self::head("GET", "/healthz", "X: \r\n").len();
        ask(&mut stream, "/healthz", &format!("X: {}\r\n", "a".repeat(length - short)));
        assert_eq!(rest(stream), "", "{length}");
    }
    // Half a request has the time of any other.
    let house = House::with(|config| config.timing.handshake = Duration::from_millis(50));
    let mut stream = Dial::default().open(house.address());
    assert_eq!(ask(&mut stream, "/healthz", "").0, 200);
    stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    assert!(rest(stream).starts_with("HTTP/1.1 408 "));
    assert_eq!(house.counted("incomplete"), 0);
}

#[test]
fn a_draining_server_keeps_no_connection() {
    let house = House::with(|config| config.timing.idle = HOUR);
    // They keep it from being gone at once.
    let _pair = common::client::pair(house.address());
    let mut idle = Dial::default().open(house.address());
    assert_eq!(ask(&mut idle, "/healthz", "").0, 200);
    house.drain();
    assert_eq!(rest(idle), "");
    let mut late = Dial::default().open(house.address());
    let (status, head, _) = ask(&mut late, "/readyz", "");
    assert_eq!((status, is_closing(&head)), (503, true), "{head}");
    assert_eq!(rest(late), "");
}

#[test]
fn a_server_that_has_handed_over_does_not_wait_for_kept_connections() {
    let house = House::with(|config| {
        config.timing.idle = HOUR;
        config.timing.handshake = HOUR;
    });
    let mut idle = Dial::default().open(house.address());
    assert_eq!(ask(&mut idle, "/healthz", "").0, 200);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        house.hand_over().await.unwrap();
        house.retire().await;
    });
    assert_eq!(rest(idle), "");
}

#[test]
fn a_full_server_answers_one_question_a_connection() {
    let house = House::with(|config| config.max_connections = 1);
    let waiter = Client::join_waiting(house.address());
    let mut stream = Dial::default().open(house.address());
    let (status, head, _) = ask(&mut stream, "/healthz", "");
    assert_eq!((status, is_closing(&head)), (200, true));
    assert_eq!(rest(stream), "");
    // What a WebSocket would be told, for pages.
    let why = http::get(house.address(), "/ws", "");
    assert_eq!((why.status, why.header("retry-after")), (503, Some("5")));
    drop(waiter);
    house.expect_empty();
    assert_eq!(http::get(house.address(), "/ws", "").status, 426);
}

#[test]
fn what_costs_more_than_a_file_costs_a_connection() {
    let house = House::open();
    for path in ["/qr.svg?link=http://localhost/", "/ws"] {
        let mut stream = Dial::default().open(house.address());
        let (_, head, _) = ask(&mut stream, path, "");
        assert!(is_closing(&head), "{head}");
        assert_eq!(rest(stream), "");
    }
}

#[test]
fn a_proxy_s_connection_counts_towards_whom_it_carries_now() {
    let house = House::with(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.max_connections_per_address = 1;
        // Ten at once.
        config.max_attempts_per_address = 1;
        config.timing.idle = HOUR;
    });
    let from = |client: &str| format!("X-Forwarded-For: {client}\r\n");
    let mut first = Dial::default().open(house.address());
    for _ in 0..20 {
        assert_eq!(ask(&mut first, "/healthz", &from("192.0.2.1")).0, 200);
    }
    assert_eq!(http::get(house.address(), "/healthz", &from("192.0.2.1")).status, 429);
    assert_eq!(ask(&mut first, "/healthz", &from("192.0.2.2")).0, 200);
    assert_eq!(http::get(house.address(), "/healthz", &from("192.0.2.1")).status, 200);
    assert_eq!(http::get(house.address(), "/healthz", &from("192.0.2.2")).status, 429);
    // Each change is an attempt: of ten that each of the two has, these are more.
    let mut second = Dial::default().open(house.address());
    let clients = ["192.0.2.3", "192.0.2.4"].into_iter().cycle();
    let mut statuses = clients.take(24).map(|client| ask(&mut second, "/healthz", &from(client)).0);
    assert_eq!(statuses.find(|status| *status != 200), Some(429));
}
