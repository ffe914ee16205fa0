//! What is answered at which path.
//!
//! Knows routes and answers. Must not know connections. Every route is a GET without a body, so a
//! `match` is the router.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderName,
    HeaderValue, LOCATION, RETRY_AFTER, UPGRADE, VARY,
};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use vyoma_core::admission::RETRY_WHEN_FULL;
use vyoma_protocol::handshake::{Refusal, query_value};

use super::encodings::{self, Encoding};
use super::{Visitor, headers};
use crate::handshake::RETRY_WHEN_DRAINING;
use crate::shared::Shared;
use crate::site::File;
use crate::{metrics, qr};

const HTML: &str = "text/html; charset=utf-8";
const SVG: &str = "image/svg+xml";
const TEXT: &str = "text/plain; charset=utf-8";

/// What anything but a browser gets at `/`.
const GREETING: &str =
    "VyomaChat is running. Open this address in a browser, or point a WebSocket client at it.\n";

pub(super) type Answer = Response<Full<Bytes>>;

/// The answer to a request, with all its headers.
pub(super) async fn answer(request: &Parts, visitor: Visitor, shared: &Shared) -> Answer {
    let answer = find(request, visitor, shared).await;
    if [Method::GET, Method::HEAD].contains(&request.method)
        || answer.status() == StatusCode::NOT_FOUND
    {
        return answer;
    }
    let answer = text(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD work here.\n");
    with(answer, [(ALLOW, "GET, HEAD")])
}

async fn find(request: &Parts, visitor: Visitor, shared: &Shared) -> Answer {
    let page = visitor != Visitor::Scraper;
    match request.uri.path() {
        "/" | "/demo" if page => home(request, shared).await,
        "/ws" if page => websocket(request, shared),
        "/qr.svg" if page => qr(request),
        "/favicon.ico" if page => no_icon(),
        "/healthz" => text(StatusCode::OK, "ok\n"),
        "/readyz" => readiness(shared.shutdown.draining()),
        "/metrics" => metrics(visitor, shared),
        path if page => file(path, request, shared).await,
        _ => nothing(),
    }
}

/// The page, for whoever asks for HTML by name; `*/*` is not a browser opening a page.
async fn home(request: &Parts, shared: &Shared) -> Answer {
    let accepted = request.headers.get_all(ACCEPT).iter();
    let html = accepted.filter_map(|value| value.to_str().ok()).any(|v| v.contains("text/html"));
    let answer = match html {
        false => text(StatusCode::OK, GREETING),
        true => match shared.site.page().await {
            Ok(page) => encoded(page, request),
            Err(_) => unreadable(),
        },
    };
    with(answer, [(VARY, "Accept, Accept-Encoding, Sec-Fetch-Mode")])
}

/// A file of the page, or where it is now.
async fn file(path: &str, request: &Parts, shared: &Shared) -> Answer {
    match shared.site.file(path).await {
        Ok(Some(file)) => with(encoded(file, request), [(VARY, "Accept-Encoding")]),
        Ok(None) => shared.site.stable(path).map_or_else(nothing, moved),
        Err(_) => unreadable(),
    }
}

/// A file in the form that the client likes best.
fn encoded(file: File, request: &Parts) -> Answer {
    let File { kind, plain, gzip, brotli, lasting } = file;
    let form = |encoding| match encoding {
        Encoding::Brotli => Some(("br", brotli.clone()?)),
        Encoding::Gzip => Some(("gzip", gzip.clone()?)),
        Encoding::Plain => Some(("", plain.clone())),
    };
    let best = encodings::accepted(&request.headers).into_iter().find_map(form);
    let (encoding, body) = best.unwrap_or(("", plain));
    let mut answer = bare(kind, body);
    if !encoding.is_empty() {
        answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    let answer = match kind {
        HTML if headers::is_trusted(&request.headers) => {
            with(with(answer, headers::PAGE), headers::ALONE)
        }
        // A drawing that is opened by itself may have scripts, too.
        HTML | SVG => with(answer, headers::PAGE),
        _ => with(answer, headers::FILE),
    };
    if lasting { with(answer, headers::LASTING) } else { answer }
}

/// Not for ever: the next version of the server has another address there.
fn moved(to: String) -> Answer {
    let mut answer = text(StatusCode::FOUND, "It is where this points to.\n");
    if let Ok(to) = HeaderValue::from_maybe_shared(Bytes::from(to)) {
        answer.headers_mut().insert(LOCATION, to);
    }
    answer
}

/// A code takes more time than any file, so each costs its client a connection, of which an address
/// has so many a second.
fn qr(request: &Parts) -> Answer {
    let host = request.headers.get(HOST).and_then(|host| host.to_str().ok());
    match qr::svg(request.uri.query(), host) {
        Ok(svg) => with(found(SVG, svg), [(CACHE_CONTROL, "no-store"), (CONNECTION, "close")]),
        Err(sentence) => text(StatusCode::BAD_REQUEST, sentence),
    }
}

/// Browsers don't tell a page why its WebSocket was refused; the same address without an upgrade does,
/// as far as it is the pool, or that the server is full.
fn websocket(request: &Parts, shared: &Shared) -> Answer {
    let pool = request.uri.query().and_then(|query| query_value(query, "pool"));
    // This connection is one of them, and makes room for the next.
    let full = shared.admission.open() > shared.config.max_connections;
    let refusal = if full { Some(Refusal::Full) } else { shared.pools.refusal(pool) };
    let Some(refusal) = refusal else { return upgrade_required() };
    let mut answer = found(TEXT, format!("{}\n", refusal.sentence()));
    *answer.status_mut() = StatusCode::from_u16(refusal.status()).unwrap_or_default();
    if full {
        answer.headers_mut().insert(RETRY_AFTER, RETRY_WHEN_FULL.as_secs().into());
    }
    with(answer, [(CONNECTION, "close")])
}

/// Browsers ask for it wherever no page names another, and complain if they hear that there is none.
fn no_icon() -> Answer {
    text(StatusCode::NO_CONTENT, "")
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

fn nothing() -> Answer {
    text(StatusCode::NOT_FOUND, "There is nothing here.\n")
}

fn unreadable() -> Answer {
    text(StatusCode::NOT_FOUND, "This file can't be read; the server's log says why.\n")
}

fn text(status: StatusCode, sentence: &'static str) -> Answer {
    let mut answer = found(TEXT, sentence);
    *answer.status_mut() = status;
    answer
}

fn found(kind: &'static str, body: impl Into<Bytes>) -> Answer {
    with(bare(kind, body), headers::PAGE)
}

fn bare(kind: &'static str, body: impl Into<Bytes>) -> Answer {
    with(Response::new(Full::new(body.into())), [(CONTENT_TYPE, kind)])
}

fn with<const N: usize>(mut answer: Answer, headers: [(HeaderName, &'static str); N]) -> Answer {
    for (name, value) in headers {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
