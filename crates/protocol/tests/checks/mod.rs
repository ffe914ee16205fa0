//! What must hold whatever bytes come in. Each check takes the bytes that a fuzzer makes up; the
//! fuzz targets, the replay of their corpora on stable and the property tests share them.

#![allow(dead_code, reason = "each test and each fuzz target uses its own part")]

pub(crate) mod binary_header;
pub(crate) mod decoder;
pub(crate) mod envelope;
pub(crate) mod handshake;
pub(crate) mod naive;
pub(crate) mod relay;
pub(crate) mod token;

/// Message limits that are worth a try, in bytes.
const LIMITS: [u64; 4] = [65_536, u64::MAX, 1 << 20, 125];

/// Piece sizes that are worth a try: around the lengths of headers and what their first byte can
/// say, up to a full read.
const SIZES: [usize; 32] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 20, 50, 64, 100, 125, 126, 127, 128, 130, 200,
    300, 1_000, 1_500, 4_096, 16_384, 65_000, 65_535, 65_536,
];

/// The size that the low five bits of a byte stand for.
fn size(byte: u8) -> usize {
    SIZES[usize::from(byte) % SIZES.len()]
}
