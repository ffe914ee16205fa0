//! What must hold for binary messages whatever bytes come in.

use vyoma_protocol::Reason;
use vyoma_protocol::envelope::{BINARY_HEADER, MAX_NUMBER, binary_header, parse_binary};

/// The bytes are a binary message.
pub(crate) fn check(data: &[u8]) {
    let n = data.iter().take(BINARY_HEADER).fold(0, |n: u64, byte| n << 8 | u64::from(*byte));
    let sound = data.len() >= BINARY_HEADER && n > 0 && n <= MAX_NUMBER;
    match parse_binary(data) {
        Ok((ours, payload)) => {
            assert!(sound);
            assert_eq!((ours, [&binary_header(n), payload].concat().as_slice()), (n, data));
        }
        Err(fault) => {
            assert!(!sound);
            assert_eq!(fault.reason, Reason::BadBinary);
        }
    }
}
