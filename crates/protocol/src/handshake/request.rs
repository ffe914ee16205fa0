//! A request's head, judged: an upgrade we accept, a request for HTTP, or a refusal.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use httparse::{EMPTY_HEADER, Error, Status};

use super::fields::Repeated;
use super::{Fields, HeadScan, MAX_FIELDS, Refusal, accept_key};

/// A request's head that may be acted on. Borrows from the bytes it was read from.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The target as it was sent: it begins with `/` (or is `*`, for OPTIONS), and is visible
    /// ASCII without `#`.
    pub target: &'a str,
    /// The header fields.
    pub fields: Fields<'a>,
    /// What the client wants.
    pub intent: Intent,
    /// Whether another request may follow on the connection (RFC 9112, section 9.3): in HTTP/1.1,
    /// without `Connection: close`, and without a body, behind which it would have to be found.
    pub persistent: bool,
}

/// What a client wants with its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Plain HTTP: nothing of a WebSocket is in it.
    Http,
    /// A WebSocket; everything RFC 6455, section 4.2.1, asks for is there.
    Upgrade {
        /// The value for `Sec-WebSocket-Accept`.
        accept: String,
    },
}

impl<'a> Request<'a> {
    /// Reads a complete head, as [`HeadScan`] found it, with its last empty line.
    ///
    /// Refused is whatever two readers could read differently (RFC 9112, sections 2.2, 3, 5, 6.3;
    /// RFC 9110, section 7.2), and whatever wants a WebSocket but doesn't ask for it as RFC 6455,
    /// section 4.2.1, says. `Content-Length: 0` is no body.
    ///
    /// # Errors
    /// The [`Refusal`] to answer with.
    pub fn parse(head: &'a [u8]) -> Result<Self, Refusal> {
        // httparse alone would let a bare LF end a line, and skip empty lines at the start.
        if HeadScan::new().advance(head)? != Some(head.len()) {
            return Err(Refusal::Incomplete);
        }
        let mut headers = [EMPTY_HEADER; MAX_FIELDS];
        let mut parsed = httparse::Request::new(&mut headers);
        let length = parsed.parse(head).map_err(|error| refusal(error, head))?;
        let (Status::Complete(_), Some(method), Some(target), Some(version)) =
            (length, parsed.method, parsed.path, parsed.version)
        else {
            return Err(Refusal::RequestLine);
        };
        let fields = Fields::new(parsed.headers);
        check_target(method, target)?;
        check_host(&fields, version)?;
        let body = check_framing(&fields, version)?;
        let intent = intent(&fields, method, version, body)?;
        let persistent = version == 1 && !body && !fields.has_token("connection", "close");
        Ok(Self { target, fields, intent, persistent })
    }

    /// The target without its query.
    pub fn path(&self) -> &'a str {
        self.target.split_once('?').map_or(self.target, |(path, _)| path)
    }

    /// The value of a key in the query, as it was sent; the first, if there are more.
    pub fn query(&self, key: &str) -> Option<&'a str> {
        let (_, query) = self.target.split_once('?')?;
        query_value(query, key)
    }

    /// The subprotocols the client offers, in its order of preference (RFC 6455, section 11.3.4).
    pub fn subprotocols(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.fields.list("sec-websocket-protocol")
    }
}

/// The value of a key in a query, as it was sent; the first, if there are more.
pub fn query_value<'q>(query: &'q str, key: &str) -> Option<&'q str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(own, value)| (own == key).then_some(value))
}

fn refusal(error: Error, head: &[u8]) -> Refusal {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let words = line.split(|byte| *byte == b' ').count();
    match error {
        Error::TooManyHeaders => Refusal::TooManyFields,
        // A space in the target puts something else where the version should be.
        Error::Version if words == 3 => Refusal::HttpVersion,
        Error::HeaderName | Error::HeaderValue => Refusal::FieldLine,
        Error::NewLine | Error::Status | Error::Token | Error::Version => Refusal::RequestLine,
    }
}

/// Origin form only (RFC 9112, section 3.2.1), and `*` for OPTIONS: an absolute form names a host
/// a second time, an authority form asks for a tunnel.
fn check_target(method: &str, target: &str) -> Result<(), Refusal> {
    let visible = target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let form = target.starts_with('/') || (method == "OPTIONS" && target == "*");
    if visible && form { Ok(()) } else { Err(Refusal::Target) }
}

/// Exactly one `Host` (RFC 9112, section 3.2), of the bytes a host and a port are made of. An
/// HTTP/1.0 request may leave it out: health checks of load balancers do.
fn check_host(fields: &Fields<'_>, version: u8) -> Result<(), Refusal> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%:[]".contains(byte);
    match fields.once("host").map_err(|Repeated| Refusal::Host)? {
        Some(host) if !host.is_empty() && host.iter().all(allowed) => Ok(()),
        None if version == 0 => Ok(()),
        _ => Err(Refusal::Host),
    }
}

/// What tells where a body ends must tell it in one way (RFC 9112, section 6.3): one plain
/// `Content-Length`, or one `Transfer-Encoding: chunked` in HTTP/1.1, or neither. Returns whether
/// there is a body.
fn check_framing(fields: &Fields<'_>, version: u8) -> Result<bool, Refusal> {
    let once = |name| fields.once(name).map_err(|Repeated| Refusal::Framing);
    match (once("content-length")?, once("transfer-encoding")?) {
        (None, None) => Ok(false),
        (Some(length), None) if is_length(length) => Ok(length != b"0"),
        (None, Some(coding)) if version == 1 && coding.eq_ignore_ascii_case(b"chunked") => Ok(true),
        _ => Err(Refusal::Framing),
    }
}

/// Digits, of which 18 fit into any reader's 64 bits, without a leading zero, which some readers
/// take for octal.
fn is_length(value: &[u8]) -> bool {
    let plain = !value.is_empty() && value.len() <= 18 && value.iter().all(u8::is_ascii_digit);
    plain && (value.len() == 1 || value[0] != b'0')
}

/// A request with either of the two marks of a WebSocket wants one; a proxy may have taken the
/// other mark away, and then the client is better told than given a page.
fn intent(fields: &Fields<'_>, method: &str, version: u8, body: bool) -> Result<Intent, Refusal> {
    let once = |name| fields.once(name).map_err(|Repeated| Refusal::RepeatedField);
    once("origin")?;
    let (key, spoken) = (once("sec-websocket-key")?, once("sec-websocket-version")?);
    let upgrade = fields.has_token("upgrade", "websocket");
    if !upgrade && key.is_none() {
        return Ok(Intent::Http);
    }
    let rules = [
        (method == "GET", Refusal::Method),
        (version == 1, Refusal::HttpVersion),
        (upgrade, Refusal::UpgradeToken),
        (fields.has_token("connection", "upgrade"), Refusal::ConnectionToken),
        (!body, Refusal::UpgradeBody),
        (spoken == Some(b"13"), Refusal::Version),
    ];
    if let Some((_, broken)) = rules.into_iter().find(|(kept, _)| !kept) {
        return Err(broken);
    }
    let key = key.filter(|key| is_key(key)).ok_or(Refusal::Key)?;
    Ok(Intent::Upgrade { accept: accept_key(key) })
}

/// 16 bytes in base64 (RFC 6455, section 4.1). The four bits that its last letter leaves over are
/// not looked at: some clients draw the letters at random.
fn is_key(key: &[u8]) -> bool {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let mut bytes = [0; 18];
    GeneralPurpose::new(&ALPHABET, LENIENT).decode_slice(key, &mut bytes) == Ok(16)
}
