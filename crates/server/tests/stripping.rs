//! Comments are left out of the scripts as served, and nothing else is: shown on the real files, by a
//! reader that knows what in JavaScript is a comment and what only looks like one.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../build/strip.rs"]
mod strip;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The scripts in web/, by path.
fn scripts() -> BTreeMap<String, String> {
    let mut scripts = BTreeMap::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web"), &mut scripts);
    assert!(scripts.len() > 20, "{:?}", scripts.keys());
    scripts
}

fn collect(folder: &Path, scripts: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") && !path.ends_with("types") {
            collect(&path, scripts);
        } else if path.extension().is_some_and(|kind| kind == "js") {
            scripts.insert(path.display().to_string(), fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_line_of_the_real_files_stays_or_was_a_comment() {
    for (path, script) in scripts() {
        let stripped = strip::strip(&script).unwrap_or_else(|line| panic!("{path}:{line}"));
        let without = blanked(&script);
        let lines = script.split('\n').zip(stripped.split('\n')).zip(without.split('\n'));
        assert_eq!(script.split('\n').count(), stripped.split('\n').count(), "{path}");
        for (index, ((source, served), code)) in lines.enumerate() {
            let comment = served.is_empty() && code.trim().is_empty();
            assert!(served == source || comment, "{path}:{}: {source}", index + 1);
        }
        let left = stripped.split('\n').find(|line| line.trim_start().starts_with("//"));
        assert_eq!(left, None, "{path}");
    }
}

#[test]
fn a_comment_that_does_not_stand_alone_stays() {
    for (script, expected) in [
        ("a();\n// b\n  // c\nd(); // e\n", "a();\n\n\nd(); // e\n"),
        ("/** a */\nb();\n", "\nb();\n"),
        ("  /* a\n   * b\n   */\nc();", "\n\n\nc();"),
        ("/* a\n// b */\nc();", "\n\nc();"),
        ("/** @type {A} */ (b);\n", "/** @type {A} */ (b);\n"),
        ("a(/* b */);\nc(); /* d\n e */\n", "a(/* b */);\nc(); /* d\n e */\n"),
        ("/*/ a\n*/\nb();", "\n\nb();"),
        ("a / b;\n\"// c\";\n", "a / b;\n\"// c\";\n"),
        ("", ""),
    ] {
        assert_eq!(strip::strip(script).as_deref(), Ok(expected), "{script}");
    }
}

#[test]
fn a_comment_that_breaks_the_rule_is_an_error_at_its_line() {
    assert_eq!(strip::strip("a();\n/* b\n c */ d();\n"), Err(2));
    assert_eq!(strip::strip("a();\n\n/* b\n"), Err(3));
    assert!(strip::RULE.contains("/*"));
}

#[test]
fn the_reader_knows_what_only_looks_like_a_comment() {
    for (script, code) in [
        ("a(); // b\nc();", "a();     \nc();"),
        ("a(/* b\n */);", "a(    \n   );"),
        ("'// a' + \"/* b\" // c", "'// a' + \"/* b\"     "),
        ("'\\'// a' // b", "'\\'// a'     "),
        ("`// a\n// b` // c", "`// a\n// b`     "),
        ("`${`// a`}// b`; // c", "`${`// a`}// b`;     "),
        ("`${{}}// a`", "`${{}}// a`"),
        ("x = /[/*]\\//; // a", "x = /[/*]\\//;     "),
        ("return /`/ // a", "return /`/     "),
        ("a / b / c // d", "a / b / c     "),
    ] {
        assert_eq!(blanked(script), code, "{script}");
    }
    // And so it would have noticed.
    let broken = "a = `\n// b\n`;";
    assert_ne!(strip::strip(broken).unwrap(), blanked(broken));
}

/// A script with a blank for each byte of a comment.
fn blanked(script: &str) -> String {
    let mut reader = Reader { rest: script, out: String::new(), open: Vec::new() };
    while !reader.rest.is_empty() {
        reader.step();
    }
    reader.out
}

struct Reader<'s> {
    rest: &'s str,
    out: String,
    /// For each template literal around: how many braces are open in its `${`.
    open: Vec<usize>,
}

impl Reader<'_> {
    fn step(&mut self) {
        let Some(first) = self.rest.chars().next() else { return };
        if self.rest.starts_with("//") {
            let length = self.rest.find('\n').unwrap_or(self.rest.len());
            self.blank(length);
        } else if self.rest.starts_with("/*") {
            let length = self.rest[2..].find("*/").map_or(self.rest.len(), |end| end + 4);
            self.blank(length);
        } else if first == '/' && self.may_be_pattern() {
            self.quoted('/');
        } else if first == '"' || first == '\'' {
            self.quoted(first);
        } else if first == '`' {
            self.keep(1);
            self.template();
        } else {
            self.brace(first);
        }
    }

    /// Code; a brace may lead back into the template literal around.
    fn brace(&mut self, c: char) {
        self.keep(c.len_utf8());
        match (c, self.open.last_mut()) {
            ('{', Some(depth)) => *depth += 1,
            ('}', Some(0)) => {
                self.open.pop();
                self.template();
            }
            ('}', Some(depth)) => *depth -= 1,
            _ => {}
        }
    }

    /// The text of a template literal, up to its end or its next `${`.
    fn template(&mut self) {
        while let Some(c) = self.rest.chars().next() {
            if self.rest.starts_with("${") {
                self.keep(2);
                return self.open.push(0);
            }
            if c == '\\' {
                self.keep(1);
            }
            self.keep(self.rest.chars().next().map_or(0, char::len_utf8));
            if c == '`' {
                return;
            }
        }
    }

    /// A string, or a pattern, in whose classes a slash ends nothing.
    fn quoted(&mut self, end: char) {
        self.keep(1);
        let mut class = false;
        while let Some(c) = self.rest.chars().next() {
            if c == '\\' {
                self.keep(1);
            }
            self.keep(self.rest.chars().next().map_or(0, char::len_utf8));
            class = end == '/' && (c == '[' || (class && c != ']'));
            if c == end && !class {
                return;
            }
        }
    }

    /// Whether a slash begins a pattern here: where a value may begin.
    fn may_be_pattern(&self) -> bool {
        let before = self.out.trim_end();
        let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        before.is_empty()
            || before.ends_with(|c: char| "(,=:[!&|?{};+-*%<>~^".contains(c))
            || ["return", "typeof", "case", "of", "in"].contains(&word)
    }

    fn keep(&mut self, length: usize) {
        let (kept, rest) = self.rest.split_at(length);
        self.out.push_str(kept);
        self.rest = rest;
    }

    fn blank(&mut self, length: usize) {
        let (comment, rest) = self.rest.split_at(length);
        self.out.extend(comment.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        self.rest = rest;
    }
}
