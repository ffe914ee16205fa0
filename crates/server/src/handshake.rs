//! From an accepted socket to a WebSocket, an HTTP exchange, or a refusal.
//!
//! Knows deadlines and the order of the checks. What a head must look like is decided by
//! `vyoma_protocol::handshake`, who may come in by `admission`. After the 101 nothing of this
//! stays in memory: run it in a task of its own.

mod visit;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use vyoma_core::admission::Refused;
use vyoma_core::matching::{Code, Ticket, Uninvited};
use vyoma_protocol::Dialect;
use vyoma_protocol::handshake::{
    HeadScan, Intent, Refusal, Request, forwarded_client, is_forwarded, switching_protocols,
};

use crate::admission::Permit;
use crate::config::Rule;
use crate::counters::{self, Counter};
use crate::http::{self, Visitor};
use crate::linger::linger;
use crate::lobby::Invited;
use crate::pools::NamedPool;
use crate::shared::Shared;
use visit::Visit;

/// Where WebSockets are: `/` as with the first VyomaChat, and `/ws` for setups with one path each.
const PATHS: [&str; 2] = ["/", "/ws"];

/// When to come back to a server that is shutting down: about when the next one is up.
pub(crate) const RETRY_WHEN_DRAINING: Duration = Duration::from_secs(5);

/// What most heads fit in, a browser's cookies apart; more is allocated as it comes.
const USUAL_HEAD: usize = 2048;

/// A connection that has become a WebSocket.
pub(crate) struct Upgraded {
    /// The socket, before the 101.
    pub(crate) stream: TcpStream,
    /// The 101, to be written before anything else.
    pub(crate) answer: Vec<u8>,
    pub(crate) dialect: Dialect,
    /// The pool that it wants.
    pub(crate) pool: Arc<NamedPool>,
    /// Its seat in an invitation, and its place in the queue, if it speaks plain and has come by one.
    pub(crate) invited: Option<(Invited, Ticket)>,
    /// What the client sent right behind its head, unread.
    pub(crate) early: Vec<u8>,
    /// Its place, to be held as long as the connection.
    pub(crate) permit: Permit,
}

/// Receives a client: reads what it wants, and answers that unless it is a WebSocket.
///
/// `Some` is a WebSocket once its 101, which comes with it, is written. `None` means that the connection has been dealt with,
/// and closed so that the client could read the answer.
pub(crate) async fn receive(
    stream: TcpStream,
    peer: SocketAddr,
    permit: Result<Permit, Refused>,
    shared: Arc<Shared>,
) -> Option<Upgraded> {
    let permit = match permit {
        Ok(permit) => permit,
        Err(refused) => return turn_away(stream, peer, refused, &shared).await,
    };
    let mut guest = Guest { stream, peer, permit, visit: Visit::begin() };
    let mut behind = Vec::new();
    loop {
        let received = guest.hear(behind, &shared).await;
        let outcome = match received {
            Ok(received) => guest.welcome(received, &shared).await,
            Err(Broken::Silent) => return None,
            Err(Broken::Refused(why)) => guest.refuse(why.into(), &shared).await,
        };
        match outcome {
            Outcome::Upgraded(upgraded) => return Some(*upgraded),
            Outcome::Again(again, more) => (guest, behind) = (again, more),
            Outcome::Gone => return None,
        }
        if behind.is_empty() && !guest.asks_again(&shared).await {
            return None;
        }
    }
}

/// What came up to the end of the head, and perhaps some bytes behind it.
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    /// How many of the bytes are the head.
    pub(crate) head: usize,
}

/// Why no head came.
pub(crate) enum Broken {
    /// The connection ended without a byte, or was reset: nobody is there to be answered.
    Silent,
    /// The client can be told what is wrong.
    Refused(Refusal),
}

/// Reads until the head is complete; it begins with `bytes`. Holds no buffer until the first byte is
/// there.
pub(crate) async fn read_head(
    stream: &mut TcpStream,
    mut bytes: Vec<u8>,
) -> Result<Received, Broken> {
    if bytes.is_empty() {
        stream.readable().await.map_err(|_| Broken::Silent)?;
        bytes.reserve(USUAL_HEAD);
    }
    let mut scan = HeadScan::new();
    loop {
        if let Some(head) = scan.advance(&bytes).map_err(Broken::Refused)? {
            return Ok(Received { bytes, head });
        }
        match stream.read_buf(&mut bytes).await {
            Ok(0) if !bytes.is_empty() => return Err(Broken::Refused(Refusal::Incomplete)),
            Ok(0) | Err(_) => return Err(Broken::Silent),
            Ok(_) => {}
        }
    }
}

/// A client that is being received.
struct Guest {
    stream: TcpStream,
    peer: SocketAddr,
    permit: Permit,
    visit: Visit,
}

/// What became of a request.
enum Outcome {
    Upgraded(Box<Upgraded>),
    /// It was answered, and the connection goes on; perhaps with bytes that have come already.
    Again(Guest, Vec<u8>),
    /// The connection has been closed.
    Gone,
}

/// What a guest gets.
enum Verdict {
    Upgrade {
        accept: String,
        dialect: Dialect,
        pool: Arc<NamedPool>,
        invited: Option<(Invited, Ticket)>,
    },
    /// Plain HTTP, and whether the connection ends with the answer.
    Http(Visitor, bool),
}

impl Guest {
    /// Reads the next head.
    async fn hear(&mut self, behind: Vec<u8>, shared: &Shared) -> Result<Received, Broken> {
        let deadline = Instant::now() + shared.config.timing.handshake;
        let heard = timeout_at(deadline, read_head(&mut self.stream, behind)).await;
        let heard = heard.unwrap_or(Err(Broken::Refused(Refusal::Timeout)));
        if matches!(heard, Err(Broken::Silent)) && self.visit.is_first() {
            counters::refusal(Refusal::Incomplete);
        }
        heard
    }

    async fn welcome(mut self, mut received: Received, shared: &Arc<Shared>) -> Outcome {
        match self.judge(&received.bytes[..received.head], shared) {
            Ok(Verdict::Upgrade { accept, dialect, pool, invited }) => {
                counters::add(Counter::Upgraded, 1);
                Outcome::Upgraded(Box::new(Upgraded {
                    stream: self.stream,
                    answer: switching_protocols(&accept, dialect.subprotocol()),
                    dialect,
                    pool,
                    invited,
                    early: received.bytes.split_off(received.head),
                    permit: self.permit,
                }))
            }
            Ok(Verdict::Http(visitor, last)) => {
                counters::add(Counter::HttpRequests, 1);
                let Self { stream, peer, permit, visit } = self;
                // In a box: what it takes isn't held while a connection that was answered waits.
                let served = Box::pin(http::serve(stream, received, visitor, last, shared)).await;
                match served {
                    Some((stream, behind)) => {
                        Outcome::Again(Self { stream, peer, permit, visit: visit.next() }, behind)
                    }
                    None => Outcome::Gone,
                }
            }
            Err(refused) => self.refuse(refused, shared).await,
        }
    }

    /// Waits until the client asks for something else; not for long, and not when the server leaves.
    async fn asks_again(&self, shared: &Shared) -> bool {
        let mut first = [0];
        tokio::select! {
            // A request that has come is answered, whatever else is due.
            biased;
            // Only a byte tells: after a read that filled its buffer, tokio holds the stream for readable.
            asked = self.stream.peek(&mut first) => asked.is_ok_and(|bytes| bytes > 0),
            () = shared.shutdown.leaving.cancelled() => false,
            () = sleep_until(self.visit.idle_until(shared.config.timing.idle)) => false,
        }
    }

    async fn refuse(self, refused: Refused, shared: &Shared) -> Outcome {
        refuse(self.stream, self.peer, refused, shared).await;
        Outcome::Gone
    }

    fn judge(&mut self, head: &[u8], shared: &Arc<Shared>) -> Result<Verdict, Refused> {
        let request = Request::parse(head)?;
        if shared.admission.trusts(self.peer.ip()) {
            let client = forwarded_client(&request.fields, |proxy| shared.admission.trusts(proxy));
            self.permit.forwarded(client, self.peer)?;
        }
        let path = request.path();
        match &request.intent {
            Intent::Http => {
                let visitor = Visitor::new(self.peer, is_forwarded(&request.fields));
                // A place in the reserve is for one question.
                let goes_on = request.persistent
                    && self.visit.goes_on()
                    && !shared.shutdown.leaving.is_cancelled()
                    && self.permit.stay().is_ok();
                Ok(Verdict::Http(visitor, !goes_on))
            }
            Intent::Upgrade { .. } if !PATHS.contains(&path) => Err(Refusal::NoSuchPath.into()),
            Intent::Upgrade { .. } if shared.shutdown.draining() => Err(draining()),
            Intent::Upgrade { accept } => {
                let pool = shared.pools.find(request.query("pool"), &shared.lobby)?;
                self.permit.stay()?;
                let dialect = Dialect::choose(&request.fields);
                let invited = invited(&request, dialect, &pool, shared)?;
                Ok(Verdict::Upgrade { accept: accept.clone(), dialect, pool, invited })
            }
        }
    }
}

/// The seat in an invitation, and the place in the queue, of a plain client that asks for them by
/// `?invite=`. A `vyoma.v1` client does so in its `join`.
fn invited(
    request: &Request<'_>,
    dialect: Dialect,
    pool: &NamedPool,
    shared: &Arc<Shared>,
) -> Result<Option<(Invited, Ticket)>, Refused> {
    let code = match request.query("invite") {
        Some(_) if dialect == Dialect::V1 => return Err(Refusal::InviteMisplaced.into()),
        Some(code) => Code::parse(code).ok_or(Refusal::NoSuchInvite)?,
        None if dialect == Dialect::Plain && pool.config.rule == Rule::InviteOnly => {
            return Err(Refusal::InviteMissing.into());
        }
        None => return Ok(None),
    };
    let now = Instant::now().into_std();
    let reserved = shared.lobby.reserve(code, &pool.config.name, now).map_err(uninvited)?;
    let (pass, ticket) = reserved;
    Ok(Some((Invited::new(pass, shared), ticket)))
}

fn uninvited(why: Uninvited) -> Refused {
    match why {
        Uninvited::Unknown => Refusal::NoSuchInvite.into(),
        Uninvited::Used => Refusal::InviteSpent.into(),
        Uninvited::TooMany => Refusal::InviteAttempts.into(),
        Uninvited::TooFast(wait) => {
            Refused { why: Refusal::InviteAttempts, retry_after: Some(wait) }
        }
    }
}

fn draining() -> Refused {
    Refused { why: Refusal::Draining, retry_after: Some(RETRY_WHEN_DRAINING) }
}

/// Answers a connection that was not let in, without reading what it wants.
async fn turn_away(
    stream: TcpStream,
    peer: SocketAddr,
    refused: Refused,
    shared: &Shared,
) -> Option<Upgraded> {
    let Some(_leave) = shared.admission.may_answer() else {
        counters::refusal(refused.why);
        counters::add(Counter::RefusedSilently, 1);
        return None;
    };
    refuse(stream, peer, refused, shared).await
}

/// Says no, and closes so that it is heard. Returns what [`receive`] does.
async fn refuse(
    mut stream: TcpStream,
    peer: SocketAddr,
    refused: Refused,
    shared: &Shared,
) -> Option<Upgraded> {
    counters::refusal(refused.why);
    tracing::debug!(%peer, reason = refused.why.name(), "connection refused");
    let limit = shared.config.timing.closing;
    let answer = refused.why.answer(refused.retry_after);
    if let Ok(Ok(())) = timeout(limit, stream.write_all(&answer)).await {
        linger(stream, limit).await;
    }
    None
}

#[cfg(test)]
mod tests;
