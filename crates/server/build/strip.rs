//! Leaves out of a script the comments that stand alone on their lines.
//!
//! Knows lines, not JavaScript: a template literal that spans lines must have none that looks like a
//! comment. Each line that goes leaves an empty one, so errors in a browser name the line of the
//! source. A test of the server holds the real files to this (tests/stripping.rs).

/// What a line that can't be judged has broken.
pub(crate) const RULE: &str =
    "a comment that begins a line with /* must end, and nothing may follow it on its last line";

/// A script without the comments that stand alone on their lines.
///
/// # Errors
/// The number of the line that begins a comment that breaks the [`RULE`].
pub(crate) fn strip(script: &str) -> Result<String, usize> {
    let mut stripped = String::with_capacity(script.len());
    let mut begun = None;
    for (index, line) in script.split('\n').enumerate() {
        if index > 0 {
            stripped.push('\n');
        }
        let text = line.trim();
        if let Some(first) = begun {
            match text.find("*/") {
                Some(end) if end + 2 < text.len() => return Err(first),
                Some(_) => begun = None,
                None => {}
            }
        } else if let Some(rest) = text.strip_prefix("/*") {
            match rest.find("*/") {
                // Something follows: the comment doesn't stand alone, as with a type in front of a value.
                Some(end) if end + 2 < rest.len() => stripped.push_str(line),
                Some(_) => {}
                None => begun = Some(index + 1),
            }
        } else if !text.starts_with("//") {
            stripped.push_str(line);
        }
    }
    begun.map_or(Ok(stripped), Err)
}
