//! QR codes of links to this server, for those who hold a phone up to a screen.
//!
//! Knows what a link to here looks like, and SVG. Must not know invitations, nor HTTP's answers.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};
use vyoma_protocol::handshake::query_value;

/// The longest link, in bytes: with an invitation and a pool one has about a hundred. The work grows
/// with it, too: such a code takes half a millisecond, and one of this length two.
const LONGEST: usize = 512;

/// Light modules around the code, which scanners need (ISO/IEC 18004, section 9.1).
const QUIET: usize = 4;

/// A QR code as SVG for the link in a query, `link=` and an address on this very host, percent-encoded.
/// Dark on light in every theme, since many scanners read nothing else.
///
/// # Errors
/// What the link must be.
pub(crate) fn svg(query: Option<&str>, host: Option<&str>) -> Result<String, &'static str> {
    const REQUIRED: &str =
        "Ask for /qr.svg?link= and an address of this server, percent-encoded.\n";
    const OURS: &str =
        "The link must be http:// or https://, this server's own host, and a path.\n";
    let link = query.and_then(|query| query_value(query, "link")).ok_or(REQUIRED)?;
    let link = decoded(link).ok_or(REQUIRED)?;
    if link.len() > LONGEST {
        return Err("The link must have at most 512 bytes.\n");
    }
    if !host.is_some_and(|host| leads_to(&link, host)) {
        return Err(OURS);
    }
    let code = QrCode::encode_binary(&link, QrCodeEcc::Medium).map_err(|_| OURS)?;
    Ok(drawn(&modules(&code)))
}

/// The rows of a code, in which dark modules are true.
fn modules(code: &QrCode) -> Vec<Vec<bool>> {
    let row = |y| (0..code.size()).map(|x| code.get_module(x, y)).collect();
    (0..code.size()).map(row).collect()
}

/// The bytes of percent-encoded text; `None` if it isn't that.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(if byte == b'%' { (digit()? * 16 + digit()?) as u8 } else { byte });
    }
    Some(bytes)
}

/// Whether a link is visible ASCII and leads to a path on this host.
fn leads_to(link: &[u8], host: &str) -> bool {
    let rest = link.strip_prefix(b"https://").or_else(|| link.strip_prefix(b"http://"));
    let split = rest.and_then(|rest| rest.split_at_checked(host.len()));
    let ours = |(own, path): (&[u8], &[u8])| {
        own.eq_ignore_ascii_case(host.as_bytes()) && path.starts_with(b"/")
    };
    link.iter().all(u8::is_ascii_graphic) && split.is_some_and(ours)
}

/// The modules as one path: a run of dark ones in a row is one rectangle.
fn drawn(modules: &[Vec<bool>]) -> String {
    let side = modules.len() + 2 * QUIET;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/>\
         <path fill=\"#000\" d=\""
    );
    for (row, y) in modules.iter().zip(QUIET..) {
        let mut x = QUIET;
        for run in row.chunk_by(|one, next| one == next) {
            let length = run.len();
            if run[0] {
                // Writing to a string doesn't fail.
                let _ = write!(svg, "M{x} {y}h{length}v1h-{length}z");
            }
            x += length;
        }
    }
    svg + "\"/></svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(query: &str) -> bool {
        svg(Some(query), Some("localhost:3001")).is_err()
    }

    #[test]
    fn only_links_to_this_host_are_drawn() {
        for link in [
            "http%3A%2F%2Flocalhost%3A3001%2F%3Finvite%3Dbaku-niro",
            "https://LOCALHOST:3001/",
            "http://localhost:3001/chat/?pool=a%26b",
        ] {
            assert!(!refused(&format!("link={link}")), "{link}");
            assert!(!refused(&format!("x=y&link={link}&z")), "{link}");
        }
        for link in [
            "",
            "/",
            "http://localhost:3001",
            "http://localhost:3001?a",
            "http://localhost:30010/",
            "http://localhost/",
            "http://localhost:3001@evil.example/",
            "http://evil.example/",
            "//localhost:3001/",
            "javascript:alert(1)",
            "ftp://localhost:3001/",
            "http://localhost:3001/%",
            "http://localhost:3001/%4",
            "http://localhost:3001/%zz",
            "http://localhost:3001/%0a",
            "http://localhost:3001/%C3%A9",
            "http://localhost:3001/%20",
        ] {
            assert!(refused(&format!("link={link}")), "{link}");
        }
        let link =
            |length: usize| format!("link=http://localhost:3001/{}", "a".repeat(length - 22));
        assert!(!refused(&link(512)) && refused(&link(513)));
        assert!(svg(None, Some("localhost:3001")).is_err());
        assert!(svg(Some("link=http:///"), Some("")).is_ok(), "a host is checked before");
        assert!(svg(Some("link=http:///"), None).is_err());
    }

    #[test]
    fn a_code_is_dark_on_light_with_room_around() {
        let drawing = drawn(&[vec![true, true], vec![false, true]]);
        assert!(drawing.contains("viewBox=\"0 0 10 10\""), "{drawing}");
        assert!(drawing.contains("fill=\"#fff\" d=\"M0 0h10v10H0z\""), "{drawing}");
        assert!(drawing.contains("fill=\"#000\" d=\"M4 4h2v1h-2zM5 5h1v1h-1z\""), "{drawing}");
    }
}
