//! Where a client keeps what it needs to come back after a crash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use vyoma_reliable::{BadSaved, Saved};

/// Keeps what a session has to remember.
pub trait Store: Send {
    /// What was kept; [`Saved::default`] if nothing.
    ///
    /// # Errors
    /// If it can't be read.
    fn load(&mut self) -> Result<Saved, StoreError>;

    /// Keeps this instead of what was kept before. When it returns, that has to survive a crash of
    /// this process. It is called for each message both ways, and shouldn't take long.
    ///
    /// # Errors
    /// If it can't be kept; the session goes on, and the application is told.
    fn save(&mut self, saved: &Saved) -> Result<(), StoreError>;
}

/// Why something couldn't be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system said so.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process uses the file.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// What is in the file isn't what was kept.
    #[error("{path}: {source}")]
    Bad {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: BadSaved,
    },
}

/// A file, readable by its owner only: it holds the token. It is locked, so that no two processes
/// share a seat.
#[derive(Debug)]
pub struct FileStore {
    path: PathBuf,
    /// Beside it: the file itself is replaced at each change.
    _lock: File,
}

impl FileStore {
    /// Keeps everything in this file, which is made if it isn't there.
    ///
    /// # Errors
    /// If its directory can't be written to, or another process uses it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let beside = beside(&path, ".lock");
        let lock = private().open(&beside).map_err(io_error(&beside))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| StoreError::InUse(path.clone()))?;
        Ok(Self { path, _lock: lock })
    }
}

impl Store for FileStore {
    fn load(&mut self) -> Result<Saved, StoreError> {
        match fs::read_to_string(&self.path) {
            Ok(text) => Saved::from_json(&text)
                .map_err(|source| StoreError::Bad { path: self.path.clone(), source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Saved::default()),
            Err(error) => Err(io_error(&self.path)(error)),
        }
    }

    fn save(&mut self, saved: &Saved) -> Result<(), StoreError> {
        let new = beside(&self.path, ".new");
        let write = || {
            private().truncate(true).open(&new)?.write_all(saved.to_json().as_bytes())?;
            fs::rename(&new, &self.path)
        };
        write().map_err(io_error(&self.path))
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    |source| StoreError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_in_a_file_is_found_again_and_by_one_only() {
        let path = std::env::temp_dir().join(format!("vyoma-client-{}", std::process::id()));
        let mut store = FileStore::open(&path).unwrap();
        assert_eq!(store.load().unwrap(), Saved::default());
        let saved = Saved { device: Some("d".into()), attempt: 7, ..Saved::default() };
        store.save(&saved).unwrap();
        assert!(matches!(FileStore::open(&path), Err(StoreError::InUse(_))));
        drop(store);
        let mut store = FileStore::open(&path).unwrap();
        assert_eq!(store.load().unwrap(), saved);
        fs::write(&path, "{").unwrap();
        assert!(matches!(store.load(), Err(StoreError::Bad { .. })));
        for file in [path.clone(), beside(&path, ".lock")] {
            fs::remove_file(file).unwrap();
        }
    }
}
