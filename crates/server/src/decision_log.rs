//! The decision log's file: lines from the lobby, written by a thread of their own.
//!
//! The lobby only appends to memory, under its lock; so a slow disk costs it nothing. Lines can't be left
//! out, since what comes after them would make no sense: where the disk doesn't keep up, the log ends, and
//! says so. Must not know what lines mean.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use vyoma_core::matching::decisions::End;

use crate::counters::{self, Counter};

/// The most that waits to be written: at some 80 bytes a line and five lines a pairing the pairings of a
/// second on the busiest server, which a disk that works is never behind.
const MOST_PENDING: usize = 16 * 1024 * 1024;

/// The most logs of earlier processes that are set aside.
const MOST_KEPT: u32 = 10_000;

/// A log's file. Dropping it writes what is left, and the log's last line, and waits for that; unless the
/// log has ended by itself.
pub(crate) struct DecisionLog {
    pending: Arc<Pending>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Pending {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    end: Option<End>,
}

impl DecisionLog {
    /// Makes this file, for nobody else's eyes. One that is there already, of an earlier process or of
    /// one that still drains, is set aside under the first name that is free: with `.1`, `.2` and so on.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        set_aside(path)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self::into_file(options.open(path)?)
    }

    fn into_file(file: File) -> io::Result<Self> {
        let pending = Arc::<Pending>::default();
        let body = {
            let pending = Arc::clone(&pending);
            move || pending.write_to(file)
        };
        let writer = thread::Builder::new().name("decisions".to_owned()).spawn(body)?;
        Ok(Self { pending, writer: Some(writer) })
    }

    /// Takes a line; false if the log has ended.
    pub(crate) fn push(&self, line: &[u8]) -> bool {
        let mut state = self.pending.lock();
        if state.end.is_none() && state.lines.len() + line.len() > MOST_PENDING {
            state.end = Some(End::Behind);
        }
        if state.end.is_some() {
            counters::add(Counter::DecisionLogsEnded, 1);
            return false;
        }
        let idle = state.lines.is_empty();
        state.lines.extend_from_slice(line);
        drop(state);
        if idle {
            self.pending.news.notify_one();
        }
        true
    }
}

impl Drop for DecisionLog {
    fn drop(&mut self) {
        let mut state = self.pending.lock();
        if state.end.is_some() {
            // It goes on by itself: nobody waits for a disk that is slow.
            return;
        }
        state.end = Some(End::Stopped);
        drop(state);
        self.pending.news.notify_one();
        if let Some(writer) = self.writer.take() {
            // If it has panicked, there is nothing more to write.
            let _ = writer.join();
        }
    }
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what comes until the log ends.
    fn write_to(&self, mut file: File) {
        let (mut lines, mut written) = (Vec::new(), 0);
        let end = loop {
            let end = self.take(&mut lines);
            if let Err(error) = file.write_all(&lines) {
                tracing::error!(%error, "the decision log can't be written, and ends");
                self.lock().end = Some(End::Failed);
                // Half a line goes, which also makes room for the last one.
                let _ = file.set_len(written).and_then(|()| file.seek(SeekFrom::End(0)));
                break End::Failed;
            }
            written += lines.len() as u64;
            if let Some(end) = end {
                break end;
            }
        };
        if end == End::Behind {
            tracing::error!("the disk doesn't keep up with the decision log, which ends");
        }
        // Without it the log looks like that of a process that was killed, and is as good.
        let _ = file.write_all(end.line().as_bytes());
    }

    /// Waits for lines, and takes them all; with the end, if nothing comes after them.
    fn take(&self, lines: &mut Vec<u8>) -> Option<End> {
        lines.clear();
        let idle = |state: &mut State| state.lines.is_empty() && state.end.is_none();
        let waited = self.news.wait_while(self.lock(), idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut state.lines, lines);
        state.end
    }
}

/// Gives a file that is there already another name.
fn set_aside(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(there) if there.is_file() => {}
        Ok(_) => return Err(io::Error::other("what is there is no file")),
    }
    for number in 1..=MOST_KEPT {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        // Unlike a renaming, a link never replaces a file.
        match fs::hard_link(path, PathBuf::from(name)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            linked => return linked.and_then(|()| fs::remove_file(path)),
        }
    }
    Err(io::Error::other("too many earlier logs lie beside it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let name = format!("vyoma-decisions-{}-{name}", std::process::id());
        let place = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&place);
        fs::create_dir(&place).unwrap();
        place
    }

    #[test]
    fn lines_are_kept_in_their_order_and_the_last_one_says_so() {
        let dir = place("order");
        let path = dir.join("log");
        let log = DecisionLog::create(&path).unwrap();
        let lines: Vec<_> = (0..10_000).map(|number| format!("{number}\n")).collect();
        assert!(lines.iter().all(|line| log.push(line.as_bytes())));
        drop(log);
        let expected = lines.concat() + "{\"end\":\"stopped\"}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn an_earlier_log_is_set_aside_even_while_it_is_written() {
        let dir = place("aside");
        let path = dir.join("log");
        let logs: Vec<_> = (0..3)
            .map(|number| {
                let log = DecisionLog::create(&path).unwrap();
                assert!(log.push(format!("begun {number}\n").as_bytes()));
                log
            })
            .collect();
        drop(logs);
        for (name, number) in [("log", 2), ("log.1", 0), ("log.2", 1)] {
            let text = fs::read_to_string(dir.join(name)).unwrap();
            assert_eq!(text, format!("begun {number}\n{{\"end\":\"stopped\"}}\n"), "{name}");
        }
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_is_no_file_stays_where_it_is() {
        let dir = place("device");
        let error = DecisionLog::create(&dir).err().unwrap();
        assert!(error.to_string().contains("no file") && dir.is_dir(), "{error}");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_full_disk_ends_it() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let log = DecisionLog::into_file(full).unwrap();
        while log.push(b"a line\n") {
            thread::yield_now();
        }
        assert_eq!(log.pending.lock().end, Some(End::Failed));
    }

    #[test]
    fn a_disk_that_does_not_keep_up_ends_it_behind_the_last_line_that_fits() {
        // Nobody reads the pipe at first, so its writer is stuck.
        let (mut reader, writer) = io::pipe().unwrap();
        let log = DecisionLog::into_file(File::from(std::os::fd::OwnedFd::from(writer))).unwrap();
        let line: Vec<u8> = [b'x'; 1023].into_iter().chain([b'\n']).collect();
        let mut taken = 0;
        while log.push(&line) {
            taken += 1;
        }
        assert!(!log.push(b"short\n"), "nothing comes behind a hole");
        drop(log);
        let mut text = Vec::new();
        io::Read::read_to_end(&mut reader, &mut text).unwrap();
        let (lines, end) = text.split_at(taken * line.len());
        assert!(lines.chunks(line.len()).all(|found| found == line));
        assert_eq!(end, End::Behind.line().as_bytes());
    }
}
