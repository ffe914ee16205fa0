//! The page with its placeholders filled in.
//!
//! Knows the five placeholders and how a text becomes HTML or JSON in HTML. Must not know where the
//! texts come from.

use serde::Serialize;

use crate::place::{Confirm, Place};

/// What the placeholders stand for.
pub(super) struct Page<'a> {
    pub(super) tree: &'a str,
    pub(super) place: &'a Place,
    pub(super) languages: Vec<&'a str>,
    /// The scripts without which the page's own can't begin.
    pub(super) needed: &'a [&'a str],
}

/// What the page's script reads: `%PLACE%`.
#[derive(Serialize)]
struct Told<'a> {
    tree: &'a str,
    languages: &'a [&'a str],
    name: &'a str,
    welcome: Option<&'a str>,
    rules: &'a [String],
    minimum_age: Option<u8>,
    confirm: Option<Agreement<'a>>,
}

/// What has to be agreed to: `true`, where the page has words for it, or a sentence.
#[derive(Serialize)]
#[serde(untagged)]
enum Agreement<'a> {
    Usual(bool),
    Sentence(&'a str),
}

impl<'a> Agreement<'a> {
    fn new(confirm: &'a Confirm) -> Self {
        match confirm {
            Confirm::Usual => Self::Usual(true),
            Confirm::Sentence(sentence) => Self::Sentence(sentence),
        }
    }
}

impl Page<'_> {
    /// A template with every placeholder replaced, and nothing else, whatever the texts contain.
    pub(super) fn render(&self, template: &str) -> String {
        let values = [
            ("%TREE%", self.tree.to_owned()),
            ("%NAME%", escaped(&self.place.name)),
            ("%WELCOME%", escaped(self.place.welcome.as_deref().unwrap_or_default())),
            ("%PLACE%", self.told()),
            ("%PRELOAD%", self.preload()),
        ];
        let mut page = String::with_capacity(template.len() + 1024);
        let mut rest = template;
        while let Some(at) = rest.find('%') {
            let (before, behind) = rest.split_at(at);
            page.push_str(before);
            let here = values.iter().find(|(token, _)| behind.starts_with(token));
            let (token, value) = here.map_or(("%", "%"), |(token, value)| (*token, value.as_str()));
            page.push_str(value);
            rest = &behind[token.len()..];
        }
        page.push_str(rest);
        page
    }

    /// Has the browser ask for all scripts at once, not for each when it meets the one that imports it.
    fn preload(&self) -> String {
        let link = |path| format!("<link rel=\"modulepreload\" href=\"{}{path}\">", self.tree);
        self.needed.iter().map(link).collect()
    }

    /// JSON that doesn't end a script's element: `<` is written as an escape, which JSON has only in
    /// strings.
    fn told(&self) -> String {
        let Self { tree, place, languages, .. } = self;
        let told = Told {
            tree,
            languages,
            name: &place.name,
            welcome: place.welcome.as_deref(),
            rules: &place.rules,
            minimum_age: place.minimum_age,
            confirm: place.confirm.as_ref().map(Agreement::new),
        };
        // What has only strings, numbers and lists can always be written.
        serde_json::to_string(&told).unwrap_or_default().replace('<', "\\u003c")
    }
}

/// The languages of which there are words, in order, out of the paths of files.
pub(super) fn languages<'p>(paths: impl Iterator<Item = &'p str>) -> Vec<&'p str> {
    let tag = |path: &'p str| path.strip_prefix("words/")?.strip_suffix(".js");
    let mut tags: Vec<_> = paths.filter_map(tag).filter(|tag| is_tag(tag)).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// The bytes and the length of a language tag (RFC 5646, section 2.1).
fn is_tag(tag: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (2..=35).contains(&tag.len()) && tag.bytes().all(sound)
}

/// A text as it is written in HTML, in an element or in a quoted attribute.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, change: impl FnOnce(&mut Place)) -> String {
        let mut place = Place::default();
        change(&mut place);
        let languages = vec!["en", "hi"];
        Page { tree: "_/1/", place: &place, languages, needed: &["a.js"] }.render(template)
    }

    #[test]
    fn placeholders_are_replaced_once_and_nothing_else_is() {
        assert_eq!(render("%TREE%a.js %TREE%b.js", |_| {}), "_/1/a.js _/1/b.js");
        assert_eq!(render("100 % %NAME %TREE %%NAME%%", |_| {}), "100 % %NAME %TREE %VyomaChat%");
        assert_eq!(render("é%NAME%é", |place| place.name = "%TREE%".to_owned()), "é%TREE%é");
        assert_eq!(render("<p>%WELCOME%</p>", |_| {}), "<p></p>");
        assert_eq!(render("", |_| {}), "");
        assert_eq!(render("%PRELOAD%", |_| {}), r#"<link rel="modulepreload" href="_/1/a.js">"#);
    }

    #[test]
    fn texts_are_escaped() {
        let text = "<script>alert('\"&')</script>";
        let place = |place: &mut Place| {
            place.name = text.to_owned();
            place.rules = vec!["</script><!--".to_owned()];
        };
        let safe = "&lt;script&gt;alert(&#39;&quot;&amp;&#39;)&lt;/script&gt;";
        assert_eq!(render("%NAME%", place), safe);
        let json = render("%PLACE%", place);
        assert!(!json.contains('<'), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["name"], text);
        assert_eq!(read["rules"][0], "</script><!--");
    }

    #[test]
    fn the_script_is_told_everything() {
        assert_eq!(
            render("%PLACE%", |_| {}),
            r#"{"tree":"_/1/","languages":["en","hi"],"name":"VyomaChat","welcome":null,"rules":[],"minimum_age":null,"confirm":null}"#
        );
        let full = |place: &mut Place| {
            place.welcome = Some("Founders\nonly".to_owned());
            place.rules = vec!["Be kind.".to_owned()];
            place.minimum_age = Some(18);
            place.confirm = Some(Confirm::Sentence("I am 18.".to_owned()));
        };
        let json = render("%PLACE%", full);
        let behind = r#""welcome":"Founders\nonly","rules":["Be kind."],"minimum_age":18,"confirm":"I am 18."}"#;
        assert!(json.ends_with(behind), "{json}");
        let json = render("%PLACE%", |place| place.confirm = Some(Confirm::Usual));
        assert!(json.ends_with(r#""confirm":true}"#), "{json}");
    }

    #[test]
    fn languages_are_the_files_with_words() {
        let paths = ["words/hi.js", "words/en.js", "words/en.js", "words.js", "words/pt-BR.js"];
        let others = ["words/x.js", "words/a/b.js", "words/de.css", "vyoma/en.js", "words/e n.js"];
        let found = languages(paths.into_iter().chain(others));
        assert_eq!(found, ["en", "hi", "pt-BR"]);
    }
}
