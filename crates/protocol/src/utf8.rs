//! Incremental UTF-8 validation (RFC 3629) that fails on the first byte that can't be valid.
//!
//! Text arrives in pieces cut anywhere; only the up to three bytes of a cut character are kept.

/// The text is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidUtf8;

/// The state between two pieces of one text.
#[derive(Debug, Default)]
pub struct Utf8 {
    /// The first bytes of a character whose rest hasn't arrived.
    cut: [u8; 3],
    cut_len: u8,
}

impl Utf8 {
    /// Validates the next piece.
    ///
    /// # Errors
    /// As soon as no continuation could make the text valid.
    pub fn push(&mut self, mut piece: &[u8]) -> Result<(), InvalidUtf8> {
        while self.cut_len > 0 {
            let Some((&byte, rest)) = piece.split_first() else { return Ok(()) };
            piece = rest;
            self.push_cut(byte)?;
        }
        match simdutf8::compat::from_utf8(piece) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_some() => Err(InvalidUtf8),
            Err(error) => {
                let cut = &piece[error.valid_up_to()..];
                self.cut[..cut.len()].copy_from_slice(cut);
                self.cut_len = cut.len() as u8;
                Ok(())
            }
        }
    }

    /// The next piece, known to be ASCII.
    ///
    /// # Errors
    /// If a character is incomplete: ASCII can't go on with it.
    pub fn push_ascii(&mut self, piece: &[u8]) -> Result<(), InvalidUtf8> {
        if self.cut_len > 0 && !piece.is_empty() { Err(InvalidUtf8) } else { Ok(()) }
    }

    /// Ends the text, and readies the state for the next one.
    ///
    /// # Errors
    /// If the text ends inside a character.
    pub fn finish(&mut self) -> Result<(), InvalidUtf8> {
        match std::mem::take(&mut self.cut_len) {
            0 => Ok(()),
            _ => Err(InvalidUtf8),
        }
    }

    fn push_cut(&mut self, byte: u8) -> Result<(), InvalidUtf8> {
        let len = usize::from(self.cut_len);
        let mut character = [0; 4];
        character[..len].copy_from_slice(&self.cut[..len]);
        character[len] = byte;
        match std::str::from_utf8(&character[..=len]) {
            Ok(_) => self.cut_len = 0,
            Err(error) if error.error_len().is_some() => return Err(InvalidUtf8),
            // A character has at most four bytes, so a cut one never has more than three.
            Err(_) => {
                self.cut[len] = byte;
                self.cut_len += 1;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether some continuation of `bytes` is UTF-8, by the standard library on the whole.
    fn could_be_text(bytes: &[u8]) -> bool {
        std::str::from_utf8(bytes).map_or_else(|e| e.error_len().is_none(), |_| true)
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            any::<char>().prop_map(|c| c.to_string().into_bytes()),
            "[a-zäß⚠️🎯]{0,40}".prop_map(String::into_bytes),
            proptest::collection::vec(0x80u8..=0xff, 1..3),
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn agrees_with_the_standard_library_at_every_cut(
            bytes in bytes(),
            cuts in proptest::collection::vec(1usize..9, 1..60),
        ) {
            let mut utf8 = Utf8::default();
            let (mut at, mut cuts) = (0, cuts.iter().cycle());
            while at < bytes.len() {
                let next = (at + cuts.next().unwrap()).min(bytes.len());
                let verdict = utf8.push(&bytes[at..next]);
                prop_assert_eq!(verdict.is_ok(), could_be_text(&bytes[..next]));
                if verdict.is_err() {
                    return Ok(());
                }
                at = next;
            }
            prop_assert_eq!(utf8.finish().is_ok(), std::str::from_utf8(&bytes).is_ok());
        }
    }
}
