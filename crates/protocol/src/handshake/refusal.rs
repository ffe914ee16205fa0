//! The one table of why a connection is refused before it becomes a WebSocket.
//!
//! Names are stable: a counter of that name counts each refusal, and logs carry it. Knows what to
//! say to a client that is refused, not when to refuse it.

use std::time::Duration;

/// Defines [`Refusal`] and its table in one place, so that no row can be forgotten.
macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $sentence:literal;)+) => {
        /// Why a connection was refused before it became a WebSocket.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Refusal { $($(#[$doc])* $variant,)+ }

        impl Refusal {
            /// Every refusal, in the order of the table; `refusal as usize` is its index here.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$variant,)+];

            const ROWS: &'static [Row] =
                &[$(Row { name: $name, status: $status, sentence: $sentence },)+];
        }
    };
}

struct Row {
    name: &'static str,
    status: u16,
    sentence: &'static str,
}

refusals! {
    /// A CR or LF alone, or an empty line before the request.
    LineEnding = "line_ending", 400, "Every line of the request's head must end with CR LF, and the first must not be empty.";
    /// A control byte where none may be.
    ControlByte = "control_byte", 400, "The request's head contains a control byte.";
    /// A TLS handshake on a port without TLS.
    Tls = "tls", 400, "This port does not speak TLS: use http:// or ws:// here, or the address of the TLS proxy in front.";
    /// The request line is not `METHOD target HTTP/1.1`.
    RequestLine = "request_line", 400, "The request line is malformed: it must be METHOD, one space, a path, one space, HTTP/1.1.";
    /// A header line is not `name: value`: folded, white space before the colon, no name.
    FieldLine = "field_line", 400, "A header line is malformed: it must be a name, a colon and a value, on one line.";
    /// The target is not a path.
    Target = "target", 400, "The request's target must be a path, such as /ws, in visible ASCII.";
    /// `Host` is missing, repeated or malformed.
    Host = "host", 400, "The request must have exactly one Host header, with a host and perhaps a port.";
    /// What tells the body's length is repeated, contradictory or not understood.
    Framing = "framing", 400, "Content-Length or Transfer-Encoding is repeated, contradictory or malformed.";
    /// A field that may come once came more often.
    RepeatedField = "repeated_field", 400, "Origin, Sec-WebSocket-Key and Sec-WebSocket-Version may each be sent once only.";
    /// A request to upgrade announced a body.
    UpgradeBody = "upgrade_body", 400, "A request to upgrade must not have a body.";
    /// `Upgrade: websocket` without `Connection: Upgrade`.
    ConnectionToken = "connection_token", 400, "The Connection header must contain the token Upgrade; a proxy in front may be removing it.";
    /// `Sec-WebSocket-Key` is missing or not 16 bytes in base64.
    Key = "key", 400, "The request must have one Sec-WebSocket-Key: 16 bytes in base64.";
    /// The connection ended within the head.
    Incomplete = "incomplete", 400, "The connection ended before the request's head was complete.";
    /// A request to upgrade at a path that has no WebSocket.
    NoSuchPath = "no_such_path", 404, "There is no WebSocket here; connect to / or /ws.";
    /// A request to upgrade that names a pool which isn't there.
    NoSuchPool = "no_such_pool", 404, "This server has no pool of that name; leave ?pool= out for the usual one.";
    /// A request to upgrade by an invitation that isn't there (any more).
    NoSuchInvite = "no_such_invite", 404, "There is no such invitation in this pool, or it has expired.";
    /// A request to upgrade by an invitation that others have used.
    InviteSpent = "invite_spent", 409, "Two others have used that invitation.";
    /// A request to upgrade into a pool for those who were invited.
    InviteMissing = "invite_missing", 403, "Nobody is paired in this pool without an invitation; add ?invite= and its code.";
    /// A request to upgrade in `vyoma.v1` with an invitation in the address.
    InviteMisplaced = "invite_misplaced", 400, "In vyoma.v1 the invitation is named in join, not in the address.";
    /// Too many invitations that weren't there were tried.
    InviteAttempts = "invite_attempts", 429, "Too many invitations were tried that are none; try again later.";
    /// A request to upgrade that is not a GET.
    Method = "method", 405, "A WebSocket is opened with GET.";
    /// The head did not come in time.
    Timeout = "timeout", 408, "The request's head did not come in time.";
    /// `Sec-WebSocket-Key` without `Upgrade: websocket`.
    UpgradeToken = "upgrade_token", 426, "The Upgrade header must contain the token websocket; a proxy in front may be removing it.";
    /// `Sec-WebSocket-Version` is not 13.
    Version = "version", 426, "This server speaks WebSocket version 13 (RFC 6455).";
    /// One address tries to connect too often.
    AddressAttempts = "address_attempts", 429, "Too many connections a second from your address; try again later.";
    /// One address has too many connections.
    AddressConnections = "address_connections", 429, "Too many connections from your address; close one, or try again later.";
    /// The head is over the limit.
    HeadTooLarge = "head_too_large", 431, "The request's head is too large; fewer cookies may help.";
    /// The head has too many fields.
    TooManyFields = "too_many_fields", 431, "The request has too many headers.";
    /// A request to upgrade that would make one more pool than there may be.
    PoolsFull = "pools_full", 503, "There are as many pools as this server makes; try again later, or leave ?pool= out.";
    /// The server has as many connections as it takes.
    Full = "full", 503, "The server has as many connections as it takes; try again later.";
    /// The server is shutting down.
    Draining = "draining", 503, "The server is shutting down; try again later.";
    /// Neither HTTP/1.1 nor, for plain requests, HTTP/1.0.
    HttpVersion = "http_version", 505, "This server speaks HTTP/1.1.";
}

impl Refusal {
    /// The stable name, as in logs and metrics: `[a-z_]+`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The HTTP status of the answer.
    pub fn status(self) -> u16 {
        self.row().status
    }

    /// What a person reads, in the answer's body.
    pub fn sentence(self) -> &'static str {
        self.row().sentence
    }

    /// The whole HTTP answer: status line, headers, and the sentence as `text/plain`. It closes
    /// the connection. `retry_after` is rounded up to whole seconds, and to at least one.
    pub fn answer(self, retry_after: Option<Duration>) -> Vec<u8> {
        let Row { status, sentence, .. } = self.row();
        let retry = retry_after
            .map_or_else(String::new, |delay| format!("Retry-After: {}\r\n", whole_seconds(delay)));
        format!(
            "HTTP/1.1 {status} {}\r\n{}{retry}Content-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\n\r\n{sentence}\n",
            phrase(*status),
            self.own_fields(),
            sentence.len() + 1,
        )
        .into_bytes()
    }

    /// The headers that the status asks for: `Allow` (RFC 9110, section 15.5.6), `Upgrade` with
    /// its `Connection` token (15.5.22) and the version we speak (RFC 6455, section 4.4).
    fn own_fields(self) -> &'static str {
        match self.status() {
            405 => "Connection: close\r\nAllow: GET\r\n",
            426 => {
                "Connection: close, upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            }
            _ => "Connection: close\r\n",
        }
    }

    fn row(self) -> &'static Row {
        &Self::ROWS[self as usize]
    }
}

/// A delay as `Retry-After` tells it (RFC 9110, section 10.2.3): never too early.
fn whole_seconds(delay: Duration) -> u64 {
    (delay.as_secs() + u64::from(delay.subsec_nanos() > 0)).max(1)
}

fn phrase(status: u16) -> &'static str {
    match status {
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Bad Request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_every_answer_is_whole() {
        let names: HashSet<_> = Refusal::ALL.iter().map(|r| r.name()).collect();
        assert_eq!(names.len(), Refusal::ALL.len());
        for (index, refusal) in Refusal::ALL.iter().enumerate() {
            assert_eq!(*refusal as usize, index);
            assert!(refusal.name().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert_eq!(phrase(refusal.status()) == "Bad Request", refusal.status() == 400);
            let answer = String::from_utf8(refusal.answer(None)).unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {} ", refusal.status())));
            assert!(head.contains(&format!("\r\nContent-Length: {}", body.len())));
            assert!(head.contains("\r\nConnection: close"));
        }
    }

    #[test]
    fn an_answer_says_what_to_do() {
        let text = |refusal: Refusal, retry| String::from_utf8(refusal.answer(retry)).unwrap();
        assert!(text(Refusal::Version, None).contains("\r\nSec-WebSocket-Version: 13\r\n"));
        assert!(text(Refusal::UpgradeToken, None).contains("\r\nUpgrade: websocket\r\n"));
        assert!(text(Refusal::Method, None).contains("\r\nAllow: GET\r\n"));
        let retry = |ms| text(Refusal::Full, Some(Duration::from_millis(ms)));
        assert!(retry(0).contains("\r\nRetry-After: 1\r\n"));
        assert!(retry(2000).contains("\r\nRetry-After: 2\r\n"));
        assert!(retry(2001).contains("\r\nRetry-After: 3\r\n"));
    }
}
