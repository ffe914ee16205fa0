//! A worker: one thread with a runtime of its own, and all tasks that live on it.
//!
//! Workers share nothing on the message path: each has its own I/O driver, timers, read buffer
//! and counters. A seat moves between them at most once a pairing.

use std::cell::Cell;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::runtime;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_util::task::TaskTracker;

use vyoma_core::admission::Refused;

use crate::admission::Permit;
use crate::counters::{self, Counter};
use crate::handshake::{self, Upgraded};
use crate::seat::Seat;
use crate::shared::Shared;
use crate::{bell, life};

/// What a worker is told to do.
pub(crate) enum Command {
    /// Take this connection.
    Welcome(Arrival),
    /// The server's phase has changed: let every task look.
    Ring,
}

/// A connection that was accepted.
pub(crate) struct Arrival {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) permit: Result<Permit, Refused>,
}

/// What others know of a worker.
pub(crate) struct Worker {
    /// Connections that live here.
    load: AtomicUsize,
    commands: UnboundedSender<Command>,
}

impl Worker {
    pub(crate) fn new() -> (Arc<Self>, UnboundedReceiver<Command>) {
        let (commands, orders) = mpsc::unbounded_channel();
        (Arc::new(Self { load: AtomicUsize::new(0), commands }), orders)
    }

    /// Connections that live here.
    pub(crate) fn load(&self) -> usize {
        self.load.load(Relaxed)
    }

    /// Tells the worker; one that has stopped needs to be told nothing.
    pub(crate) fn tell(&self, command: Command) {
        let _ = self.commands.send(command);
    }
}

thread_local! {
    static INDEX: Cell<usize> = const { Cell::new(0) };
}

/// A connection's worker, counted in its load until dropped.
pub(crate) struct Home {
    worker: Arc<Worker>,
    index: usize,
}

impl Home {
    /// The worker this runs on.
    pub(crate) fn here(shared: &Shared) -> Self {
        let index = INDEX.get();
        let worker = Arc::clone(&shared.workers[index]);
        worker.load.fetch_add(1, Relaxed);
        Self { worker, index }
    }

    /// Whether this runs on that worker.
    pub(crate) fn is_here(&self) -> bool {
        self.index == INDEX.get()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.worker.load.fetch_sub(1, Relaxed);
    }
}

/// A worker's runtime, made before its thread so that failing is an error at start.
pub(crate) fn runtime() -> io::Result<runtime::Runtime> {
    runtime::Builder::new_current_thread().enable_io().enable_time().build()
}

/// Runs worker number `index` on this thread until the server has stopped; `service` is what it
/// does besides carrying connections.
pub(crate) fn run(
    runtime: &runtime::Runtime,
    index: usize,
    mut orders: UnboundedReceiver<Command>,
    service: impl Future<Output = ()>,
    shared: &Arc<Shared>,
) {
    INDEX.set(index);
    shared.registry.enlist();
    let tasks = TaskTracker::new();
    let work = async {
        while let Some(command) = orders.recv().await {
            match command {
                Command::Welcome(arrival) => {
                    tasks.spawn(welcome(arrival, tasks.clone(), Arc::clone(shared)));
                }
                Command::Ring => bell::ring(),
            }
        }
    };
    runtime.block_on(async {
        tokio::select! {
            () = shared.shutdown.stopped.cancelled() => {}
            ((), ()) = async { tokio::join!(work, service) } => {}
        }
    });
}

/// Takes a connection through its handshake. The client then gets a task of its own, so that
/// nothing of the handshake stays in memory.
async fn welcome(arrival: Arrival, tasks: TaskTracker, shared: Arc<Shared>) {
    counters::add(Counter::Accepted, 1);
    let home = Home::here(&shared);
    let Ok(stream) = tokio::net::TcpStream::from_std(arrival.stream) else { return };
    let upgraded =
        handshake::receive(stream, arrival.peer, arrival.permit, Arc::clone(&shared)).await;
    if let Some(Upgraded { stream, early, permit }) = upgraded {
        let seat = Seat::new(stream, early, permit, home, &shared);
        tasks.spawn(life::live(seat, shared));
    }
}
