//! An organiser's directory, whose files take the place of those in the binary.
//!
//! Knows the file system. Must not know what the files mean. Everything is read at each request, by
//! threads that may wait for a disk; whoever asks has checked the path (`site::is_sound`).

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use hyper::body::Bytes;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// The largest file: a picture for a page. A line of 300 kbit/s takes it within an exchange.
const LARGEST: u64 = 1024 * 1024;

/// Files that are read at once, each on a thread of its own; 8 MiB at most.
const READERS: usize = 8;

/// Files with words that are looked at, of which each is a language; there are some 200 in the world
/// with more than a few million speakers.
const MOST_LANGUAGES: usize = 256;

/// The directory.
pub(super) struct Disk {
    dir: PathBuf,
    readers: Semaphore,
    /// What was last read of each file. Clients that read slowly hold these bytes, not copies of them.
    last: Mutex<HashMap<String, Bytes>>,
}

/// A file of the organiser's can't be read; the log says why.
#[derive(Debug)]
pub(crate) struct Unreadable;

impl Disk {
    /// # Errors
    /// If there is no such directory.
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        if !fs::metadata(dir)?.is_dir() {
            return Err(ErrorKind::NotADirectory.into());
        }
        let readers = Semaphore::new(READERS);
        Ok(Self { dir: dir.to_owned(), readers, last: Mutex::default() })
    }

    /// What is in a file; `None` if it isn't there.
    pub(super) async fn read(&self, path: &str) -> Result<Option<Bytes>, Unreadable> {
        let (dir, file) = (self.dir.clone(), path.to_owned());
        self.look(path, move || read(&dir, &file)).await
    }

    /// The page, if it is there, and the paths of the files with words.
    pub(super) async fn page(&self) -> Result<(Option<Bytes>, Vec<String>), Unreadable> {
        let dir = self.dir.clone();
        let look = move || Ok((read(&dir, super::INDEX)?, words(&dir)?));
        self.look(super::INDEX, look).await
    }

    /// The same bytes, from where they already are if they are those that were there last.
    pub(super) fn share(&self, path: &str, body: Bytes) -> Bytes {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last.get(path) {
            Some(known) if *known == body => known.clone(),
            _ => {
                last.insert(path.to_owned(), body.clone());
                body
            }
        }
    }

    async fn look<T: Send + 'static>(
        &self,
        path: &str,
        look: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, Unreadable> {
        let Ok(_turn) = self.readers.acquire().await else { return Err(Unreadable) };
        match spawn_blocking(look).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => {
                tracing::debug!(path, %error, "cannot read in --web-dir");
                Err(Unreadable)
            }
            // Only if it panicked, or the server stops.
            Err(_) => Err(Unreadable),
        }
    }
}

fn read(dir: &Path, path: &str) -> io::Result<Option<Bytes>> {
    let Some(file) = inside(dir, path)? else { return Ok(None) };
    // Before it is opened: that of a pipe would wait for a writer.
    if !fs::metadata(&file)?.is_file() {
        return Ok(None);
    }
    let mut body = Vec::new();
    fs::File::open(file)?.take(LARGEST + 1).read_to_end(&mut body)?;
    if body.len() as u64 > LARGEST {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
    }
    Ok(Some(body.into()))
}

fn words(dir: &Path) -> io::Result<Vec<String>> {
    let Some(folder) = inside(dir, "words")?.filter(|folder| folder.is_dir()) else {
        return Ok(Vec::new());
    };
    let entries = fs::read_dir(folder)?.take(MOST_LANGUAGES);
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.map(|name| format!("words/{name}")).collect())
}

/// Where a path in the directory leads, without links; `None` if there is nothing.
fn inside(dir: &Path, path: &str) -> io::Result<Option<PathBuf>> {
    let resolved = dir.canonicalize().and_then(|dir| Ok((dir.join(path).canonicalize()?, dir)));
    match resolved {
        Ok((file, dir)) if file.starts_with(&dir) => Ok(Some(file)),
        Ok(_) => Err(io::Error::new(ErrorKind::PermissionDenied, "it leads out of the directory")),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
