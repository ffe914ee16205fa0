//! Masking (RFC 6455, section 5.3): XOR with a four-byte key.

/// Masks or unmasks `data` in place with `key`; both are the same operation.
pub fn apply_mask(data: &mut [u8], key: [u8; 4]) {
    let wide = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    let (words, tail) = data.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
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
            apply_mask(head, key);
            apply_mask(tail, advance_key(key, split));
            prop_assert_eq!(stepped, naive);
        }
    }
}
