//! Where the server keeps what outlives it: its secret, reports, and blocks.
//!
//! Without being told it takes the place that the system has for such things. Where that can't be
//! written to, it goes on without, and says so; a place that was asked for has to work.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use vyoma_protocol::token::{KEY_LENGTH, Keyring};

/// What is kept where.
pub(crate) struct Data {
    /// With what tokens are signed.
    pub(crate) keys: Keyring,
    /// Where reports go, if anywhere.
    pub(crate) reports: Option<PathBuf>,
    /// Where blocks are kept, if anywhere.
    pub(crate) blocks: Option<PathBuf>,
}

/// Finds or makes what is kept.
pub(crate) fn open(dir: Option<&Path>, secret_file: Option<&Path>) -> anyhow::Result<Data> {
    let asked_for = dir.is_some();
    let dir = dir.map(Path::to_owned).or_else(usual_place);
    let made = dir.map(|dir| make_dir(&dir).map(|()| dir)).transpose();
    let dir = match made {
        Err(error) if asked_for => return Err(error),
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "nothing is kept; give a --data-dir");
            None
        }
        Ok(dir) => dir,
    };
    let secret = secret_file.map(Path::to_owned).or_else(|| Some(dir.as_ref()?.join("secret")));
    let keys = match &secret {
        Some(path) => {
            secret_keys(path).with_context(|| format!("the secret in {}", path.display()))?
        }
        None => {
            tracing::warn!("conversations won't outlive this process: its secret isn't kept");
            Keyring::new(new_key()?)
        }
    };
    let file = |name| dir.as_ref().map(|dir| dir.join(name));
    Ok(Data { keys, reports: file("reports.jsonl"), blocks: file("blocks") })
}

/// Where such data belongs: what systemd's `StateDirectory=` says, or the XDG base directory
/// specification.
fn usual_place() -> Option<PathBuf> {
    let set = |variable| std::env::var_os(variable).filter(|value| !value.is_empty());
    let systemd = set("STATE_DIRECTORY").map(PathBuf::from);
    let xdg = set("XDG_STATE_HOME").map(|home| PathBuf::from(home).join("vyoma"));
    let home = set("HOME").map(|home| PathBuf::from(home).join(".local/state/vyoma"));
    systemd.or(xdg).or(home).filter(|place| place.is_absolute())
}

fn make_dir(dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir)
        .and_then(|()| tempfile_in(dir).map(drop))
        .with_context(|| format!("cannot keep anything in {}", dir.display()))
}

/// Shows that a file can be made there.
fn tempfile_in(dir: &Path) -> io::Result<()> {
    let probe = dir.join(format!(".probe-{}", std::process::id()));
    create(&probe)?;
    fs::remove_file(probe)
}

/// Reads the keys, or makes the first if there is no file.
fn secret_keys(path: &Path) -> anyhow::Result<Keyring> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make_secret(path).context("cannot be made")?;
            fs::read_to_string(path)
        }
        read => read,
    };
    let text = text.context("cannot be read")?;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        let (path, mode) = (path.display(), mode & 0o777);
        return Err(anyhow!("others may read it (mode {mode:03o}): chmod 600 {path}"));
    }
    Ok(Keyring::parse(&text)?)
}

/// Makes a secret in one step: of two processes that start together one makes it, and the other finds
/// it whole.
fn make_secret(path: &Path) -> anyhow::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".new-{}", std::process::id()));
    let new = PathBuf::from(new);
    let mut file = create(&new)?;
    file.write_all(Keyring::line(&new_key()?).as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&new, path);
    fs::remove_file(&new)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn new_key() -> anyhow::Result<[u8; KEY_LENGTH]> {
    let mut key = [0; KEY_LENGTH];
    getrandom::fill(&mut key)
        .map_err(|error| anyhow!("the system has no random numbers: {error}"))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let place = std::env::temp_dir().join(format!("vyoma-data-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        place
    }

    #[test]
    fn a_secret_is_made_once_and_kept_from_others() {
        let dir = place("once");
        let made = open(Some(&dir), None).unwrap();
        let device = vyoma_protocol::token::Identity([7; 16]);
        let signed = made.keys.sign_device(device);
        let found = open(Some(&dir), None).unwrap();
        assert_eq!(found.keys.open_device(&signed), Ok(device));
        assert_eq!(found.reports, Some(dir.join("reports.jsonl")));
        assert_eq!(found.blocks, Some(dir.join("blocks")));
        let secret = dir.join("secret");
        assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
        let error = format!("{:#}", open(Some(&dir), None).err().unwrap());
        assert!(error.contains("chmod 600"), "{error}");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "nothing else is left behind");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_is_no_secret_is_an_error_that_doesnt_repeat_it() {
        let dir = place("bad");
        fs::create_dir_all(&dir).unwrap();
        let secret = dir.join("keys");
        let mut file = create(&secret).unwrap();
        file.write_all(b"hunter2\n").unwrap();
        let error = format!("{:#}", open(Some(&dir), Some(&secret)).err().unwrap());
        assert!(error.contains("line 1 is no key") && !error.contains("hunter2"), "{error}");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_place_that_was_asked_for_has_to_work() {
        let error = format!("{:#}", open(Some(Path::new("/dev/null/x")), None).err().unwrap());
        assert!(error.contains("cannot keep anything in /dev/null/x"), "{error}");
    }
}
