//! The listener: accepts, asks admission, and gives each connection to the worker with the fewest.
//!
//! Knows sockets and their options. Must not know what comes through them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tracing::{debug, warn};

use crate::config::Config;
use crate::counters::{self, Counter};
use crate::shared::Shared;
use crate::worker::{Arrival, Command, Home};

/// Connections the kernel completes before they are accepted; it caps this by its own limit.
const BACKLOG: i32 = 4096;

/// The kernel's `MAX_TCP_KEEPIDLE` (Linux, include/net/tcp.h); our own pings don't depend on it.
const LONGEST_KEEPALIVE: Duration = Duration::from_secs(32_767);

/// When there are no descriptors, accepting pauses for so long: it neither spins nor keeps a
/// client waiting noticeably once there are some again.
const PAUSE: Duration = Duration::from_millis(50);

/// A lasting shortage is logged so often.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Binds as configured: one address, or all of them, dual-stack where the machine has IPv6.
pub(crate) fn bind(config: &Config) -> io::Result<TcpListener> {
    let bind_to = |ip: IpAddr| listen(SocketAddr::new(ip, config.port), config.bind.is_none());
    match config.bind {
        Some(ip) => bind_to(ip),
        None => match bind_to(Ipv6Addr::UNSPECIFIED.into()) {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                debug!(%error, "no IPv6 here, listening on IPv4 only");
                bind_to(Ipv4Addr::UNSPECIFIED.into())
            }
            bound => bound,
        },
    }
}

/// Listens on one address.
pub(crate) fn listen(address: SocketAddr, dual_stack: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!dual_stack)?;
    }
    // A restart must not wait for the old connections' TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts until the server has stopped.
pub(crate) async fn accept(listener: tokio::net::TcpListener, shared: Arc<Shared>) {
    let mut last_log: Option<Instant> = None;
    let mut door = shared.door.watch();
    loop {
        let Some(accepted) = door.while_open(listener.accept()).await else { continue };
        match accepted {
            Ok((stream, peer)) => {
                counters::add(Counter::Accepted, 1);
                match stream.into_std() {
                    Ok(stream) => welcome(stream, peer, &shared),
                    Err(error) => debug!(%peer, %error, "lost before it was welcomed"),
                }
            }
            // The client gave up before it was accepted.
            Err(error) if is_the_client_s(&error) => debug!(%error, "accept"),
            // Mostly a shortage of descriptors or memory.
            Err(error) => {
                counters::add(Counter::AcceptFailed, 1);
                if last_log.is_none_or(|last| last.elapsed() >= LOG_EVERY) {
                    last_log = Some(Instant::now());
                    warn!(%error, "cannot accept connections; raise the limit of open files (ulimit -n), or lower --max-connections");
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn welcome(stream: TcpStream, peer: SocketAddr, shared: &Shared) {
    let permit = shared.admission.admit(peer);
    if let Some(home) = Home::roomiest(shared) {
        home.worker().tell(Command::Welcome(Arrival { stream, peer, permit, home }));
    }
}

/// Options of every client's socket, which inherits them from the listening one (Linux), so they
/// cost nothing at each connection. The kernel's own checks back the heartbeat up: they also
/// notice a peer that is gone while we have nothing to say, or can't say it.
pub(crate) fn tune(listener: &TcpListener, config: &Config) -> io::Result<()> {
    let socket = SockRef::from(listener);
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    let (silence, answer) = (config.heartbeat, config.timing.ping_answer);
    // Probes every third of the answer's time fit three of them into it.
    let every = (answer / 3).max(Duration::from_secs(1));
    let keepalive = TcpKeepalive::new()
        .with_time(silence.clamp(Duration::from_secs(1), LONGEST_KEEPALIVE))
        .with_interval(every)
        .with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    // Sent and not acknowledged for as long as a silent client is given; but the kernel also counts
    // a closed window as that, and a client that doesn't read is ours to judge.
    let patience = (silence + answer).max(config.timing.progress_window);
    socket.set_tcp_user_timeout(Some(patience))
}

/// Whether an error of `accept` is about the one connection only (accept(2)).
fn is_the_client_s(error: &io::Error) -> bool {
    /// EINTR, EPROTO and ECONNABORTED on Linux.
    const PASSING: [i32; 3] = [4, 71, 103];
    error.raw_os_error().is_some_and(|code| PASSING.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_heartbeat_can_be_set() {
        let day = Duration::from_secs(24 * 60 * 60);
        let config = Config { port: 0, heartbeat: day, ..Config::default() };
        assert_eq!(config.check(), Ok(()));
        bind(&config).unwrap();
    }

    #[test]
    fn an_accepted_socket_has_the_options_that_a_client_s_should() {
        let config = Config { port: 0, heartbeat: Duration::from_secs(25), ..Config::default() };
        let listener = bind(&config).unwrap();
        tune(&listener, &config).unwrap();
        let port = listener.local_addr().unwrap().port();
        let _client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        listener.set_nonblocking(false).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), config.heartbeat);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(2));
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(33)));
    }
}
