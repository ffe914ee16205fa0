//! Files of a test's own, and the binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The binary, in an environment of its own.
pub(crate) fn vyoma(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyoma"));
    command.env_clear().args(arguments);
    command
}

/// What it exits with, and prints on either output.
pub(crate) fn replay(log: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = vyoma(&["replay", log.to_str().unwrap()]);
    let Output { status, stdout, stderr } = command.args(arguments).output().expect("it runs");
    let text = [stdout, stderr].map(|bytes| String::from_utf8(bytes).expect("it prints UTF-8"));
    (status.code().unwrap(), text.concat())
}

/// A place for files, removed in the end.
pub(crate) struct Place(pub(crate) PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("vyoma-replay-{}-{name}", std::process::id());
        let place = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&place);
        fs::create_dir(&place).unwrap();
        Self(place)
    }

    /// A file of this text.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
