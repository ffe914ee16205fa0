//! Masking (RFC 6455, section 5.3): XOR with a four-byte key.

use multiversion::multiversion;

/// Bytes that are masked together: one register of AVX2, two of what every x86-64 and AArch64 has.
const CHUNK: usize = 32;

/// Messages up to this long are moved while they are masked; for longer ones two passes, each at
/// the speed of memory, are faster, in bytes.
const SHORT: usize = 256;

/// Masks or unmasks `data` in place with `key`; both are the same operation. Returns whether the
/// outcome is all ASCII, which costs next to nothing to know here. Twice as fast where there is
/// AVX2, which is looked up at run time.
#[multiversion(targets("x86_64+avx2"))]
pub fn apply_mask(data: &mut [u8], key: [u8; 4]) -> bool {
    let mut mask = Mask::new(key);
    let (chunks, tail) = data.as_chunks_mut::<CHUNK>();
    chunks.iter_mut().for_each(|chunk| mask.apply(chunk));
    mask.finish(tail)
}

/// Masks `len` bytes at `from` and puts them at `to`, which is not behind `from`. Returns whether
/// the outcome is all ASCII.
pub(crate) fn move_masked(
    buf: &mut [u8],
    from: usize,
    to: usize,
    len: usize,
    key: [u8; 4],
) -> bool {
    debug_assert!(to <= from, "a chunk is read whole before it is written");
    if to == from || len > SHORT {
        let ascii = apply_mask(&mut buf[from..from + len], key);
        buf.copy_within(from..from + len, to);
        return ascii;
    }
    let (buf, from) = (&mut buf[to..from + len], from - to);
    let mut mask = Mask::new(key);
    let whole = len - len % CHUNK;
    for at in (0..whole).step_by(CHUNK) {
        let mut chunk = [0; CHUNK];
        chunk.copy_from_slice(&buf[from + at..][..CHUNK]);
        mask.apply(&mut chunk);
        buf[at..][..CHUNK].copy_from_slice(&chunk);
    }
    buf.copy_within(from + whole..from + len, whole);
    mask.finish(&mut buf[whole..len])
}

/// A key at work.
struct Mask {
    key: [u8; CHUNK],
    /// The bits that any byte of the outcome so far has, at each place of a chunk.
    seen: [u8; CHUNK],
}

impl Mask {
    #[inline(always)]
    fn new(key: [u8; 4]) -> Self {
        Self { key: std::array::from_fn(|i| key[i % 4]), seen: [0; CHUNK] }
    }

    #[inline(always)]
    fn apply(&mut self, chunk: &mut [u8; CHUNK]) {
        for ((byte, key), seen) in chunk.iter_mut().zip(&self.key).zip(&mut self.seen) {
            *byte ^= key;
            *seen |= *byte;
        }
    }

    /// Masks what is left, shorter than a chunk, and says whether all was ASCII.
    #[inline(always)]
    fn finish(mut self, tail: &mut [u8]) -> bool {
        for ((byte, key), seen) in tail.iter_mut().zip(&self.key).zip(&mut self.seen) {
            *byte ^= key;
            *seen |= *byte;
        }
        self.seen.is_ascii()
    }
}

/// The key for what follows after `consumed` bytes were masked with `key`.
pub(crate) fn advance_key(key: [u8; 4], consumed: usize) -> [u8; 4] {
    std::array::from_fn(|i| key[(i + consumed) % 4])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn masking_in_two_steps_is_masking_at_once(
            data in proptest::collection::vec(any::<u8>(), 0..100),
            key: [u8; 4],
            split in 0usize..100,
        ) {
            let naive: Vec<u8> = data.iter().enumerate().map(|(i, b)| b ^ key[i % 4]).collect();
            let split = split.min(data.len());
            let mut stepped = data;
            let (head, tail) = stepped.split_at_mut(split);
            let ascii = [apply_mask(head, key), apply_mask(tail, advance_key(key, split))];
            prop_assert_eq!(ascii, [naive[..split].is_ascii(), naive[split..].is_ascii()]);
            prop_assert_eq!(stepped, naive);
        }

        #[test]
        fn moving_on_the_way_is_moving_after(
            mut data in proptest::collection::vec(any::<u8>(), 0..100),
            key: [u8; 4],
            by in 0usize..50,
        ) {
            let from = by.min(data.len());
            let len = data.len() - from;
            let mut naive = data.clone();
            apply_mask(&mut naive[from..], key);
            naive.copy_within(from.., 0);
            move_masked(&mut data, from, 0, len, key);
            prop_assert_eq!(&data[..len], &naive[..len]);
        }
    }
}
