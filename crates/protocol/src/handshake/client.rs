//! The client's side of the opening handshake (RFC 6455, section 4.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use httparse::{EMPTY_HEADER, Status};

use super::{Fields, HeadScan, MAX_FIELDS, accept_key};

/// A host, target or subprotocol that can't stand in a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {0} must be visible ASCII without spaces, and not empty")]
pub struct BadUrl(&'static str);

/// The request for a WebSocket. `host` is the `Host` header, with the port where it isn't 80;
/// `target` is the path and query, beginning with `/`; `key` is 16 random bytes, new for each
/// connection; `subprotocols` are offered in order of preference.
///
/// # Errors
/// [`BadUrl`] names the argument that has a byte that would end its line, or is empty.
pub fn client_request(
    host: &str,
    target: &str,
    key: &[u8; 16],
    subprotocols: &[&str],
) -> Result<Vec<u8>, BadUrl> {
    let offered = subprotocols.iter().map(|name| ("subprotocol", *name));
    for (what, value) in [("host", host), ("target", target)].into_iter().chain(offered) {
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadUrl(what));
        }
    }
    let mut request = format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n",
        STANDARD.encode(key)
    );
    if !subprotocols.is_empty() {
        request += &format!("Sec-WebSocket-Protocol: {}\r\n", subprotocols.join(", "));
    }
    request += "\r\n";
    Ok(request.into_bytes())
}

/// The server's answer that opens the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The subprotocol the server chose among those offered.
    pub subprotocol: Option<&'a str>,
}

/// Why an answer doesn't open a connection (RFC 6455, section 4.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It is not an HTTP/1.1 answer.
    #[error("the answer is not HTTP/1.1")]
    Malformed,
    /// Its status is not 101.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// `Upgrade` is not `websocket`, or `Connection` lacks the token `Upgrade`.
    #[error("the server switched to something other than a WebSocket")]
    NotWebSocket,
    /// `Sec-WebSocket-Accept` is not what the key asks for.
    #[error("the answer does not fit the request: wrong Sec-WebSocket-Accept")]
    Accept,
    /// It names a subprotocol or an extension that was not offered.
    #[error("the server chose a subprotocol or an extension that was not offered")]
    NotOffered,
}

/// Checks the server's answer: a complete head, as [`HeadScan`] found it. `key`
/// and `subprotocols` are those of the request.
///
/// # Errors
/// [`AnswerError`]; the connection is of no use then.
pub fn check_answer<'a>(
    head: &'a [u8],
    key: &[u8; 16],
    subprotocols: &[&str],
) -> Result<Answer<'a>, AnswerError> {
    if HeadScan::new().advance(head) != Ok(Some(head.len())) {
        return Err(AnswerError::Malformed);
    }
    let mut headers = [EMPTY_HEADER; MAX_FIELDS];
    let mut parsed = httparse::Response::new(&mut headers);
    match parsed.parse(head) {
        Ok(Status::Complete(_)) if parsed.version == Some(1) => {}
        _ => return Err(AnswerError::Malformed),
    }
    match parsed.code {
        Some(101) => {}
        code => return Err(AnswerError::Status(code.unwrap_or_default())),
    }
    let fields = Fields::new(parsed.headers);
    if !fields.has_token("upgrade", "websocket") || !fields.has_token("connection", "upgrade") {
        return Err(AnswerError::NotWebSocket);
    }
    let expected = accept_key(STANDARD.encode(key).as_bytes());
    match fields.once("sec-websocket-accept") {
        Ok(Some(accept)) if accept == expected.as_bytes() => {}
        _ => return Err(AnswerError::Accept),
    }
    let subprotocol = chosen(&fields, subprotocols)?;
    Ok(Answer { subprotocol })
}

/// The chosen subprotocol; no extension may be chosen, since none is ever offered.
fn chosen<'a>(fields: &Fields<'a>, offered: &[&str]) -> Result<Option<&'a str>, AnswerError> {
    let extended = fields.list("sec-websocket-extensions").next().is_some();
    let chosen = fields.once("sec-websocket-protocol").map_err(|_| AnswerError::NotOffered)?;
    match chosen.map(std::str::from_utf8) {
        None if !extended => Ok(None),
        Some(Ok(name)) if !extended && offered.contains(&name) => Ok(Some(name)),
        _ => Err(AnswerError::NotOffered),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Intent, Request};
    use super::*;

    const KEY: &[u8; 16] = b"the sample nonce";
    const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\
        Connection: keep-alive, upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        Sec-WebSocket-Protocol: vyoma.v1\r\n\r\n";

    fn check(answer: &str) -> Result<Option<String>, AnswerError> {
        check_answer(answer.as_bytes(), KEY, &["other", "vyoma.v1"])
            .map(|answer| answer.subprotocol.map(str::to_owned))
    }

    #[test]
    fn our_server_s_side_takes_our_request() {
        let request = client_request("localhost:3001", "/ws?a=b", KEY, &["a", "b"]).unwrap();
        assert_eq!(HeadScan::new().advance(&request), Ok(Some(request.len())));
        let request = Request::parse(&request).unwrap();
        assert_eq!(request.path(), "/ws");
        assert_eq!(request.subprotocols().collect::<Vec<_>>(), [b"a", b"b"]);
        let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned();
        assert_eq!(request.intent, Intent::Upgrade { accept });
    }

    #[test]
    fn nothing_is_smuggled_into_a_request() {
        for bad in ["", "a b", "a\r\nEvil: 1", "ü"] {
            assert_eq!(client_request(bad, "/", KEY, &[]), Err(BadUrl("host")));
            assert_eq!(client_request("a", bad, KEY, &[]), Err(BadUrl("target")));
            assert_eq!(client_request("a", "/", KEY, &[bad]), Err(BadUrl("subprotocol")));
        }
    }

    #[test]
    fn an_answer_is_held_to_the_rfc() {
        use AnswerError::{Accept, Malformed, NotOffered, NotWebSocket, Status};
        assert_eq!(check(GOOD), Ok(Some("vyoma.v1".to_owned())));
        let changed = |from: &str, to: &str| check(&GOOD.replace(from, to));
        assert_eq!(changed("Sec-WebSocket-Protocol: vyoma.v1\r\n", ""), Ok(None));
        assert_eq!(changed("vyoma.v1", "vyoma.v2"), Err(NotOffered));
        assert_eq!(
            changed("Upgrade: W", "Sec-WebSocket-Extensions: a\r\nUpgrade: W"),
            Err(NotOffered)
        );
        assert_eq!(changed("s3p", "S3p"), Err(Accept));
        assert_eq!(changed("-Accept", "-Except"), Err(Accept));
        assert_eq!(changed(", upgrade", ""), Err(NotWebSocket));
        assert_eq!(changed("WebSocket", "h2c"), Err(NotWebSocket));
        assert_eq!(changed("101 Switching", "404 Not Found"), Err(Status(404)));
        assert_eq!(changed("HTTP/1.1", "HTTP/1.0"), Err(Malformed));
        assert_eq!(changed("\r\n\r\n", "\r\n"), Err(Malformed));
    }
}
