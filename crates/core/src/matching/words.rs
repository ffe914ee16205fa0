//! A ticket's words as numbers, for as long as somebody uses them.
//!
//! Knows words. Must not know scores or who waits.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::person::{Person, Tag};

/// The lists of a ticket, as indices.
pub(super) const OFFERS: usize = 0;
pub(super) const SEEKS: usize = 1;
pub(super) const TOPICS: usize = 2;
pub(super) const LANGUAGES: usize = 3;
/// Of which the other must speak one.
pub(super) const REQUIRED: usize = 4;
const LISTS: usize = 5;

/// The most words of a list that are compared: all that a profile may hold.
pub(super) const MOST_IN_LIST: usize = 16;

const BYTES: usize = 3;

/// Room for 16 words; more are kept elsewhere.
const INLINE: usize = 16;

/// The most words that a pool knows at once; what is new beyond these is passed over.
const MOST_KNOWN: usize = 1 << (8 * BYTES);

/// The numbers of one ticket's words, list by list, in three bytes each: in one piece with the ticket, since to
/// judge somebody costs little but to fetch this.
#[derive(Debug, Default)]
pub(super) struct Words {
    numbers: SmallVec<[[u8; BYTES]; INLINE]>,
    ends: [u8; LISTS],
}

impl Words {
    /// How many words are in a list.
    pub(super) fn count(&self, list: usize) -> usize {
        usize::from(self.ends[list] - self.start(list))
    }

    /// One of its lists.
    pub(super) fn list(&self, list: usize) -> impl Iterator<Item = u32> {
        let range = usize::from(self.start(list))..usize::from(self.ends[list]);
        self.numbers[range]
            .iter()
            .map(|[low, middle, high]| u32::from_le_bytes([*low, *middle, *high, 0]))
    }

    fn start(&self, list: usize) -> u8 {
        if list == 0 { 0 } else { self.ends[list - 1] }
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
        let (mut numbers, mut ends) = (SmallVec::with_capacity(person.len()), [0; LISTS]);
        for (list, end) in person.words().into_iter().zip(&mut ends) {
            let words = list.iter().take(MOST_IN_LIST);
            numbers.extend(words.filter_map(|word| self.take(word)).map(|number| {
                let [low, middle, high, _] = number.to_le_bytes();
                [low, middle, high]
            }));
            // Five lists of 16 are 80.
            *end = numbers.len() as u8;
        }
        Words { numbers, ends }
    }

    /// Takes them out of use.
    pub(super) fn free(&mut self, words: &Words) {
        for number in (0..LISTS).flat_map(|list| words.list(list)) {
            let (word, uses) = &mut self.uses[number as usize];
            *uses -= 1;
            if *uses == 0 {
                self.numbers.remove(word);
                *word = Tag::default();
                self.free.push(number);
            }
        }
    }

    fn take(&mut self, word: &Tag) -> Option<u32> {
        if let Some(number) = self.numbers.get(word) {
            self.uses[*number as usize].1 += 1;
            return Some(*number);
        }
        if self.numbers.len() == MOST_KNOWN {
            return None;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.uses.push(Default::default());
            self.uses.len() as u32 - 1
        });
        self.uses[number as usize] = (word.clone(), 1);
        self.numbers.insert(word.clone(), number);
        Some(number)
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
        let list = |words: &Words, list| words.list(list).collect::<Vec<_>>();
        assert_eq!((list(&first, OFFERS), list(&first, TOPICS)), (vec![0, 1], vec![0]));
        assert_eq!((list(&second, OFFERS), list(&second, SEEKS)), (vec![], vec![1, 2]));
        tags.free(&first);
        assert_eq!(tags.numbers.len(), 2, "b is still used");
        tags.free(&second);
        assert_eq!((tags.numbers.len(), tags.free.len()), (0, 3));
        assert_eq!(tags.intern(&person(r#"{"offers":["d"]}"#)).count(OFFERS), 1);
        assert_eq!(tags.uses.len(), 3, "numbers are used again");
    }

    #[test]
    fn the_text_of_words_that_nobody_uses_is_freed() {
        let mut tags = Tags::default();
        let json = r#"{"offers":["a","b"]}"#;
        let words = tags.intern(&Person::new(Profile::from_json(json).expect("a profile")));
        tags.free(&words);
        assert!(tags.uses.iter().all(|(word, _)| word.is_empty()), "{:?}", tags.uses);
    }

    #[test]
    fn more_words_than_a_profile_may_hold_are_passed_over() {
        use super::super::score::Lists;
        let list = |from: usize| (from..from + 200).map(|n| n.to_string().into_boxed_str());
        let lists =
            Lists { offers: list(0).collect(), seeks: list(0).collect(), ..Lists::default() };
        let words = Tags::default().intern(&Person::from_lists(lists));
        assert_eq!((words.count(OFFERS), words.count(SEEKS)), (MOST_IN_LIST, MOST_IN_LIST));
    }
}
