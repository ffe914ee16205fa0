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
use vyoma_core::admission::Refused;
use vyoma_protocol::Dialect;

use crate::admission::Permit;
use crate::handshake::{self, Upgraded};
use crate::seat::Seat;
use crate::shared::Shared;
use crate::{bell, life};

/// Connections whose memory is worth giving back: a quarter of a megabyte at least.
const CROWD: usize = 256;

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
    pub(crate) home: Home,
}

/// What others know of a worker.
pub(crate) struct Worker {
    index: usize,
    /// Connections that live here.
    load: AtomicUsize,
    /// The most there were since memory was given back.
    most: AtomicUsize,
    commands: UnboundedSender<Command>,
}

impl Worker {
    pub(crate) fn new(index: usize) -> (Arc<Self>, UnboundedReceiver<Command>) {
        let (commands, orders) = mpsc::unbounded_channel();
        let (load, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        (Arc::new(Self { index, load, most, commands }), orders)
    }

    /// Connections that live here.
    pub(crate) fn load(&self) -> usize {
        self.load.load(Relaxed)
    }

    /// Whether most of a crowd has left since this last said so.
    fn is_deserted(&self) -> bool {
        let (load, most) = (self.load(), self.most.load(Relaxed));
        let deserted = most >= CROWD && load <= most / 2;
        if deserted {
            self.most.store(load, Relaxed);
        }
        deserted
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
pub(crate) struct Home(Arc<Worker>);

impl Home {
    /// The worker this runs on.
    pub(crate) fn here(shared: &Shared) -> Self {
        Self::with(&shared.workers[INDEX.get()])
    }

    /// The worker with the fewest connections.
    pub(crate) fn roomiest(shared: &Shared) -> Option<Self> {
        shared.workers.iter().min_by_key(|worker| worker.load()).map(Self::with)
    }

    /// The worker itself.
    pub(crate) fn worker(&self) -> Arc<Worker> {
        Arc::clone(&self.0)
    }

    fn with(worker: &Arc<Worker>) -> Self {
        let worker = Arc::clone(worker);
        let load = worker.load.fetch_add(1, Relaxed) + 1;
        worker.most.fetch_max(load, Relaxed);
        Self(worker)
    }

    /// Whether this runs on that worker.
    pub(crate) fn is_here(&self) -> bool {
        self.0.index == INDEX.get()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.0.load.fetch_sub(1, Relaxed);
    }
}

/// Tasks that a worker polls before it asks the kernel for more events: as many as one answer of the
/// kernel usually brings in a rush, so that a call isn't spent on every few messages.
const TASKS_A_TURN: u32 = 256;

/// A worker's runtime, made before its thread so that failing is an error at start.
pub(crate) fn runtime() -> io::Result<runtime::Runtime> {
    runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .event_interval(TASKS_A_TURN)
        .build()
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
    let work = async {
        while let Some(command) = orders.recv().await {
            match command {
                Command::Welcome(arrival) => {
                    tokio::spawn(welcome(arrival, Arc::clone(shared)));
                }
                Command::Ring => bell::ring(),
            }
        }
    };
    runtime.block_on(async {
        tokio::select! {
            () = shared.shutdown.stopped.cancelled() => {}
            _ = async { tokio::join!(work, service, tidy(&shared.workers[index], shared)) } => {}
        }
    });
}

/// Gives memory back when a crowd has left.
async fn tidy(worker: &Worker, shared: &Shared) {
    loop {
        tokio::time::sleep(shared.config.timing.crowd).await;
        if worker.is_deserted() {
            (shared.config.give_memory_back)();
        }
    }
}

/// Takes a connection through its handshake. The client then gets a task of its own, so that
/// nothing of the handshake stays in memory.
async fn welcome(arrival: Arrival, shared: Arc<Shared>) {
    let home = arrival.home;
    let Ok(stream) = tokio::net::TcpStream::from_std(arrival.stream) else { return };
    let upgraded =
        handshake::receive(stream, arrival.peer, arrival.permit, Arc::clone(&shared)).await;
    if let Some(Upgraded { stream, answer, dialect, pool, invited, early, permit }) = upgraded {
        let mut seat = Seat::new(stream, permit, home, pool, &shared);
        if let Some((invited, ticket)) = invited {
            seat.come_by(invited, ticket);
        }
        // It goes out together with the first notice.
        seat.outbox.push(&answer);
        if dialect == Dialect::V1 {
            seat.greet(&shared);
        }
        if let Some(chapter) = life::begin(seat, &early, &shared) {
            life::spawn(chapter, &shared);
        }
    }
}
