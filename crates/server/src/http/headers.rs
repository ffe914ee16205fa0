//! What every answer says about how it may be used.
//!
//! Knows browsers' rules for a page and its files. Must not know routes.

use hyper::HeaderMap;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};

/// What the page may do: run the server's scripts and styles, show its pictures, connect back here.
/// No script can be made from a string, not even by a page's own mistake.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'";

/// What the page never asks for, so that nothing that gets into it can. Only names that browsers
/// know: of others Chromium complains.
const SWITCHED_OFF: &str = "accelerometer=(), camera=(), display-capture=(), encrypted-media=(), \
    geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), \
    picture-in-picture=(), publickey-credentials-get=(), serial=(), usb=(), xr-spatial-tracking=()";

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// For whatever a browser may open by itself.
pub(super) const PAGE: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, PAGE_POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (RESOURCE_POLICY, "same-origin"),
    (PERMISSIONS_POLICY, SWITCHED_OFF),
    (CACHE_CONTROL, "no-cache"),
];

/// For a page, beside [`PAGE`], where a browser trusts the way it came ([`is_trusted`]): no other
/// site's window has a hold on it.
pub(super) const ALONE: [(HeaderName, &str); 1] = [(OPENER_POLICY, "same-origin")];

/// For the files of a page, of which there are dozens: what goes beyond that is a kilobyte each.
pub(super) const FILE: [(HeaderName, &str); 3] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (RESOURCE_POLICY, "same-origin"),
    (CACHE_CONTROL, "no-cache"),
];

/// For what an address never changes: a year, which stands for ever (RFC 9111, section 5.2.2.1).
pub(super) const LASTING: [(HeaderName, &str); 1] =
    [(CACHE_CONTROL, "max-age=31536000, immutable")];

/// Whether a browser takes this server for one it reaches safely, by HTTPS or on its own machine: only
/// then does it say how it fetches (Fetch Metadata, section 2), and only then does it heed [`ALONE`],
/// about which it complains elsewhere.
pub(super) fn is_trusted(headers: &HeaderMap) -> bool {
    headers.contains_key("sec-fetch-mode")
}
