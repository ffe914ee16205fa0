//! What must hold for tokens whatever text comes in: only what was signed is opened.

use vyoma_protocol::envelope::{ConversationId, Side};
use vyoma_protocol::token::{BootId, Claims, Identity, Keyring};

/// The bytes are a token that a stranger presents, and then what an honest one says.
pub(crate) fn check(data: &[u8]) {
    let ring = Keyring::new([0x5a; 32]);
    if let Ok(text) = std::str::from_utf8(data) {
        // A fuzzer would have to break HMAC.
        assert!(ring.open(text, 0).is_err() && ring.open_device(text).is_err());
        let _ = Keyring::parse(text);
    }
    let byte = |at: usize| data.get(at).copied().unwrap_or(0);
    let bytes = |at: usize| std::array::from_fn(|i| byte(at + i));
    let number = |at: usize| u64::from_be_bytes(std::array::from_fn(|i| byte(at + i)));
    let claims = Claims {
        conversation: ConversationId(bytes(0)),
        side: if byte(16) & 1 == 0 { Side::A } else { Side::B },
        plain_partner: byte(16) & 2 != 0,
        epoch: number(17),
        identity: Identity(bytes(25)),
        boot: BootId(number(41)),
        expires: number(49).max(1),
    };
    let token = ring.sign(&claims);
    assert_eq!(ring.open(&token, claims.expires - 1), Ok(claims));
    assert!(ring.open(&token, claims.expires).is_err());
    let mut forged = token.into_bytes();
    let at = usize::from(byte(57)) % forged.len();
    forged[at] ^= 1 << (byte(58) % 7);
    if let Ok(forged) = std::str::from_utf8(&forged) {
        assert!(ring.open(forged, 0).is_err());
    }
}
