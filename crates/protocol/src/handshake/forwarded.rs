//! Who a proxy says it forwards for: `X-Forwarded-For`, or `Forwarded` (RFC 7239).
//!
//! Both grow on the right, one element per proxy; what is on the left may have been written by the
//! client itself. So only as much is read, from the right, as trusted proxies have written.

use std::net::{IpAddr, SocketAddr};

use super::Fields;

/// Whether the request carries any mark of a proxy that forwarded it.
pub fn is_forwarded(fields: &Fields<'_>) -> bool {
    const SIGNS: [&str; 6] = [
        "x-forwarded-for",
        "forwarded",
        "x-real-ip",
        "x-forwarded-proto",
        "x-forwarded-host",
        "via",
    ];
    SIGNS.iter().any(|name| fields.has(name))
}

/// The address of the client, from a request that came from a trusted proxy: the rightmost one
/// that `trusted` doesn't claim; the leftmost, if it claims all.
///
/// `None` if there is no such header, if what had to be read of it is malformed or hidden
/// (`unknown`), or if both headers are there and disagree: proxies write one of them and pass on
/// the other as the client wrote it, and nobody here knows which.
pub fn forwarded_client(fields: &Fields<'_>, trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let lists = [
        ("x-forwarded-for", node as fn(&str) -> Option<IpAddr>),
        ("forwarded", forwarded_for as fn(&str) -> Option<IpAddr>),
    ];
    let mut clients = lists
        .into_iter()
        .filter(|(name, _)| fields.has(name))
        .map(|(name, read)| rightmost_untrusted(fields, name, read, &trusted));
    let first = clients.next()??;
    clients.all(|other| other == Some(first)).then_some(first)
}

fn rightmost_untrusted(
    fields: &Fields<'_>,
    name: &str,
    read: fn(&str) -> Option<IpAddr>,
    trusted: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let mut leftmost = None;
    for element in fields.list(name).rev() {
        let address = read(std::str::from_utf8(element).ok()?)?;
        if !trusted(address) {
            return Some(address);
        }
        leftmost = Some(address);
    }
    leftmost
}

/// The `for` of one element of `Forwarded` (RFC 7239, section 4). Commas and semicolons in quotes
/// are not understood: no address contains one, and a pair cut in half is malformed.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in element.split(';') {
        let (name, value) = pair.split_once('=')?;
        let value = unquote(value.trim())?;
        if name.trim().eq_ignore_ascii_case("for") && found.replace(node(value)?).is_some() {
            return None;
        }
    }
    found
}

fn unquote(value: &str) -> Option<&str> {
    let inner = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => value,
    };
    (!inner.contains(['"', '\\'])).then_some(inner)
}

/// An address, perhaps with a port; IPv6 perhaps in brackets. An IPv4 address mapped into IPv6 is
/// that IPv4 address.
fn node(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::super::Request;
    use super::*;

    /// 10.0.0.0/8 is trusted.
    fn client(lines: &str) -> Option<String> {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        let request = Request::parse(head.as_bytes()).unwrap();
        let trusted = |ip: IpAddr| matches!(ip, IpAddr::V4(v4) if v4.octets()[0] == 10);
        forwarded_client(&request.fields, trusted).map(|ip| ip.to_string())
    }

    #[test]
    fn the_rightmost_untrusted_address_counts() {
        for (lines, expected) in [
            ("X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"),
            ("x-forwarded-for: 6.6.6.6, 192.0.2.1\r\n", "192.0.2.1"),
            ("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.1 , 10.1.1.1\r\n", "192.0.2.1"),
            ("X-Forwarded-For: 6.6.6.6, 10.9.9.9,10.1.1.1\r\n", "6.6.6.6"),
            ("X-Forwarded-For: junk, 192.0.2.1\r\n", "192.0.2.1"),
            ("X-Forwarded-For: 10.2.2.2, 10.1.1.1\r\n", "10.2.2.2"),
            ("X-Forwarded-For: 192.0.2.1:4711\r\n", "192.0.2.1"),
            ("X-Forwarded-For: ::ffff:192.0.2.1\r\n", "192.0.2.1"),
            ("X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1"),
            ("X-Forwarded-For: [2001:db8::1]\r\n", "2001:db8::1"),
            ("X-Forwarded-For: [2001:db8::1]:4711\r\n", "2001:db8::1"),
            ("Forwarded: for=6.6.6.6, For=192.0.2.1;proto=http;by=10.1.1.1\r\n", "192.0.2.1"),
            ("Forwarded: for=\"[2001:db8::1]:4711\"\r\n", "2001:db8::1"),
            ("Forwarded: for=\", for=192.0.2.1\r\n", "192.0.2.1"),
            ("Forwarded: for=192.0.2.1\r\nX-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"),
        ] {
            assert_eq!(client(lines).as_deref(), Some(expected), "{lines:?}");
        }
    }

    #[test]
    fn what_cannot_be_trusted_names_nobody() {
        for lines in [
            "",
            "X-Forwarded-For:\r\n",
            "X-Forwarded-For: unknown\r\n",
            "X-Forwarded-For: 192.0.2.1, junk\r\n",
            "X-Forwarded-For: 192.0.2.1, junk, 10.1.1.1\r\n",
            "X-Forwarded-For: \u{e9}\r\n",
            "X-Forwarded-For: 192.0.2.1;6.6.6.6\r\n",
            "Forwarded: by=10.1.1.1\r\n",
            "Forwarded: for=_hidden\r\n",
            "Forwarded: for=192.0.2.1;for=6.6.6.6\r\n",
            "Forwarded: for=192.0.2.1;host=\"x, for=6.6.6.6;a=\"\r\n",
            "Forwarded: for=192.0.2.1;host=\"x, for=6.6.6.6\"\r\n",
            "Forwarded: for=6.6.6.6\r\nX-Forwarded-For: 192.0.2.1\r\n",
            "Forwarded: junk\r\nX-Forwarded-For: 192.0.2.1\r\n",
        ] {
            assert_eq!(client(lines), None, "{lines:?}");
        }
    }
}
