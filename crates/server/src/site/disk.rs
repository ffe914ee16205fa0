//! An organiser's directory, whose files take the place of those in the binary.
//!
//! Knows the file system. Must not know what the files mean. Everything is read at each request, by
//! threads that may wait for a disk; whoever asks has checked the path (`site::is_sound`).

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Bytes;
use rustix::fs::{Mode, OFlags};
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
    readers: Arc<Semaphore>,
    /// What was last read of files that are being sent. Clients that read slowly hold these bytes, not
    /// copies of them.
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
        let readers = Arc::new(Semaphore::new(READERS));
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
                last.retain(|_, known| !known.is_unique());
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
        let turn = Arc::clone(&self.readers).acquire_owned().await.map_err(|_| Unreadable)?;
        // The turn is the thread's: whoever asked may give up, but a disk that doesn't answer holds it.
        let looking = spawn_blocking(move || {
            let found = look();
            drop(turn);
            found
        });
        match looking.await {
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
    // Before it is opened: a device may do something then.
    if !fs::metadata(&file)?.is_file() {
        return Ok(None);
    }
    let mut body = Vec::new();
    open(&file)?.take(LARGEST + 1).read_to_end(&mut body)?;
    if body.len() as u64 > LARGEST {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
    }
    Ok(Some(body.into()))
}

/// Opens what was a file a moment ago. If it is a pipe by now, it isn't waited for; if it is a link, it
/// isn't followed.
fn open(file: &Path) -> io::Result<fs::File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(file, flags, Mode::empty())?.into())
}

fn words(dir: &Path) -> io::Result<Vec<String>> {
    let Some(folder) = inside(dir, "words")?.filter(|folder| folder.is_dir()) else {
        return Ok(Vec::new());
    };
    let entries = fs::read_dir(folder)?.take(MOST_LANGUAGES);
    let files = entries.filter_map(Result::ok).filter(|entry| entry.path().is_file());
    let names = files.filter_map(|entry| entry.file_name().into_string().ok());
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::os::unix::fs::symlink;
    use std::pin::pin;
    use std::process::Command;
    use std::sync::mpsc;
    use std::task::Poll;

    use super::*;

    /// An empty directory that goes with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let dir =
                std::env::temp_dir().join(format!("vyoma-disk-{name}-{}", std::process::id()));
            fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[tokio::test]
    async fn a_reader_has_its_turn_until_the_disk_answers_whoever_waits_for_it() {
        let dir = Folder::new("turns");
        let disk = Disk::open(&dir.0).unwrap();
        let (answer, answered) = mpsc::channel::<()>();
        {
            let mut asking = pin!(disk.look("x.js", move || Ok(answered.recv().is_ok())));
            // Until it waits for the disk; then whoever asked goes.
            poll_fn(|context| {
                assert!(asking.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
        }
        assert_eq!(disk.readers.available_permits(), READERS - 1);
        answer.send(()).unwrap();
        let all = disk.readers.acquire_many(READERS as u32).await.unwrap();
        assert_eq!(all.num_permits(), READERS);
    }

    #[test]
    fn what_nobody_is_sent_any_more_is_not_kept() {
        let dir = Folder::new("kept");
        let disk = Disk::open(&dir.0).unwrap();
        let kept = || disk.last.lock().unwrap().len();
        let body = |text: &str| Bytes::from(text.as_bytes().to_vec());
        let sent = disk.share("a.js", body("a"));
        assert_eq!(disk.share("a.js", body("a")).as_ptr(), sent.as_ptr(), "one copy");
        for number in 0..9 {
            disk.share(&format!("{number}.js"), body("b"));
        }
        assert_eq!(kept(), 2, "that one, and the latest");
        drop(sent);
        disk.share("last.js", body("c"));
        assert_eq!(kept(), 1);
    }

    #[test]
    fn what_was_a_file_and_is_a_link_or_a_pipe_is_not_waited_for() {
        let dir = Folder::new("swapped");
        let path = |name: &str| dir.0.join(name);
        fs::write(path("file.js"), "x").unwrap();
        symlink("file.js", path("link.js")).unwrap();
        assert!(Command::new("mkfifo").arg(path("pipe.js")).status().unwrap().success());
        assert!(open(&path("file.js")).is_ok());
        assert!(open(&path("link.js")).is_err());
        assert!(open(&path("pipe.js")).is_ok(), "at once");
    }
}
