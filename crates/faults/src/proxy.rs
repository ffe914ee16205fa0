//! A TCP proxy that breaks connections on order.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// What can be done to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Both ends are closed, in the middle of whatever is under way.
    Cut,
    /// Both ends are reset.
    Reset,
    /// Nothing passes any more, and nobody is told.
    HalfOpen,
    /// Nothing passes for a while.
    Stall(Duration),
    /// One byte passes at a time, for a while.
    Dribble(Duration),
    /// Everything comes later than it should, for a while.
    Delay(Duration),
}

/// How long each byte takes while a connection dribbles, and each read while it is delayed.
const DRIP: Duration = Duration::from_millis(1);
const LAG: Duration = Duration::from_millis(50);

/// How a connection is treated now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Treatment {
    Pass,
    End { reset: bool },
    Hold,
    Drip,
    Lag,
}

type Connections = Arc<Mutex<BTreeMap<u64, watch::Sender<Treatment>>>>;

/// A proxy in front of one server.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    connections: Connections,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port, and passes on to `server`.
    ///
    /// # Errors
    /// If it can't listen.
    pub async fn start(server: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let connections = Connections::default();
        let accepting = tokio::spawn(accept(listener, server, Arc::clone(&connections)));
        Ok(Self { address, connections, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks one of the connections: the one at `place` of those there are, counted round and round.
    /// Returns whether there is any.
    pub fn inflict(&self, fault: Fault, place: usize) -> bool {
        let connections = lock(&self.connections);
        let count = connections.len().max(1);
        let Some(sender) = connections.values().nth(place % count).cloned() else { return false };
        let (treatment, time) = match fault {
            Fault::Cut => (Treatment::End { reset: false }, None),
            Fault::Reset => (Treatment::End { reset: true }, None),
            Fault::HalfOpen => (Treatment::Hold, None),
            Fault::Stall(time) => (Treatment::Hold, Some(time)),
            Fault::Dribble(time) => (Treatment::Drip, Some(time)),
            Fault::Delay(time) => (Treatment::Lag, Some(time)),
        };
        sender.send_replace(treatment);
        if let Some(time) = time {
            tokio::spawn(async move {
                sleep(time).await;
                // What has been broken for good meanwhile stays so.
                sender.send_if_modified(|now| {
                    let passes = *now == treatment;
                    if passes {
                        *now = Treatment::Pass;
                    }
                    passes
                });
            });
        }
        true
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, connections: Connections) {
    for id in 0.. {
        let Ok((client, _)) = listener.accept().await else { continue };
        let connections = Arc::clone(&connections);
        tokio::spawn(async move {
            // A server that isn't there: the client is closed, as it would be without us.
            let Ok(server) = TcpStream::connect(server).await else { return };
            let (sender, treatment) = watch::channel(Treatment::Pass);
            lock(&connections).insert(id, sender);
            carry(client, server, treatment).await;
            lock(&connections).remove(&id);
        });
    }
}

async fn carry(client: TcpStream, server: TcpStream, treatment: watch::Receiver<Treatment>) {
    for stream in [&client, &server] {
        // Nothing is lost without it, only time.
        let _ = stream.set_nodelay(true);
    }
    let sockets = [&client, &server].map(|stream| socket2::SockRef::from(stream).try_clone());
    let (client_out, client_in) = client.into_split();
    let (server_out, server_in) = server.into_split();
    let mut ended = treatment.clone();
    tokio::select! {
        () = pump(client_out, server_in, treatment.clone()) => {}
        () = pump(server_out, client_in, treatment) => {}
        _ = ended.wait_for(|now| matches!(now, Treatment::End { .. })) => {}
    }
    if *ended.borrow() == (Treatment::End { reset: true }) {
        for socket in sockets.into_iter().flatten() {
            // Then closing it, last of all, resets.
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
    }
}

/// Carries one direction to its end; then both end.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut treatment: watch::Receiver<Treatment>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let now = *treatment.borrow_and_update();
        let most = if now == Treatment::Drip { 1 } else { buffer.len() };
        let read = tokio::select! {
            read = from.read(&mut buffer[..most]), if now != Treatment::Hold => read,
            changed = treatment.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        let Ok(read @ 1..) = read else { return };
        match now {
            Treatment::Drip => sleep(DRIP).await,
            Treatment::Lag => sleep(LAG).await,
            _ => {}
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
