//! A terminal: a line that is edited, and what happens above it.

use std::sync::{Arc, Mutex, PoisonError};

use rustyline::{DefaultEditor, ExternalPrinter};
use tokio::sync::mpsc::UnboundedSender;

use super::Wish;
use super::screen::Screen;

/// Prints above the line that is being typed.
#[derive(Clone)]
pub(super) struct Above {
    printer: Arc<Mutex<dyn ExternalPrinter + Send>>,
    colours: bool,
}

impl Above {
    pub(super) fn print(&self, colour: &str, text: &str) {
        let text =
            if self.colours { format!("{colour}{text}\x1b[0m\n") } else { format!("{text}\n") };
        // A terminal that is gone is noticed by who reads from it.
        let _ = self.printer.lock().unwrap_or_else(PoisonError::into_inner).print(text);
    }
}

/// Reads what a person types.
pub(super) struct Editor(DefaultEditor);

/// Takes the terminal. Colours are left out where `NO_COLOR` is set (no-color.org).
pub(super) fn open() -> rustyline::Result<(Screen, Editor)> {
    let mut editor = DefaultEditor::new()?;
    let printer = Arc::new(Mutex::new(editor.create_external_printer()?));
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    Ok((Screen::Terminal(Above { printer, colours }), Editor(editor)))
}

impl Editor {
    /// Reads until the end, Ctrl-C, or nobody wants to know any more.
    pub(super) fn read(mut self, wishes: &UnboundedSender<Wish>) {
        loop {
            let wish = match self.0.readline("") {
                Ok(line) if line.trim().is_empty() => continue,
                Ok(line) => {
                    let _ = self.0.add_history_entry(&line);
                    understand(line)
                }
                Err(_) => Wish::Quit,
            };
            let quits = wish == Wish::Quit;
            if wishes.send(wish).is_err() || quits {
                return;
            }
        }
    }
}

/// A command begins with one slash; two begin a line that is said with one.
fn understand(line: String) -> Wish {
    match line.trim() {
        "/next" => Wish::Next,
        "/invite" => Wish::Invite,
        "/leave" => Wish::Leave,
        "/block" => Wish::Block,
        "/quit" => Wish::Quit,
        said if said.starts_with("//") => Wish::Say(said[1..].to_owned()),
        said if said.starts_with('/') => Wish::Help,
        _ => Wish::Say(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_words() {
        let said = |line: &str| Wish::Say(line.to_owned());
        for (line, wish) in [
            ("/next ", Wish::Next),
            ("/nonsense", Wish::Help),
            ("//next", said("/next")),
            (" hello /next", said(" hello /next")),
        ] {
            assert_eq!(understand(line.to_owned()), wish);
        }
    }
}
