//! Where a server is: `ws://host:port/path`.

use std::str::FromStr;

/// The port of `ws://` where none is given (RFC 6455, section 3).
const USUAL_PORT: u16 = 80;

/// A server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Name or address, without the brackets of IPv6.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query, beginning with `/`.
    pub(crate) target: String,
    /// As in the `Host` header.
    pub(crate) authority: String,
}

/// Why a text is no address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// TLS isn't built in.
    #[error("wss:// is not supported yet: let a TLS proxy on this machine take ws://")]
    Tls,
    /// It begins with neither.
    #[error("write it as ws://host:port, for example ws://localhost:3001")]
    Scheme,
    /// The host is missing, or has characters that no host has.
    #[error("the host is missing or malformed; write ws://host:port")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("the port must be a number from 1 to 65535")]
    Port,
}

impl FromStr for Url {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        if text.starts_with("wss://") {
            return Err(BadUrl::Tls);
        }
        let rest = text.strip_prefix("ws://").ok_or(BadUrl::Scheme)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let target = target.split('#').next().unwrap_or_default();
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or(BadUrl::Host)?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:%".contains(&byte);
        let visible = target.bytes().all(|byte| byte.is_ascii_graphic());
        if host.is_empty() || !host.bytes().all(sound) || !visible {
            return Err(BadUrl::Host);
        }
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(BadUrl::Port)?,
            None if port.is_empty() => USUAL_PORT,
            None => return Err(BadUrl::Host),
        };
        Ok(Self { host: host.to_owned(), port, target, authority: authority.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Result<(String, u16, String), BadUrl> {
        text.parse().map(|Url { host, port, target, .. }| (host, port, target))
    }

    #[test]
    fn addresses_are_taken_apart() {
        let fine = |host: &str, port, target: &str| Ok((host.to_owned(), port, target.to_owned()));
        assert_eq!(parts("ws://localhost:3001"), fine("localhost", 3001, "/"));
        assert_eq!(parts("ws://[::1]:3001/ws?a=b#c"), fine("::1", 3001, "/ws?a=b"));
        assert_eq!(parts("ws://example.org?x"), fine("example.org", 80, "/?x"));
        assert_eq!(parts("wss://a"), Err(BadUrl::Tls));
        assert_eq!(parts("http://a"), Err(BadUrl::Scheme));
        for bad in ["ws://", "ws://:1", "ws://a b", "ws://[::1", "ws://[::1]x", "ws://a/\n"] {
            assert_eq!(parts(bad), Err(BadUrl::Host), "{bad}");
        }
        for bad in ["ws://a:", "ws://a:0", "ws://a:65536", "ws://a:x"] {
            assert_eq!(parts(bad), Err(BadUrl::Port), "{bad}");
        }
    }
}
