//! The opening handshake (RFC 6455, section 4), both roles, and the strict reading of a request's
//! head that comes before it.
//!
//! Knows HTTP/1.1 heads as bytes: when one is complete, what it says, what must be answered. Must
//! not know sockets, deadlines or who may come in. A head is taken only if no proxy in front could
//! have read it differently; that holds for requests that are no upgrades, too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

mod client;
mod fields;
mod forwarded;
mod refusal;
mod request;
mod scan;

pub use client::{Answer, AnswerError, BadUrl, check_answer, client_request};
pub use fields::Fields;
pub use forwarded::{forwarded_client, is_forwarded};
pub use refusal::Refusal;
pub use request::{Intent, Request, query_value};
pub use scan::HeadScan;

/// The longest head, in bytes, its last empty line included: a browser sends 500 to 800 bytes,
/// and its cookies for one host may add 8 KiB; twice that is more than anyone honest needs.
pub const MAX_HEAD: usize = 16 * 1024;

/// The most header fields in a head: a browser sends about 15 and a chain of proxies adds some
/// ten; four times that leaves room. The table for them takes 64 x 32 bytes = 2 KiB of stack.
pub const MAX_FIELDS: usize = 64;

/// The constant of RFC 6455, section 1.3, that shows the server speaks this protocol.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`: base64 of the SHA-1 of the key,
/// as it was sent, followed by the GUID (RFC 6455, section 4.2.2).
pub fn accept_key(key: &[u8]) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// The server's answer that switches to WebSocket (RFC 6455, section 4.2.2), with the
/// [`Intent::Upgrade`]'s `accept` and the name of the chosen subprotocol, if there is one
/// ([`Dialect::subprotocol`]). It chooses no extension.
///
/// [`Dialect::subprotocol`]: crate::Dialect::subprotocol
pub fn switching_protocols(accept: &str, subprotocol: Option<&str>) -> Vec<u8> {
    let chosen = subprotocol.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{}\r\n",
        chosen.unwrap_or_default()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rfc_s_own_example() {
        assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn the_101_is_a_head_that_our_own_client_takes() {
        let key = *b"the sample nonce";
        let accept = accept_key(b"dGhlIHNhbXBsZSBub25jZQ==");
        for subprotocol in [None, Some("vyoma.v1")] {
            let answer = switching_protocols(&accept, subprotocol);
            assert_eq!(HeadScan::new().advance(&answer), Ok(Some(answer.len())));
            assert_eq!(check_answer(&answer, &key, &["vyoma.v1"]), Ok(Answer { subprotocol }));
        }
    }
}
