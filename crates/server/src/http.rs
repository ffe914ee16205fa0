//! Plain HTTP on the same port: the page, health, readiness, metrics.
//!
//! Knows routes and answers; hyper speaks the protocol. Must not know WebSockets beyond telling
//! that one is wanted elsewhere. Every route is a GET without a body, so a `match` is the router.

use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    HeaderValue, REFERRER_POLICY, RETRY_AFTER, UPGRADE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::assets;
use crate::handshake::{RETRY_WHEN_DRAINING, read_head};
use crate::linger::linger;
use crate::metrics;
use crate::shared::Shared;

/// For one request and its answer, of which the largest is the page's style of some 10 KiB: a
/// modem would do.
const EXCHANGE: Duration = Duration::from_secs(20);

/// Scrapes at once on a metrics port of its own; more wait.
const SCRAPES: usize = 16;

/// Before accepting is tried again where it failed: for want of a descriptor, usually.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// What anything but a browser gets at `/`.
const GREETING: &str =
    "VyomaChat is running. Open this address in a browser, or point a WebSocket client at it.\n";

/// What the page may do: run its own script and style, show the icon in it, connect back here.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

type Answer = Response<Full<Bytes>>;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visitor {
    /// Someone on the main port.
    Anyone,
    /// Someone on the main port, on this machine, not forwarded from elsewhere.
    Local,
    /// Someone on the port of the metrics.
    Scraper,
}

impl Visitor {
    /// A visitor of the main port; `forwarded` if its request has any mark of a proxy.
    pub(crate) fn new(peer: SocketAddr, forwarded: bool) -> Self {
        if peer.ip().to_canonical().is_loopback() && !forwarded {
            Self::Local
        } else {
            Self::Anyone
        }
    }
}

/// Answers one request and closes. `received` is what has been read from the stream: a whole head
/// that `vyoma_protocol` found unambiguous, and perhaps more.
pub(crate) async fn serve(
    stream: TcpStream,
    received: Vec<u8>,
    visitor: Visitor,
    shared: &Arc<Shared>,
) {
    let (read, write) = stream.into_split();
    let io = tokio::io::join(Cursor::new(received).chain(read), write);
    let service = service_fn(|request| {
        let answer = answer(&request, visitor, shared);
        async { Ok::<_, std::convert::Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .half_close(true)
        .serve_connection(TokioIo::new(io), service)
        .without_shutdown();
    // A client that goes or dawdles gets no more than that; there is nobody to tell.
    let Ok(Ok(parts)) = timeout(EXCHANGE, connection).await else { return };
    let (read, write) = parts.io.into_inner().into_inner();
    if let Ok(stream) = read.into_inner().1.reunite(write) {
        linger(stream, shared.config.timing.closing).await;
    }
}

/// Serves `/metrics`, `/healthz` and `/readyz` on a port of their own, to whoever can reach it.
/// Never returns; whoever drops the future ends its connections too.
pub(crate) async fn serve_metrics(listener: TcpListener, shared: Arc<Shared>) {
    let scrapes = Arc::new(Semaphore::new(SCRAPES));
    let mut tasks = JoinSet::new();
    loop {
        while tasks.try_join_next().is_some() {}
        let Ok(turn) = Arc::clone(&scrapes).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let shared = Arc::clone(&shared);
        tasks.spawn(async move {
            scrape(stream, &shared).await;
            drop(turn);
        });
    }
}

async fn scrape(mut stream: TcpStream, shared: &Arc<Shared>) {
    let limit = shared.config.timing.handshake;
    let Ok(Ok(received)) = timeout(limit, read_head(&mut stream)).await else { return };
    if vyoma_protocol::handshake::Request::parse(&received.bytes[..received.head]).is_ok() {
        serve(stream, received.bytes, Visitor::Scraper, shared).await;
    }
}

fn answer<B>(request: &Request<B>, visitor: Visitor, shared: &Shared) -> Answer {
    let page = visitor != Visitor::Scraper;
    let path = request.uri().path();
    let answer = match path {
        "/" if page => home(request),
        "/ws" if page => upgrade_required(),
        "/healthz" => text(StatusCode::OK, "ok\n"),
        "/readyz" => readiness(shared.shutdown.draining()),
        "/metrics" => metrics(visitor, shared),
        _ => match assets::find(path).filter(|_| page) {
            Some(asset) => found(asset.kind, asset.body),
            None => text(StatusCode::NOT_FOUND, "There is nothing here.\n"),
        },
    };
    let readable = [Method::GET, Method::HEAD].contains(request.method());
    let answer = if readable || answer.status() == StatusCode::NOT_FOUND {
        answer
    } else {
        let answer = text(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD work here.\n");
        with(answer, [(ALLOW, "GET, HEAD")])
    };
    with(
        answer,
        [
            (CONTENT_SECURITY_POLICY, PAGE_POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            (CACHE_CONTROL, "no-cache"),
        ],
    )
}

/// The page, for whoever asks for HTML by name; `*/*` is not a browser opening a page.
fn home<B>(request: &Request<B>) -> Answer {
    let accepted = request.headers().get_all(ACCEPT).iter();
    let html = accepted.filter_map(|value| value.to_str().ok()).any(|v| v.contains("text/html"));
    let answer = if html { found(HTML, assets::PAGE) } else { text(StatusCode::OK, GREETING) };
    with(answer, [(VARY, "Accept")])
}

fn upgrade_required() -> Answer {
    let answer = text(StatusCode::UPGRADE_REQUIRED, "Connect with a WebSocket client.\n");
    with(answer, [(CONNECTION, "close, upgrade"), (UPGRADE, "websocket")])
}

fn readiness(draining: bool) -> Answer {
    if !draining {
        return text(StatusCode::OK, "ready\n");
    }
    let mut answer = text(StatusCode::SERVICE_UNAVAILABLE, "The server is shutting down.\n");
    answer.headers_mut().insert(RETRY_AFTER, RETRY_WHEN_DRAINING.as_secs().into());
    answer
}

/// Metrics tell how busy a place is and how it is run: that is not for everyone.
fn metrics(visitor: Visitor, shared: &Shared) -> Answer {
    let elsewhere = shared.config.metrics_bind.is_some();
    let refusal = match visitor {
        Visitor::Scraper => None,
        _ if elsewhere => Some("Metrics have a port of their own here.\n"),
        Visitor::Local => None,
        Visitor::Anyone => Some("Metrics are served to this machine only, and not by a proxy.\n"),
    };
    match refusal {
        Some(sentence) => text(StatusCode::FORBIDDEN, sentence),
        None => {
            let totals = shared.registry.totals();
            found(metrics::CONTENT_TYPE, metrics::render(totals, shared.gauges(), shared.tallies()))
        }
    }
}

fn found(kind: &'static str, body: impl Into<Bytes>) -> Answer {
    with(Response::new(Full::new(body.into())), [(CONTENT_TYPE, kind)])
}

fn text(status: StatusCode, sentence: &'static str) -> Answer {
    let mut answer = found(TEXT, sentence);
    *answer.status_mut() = status;
    answer
}

fn with<const N: usize>(mut answer: Answer, headers: [(HeaderName, &'static str); N]) -> Answer {
    for (name, value) in headers {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
