//! Whole exchanges over real sockets: what a client hears, and what becomes of its connection.

use super::*;
use crate::Config;
use crate::site::Site;
use tokio::net::TcpListener;

const UPGRADE: &str = "GET /ws?room=1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

fn shared(change: impl FnOnce(&mut Config)) -> Arc<Shared> {
    let mut config = Config::default();
    change(&mut config);
    let site = Site::open(&config).unwrap();
    Arc::new(Shared::new(config, None, None, None, site, Vec::new()))
}

async fn connect() -> (TcpStream, TcpStream, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, peer) = listener.accept().await.unwrap();
    (client, server, peer)
}

/// Sends these bytes, ends the sending side, and reads the answer to its end.
async fn talk(mut client: TcpStream, request: &[u8]) -> String {
    client.write_all(request).await.unwrap();
    client.shutdown().await.unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// What the server answers to a request that is no upgrade, or refused.
async fn answer(shared: &Arc<Shared>, request: &str) -> String {
    let open = shared.admission.open();
    let (client, server, peer) = connect().await;
    let permit = shared.admission.admit(peer);
    let receiving = receive(server, peer, permit, Arc::clone(shared));
    let (answer, upgraded) = tokio::join!(talk(client, request.as_bytes()), receiving);
    assert!(upgraded.is_none());
    assert_eq!(shared.admission.open(), open, "the place is given back");
    answer
}

fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n")
}

fn assert_refused(answer: &str, refusal: Refusal) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {} ", refusal.status())), "{answer}");
    assert!(answer.ends_with(&format!("\r\n\r\n{}\n", refusal.sentence())), "{answer}");
}

#[tokio::test]
async fn an_upgrade_comes_out_with_what_was_sent_behind_it() {
    for piece in [1, 7, UPGRADE.len() + 3] {
        let shared = shared(|_| {});
        let (mut client, server, peer) = connect().await;
        client.set_nodelay(true).unwrap();
        let receiving = tokio::spawn({
            let permit = shared.admission.admit(peer);
            receive(server, peer, permit, Arc::clone(&shared))
        });
        let sent = [UPGRADE.as_bytes(), b"\x81\x80...".as_slice()].concat();
        for piece in sent.chunks(piece) {
            client.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut upgraded = receiving.await.unwrap().unwrap();
        // Whatever had not come with the last read of the head is still in the socket.
        let mut behind = std::mem::take(&mut upgraded.early);
        let mut rest = vec![0; 5 - behind.len()];
        upgraded.stream.read_exact(&mut rest).await.unwrap();
        behind.extend(rest);
        assert_eq!(behind, b"\x81\x80...");
        drop(upgraded.stream);
        let answer = String::from_utf8(upgraded.answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 101 "));
        assert!(answer.ends_with("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
        assert_eq!(shared.admission.open(), 1, "the place is held");
        drop(upgraded.permit);
        assert_eq!(shared.admission.open(), 0);
    }
}

#[tokio::test]
async fn what_is_wrong_is_told() {
    let shared = shared(|_| {});
    for (request, refusal) in [
        (UPGRADE.replace("/ws", "/elsewhere"), Refusal::NoSuchPath),
        (UPGRADE.replace("/ws", "/ws/"), Refusal::NoSuchPath),
        (UPGRADE.replace("13", "12"), Refusal::Version),
        (UPGRADE.replace("GET", "PUT"), Refusal::Method),
        (UPGRADE.replace("\r\n\r\n", ""), Refusal::Incomplete),
        ("GET / HTTP/1.1\n\n".to_owned(), Refusal::LineEnding),
        ("\u{16}\u{3}\u{1}".to_owned(), Refusal::Tls),
        (get("/", &"X: y\r\n".repeat(64)), Refusal::TooManyFields),
        (get("/", &format!("X: {}\r\n", "y".repeat(200_000))), Refusal::HeadTooLarge),
    ] {
        assert_refused(&answer(&shared, &request).await, refusal);
    }
    assert_eq!(answer(&shared, "").await, "", "nobody asked");
}

#[tokio::test]
async fn a_head_has_one_deadline_however_it_dribbles() {
    let shared = shared(|config| config.timing.handshake = Duration::from_millis(100));
    let (client, server, peer) = connect().await;
    let (mut read, mut write) = client.into_split();
    let dribble = tokio::spawn(async move {
        for byte in b"GET / HTTP/1.1\r\nX: ".iter().chain(std::iter::repeat(&b'y')) {
            if write.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let permit = shared.admission.admit(peer);
    let receiving = tokio::spawn(receive(server, peer, permit, Arc::clone(&shared)));
    let mut answer = String::new();
    read.read_to_string(&mut answer).await.unwrap();
    assert_refused(&answer, Refusal::Timeout);
    dribble.abort();
    assert!(receiving.await.unwrap().is_none());
}

#[tokio::test]
async fn a_draining_server_answers_http_and_refuses_upgrades() {
    let shared = shared(|_| {});
    assert!(answer(&shared, &get("/readyz", "")).await.starts_with("HTTP/1.1 200 "));
    shared.advance(crate::shutdown::Phase::Draining);
    let refused = answer(&shared, UPGRADE).await;
    assert_refused(&refused, Refusal::Draining);
    assert!(refused.contains("\r\nRetry-After: 5\r\n"), "{refused}");
    let unready = answer(&shared, &get("/readyz", "")).await;
    assert!(unready.starts_with("HTTP/1.1 503 ") && unready.contains("retry-after: 5\r\n"));
    assert!(answer(&shared, &get("/healthz", "")).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_full_server_answers_http_and_refuses_upgrades() {
    let shared = shared(|config| config.max_connections = 1);
    let (_client, _server, peer) = connect().await;
    let _held = shared.admission.admit(peer).unwrap();
    assert_refused(&answer(&shared, UPGRADE).await, Refusal::Full);
    assert!(answer(&shared, &get("/healthz", "")).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn one_who_is_not_let_in_hears_why_and_when_to_come_back() {
    let shared = shared(|config| {
        config.limit_loopback = true;
        config.max_connections_per_address = 1;
    });
    let (_client, _server, peer) = connect().await;
    let _held = shared.admission.admit(peer).unwrap();
    let refused = answer(&shared, UPGRADE).await;
    assert_refused(&refused, Refusal::AddressConnections);
    assert!(refused.contains("\r\nRetry-After: 5\r\n"));
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_forwarded_address_counts() {
    let shared = shared(|config| {
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.max_connections_per_address = 1;
    });
    let from = |client: &str| {
        UPGRADE.replace("Host", &format!("X-Forwarded-For: 6.6.6.6, {client}\r\nHost"))
    };
    let (mut client, server, peer) = connect().await;
    client.write_all(from("192.0.2.1").as_bytes()).await.unwrap();
    let held = receive(server, peer, shared.admission.admit(peer), Arc::clone(&shared)).await;
    assert!(held.is_some());
    for (address, refused) in [("192.0.2.1", true), ("192.0.2.2", false)] {
        let (mut client, server, peer) = connect().await;
        client.write_all(from(address).as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let second = receive(server, peer, shared.admission.admit(peer), Arc::clone(&shared)).await;
        assert_eq!(second.is_none(), refused);
        drop(second);
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.starts_with("HTTP/1.1 429 "), refused, "{answer}");
    }
}

#[tokio::test]
async fn a_browser_gets_the_page_and_anything_else_a_line() {
    let shared = shared(|_| {});
    let page = answer(&shared, &get("/", "Accept: text/html,*/*;q=0.8\r\n")).await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains("\r\ncontent-type: text/html; charset=utf-8\r\n"));
    assert!(page.contains("\r\ncontent-security-policy: default-src 'none';"));
    assert!(page.contains("\r\nx-content-type-options: nosniff\r\n"));
    assert!(page.contains("\r\nreferrer-policy: no-referrer\r\n"));
    assert!(page.ends_with("</html>\n") && !page.contains("%TREE%"), "{page}");
    let line = answer(&shared, &get("/", "Accept: */*\r\n")).await;
    assert!(line.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"));
    assert_eq!(line.split_once("\r\n\r\n").unwrap().1.lines().count(), 1);
}

#[tokio::test]
async fn requests_follow_each_other_until_one_says_close_and_are_get_or_head_only() {
    let shared = shared(|_| {});
    let (more, last) = (get("/healthz", ""), get("/healthz", "Connection: Close\r\n"));
    let three = answer(&shared, &[&*more, &more, &last, &more].concat()).await;
    assert_eq!(three.matches("HTTP/1.1 200 ").count(), 3, "{three}");
    assert_eq!(three.matches("connection: close\r\n").count(), 1, "{three}");
    let old = answer(&shared, "GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200 "), "{old}");
    let head = answer(&shared, &get("/healthz", "").replace("GET", "HEAD")).await;
    assert!(head.contains("\r\ncontent-length: 3\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    let body = "Content-Length: 100000\r\n";
    let post = get("/", body).replace("GET", "POST") + &"x".repeat(100_000);
    let post = answer(&shared, &post).await;
    assert!(post.starts_with("HTTP/1.1 405 ") && post.contains("\r\nallow: GET, HEAD\r\n"));
    let lost = answer(&shared, &get("/nowhere", "").replace("GET", "PUT")).await;
    assert!(lost.starts_with("HTTP/1.1 404 "));
    let ws = answer(&shared, &get("/ws", "")).await;
    assert!(ws.starts_with("HTTP/1.1 426 ") && ws.contains("\r\nupgrade: websocket\r\n"), "{ws}");
}

#[tokio::test]
async fn metrics_are_for_this_machine_or_for_their_own_port() {
    let open = shared(|_| {});
    let metrics = answer(&open, &get("/metrics", "")).await;
    assert!(metrics.starts_with("HTTP/1.1 200 ") && metrics.ends_with("# EOF\n"), "{metrics}");
    for mark in ["X-Forwarded-For: ::1", "Forwarded: for=_x", "X-Real-IP: 127.0.0.1"] {
        let forwarded = answer(&open, &get("/metrics", &format!("{mark}\r\n"))).await;
        assert!(forwarded.starts_with("HTTP/1.1 403 "), "{forwarded}");
    }
    let apart = shared(|config| config.metrics_bind = Some(([127, 0, 0, 1], 0).into()));
    assert!(answer(&apart, &get("/metrics", "")).await.starts_with("HTTP/1.1 403 "));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(http::serve_metrics(listener, apart));
    for (path, status) in [("/metrics", 200), ("/readyz", 200), ("/", 404)] {
        let client = TcpStream::connect(address).await.unwrap();
        let answer = talk(client, get(path, "X-Forwarded-For: 192.0.2.1\r\n").as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    serving.abort();
}
