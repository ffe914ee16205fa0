//! What is shown: for people with colours, for scripts line by line.
//!
//! A partner's words are anybody's: nothing in them moves a cursor, or looks like a line of its own.

use std::io::{self, Write as _};

use super::terminal::Above;

/// Where a chat is shown.
#[derive(Clone)]
pub(super) enum Screen {
    /// The partner's words on stdout, one line each; everything else on stderr.
    Pipe,
    /// Above the line that is being typed.
    Terminal(Above),
}

impl Screen {
    /// The partner said this.
    pub(super) fn partner(&mut self, words: &str) {
        match self {
            Self::Pipe => {
                let _ = writeln!(io::stdout(), "{}", on_one_line(words));
            }
            Self::Terminal(above) => above.print("\x1b[36m", &indented(words)),
        }
    }

    /// This happened.
    pub(super) fn state(&mut self, what: &str) {
        let what = on_one_line(what);
        match self {
            Self::Pipe => {
                let _ = writeln!(io::stderr(), "* {what}");
            }
            Self::Terminal(above) => above.print("\x1b[2m", &format!("* {what}")),
        }
    }
}

/// Whether a character changes how others are shown: controls, and what turns the direction of text.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text in which nothing but letters is left as it is.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => line.push(c),
            c if is_unseen(c) => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

/// The same, but lines stay lines, and all but the first are marked as going on.
fn indented(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(on_one_line).collect();
    format!("> {}", lines.join("\n| "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_cannot_move_the_cursor_or_fake_a_line() {
        assert_eq!(on_one_line("a\x1b[2Jb\nc\u{202e}d\té"), "a\\u{1b}[2Jb\\nc\\u{202e}d\té");
        assert_eq!(indented("a\n* matched\r\x07"), "> a\n| * matched\\r\\u{7}");
    }
}
