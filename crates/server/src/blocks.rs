//! Who is blocked from whom, kept beyond the process: a line each, appended to a file.
//!
//! Written when it happens, and not waited for until it is on the disk: a killed server loses none, a
//! machine without power perhaps the last.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use vyoma_protocol::token::Identity;

use crate::reports::{append_to, hex};

/// Two devices that never meet again.
pub(crate) type Pair = [Identity; 2];

/// The file of blocks.
pub(crate) struct Blocks(Mutex<File>);

impl Blocks {
    /// Appends to this file, and creates it if it isn't there; returns what is in it. What is no pair,
    /// such as half a line behind a crash, is passed over with a warning.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Vec<Pair>)> {
        let mut file = append_to(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        if text.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n")?;
        }
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let (pairs, odd): (Vec<_>, Vec<_>) = lines.map(pair).partition(Option::is_some);
        if !odd.is_empty() {
            tracing::warn!(lines = odd.len(), path = %path.display(), "some blocks can't be read");
        }
        Ok((Self(Mutex::new(file)), pairs.into_iter().flatten().collect()))
    }

    /// Keeps one, in one write.
    pub(crate) fn write(&self, [a, b]: Pair) -> io::Result<()> {
        let line = format!("{} {}\n", hex(a), hex(b));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes())
    }
}

fn pair(line: &[u8]) -> Option<Pair> {
    let (a, b) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    Some([identity(a)?, identity(b)?])
}

fn identity(text: &str) -> Option<Identity> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let value = u128::from_str_radix(text, 16).ok().filter(|_| digits)?;
    Some(Identity(value.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_found_again_and_half_a_line_spoils_nothing() {
        let path = std::env::temp_dir().join(format!("vyoma-blocks-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let [a, b, c] = [1, 2, 255].map(|byte| Identity([byte; 16]));
        let (blocks, none) = Blocks::open(&path).unwrap();
        assert_eq!(none, Vec::<Pair>::new());
        blocks.write([a, b]).unwrap();
        blocks.write([b, c]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let (blocks, found) = Blocks::open(&path).unwrap();
        assert_eq!(found, [[a, b]]);
        blocks.write([a, c]).unwrap();
        assert_eq!(Blocks::open(&path).unwrap().1, [[a, b], [a, c]]);
        std::fs::remove_file(path).unwrap();
    }
}
