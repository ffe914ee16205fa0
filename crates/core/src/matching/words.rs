//! A ticket's words as numbers, for as long as somebody uses them.
//!
//! Knows words. Must not know scores or who waits.

use std::collections::HashMap;

use super::person::{Person, Tag};

/// The lists of a ticket, as indices.
pub(super) const OFFERS: usize = 0;
pub(super) const SEEKS: usize = 1;
pub(super) const TOPICS: usize = 2;
pub(super) const LANGUAGES: usize = 3;
/// Of which the other must speak one.
pub(super) const REQUIRED: usize = 4;
const LISTS: usize = 5;

/// The numbers of one ticket's words, list by list.
#[derive(Debug, Default)]
pub(super) struct Words {
    numbers: Box<[u32]>,
    ends: [u8; LISTS],
}

impl Words {
    /// One of its lists.
    pub(super) fn list(&self, list: usize) -> &[u32] {
        let start = if list == 0 { 0 } else { self.ends[list - 1] };
        &self.numbers[usize::from(start)..usize::from(self.ends[list])]
    }
}

/// Words as numbers: the first that nobody has.
#[derive(Debug, Default)]
pub(super) struct Tags {
    numbers: HashMap<Tag, u32>,
    /// By number: the word, and how many use it.
    uses: Vec<(Tag, u32)>,
    free: Vec<u32>,
}

impl Tags {
    /// Takes a person's words into use.
    pub(super) fn intern(&mut self, person: &Person) -> Words {
        let (mut numbers, mut ends) = (Vec::with_capacity(person.len()), [0; LISTS]);
        for (list, end) in person.words().into_iter().zip(&mut ends) {
            numbers.extend(list.iter().map(|word| self.take(word)));
            // At most 3 * 16 + 2 * 8: what a profile and its rules may hold.
            *end = numbers.len() as u8;
        }
        Words { numbers: numbers.into_boxed_slice(), ends }
    }

    /// Takes them out of use.
    pub(super) fn free(&mut self, words: &Words) {
        for number in &words.numbers {
            let (word, uses) = &mut self.uses[*number as usize];
            *uses -= 1;
            if *uses == 0 {
                self.numbers.remove(word);
                self.free.push(*number);
            }
        }
    }

    fn take(&mut self, word: &Tag) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            self.uses[*number as usize].1 += 1;
            return *number;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.uses.push(Default::default());
            self.uses.len() as u32 - 1
        });
        self.uses[number as usize] = (word.clone(), 1);
        self.numbers.insert(word.clone(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vyoma_protocol::envelope::Profile;

    #[test]
    fn words_that_nobody_uses_are_forgotten() {
        let mut tags = Tags::default();
        let person = |json| Person::new(Profile::from_json(json).expect("a profile"));
        let first = tags.intern(&person(r#"{"offers":["a","b"],"topics":["a"]}"#));
        let second = tags.intern(&person(r#"{"seeks":["b","c"]}"#));
        assert_eq!((first.list(OFFERS), first.list(TOPICS)), (&[0, 1][..], &[0][..]));
        assert_eq!((second.list(OFFERS), second.list(SEEKS)), (&[][..], &[1, 2][..]));
        tags.free(&first);
        assert_eq!(tags.numbers.len(), 2, "b is still used");
        tags.free(&second);
        assert_eq!((tags.numbers.len(), tags.free.len()), (0, 3));
        assert_eq!(tags.intern(&person(r#"{"offers":["d"]}"#)).list(OFFERS).len(), 1);
        assert_eq!(tags.uses.len(), 3, "numbers are used again");
    }
}
