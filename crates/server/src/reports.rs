//! Reports to the organiser: a line of JSON each, appended to a file. No message bodies: who, about
//! which conversation, and the reason that was given.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use vyoma_protocol::envelope::ConversationId;
use vyoma_protocol::token::Identity;
use vyoma_protocol::{JsonStr, push_escaped};

/// The file of reports.
pub(crate) struct Reports(Mutex<File>);

impl Reports {
    /// Appends to this file, and creates it if it isn't there.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        append_to(path).map(|file| Self(Mutex::new(file)))
    }

    /// Writes one report, in one write.
    pub(crate) fn write(
        &self,
        conversation: ConversationId,
        from: Identity,
        about: Option<Identity>,
        reason: JsonStr<'_>,
    ) -> io::Result<()> {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let about = about.map_or_else(|| "null".to_owned(), |about| format!("\"{}\"", hex(about)));
        let mut text = Vec::new();
        reason.push_text(&mut text);
        let mut said = Vec::new();
        push_escaped(&String::from_utf8_lossy(&text), &mut said);
        let mut line = format!(
            "{{\"time\":{time},\"conversation\":\"{conversation}\",\"from\":\"{}\",\"about\":{about},\"reason\":\"",
            hex(from)
        )
        .into_bytes();
        line.extend_from_slice(&said);
        line.extend_from_slice(b"\"}\n");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)
    }
}

/// Opens a file to read and to append to, and creates it, for nobody else's eyes, if it isn't there.
pub(crate) fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

pub(crate) fn hex(identity: Identity) -> String {
    identity.0.iter().map(|byte| format!("{byte:02x}")).collect()
}
