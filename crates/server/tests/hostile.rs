//! Those who mean no good, or can't do better: a healthy pair talks on, whatever they send.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use common::client::{Client, Dial, upgrade_head};
use common::wire;
use common::{CONNECTED, Chatter, House, WAITING, eventually, http};

/// Everything the server says until it ends the stream; our direction is ended first.
fn all_answers(house: &House, request: &[u8]) -> String {
    let mut stream = Dial::default().open(house.address());
    // The server may have refused before it was all sent.
    let _ = stream.write_all(request);
    let _ = stream.shutdown(Shutdown::Write);
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The request is refused with a status of 400 to 499, once, and the stream ends.
#[track_caller]
fn expect_refused(house: &House, what: &str, request: &[u8]) {
    let said = all_answers(house, request);
    assert!(said.starts_with("HTTP/1.1 4"), "{what}: {said:?}");
    assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{what}: {said}");
}

/// The head of a proper upgrade with one line replaced.
fn bent(line: &str, by: &str) -> String {
    let head = upgrade_head("/", "");
    assert!(head.contains(line), "{line} is not in the head");
    head.replace(line, by)
}

#[test]
fn garbage_is_refused() {
    let house = House::open();
    let healthy = Chatter::start(house.address());
    let binary: Vec<u8> = (0..4096u32).map(|i| (i * 131 % 256) as u8).collect();
    let cases: &[(&str, &[u8])] = &[
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
        ("zeros", &[0; 1000]),
        ("all bytes", &binary),
        ("words", b"hello, is anybody there?\r\n\r\n"),
        ("a line without an end", &[b'A'; 100]),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("HTTP/0.9", b"GET /\r\n\r\n"),
        ("frames without a head", b"\x81\x85\0\0\0\0hello\r\n\r\n"),
    ];
    for (what, bytes) in cases {
        let said = all_answers(&house, bytes);
        let refused =
            said.is_empty() || said.starts_with("HTTP/1.1 4") || said.starts_with("HTTP/1.1 505");
        assert!(refused, "{what}: {said:?}");
    }
    eventually("only the pair is left", || house.census().total() == 2);
    healthy.finish();
}

/// Whatever a proxy in front might read differently from us.
#[test]
fn smuggling_shapes_are_refused() {
    let house = House::open();
    let healthy = Chatter::start(house.address());
    let hidden = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let with = |more: &str| upgrade_head("/", more) + hidden;
    let cases = [
        ("a length and chunks", with("Content-Length: 44\r\nTransfer-Encoding: chunked\r\n")),
        ("a length", with("Content-Length: 44\r\n")),
        ("two lengths", with("Content-Length: 0\r\nContent-Length: 44\r\n")),
        ("a signed length", with("Content-Length: +44\r\n")),
        ("chunks", with("Transfer-Encoding: chunked\r\n")),
        ("chunks, spelled oddly", with("Transfer-Encoding: xchunked\r\n")),
        ("two hosts", with("Host: elsewhere\r\n")),
        ("no host", bent("Host: localhost\r\n", "") + hidden),
        ("a folded line", with("X-Folded: one\r\n two\r\n")),
        ("a space before the colon", with("X-Space : one\r\n")),
        ("a space before the length's colon", with("Content-Length : 44\r\n")),
        ("a name with a space", with("Content Length: 44\r\n")),
        ("a line without a colon", with("nothing\r\n")),
        ("an empty name", with(": nothing\r\n")),
        ("bare line feeds", upgrade_head("/", "").replace("\r\n", "\n") + hidden),
        ("one bare line feed", with("X-One: 1\nContent-Length: 44\r\n")),
        ("a bare carriage return", with("X-One: 1\rContent-Length: 44\r\n")),
        ("a NUL in a value", with("X-Nul: a\0b\r\n")),
        ("a leading space", String::from(" ") + &with("")),
        ("absolute form", bent("GET / ", "GET http://elsewhere/ ") + hidden),
        ("authority form", bent("GET / ", "GET elsewhere:80 ") + hidden),
        ("asterisk form", bent("GET / ", "GET * ") + hidden),
        ("a fragment", bent("GET / ", "GET /#top ") + hidden),
        ("two spaces", bent("GET / ", "GET  / ") + hidden),
        ("a tab", bent("GET / ", "GET\t/ ") + hidden),
        ("HTTP/1.2", bent("HTTP/1.1", "HTTP/1.2") + hidden),
    ];
    for (what, request) in &cases {
        let said = all_answers(&house, request.as_bytes());
        assert!(
            said.starts_with("HTTP/1.1 4") || said.starts_with("HTTP/1.1 505"),
            "{what}: {said:?}"
        );
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{what}: {said}");
    }
    eventually("only the pair is left", || house.census().total() == 2);
    healthy.finish();
}

/// Without an upgrade they may be answered (RFC 9112, section 6.1), but never what hides in them.
#[test]
fn what_hides_behind_an_ordinary_request_is_not_answered() {
    let house = House::open();
    let hidden = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for more in [
        "Content-Length: 44\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 44\r\nContent-Length: 0\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "X-Folded: one\r\n Content-Length: 44\r\n",
        "Content-Length : 44\r\n",
        "Host: elsewhere\r\n",
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{more}\r\n{hidden}");
        let said = all_answers(&house, request.as_bytes());
        assert!(said.matches(" 200 OK").count() <= 1, "{more:?}: {said}");
    }
}

/// RFC 9110, section 7.8: HTTP/1.0 knows no upgrade.
#[test]
fn http_1_0_is_never_upgraded() {
    let house = House::open();
    let said = all_answers(&house, bent("HTTP/1.1", "HTTP/1.0").as_bytes());
    assert!(said.starts_with("HTTP/1.") && !said.contains(" 101 "), "{said:?}");
}

/// RFC 6455, section 4.2.1: what a handshake must have.
#[test]
fn handshakes_that_lack_something_are_refused() {
    let house = House::open();
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let key_line = format!("Sec-WebSocket-Key: {key}\r\n");
    let cases = [
        ("POST", bent("GET /", "POST /")),
        ("no key", bent(&key_line, "")),
        ("two keys", upgrade_head("/", &key_line)),
        ("an empty key", bent(key, "")),
        ("a short key", bent(key, "c2hvcnQ=")),
        ("a long key", bent(key, "dGhlIHNhbXBsZSBub25jZSBpcyBsb25n")),
        ("a key that isn't base64", bent(key, "!!!!!!!!!!!!!!!!!!!!!!==")),
        ("no version", bent("Sec-WebSocket-Version: 13\r\n", "")),
        ("two versions", upgrade_head("/", "Sec-WebSocket-Version: 13\r\n")),
    ];
    for (what, request) in &cases {
        expect_refused(&house, what, request.as_bytes());
    }
}

/// RFC 6455, section 4.2.1, and RFC 9110, section 5.6.1: these are proper, if unusual.
#[test]
fn unusual_but_proper_handshakes_are_taken() {
    let house = House::open();
    let cases = [
        bent("Connection: Upgrade", "connection: keep-alive, uPgRaDe"),
        bent("Connection: Upgrade\r\n", "Connection: keep-alive\r\nConnection: Upgrade\r\n"),
        bent("Upgrade: websocket", "UPGRADE:WebSocket"),
        bent("Host: localhost", "Host:\t localhost \t"),
        bent("GET /", "GET /ws?room=1&x=%20"),
        upgrade_head(
            "/",
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
        ),
    ];
    for request in &cases {
        let answer = http::ask(house.address(), request.as_bytes());
        assert_eq!(answer.status, 101, "{request}: {answer:?}");
        assert_eq!(answer.header("sec-websocket-extensions"), None);
        assert_eq!(answer.header("sec-websocket-protocol"), None);
    }
    house.expect_empty();
}

#[test]
fn huge_heads_and_many_headers_are_refused() {
    let house = House::open();
    let healthy = Chatter::start(house.address());
    let huge = format!("X-Huge: {}\r\n", "x".repeat(1 << 20));
    let many: String = (0..2_000).map(|n| format!("X-{n}: 1\r\n")).collect();
    let long_path = format!("/{}", "x".repeat(100_000));
    for (what, head) in [
        ("a huge header", upgrade_head("/", &huge)),
        ("many headers", upgrade_head("/", &many)),
        ("a long path", upgrade_head(&long_path, "")),
    ] {
        let said = all_answers(&house, head.as_bytes());
        // A reset may overtake the answer, since not all was read.
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{what}: {said:?}");
    }
    let endless = std::iter::repeat_n(b"X-Endless: 1\r\n", 1_000_000).flatten().copied();
    let endless: Vec<u8> = [b"GET / HTTP/1.1\r\n".to_vec(), endless.collect()].concat();
    let mut stream = Dial::default().open(house.address());
    stream.write_all(&endless).expect_err("nobody reads 14 MB of headers");
    healthy.finish();
}

/// Everything a client is in a hurry to say may come with its head.
#[test]
fn frames_in_the_packet_of_the_head_are_not_lost() {
    let house = House::open();
    let open = || Dial::default().open(house.address());
    let early = [wire::text("early one"), wire::text("early two")].concat();
    let mut a = Client::upgrade(open(), "/", "", &early);
    a.expect(WAITING);
    let mut b = Client::upgrade(open(), "/", "", &wire::text("early, too"));
    b.expect(CONNECTED);
    b.expect("early one");
    b.expect("early two");
    a.expect(CONNECTED);
    a.expect("early, too");
}

#[test]
fn a_head_may_come_byte_by_byte() {
    let house = House::open();
    let mut stream = Dial::default().open(house.address());
    for byte in upgrade_head("/", "").as_bytes() {
        stream.write_all(&[*byte]).unwrap();
    }
    assert_eq!(http::answer(&mut stream).unwrap().status, 101);
}

#[test]
fn slowloris_meets_a_deadline() {
    let house = House::with(|config| config.timing.handshake = Duration::from_millis(500));
    let healthy = Chatter::start(house.address());
    let mut stream = Dial::default().open(house.address());
    stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    // A header line every 20 ms would go on for ever.
    let cut = (0..).find(|n| {
        std::thread::sleep(Duration::from_millis(20));
        stream.write_all(format!("X-{n}: 1\r\n").as_bytes()).is_err()
    });
    assert!(cut < Some(1_000), "cut off after {cut:?} lines");
    healthy.finish();
}

#[test]
fn half_finished_handshakes_end_by_themselves() {
    let house = House::with(|config| config.timing.handshake = Duration::from_secs(2));
    let healthy = Chatter::start(house.address());
    let halves =
        ["", "GET", "GET / HTTP/1.1\r\nHost: loc", "GET / HTTP/1.1\r\nHost: localhost\r\n"];
    let mut streams: Vec<TcpStream> = (0..500)
        .map(|n| {
            let mut stream = Dial::default().open(house.address());
            stream.write_all(halves[n % halves.len()].as_bytes()).unwrap();
            stream
        })
        .collect();
    let (a, b) = (Client::join_waiting(house.address()), Client::join(house.address()));
    for stream in &mut streams {
        let said = http::answer(stream);
        assert!(said.as_ref().is_none_or(|said| said.status == 408), "{said:?}");
    }
    drop((a, b));
    healthy.finish();
}

#[test]
fn one_address_may_have_so_many_connections_at_once() {
    let house = House::with(|config| {
        config.limit_loopback = true;
        config.max_connections_per_address = 4;
    });
    let healthy = Chatter::start(house.address());
    let first = Client::join_waiting(house.address());
    let second = Client::join(house.address());
    let refused = http::ask(house.address(), upgrade_head("/", "").as_bytes());
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);

    let elsewhere = Dial { from: Some(2), ..Dial::default() }.join(house.address());
    drop(elsewhere);
    drop((first, second));
    eventually("the places are free again", || {
        http::ask(house.address(), upgrade_head("/", "").as_bytes()).status == 101
    });
    healthy.finish();
}

#[test]
fn one_address_may_try_so_often() {
    let house = House::with(|config| {
        config.limit_loopback = true;
        config.max_attempts_per_address = 1;
    });
    let upgrade = upgrade_head("/", "");
    let statuses: Vec<u16> =
        (0..40).map(|_| http::ask(house.address(), upgrade.as_bytes()).status).collect();
    assert!(statuses[..10].iter().all(|status| *status == 101), "the burst is ten: {statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
    let mut elsewhere = Dial { from: Some(2), ..Dial::default() }.open(house.address());
    elsewhere.write_all(upgrade.as_bytes()).unwrap();
    assert_eq!(http::answer(&mut elsewhere).unwrap().status, 101);
}

#[test]
fn loopback_is_not_limited_unless_asked_for() {
    let house = House::with(|config| {
        config.max_connections_per_address = 1;
        config.max_attempts_per_address = 1;
    });
    let clients: Vec<Client> = (0..30).map(|_| Client::join(house.address())).collect();
    eventually("all are seated", || house.census().total() == clients.len());
}

#[test]
fn behind_a_trusted_proxy_the_forwarded_address_counts() {
    let house = House::with(|config| {
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.max_connections_per_address = 2;
    });
    let join = |forwarded: &str| {
        let mut stream = Dial::default().open(house.address());
        let head = upgrade_head("/", &format!("X-Forwarded-For: {forwarded}\r\n"));
        stream.write_all(head.as_bytes()).unwrap();
        let status = http::answer(&mut stream).unwrap().status;
        (stream, status)
    };
    let clients = [
        ("203.0.113.7", 101),
        ("203.0.113.7", 101),
        ("203.0.113.7", 429),
        ("203.0.113.8", 101),
        // The last hop is what the proxy itself saw; what stands before may be invented.
        ("198.51.100.1, 203.0.113.7", 429),
        ("203.0.113.7, 203.0.113.8", 101),
        // IPv6 counts per /64.
        ("2001:db8::1", 101),
        ("2001:db8::2", 101),
        ("2001:db8::3", 429),
        ("2001:db8:0:1::1", 101),
    ]
    .map(|(forwarded, expected)| {
        let (stream, status) = join(forwarded);
        assert_eq!(status, expected, "for {forwarded}");
        stream
    });
    drop(clients);
}

#[test]
fn a_stranger_can_not_forge_its_address() {
    let house = House::with(|config| {
        config.limit_loopback = true;
        config.max_connections_per_address = 1;
    });
    let _first = Client::join_waiting(house.address());
    let forged = upgrade_head("/", "X-Forwarded-For: 203.0.113.7\r\n");
    assert_eq!(http::ask(house.address(), forged.as_bytes()).status, 429);
}

#[test]
fn a_full_server_says_503() {
    let house = House::with(|config| config.max_connections = 2);
    let first = Client::join_waiting(house.address());
    let _second = Client::join(house.address());
    let refused = http::ask(house.address(), upgrade_head("/", "").as_bytes());
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    drop(first);
    eventually("there is room again", || {
        http::ask(house.address(), upgrade_head("/", "").as_bytes()).status == 101
    });
}
