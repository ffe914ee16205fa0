//! A deploy that refuses nobody: the new process takes the listening sockets over from the old one.
//!
//! They meet at a Unix socket that the old process listens on. The new one connects, is sent the
//! sockets (unix(7), `SCM_RIGHTS`), starts on them, and says so; until then whoever connects waits in
//! the sockets' backlog. If the new one fails instead, the old one goes on.

use std::fs::Permissions;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use vyoma_server::{Config, Listeners, Server};

/// What comes with the sockets, the one for clients first: this and their number.
const OFFER: &[u8; 4] = b"VYT1";

/// What the new process says when it accepts.
const READY: &[u8; 6] = b"ready\n";

/// For whatever the other process should do at once: starting takes it some milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// The process whose sockets we have, until it is told that we accept.
pub(crate) struct Predecessor(UnixStream);

impl Predecessor {
    /// Asks the process at `path` for its sockets. `None` if there is none.
    pub(crate) fn ask(path: &Path) -> anyhow::Result<Option<(Self, Listeners)>> {
        let stream = match UnixStream::connect(path) {
            // Nobody was ever there, or somebody has left the socket behind.
            Err(error)
                if [ErrorKind::NotFound, ErrorKind::ConnectionRefused].contains(&error.kind()) =>
            {
                return Ok(None);
            }
            stream => stream?,
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        let listeners = receive(&stream).context("the running server hands nothing over")?;
        Ok(Some((Self(stream), listeners)))
    }

    /// Tells it to retire.
    pub(crate) fn relieve(mut self) -> io::Result<()> {
        self.0.write_all(READY)
    }
}

/// Where the next process will find us: a socket at `path` that only our user can connect to. It takes
/// the place of our predecessor's in one step.
pub(crate) fn listen(path: &Path) -> io::Result<UnixListener> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".new");
    match std::fs::remove_file(&aside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&aside)?;
    std::fs::set_permissions(&aside, Permissions::from_mode(0o600))?;
    std::fs::rename(&aside, path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Hands the server's sockets to the process at the other end. Whether that one goes on with them;
/// else the server accepts as before.
pub(crate) async fn hand_over(stream: UnixStream, server: &Server) -> anyhow::Result<()> {
    let listeners = server.hand_over().await?;
    let outcome = offer(stream, &listeners);
    match outcome {
        Ok(()) => server.retire().await,
        Err(_) => server.take_back(),
    }
    outcome
}

/// Sends the sockets, and waits until the other process accepts. Blocks.
fn offer(mut stream: UnixStream, listeners: &Listeners) -> anyhow::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let sockets: Vec<_> = [Some(&listeners.main), listeners.metrics.as_ref()]
        .into_iter()
        .flatten()
        .map(|l| l.as_fd())
        .collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&sockets)) {
        bail!("two sockets don't fit in their message");
    }
    let count = [sockets.len() as u8];
    sendmsg(
        &stream,
        &[IoSlice::new(OFFER), IoSlice::new(&count)],
        &mut control,
        SendFlags::NOSIGNAL,
    )?;
    let mut said = [0; READY.len()];
    stream.read_exact(&mut said).context("it never said that it is ready")?;
    if &said != READY {
        bail!("it said something else than that it is ready");
    }
    Ok(())
}

fn receive(stream: &UnixStream) -> anyhow::Result<Listeners> {
    let mut said = [0; OFFER.len() + 1];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let read =
        recvmsg(stream, &mut [IoSliceMut::new(&mut said)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut sockets: Vec<OwnedFd> = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            sockets.extend(descriptors);
        }
    }
    let count = sockets.len();
    let mut sockets = sockets.into_iter().map(TcpListener::from);
    match (sockets.next(), read.bytes == said.len() && said.starts_with(OFFER)) {
        (Some(main), true) if count == usize::from(said[OFFER.len()]) => {
            Ok(Listeners { main, metrics: sockets.next() })
        }
        _ => bail!("it speaks another version of this, or isn't a vyoma"),
    }
}

/// The sockets to serve on: those of a predecessor, those that systemd has opened (sd_listen_fds(3)),
/// or new ones.
pub(crate) fn sockets(
    config: &Config,
    path: Option<&Path>,
) -> anyhow::Result<(Listeners, Option<Predecessor>)> {
    let found = match path {
        Some(path) => {
            Predecessor::ask(path).with_context(|| format!("--takeover {}", path.display()))?
        }
        None => None,
    };
    let (mut listeners, predecessor) = match found {
        Some((predecessor, listeners)) => (listeners, Some(predecessor)),
        None => match listenfd::ListenFd::from_env().take_tcp_listener(0).context("LISTEN_FDS")? {
            Some(main) => (Listeners { main, metrics: None }, None),
            None => return Ok((Listeners::bind(config)?, None)),
        },
    };
    let port = listeners.main.local_addr()?.port();
    if ![0, port].contains(&config.port) {
        bail!(
            "the socket that is handed to us listens on port {port}, not on {}; give --port {port}, or start anew",
            config.port
        );
    }
    // One that isn't wanted any more is closed; one that is new has to be opened.
    listeners.metrics = match (config.metrics_bind, listeners.metrics.take()) {
        (None, _) => None,
        (Some(address), Some(metrics)) if metrics.local_addr()? == address => Some(metrics),
        (Some(_), _) => Listeners::bind_metrics(config)?,
    };
    Ok((listeners, predecessor))
}
