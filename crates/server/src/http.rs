//! Plain HTTP on the same port: the page, health, readiness, metrics.
//!
//! Knows exchanges; hyper speaks the protocol, and `routes` has the answers. Must not know WebSockets.

mod encodings;
mod headers;
mod routes;

use std::convert::Infallible;
use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::header::CONNECTION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::handshake::{Received, read_head};
use crate::linger::linger;
use crate::shared::Shared;

/// For one request and its answer, of which the largest is a picture of 1 MiB in an organiser's
/// directory: 300 kbit/s will do. The page's own files need a tenth of that.
const EXCHANGE: Duration = Duration::from_secs(30);

/// Scrapes at once on a metrics port of its own; more wait.
const SCRAPES: usize = 16;

/// Before accepting is tried again where it failed: for want of a descriptor, usually.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);

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

/// Answers one request: `received` is a head that `vyoma_protocol` found unambiguous, and perhaps
/// more. Closes the connection if it is the `last` one.
///
/// Else returns the stream, with what has come of the next request, unless the answer said that the
/// connection ends with it.
pub(crate) async fn serve(
    stream: TcpStream,
    received: Received,
    visitor: Visitor,
    last: bool,
    shared: &Arc<Shared>,
) -> Option<(TcpStream, Vec<u8>)> {
    let Received { mut bytes, head } = received;
    // hyper sees one head and then the end, so nothing that follows can be read in two ways; only
    // with the last request may there be a body, which it reads or leaves.
    let behind = if last { Vec::new() } else { bytes.split_off(head) };
    let (read, write) = stream.into_split();
    let input = Cursor::new(bytes).chain(read.take(if last { u64::MAX } else { 0 }));
    let closing = AtomicBool::new(last);
    let service = service_fn(|request: Request<Incoming>| async {
        let (request, _body) = request.into_parts();
        let answer = routes::answer(&request, visitor, shared).await;
        closing.fetch_or(answer.headers().contains_key(CONNECTION), Relaxed);
        Ok::<_, Infallible>(answer)
    });
    let connection = http1::Builder::new()
        .keep_alive(!last)
        .half_close(true)
        .serve_connection(TokioIo::new(tokio::io::join(input, write)), service)
        .without_shutdown();
    // A client that goes or dawdles gets no more than that; there is nobody to tell.
    let Ok(Ok(parts)) = timeout(EXCHANGE, connection).await else { return None };
    let (input, write) = parts.io.into_inner().into_inner();
    let stream = input.into_inner().1.into_inner().reunite(write).ok()?;
    if !closing.into_inner() {
        return Some((stream, behind));
    }
    linger(stream, shared.config.timing.closing).await;
    None
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
    let Ok(Ok(received)) = timeout(limit, read_head(&mut stream, Vec::new())).await else { return };
    if vyoma_protocol::handshake::Request::parse(&received.bytes[..received.head]).is_ok() {
        serve(stream, received, Visitor::Scraper, true, shared).await;
    }
}
