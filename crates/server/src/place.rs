//! What an organiser tells those who come, as plain values.
//!
//! Knows how long each may be. Must not know files, nor how it is shown.

/// The most bytes in a name.
const LONGEST_NAME: usize = 64;

/// The most bytes in a welcome: some 300 words, more than anybody reads at a door.
const LONGEST_WELCOME: usize = 2000;

/// The most rules.
const MOST_RULES: usize = 16;

/// The most bytes in a rule, and in what is agreed to: two lines on a wide screen.
const LONGEST_RULE: usize = 200;

/// The oldest that anybody has to be.
const OLDEST: u8 = 120;

/// How the page presents this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What it is called, in 1 to 64 bytes.
    pub name: String,
    /// Who may enter and what it is about, in 1 to 2000 bytes, perhaps on several lines.
    pub welcome: Option<String>,
    /// The house rules: up to 16 of 1 to 200 bytes each.
    pub rules: Vec<String>,
    /// How old one has to be, in years: 1 to 120.
    pub minimum_age: Option<u8>,
    /// What has to be agreed to before one enters.
    pub confirm: Option<Confirm>,
}

/// What has to be agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirm {
    /// The age and the rules, in the words of the page's language.
    Usual,
    /// This sentence, of 1 to 200 bytes.
    Sentence(String),
}

impl Default for Place {
    fn default() -> Self {
        Self {
            name: "VyomaChat".to_owned(),
            welcome: None,
            rules: Vec::new(),
            minimum_age: None,
            confirm: None,
        }
    }
}

impl Place {
    /// Checks every value.
    ///
    /// # Errors
    /// The first that makes no sense, by name, and what would be right.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let fits = |text: &String, most| is_line(text) && text.len() <= most;
        let rules = [
            (fits(&self.name, LONGEST_NAME), "name", "must be a line of 1 to 64 bytes"),
            (
                self.welcome.iter().all(|text| is_prose(text) && text.len() <= LONGEST_WELCOME),
                "welcome",
                "must be 1 to 2000 bytes, without control characters but line breaks",
            ),
            (self.rules.len() <= MOST_RULES, "rules", "there can be up to 16"),
            (
                self.rules.iter().all(|rule| fits(rule, LONGEST_RULE)),
                "rules",
                "each must be a line of 1 to 200 bytes",
            ),
            (
                self.minimum_age.iter().all(|age| (1..=OLDEST).contains(age)),
                "minimum_age",
                "must be a number of years from 1 to 120",
            ),
            (
                self.sentence().iter().all(|text| fits(text, LONGEST_RULE)),
                "confirm",
                "must be true, or a sentence to be agreed to: a line of 1 to 200 bytes",
            ),
        ];
        let broken = rules.into_iter().find(|(fine, ..)| !fine);
        broken.map_or(Ok(()), |(_, key, why)| Err((key, why)))
    }

    /// The sentence of the organiser's own that has to be agreed to.
    fn sentence(&self) -> Option<&String> {
        match &self.confirm {
            Some(Confirm::Sentence(sentence)) => Some(sentence),
            Some(Confirm::Usual) | None => None,
        }
    }
}

/// Whether a text says something, on one line.
fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(char::is_control)
}

/// Whether a text says something, on any number of lines.
fn is_prose(text: &str) -> bool {
    let odd = |c: char| c.is_control() && c != '\n';
    !text.trim().is_empty() && !text.contains(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(change: impl FnOnce(&mut Place)) -> Option<&'static str> {
        let mut place = Place::default();
        change(&mut place);
        place.check().err().map(|(key, _)| key)
    }

    #[test]
    fn each_value_has_its_bounds() {
        assert_eq!(wrong(|_| {}), None);
        assert_eq!(wrong(|place| place.name = "é".repeat(32)), None);
        assert_eq!(wrong(|place| place.name = "é".repeat(33)), Some("name"));
        assert_eq!(wrong(|place| place.name = " ".to_owned()), Some("name"));
        assert_eq!(wrong(|place| place.name = "a\nb".to_owned()), Some("name"));
        assert_eq!(wrong(|place| place.welcome = Some("a\nb".repeat(500))), None);
        assert_eq!(wrong(|place| place.welcome = Some("a".repeat(2001))), Some("welcome"));
        assert_eq!(wrong(|place| place.welcome = Some(String::new())), Some("welcome"));
        assert_eq!(wrong(|place| place.welcome = Some("\u{1b}[2J".to_owned())), Some("welcome"));
        assert_eq!(wrong(|place| place.rules = vec!["a".repeat(200); 16]), None);
        assert_eq!(wrong(|place| place.rules = vec!["a".to_owned(); 17]), Some("rules"));
        assert_eq!(wrong(|place| place.rules = vec!["a".repeat(201)]), Some("rules"));
        assert_eq!(wrong(|place| place.rules = vec![String::new()]), Some("rules"));
        assert_eq!(wrong(|place| place.minimum_age = Some(120)), None);
        assert_eq!(wrong(|place| place.minimum_age = Some(0)), Some("minimum_age"));
        assert_eq!(wrong(|place| place.minimum_age = Some(121)), Some("minimum_age"));
        let sentence = |text: &str| Some(Confirm::Sentence(text.to_owned()));
        assert_eq!(wrong(|place| place.confirm = sentence("Yes.")), None);
        assert_eq!(wrong(|place| place.confirm = Some(Confirm::Usual)), None);
        assert_eq!(wrong(|place| place.confirm = sentence("")), Some("confirm"));
    }
}
