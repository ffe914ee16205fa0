//! What a client shows of itself, as far as it matters for a match.
//!
//! Knows how words are made comparable. Must not know tickets or pools.

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;
use vyoma_protocol::envelope::Profile;

use super::score::Lists;

/// A word that is compared: NFKC, case folded, its white space single and inside only.
pub type Tag = Box<str>;

/// A client's words, made comparable: each list sorted, without repeats.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    lists: Lists<Tag>,
    required: Vec<Tag>,
}

impl Person {
    /// From the profile that its partners are shown.
    pub fn new(profile: Profile<'_>) -> Self {
        let list = |key| sorted(profile.list(key).map(|word| normalise(&word.text())));
        let lists = Lists {
            offers: list("offers"),
            seeks: list("seeks"),
            topics: list("topics"),
            languages: list("languages"),
        };
        Self { lists, required: Vec::new() }
    }

    /// The same, who meets only those who speak one of these languages; none: anybody.
    pub fn requiring<'a>(self, languages: impl Iterator<Item = &'a str>) -> Self {
        Self { required: sorted(languages.map(normalise)), ..self }
    }

    /// From words that are comparable already.
    pub fn from_lists(lists: Lists<Tag>) -> Self {
        let Lists { offers, seeks, topics, languages } = lists;
        let [offers, seeks, topics, languages] =
            [offers, seeks, topics, languages].map(|words| sorted(words.into_iter()));
        Self { lists: Lists { offers, seeks, topics, languages }, required: Vec::new() }
    }

    /// Its words.
    pub fn lists(&self) -> &Lists<Tag> {
        &self.lists
    }

    /// The languages of which its partner has to speak one, unless there are none.
    pub fn required(&self) -> &[Tag] {
        &self.required
    }

    /// Whether another one speaks a language that this one requires, if it requires any.
    pub fn allows(&self, other: &Self) -> bool {
        let spoken = |word| other.lists.languages.binary_search(word).is_ok();
        self.required.is_empty() || self.required.iter().any(spoken)
    }

    /// All of these lists, in the order of [`words`](super::words).
    pub(super) fn words(&self) -> [&[Tag]; 5] {
        let Lists { offers, seeks, topics, languages } = &self.lists;
        [offers, seeks, topics, languages, &self.required]
    }

    /// How many words there are in all lists.
    pub(super) fn len(&self) -> usize {
        self.words().iter().map(|list| list.len()).sum()
    }
}

/// As many characters of a word are compared, once it is made comparable: NFKC makes up to 18 of one.
const MOST_CHARACTERS: usize = 128;

/// Makes a word comparable.
pub fn normalise(word: &str) -> Tag {
    let folded = word.nfkc().default_case_fold().nfkc().take(MOST_CHARACTERS);
    let folded: String = folded.collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ").into_boxed_str()
}

/// Sorted, without repeats and without words of nothing but white space.
fn sorted(words: impl Iterator<Item = Tag>) -> Vec<Tag> {
    let mut words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// What two have in common, as one of them sees it; each word as that one wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Common {
    /// Of what it seeks: what the other offers.
    pub seeks: Vec<String>,
    /// Of what it offers: what the other seeks.
    pub offers: Vec<String>,
    /// Topics of both.
    pub topics: Vec<String>,
    /// Languages of both.
    pub languages: Vec<String>,
}

impl Common {
    /// What `own` has in common with `other`.
    pub fn new(own: Profile<'_>, other: Profile<'_>) -> Self {
        let other = Person::new(other).lists;
        let met = |key, theirs: &[Tag]| {
            let words = own.list(key).map(|word| word.text().into_owned());
            words.filter(|word| theirs.binary_search(&normalise(word)).is_ok()).collect()
        };
        Self {
            seeks: met("seeks", &other.offers),
            offers: met("offers", &other.seeks),
            topics: met("topics", &other.topics),
            languages: met("languages", &other.languages),
        }
    }

    /// Stable names of the reasons for a match, the strongest first; none if there is nothing.
    pub fn why(&self) -> impl Iterator<Item = &'static str> {
        [
            (!self.seeks.is_empty(), "seeks_met"),
            (!self.offers.is_empty(), "offers_met"),
            (!self.topics.is_empty(), "topics"),
            (!self.languages.is_empty(), "languages"),
        ]
        .into_iter()
        .filter_map(|(there, name)| there.then_some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_people_take_for_the_same_are_the_same() {
        for (one, other) in [
            ("Rust", "rust"),
            ("Straße", "STRASSE"),
            ("ﬁnance", "Finance"),
            ("  deep \t tech ", "Deep Tech"),
            ("Cafe\u{301}", "café"),
            ("ΌΣΟΣ", "όσος"),
        ] {
            assert_eq!(normalise(one), normalise(other), "{one} {other}");
        }
        assert_ne!(normalise("rust"), normalise("trust"));
    }

    #[test]
    fn what_two_have_in_common_is_told_in_the_own_words() {
        let ada = r#"{"name":"Ada","offers":["Rust","Maths"],"seeks":["FUNDING"],"languages":["en","de"]}"#;
        let ben = r#"{"offers":["funding","law"],"seeks":["maths"],"topics":["looms"],"languages":["DE"]}"#;
        let [ada, ben] = [ada, ben].map(|json| Profile::from_json(json).expect("a profile"));
        let common = Common::new(ada, ben);
        assert_eq!(
            (&common.seeks[..], &common.offers[..]),
            (&["FUNDING".to_owned()][..], &["Maths".to_owned()][..])
        );
        assert_eq!(common.why().collect::<Vec<_>>(), ["seeks_met", "offers_met", "languages"]);
        assert_eq!(Common::new(ben, ada).languages, ["DE"]);
        let nothing = Profile::from_json("{}").expect("a profile");
        assert_eq!(Common::new(ada, nothing), Common::default());
    }
}
