//! An invitation's code, as people say it: `baku-niro-zapi-tulo`.
//!
//! Knows syllables. Must not know whose code it is, or whether there is such an invitation.

use std::fmt;

/// So many bits are in a code: eight syllables, each of 16 consonants and 4 vowels, which are
/// `8 * (4 + 2)` bits. 2^48 is 2.8 * 10^14.
pub const CODE_BITS: u32 = 48;

/// The random bytes that a code is made from.
pub const CODE_BYTES: usize = (CODE_BITS / 8) as usize;

/// None of them sounds or looks like another one on a bad line more than it must: no `c`, `q`, `x` or
/// `y`, which are letters but no sounds of their own, and no `j`, which is another sound in each language.
const CONSONANTS: &[u8; 16] = b"bdfghklmnprstvwz";
const VOWELS: &[u8; 4] = b"aiou";

/// A code, as a number of [`CODE_BITS`] bits. Whoever knows it gets in, so debugging doesn't tell it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(u64);

impl Code {
    /// From random bytes, each code as likely as any other.
    pub fn new(random: [u8; CODE_BYTES]) -> Self {
        Self(random.into_iter().fold(0, |code, byte| code << 8 | u64::from(byte)))
    }

    /// From what somebody has typed: upper and lower case, dashes, points and white space make no
    /// difference. `None` if no code is written like that.
    pub fn parse(text: &str) -> Option<Self> {
        let mut letters =
            text.bytes().filter(|byte| !byte.is_ascii_whitespace() && !b"-._".contains(byte));
        let (mut code, mut bits) = (0, 0);
        while let Some(consonant) = letters.next() {
            let consonant = place(consonant, CONSONANTS)?;
            let vowel = place(letters.next()?, VOWELS)?;
            bits += 6;
            if bits > CODE_BITS {
                return None;
            }
            code = code << 6 | consonant << 2 | vowel;
        }
        (bits == CODE_BITS).then_some(Self(code))
    }

    /// The code as a number.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The code behind this one; the first behind the last.
    pub(super) fn following(self) -> Self {
        Self((self.0 + 1) & ((1 << CODE_BITS) - 1))
    }
}

/// Where a letter is in a list.
fn place(letter: u8, list: &[u8]) -> Option<u64> {
    let letter = letter.to_ascii_lowercase();
    list.iter().position(|own| *own == letter).map(|place| place as u64)
}

/// What is said and written: four groups of two syllables.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for syllable in 0..CODE_BITS / 6 {
            if syllable > 0 && syllable % 2 == 0 {
                f.write_str("-")?;
            }
            let bits = (self.0 >> (CODE_BITS - 6 - 6 * syllable)) as usize;
            let consonant = CONSONANTS[bits >> 2 & 15] as char;
            write!(f, "{consonant}{}", VOWELS[bits & 3] as char)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(code)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_four_words_of_two_syllables() {
        assert_eq!(Code::new([0; 6]).to_string(), "baba-baba-baba-baba");
        assert_eq!(Code::new([255; 6]).to_string(), "zuzu-zuzu-zuzu-zuzu");
        assert_eq!(Code::new([0, 0, 0, 0, 0, 5]).to_string(), "baba-baba-baba-badi");
        assert_eq!(format!("{:?}", Code::new([7; 6])), "(code)");
        assert_eq!(Code::new([255; 6]).following(), Code::new([0; 6]));
    }

    #[test]
    fn what_people_make_of_a_code_is_the_same_code() {
        let code = Code::parse("baku-niro-zapi-tulo");
        assert!(code.is_some());
        for heard in ["BAKUNIROZAPITULO", " Baku Niro zapi.tulo\n", "ba-ku-ni-ro-za-pi-tu-lo"] {
            assert_eq!(Code::parse(heard), code, "{heard}");
        }
        for no_code in [
            "",
            "baku-niro-zapi",
            "baku-niro-zapi-tul",
            "baku-niro-zapi-tulo-ba",
            "baku-niro-zapi-tule",
            "baku-niro-zapi-julo",
            "abku-niro-zapi-tulo",
            "baku%20niro-zapi-tulo",
            "bäku-niro-zapi-tulo",
        ] {
            assert_eq!(Code::parse(no_code), None, "{no_code}");
        }
    }

    proptest! {
        #[test]
        fn a_code_is_read_as_it_is_said(random: [u8; 6]) {
            let code = Code::new(random);
            prop_assert_eq!(Code::parse(&code.to_string()), Some(code));
        }

        #[test]
        fn anything_is_a_code_or_none(text: String) {
            if let Some(code) = Code::parse(&text) {
                prop_assert!(code.number() < 1 << CODE_BITS);
            }
        }
    }
}
