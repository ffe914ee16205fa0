//! What an organiser tells those who come, as a file says it.
//!
//! Knows the file's form. How long each text may be is the server's business (`Place::check`).

use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use toml::Value;
use vyoma_server::{Confirm, Place};

/// The file's keys, all of which may be left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    name: Option<String>,
    welcome: Option<String>,
    rules: Option<Value>,
    minimum_age: Option<Value>,
    confirm: Option<Value>,
}

/// The place that a file describes.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn read(path: &Path) -> anyhow::Result<Place> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    parse(&text).with_context(|| shown.to_string())
}

fn parse(text: &str) -> anyhow::Result<Place> {
    let keys: Keys = toml::from_str(text)?;
    place(keys).map_err(|(key, why)| anyhow!("{key}: {why}"))
}

/// The place, or the key that is wrong and what would be right.
fn place(keys: Keys) -> Result<Place, (&'static str, &'static str)> {
    let Keys { name, welcome, rules, minimum_age, confirm } = keys;
    const LINES: &str = "must be a list of lines, such as [\"Be kind.\", \"No selling.\"]";
    let rules = rules.map(Value::try_into::<Vec<String>>).transpose();
    let rules = rules.map_err(|_| ("rules", LINES))?.unwrap_or_default();
    // What is no number, or no small one, is no age either.
    let age = |value: Value| value.as_integer().and_then(|age| u8::try_from(age).ok());
    let minimum_age = minimum_age.map(|value| age(value).unwrap_or(0));
    let confirm = match confirm {
        None | Some(Value::Boolean(false)) => None,
        Some(Value::Boolean(true)) => Some(Confirm::Usual),
        Some(Value::String(sentence)) => Some(Confirm::Sentence(sentence)),
        Some(_) => return Err(("confirm", "must be true, or a sentence to be agreed to")),
    };
    let name = name.unwrap_or(Place::default().name);
    // A welcome between three quotes has a line break at its end.
    let welcome = welcome.map(|text| text.trim_end().to_owned());
    let place = Place { name, welcome, rules, minimum_age, confirm };
    place.check().map(|()| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Place, String> {
        parse(text).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn every_key_has_its_place_and_may_be_left_out() {
        let text = "
            name = \"Founders' Hour\"
            welcome = \"\"\"
Two by two.
Bring a question.
\"\"\"
            rules = [\"Be kind.\", \"No selling.\"]
            minimum_age = 18
            confirm = \"I'll be kind.\"
        ";
        let expected = Place {
            name: "Founders' Hour".to_owned(),
            welcome: Some("Two by two.\nBring a question.".to_owned()),
            rules: vec!["Be kind.".to_owned(), "No selling.".to_owned()],
            minimum_age: Some(18),
            confirm: Some(Confirm::Sentence("I'll be kind.".to_owned())),
        };
        assert_eq!(parsed(text), Ok(expected));
        assert_eq!(parsed(""), Ok(Place::default()));
        assert_eq!(parsed("confirm = false"), Ok(Place::default()));
        let usual = Place { confirm: Some(Confirm::Usual), ..Place::default() };
        assert_eq!(parsed("confirm = true"), Ok(usual));
    }

    #[test]
    fn the_guide_s_example_is_one() {
        let guide = include_str!("../../../docs/operations.md");
        let example = guide.split_once("```toml\n").and_then(|(_, rest)| rest.split_once("```"));
        let place = parsed(example.unwrap().0).unwrap();
        assert_eq!(place.rules.len(), 2);
        assert_eq!(place.minimum_age, Some(18));
        assert!(place.welcome.is_some() && place.confirm.is_some());
    }

    #[test]
    fn an_error_names_the_key_and_what_would_be_right() {
        let long = "a".repeat(2001);
        for (text, said) in [
            ("name = \"\"", &["name: ", "1 to 64 bytes"][..]),
            (&format!("name = \"{long}\""), &["name: ", "1 to 64 bytes"]),
            ("name = 7", &["line 1", "name", "expected a string"]),
            ("welcome = \" \"", &["welcome: ", "1 to 2000 bytes"]),
            (&format!("welcome = \"{long}\""), &["welcome: ", "1 to 2000 bytes"]),
            ("rules = [\"\"]", &["rules: ", "1 to 200 bytes"]),
            ("rules = \"Be kind.\"", &["rules: ", "a list of lines"]),
            ("rules = [7]", &["rules: ", "a list of lines"]),
            (&format!("rules = [{}]", "\"a\",".repeat(17)), &["rules: ", "up to 16"]),
            ("minimum_age = 0", &["minimum_age: ", "from 1 to 120"]),
            ("minimum_age = 300", &["minimum_age: ", "from 1 to 120"]),
            ("minimum_age = -1", &["minimum_age: ", "from 1 to 120"]),
            ("minimum_age = \"18\"", &["minimum_age: ", "a number of years from 1 to 120"]),
            ("confirm = 1", &["confirm: ", "must be true, or a sentence"]),
            ("confirm = \"\"", &["confirm: ", "must be true, or a sentence"]),
            ("\n\ntitle = \"x\"", &["line 3", "unknown field `title`", "`name`, `welcome`"]),
            ("name = \"a\"\nname = \"b\"", &["line 2", "duplicate key"]),
            ("name", &["line 1"]),
        ] {
            let error = parsed(text).unwrap_err();
            said.iter().for_each(|word| assert!(error.contains(word), "{text}\n{error}"));
        }
        let nowhere = format!("{:#}", read(Path::new("no/such/file.toml")).unwrap_err());
        assert!(nowhere.starts_with("cannot read no/such/file.toml: "), "{nowhere}");
        let wrong = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let wrong = format!("{:#}", read(&wrong).unwrap_err());
        assert!(wrong.contains("Cargo.toml: TOML parse error at line"), "{wrong}");
    }
}
