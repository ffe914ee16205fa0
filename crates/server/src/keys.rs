//! What this process signs, and what it draws at random.

use std::time::{SystemTime, UNIX_EPOCH};

use vyoma_protocol::envelope::{ConversationId, StreamId};
use vyoma_protocol::token::{BootId, Claims, Identity, Keyring, TOKEN_LIFE, TokenError};

/// Random bytes for a name that nobody else may hit upon.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Linux has had the call since 3.17, and it never fails for so few bytes once the system is up.
    #[expect(clippy::expect_used, reason = "without random names nothing here is safe")]
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    bytes
}

/// A number from 0 to `most`, both included, about evenly.
pub(crate) fn random_up_to(most: u64) -> u64 {
    let drawn = u64::from_be_bytes(random());
    most.checked_add(1).map_or(drawn, |choices| drawn % choices)
}

/// A new conversation's id.
pub(crate) fn conversation() -> ConversationId {
    ConversationId(random())
}

/// A new numbering.
pub(crate) fn stream() -> StreamId {
    StreamId(u64::from_be_bytes(random()))
}

/// A new device.
pub(crate) fn device() -> Identity {
    Identity(random())
}

/// A new process.
pub(crate) fn boot() -> BootId {
    BootId(u64::from_be_bytes(random()))
}

/// Signs a token of this process, whatever its claims say of process and expiry.
pub(crate) fn sign(keys: &Keyring, boot: BootId, claims: Claims) -> String {
    keys.sign(&Claims { boot, expires: unix_now() + TOKEN_LIFE, ..claims })
}

/// Opens a token.
pub(crate) fn open(keys: &Keyring, token: &str) -> Result<Claims, TokenError> {
    keys.open(token, unix_now())
}

/// Seconds since the Unix epoch.
fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
