//! The opening handshake from outside: shapes that two readers could read differently, what
//! RFC 6455 asks of a request, and arbitrary heads against a naive reader.

#![expect(clippy::expect_used, reason = "a test helper that fails is a test that fails")]

use proptest::prelude::*;
use vyoma_protocol::handshake::{HeadScan, Intent, MAX_FIELDS, Refusal, Request};

#[path = "checks/handshake.rs"]
mod checks;

const UPGRADE: &str = "GET /ws?x=1 HTTP/1.1\r\nHost: localhost:3001\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// What becomes of a head that is sent in one piece.
fn verdict(head: &str) -> Result<Intent, Refusal> {
    let length = HeadScan::new().advance(head.as_bytes())?.expect("the head is complete");
    assert_eq!(length, head.len());
    Request::parse(head.as_bytes()).map(|request| request.intent)
}

fn upgrades(head: &str) -> bool {
    matches!(verdict(head), Ok(Intent::Upgrade { .. }))
}

/// The good upgrade with something replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(UPGRADE.contains(from), "{from:?}");
    UPGRADE.replacen(from, to, 1)
}

#[test]
fn what_clients_really_send_upgrades() {
    assert!(upgrades(UPGRADE));
    for (from, to) in [
        ("Connection: Upgrade", "Connection: keep-alive, Upgrade"),
        ("Connection: Upgrade", "Connection: keep-alive\r\nconnection: ,UPGRADE ,"),
        ("Upgrade: websocket", "Upgrade: WebSocket"),
        ("Upgrade: websocket", "upgrade: h2c, websocket"),
        ("Host: ", "HOST:"),
        ("localhost:3001", "[::1]:3001"),
        ("localhost:3001", "my_service.example"),
        ("Host: ", "Host:\t  "),
        ("localhost:3001\r\n", "localhost:3001 \r\n"),
        ("Host: ", "Content-Length: 0\r\nHost: "),
        ("Host: ", "X-Empty:\r\nX-Bytes: \u{e9}\r\nHost: "),
        ("ZQ==", "ZR=="),
    ] {
        assert!(upgrades(&changed(from, to)), "{to:?}: {:?}", verdict(&changed(from, to)));
    }
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    use Refusal::*;
    for (from, to, refusal) in [
        ("/ws?x=1", "http://localhost/ws", Target),
        ("/ws?x=1", "localhost:3001", Target),
        ("/ws?x=1", "*", Target),
        ("/ws?x=1", "/ws#part", Target),
        ("/ws?x=1", "/\u{e9}", Target),
        ("/ws?x=1", "/a b", RequestLine),
        ("GET /", "GET  /", RequestLine),
        ("GET /", "GET\t/", RequestLine),
        ("GET /", "\r\nGET /", LineEnding),
        ("GET /", "\nGET /", LineEnding),
        ("GET /", " GET /", FieldLine),
        ("GET /", "G@T /", RequestLine),
        ("HTTP/1.1\r\n", "HTTP/1.1 \r\n", RequestLine),
        ("HTTP/1.1\r\n", "HTTP/1.1\n", LineEnding),
        ("HTTP/1.1\r\n", "HTTP/1.1\r", LineEnding),
        ("HTTP/1.1\r\n", "\r\n", HttpVersion),
        (" HTTP/1.1\r\n", "\r\n", RequestLine),
        ("3001\r\n", "3001\n", LineEnding),
        ("3001\r\n", "3001\r\r\n", LineEnding),
        ("3001\r\n", "3001\r\n folded\r\n", FieldLine),
        ("3001\r\n", "3001\r\n\tfolded\r\n", FieldLine),
        ("3001", "30\x0001", ControlByte),
        ("3001", "30\x0b01", ControlByte),
        ("Host: ", "Host : ", FieldLine),
        ("Host: ", "Host\t: ", FieldLine),
        ("Host: ", ": empty\r\nHost: ", FieldLine),
        ("Host: ", "No colon\r\nHost: ", FieldLine),
        ("Host: ", "H\u{f6}st: a\r\nHost: ", FieldLine),
        ("Host: ", "Hose: ", Host),
        ("Host: ", "Host: other\r\nHost: ", Host),
        ("localhost:3001", "", Host),
        ("localhost:3001", "a, b", Host),
        ("localhost:3001", "user@a", Host),
        ("localhost:3001", "a/b", Host),
        ("Host: ", "Content-Length: 0\r\nContent-Length: 0\r\nHost: ", Framing),
        ("Host: ", "Content-Length: 0, 0\r\nHost: ", Framing),
        ("Host: ", "Content-Length: +0\r\nHost: ", Framing),
        ("Host: ", "Content-Length: 00\r\nHost: ", Framing),
        ("Host: ", "Content-Length: 0x0\r\nHost: ", Framing),
        ("Host: ", "Content-Length:\r\nHost: ", Framing),
        ("Host: ", "Content-Length: 9999999999999999999\r\nHost: ", Framing),
        ("Host: ", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\nHost: ", Framing),
        ("Host: ", "Transfer-Encoding: gzip, chunked\r\nHost: ", Framing),
        ("Host: ", "Transfer-Encoding: xchunked\r\nHost: ", Framing),
        ("Host: ", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\nHost: ", Framing),
        ("Host: ", "Origin: http://a\r\nOrigin: http://b\r\nHost: ", RepeatedField),
    ] {
        let head = changed(from, to);
        assert_eq!(verdict(&head), Err(refusal), "{to:?}");
        // The same shapes are refused where nothing asks for an upgrade.
        let plain = head.replace("Upgrade", "X").replace("Sec-WebSocket-", "X-");
        assert_eq!(verdict(&plain), Err(refusal), "plain {to:?}");
    }
}

#[test]
fn an_upgrade_is_held_to_the_rfc() {
    use Refusal::*;
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (from, to, refusal) in [
        ("GET", "POST", Method),
        ("GET", "HEAD", Method),
        ("HTTP/1.1", "HTTP/1.0", HttpVersion),
        ("HTTP/1.1", "HTTP/2.0", HttpVersion),
        ("Upgrade: websocket", "Upgrade: websockets", UpgradeToken),
        ("Upgrade: websocket\r\n", "", UpgradeToken),
        ("Connection: Upgrade", "Connection: keep-alive", ConnectionToken),
        ("Connection: Upgrade\r\n", "", ConnectionToken),
        ("Host: ", "Content-Length: 1\r\nHost: ", UpgradeBody),
        ("Host: ", "Transfer-Encoding: chunked\r\nHost: ", UpgradeBody),
        ("Version: 13", "Version: 8", Version),
        ("Version: 13", "Version: 013", Version),
        ("Version: 13", "Version: 13, 8", Version),
        ("Version: 13", "Vision: 13", Version),
        ("Host: ", "Sec-WebSocket-Version: 13\r\nHost: ", RepeatedField),
        (key, &format!("{key}{key}"), RepeatedField),
        (key, "", Key),
        ("dGhlIHNhbXBsZSBub25jZQ==", "", Key),
        ("ZQ==", "ZQ", Key),
        ("ZQ==", "ZQ=", Key),
        ("ZQ==", "ZWU=", Key),
        ("ZQ==", "ZQ==ZQ==", Key),
        ("dGhl", "dG-l", Key),
    ] {
        assert_eq!(verdict(&changed(from, to)), Err(refusal), "{to:?}");
    }
}

#[test]
fn other_requests_are_left_to_http() {
    for head in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    ] {
        assert_eq!(verdict(head), Ok(Intent::Http), "{head:?}");
    }
    let bad = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(verdict(bad), Err(Refusal::Framing));
    assert_eq!(verdict("PRI * HTTP/2.0\r\n\r\n"), Err(Refusal::HttpVersion));
}

#[test]
fn another_request_may_follow_where_it_is_clear_where() {
    for (head, persistent) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", true),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: te, CLOSE\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: te\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", false),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", false),
    ] {
        let request = Request::parse(head.as_bytes()).expect("it is sound");
        assert_eq!(request.persistent, persistent, "{head:?}");
    }
}

#[test]
fn fields_are_counted() {
    let with = |count: usize| {
        let more = "X: y\r\n".repeat(count - 1);
        verdict(&format!("GET / HTTP/1.1\r\nHost: a\r\n{more}\r\n"))
    };
    assert_eq!(with(MAX_FIELDS), Ok(Intent::Http));
    assert_eq!(with(MAX_FIELDS + 1), Err(Refusal::TooManyFields));
}

/// Lines that matter, lines that nearly do, and noise.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "Host: a", "host: b", "Upgrade: websocket", "Upgrade: h2c", "Connection: Upgrade",
            "Connection: close, upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Key: short",
            "Content-Length: 0", "Content-Length: 7", "Transfer-Encoding: chunked",
            "Transfer-Encoding : chunked", " folded: line", "Origin: null", ": x", "none",
        ]).prop_map(str::to_owned),
        1 => "[ -~\t]{0,20}",
        1 => "[A-Za-z-]{1,9}:[ \t]{0,2}[ -~\u{80}-\u{ff}]{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn arbitrary_heads_mean_what_a_naive_reader_reads(
        cut: u8,
        method in "GET|POST|[A-Z ]{0,5}",
        target in "/|/ws|\\*|[ -~]{0,9}",
        version in "HTTP/1\\.[0-2]",
        lines in prop::collection::vec(line(), 0..9),
        ending in prop::sample::select(vec!["\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r"]),
    ) {
        let mut head = format!("{method} {target} {version}\r\n");
        for line in lines {
            head += &line;
            head += ending;
        }
        head += "\r\n";
        let mut data = vec![cut];
        data.extend(head.as_bytes());
        checks::check(&data);
    }

    #[test]
    fn a_good_upgrade_with_bytes_changed_means_what_a_naive_reader_reads(
        cut: u8,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 0..4),
    ) {
        let mut data = vec![cut];
        data.extend(UPGRADE.as_bytes());
        for (at, byte, what) in changes {
            let at = 1 + at.index(data.len() - 1);
            match what {
                0 => data[at] = byte,
                1 => data.insert(at, byte),
                _ => { data.remove(at); }
            }
        }
        checks::check(&data);
    }
}
