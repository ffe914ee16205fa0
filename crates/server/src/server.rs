//! The server as a whole: start, drain, stop.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use vyoma_core::roster::Census;

use crate::config::{Config, ConfigError};
use crate::shared::Shared;
use crate::shutdown::Phase;
use crate::worker::{self, Worker};
use crate::{http, listener, metrics};

/// How often a draining server looks whether everybody has gone.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running server. Dropping it stops it at once.
pub struct Server {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
}

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It can't listen there.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused a thread or its resources.
    #[error("cannot start a worker: {0}")]
    Worker(#[from] io::Error),
}

impl Server {
    /// Binds and starts; connections are accepted when this returns.
    ///
    /// # Errors
    /// If a setting makes no sense, the address is taken or not ours, or the system refuses
    /// threads.
    pub fn start(config: Config) -> Result<Self, StartError> {
        config.check()?;
        let address = SocketAddr::new(config.bind.unwrap_or([0; 16].into()), config.port);
        let failed = |address| move |source| StartError::Listen { address, source };
        let listener = listener::bind(&config).map_err(failed(address))?;
        let metrics = match config.metrics_bind {
            Some(address) => Some(listener::listen(address, false).map_err(failed(address))?),
            None => None,
        };
        let address = listener.local_addr()?;
        let metrics_address =
            metrics.as_ref().map(std::net::TcpListener::local_addr).transpose()?;
        let (workers, orders): (Vec<_>, Vec<_>) = (0..config.workers).map(Worker::new).unzip();
        let shared = Arc::new(Shared::new(config, workers));
        let mut sockets = Some((listener, metrics));
        let threads = Mutex::default();
        // From here on failing drops the server, which stops the workers there are.
        let server = Self { shared: Arc::clone(&shared), threads, address, metrics_address };
        for (index, orders) in orders.into_iter().enumerate() {
            let (runtime, shared, sockets) =
                (worker::runtime()?, Arc::clone(&shared), sockets.take());
            let body = move || {
                let service = service(sockets, Arc::clone(&shared));
                worker::run(&runtime, index, orders, service, &shared);
            };
            let thread = thread::Builder::new().name(format!("worker-{index}")).spawn(body)?;
            server.lock_threads().push(thread);
        }
        Ok(server)
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics are served, if they have an address of their own.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Begins to shut down, as on SIGTERM: nobody is let in or queued any more, conversations
    /// have the drain timeout to finish, then everything is closed. Returns at once.
    pub fn drain(&self) {
        self.shared.advance(Phase::Draining);
    }

    /// Stops at once, whatever is under way.
    pub fn stop(&self) {
        self.shared.shutdown.stopped.cancel();
    }

    /// Blocks until the server has stopped.
    pub fn wait(&self) {
        let threads = std::mem::take(&mut *self.lock_threads());
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a worker panicked");
            }
        }
    }

    /// How many clients are where.
    pub fn census(&self) -> Census {
        self.shared.lobby.census()
    }

    /// Checks that every connection is in exactly one place, and the queue in order.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        self.shared.lobby.check()
    }

    /// The metrics, as Prometheus text.
    pub fn metrics(&self) -> String {
        metrics::render(self.shared.registry.totals(), self.shared.gauges())
    }

    fn lock_threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        self.wait();
    }
}

type Sockets = (std::net::TcpListener, Option<std::net::TcpListener>);

/// What the first worker does besides: accept, serve metrics, and see to the shutdown.
async fn service(sockets: Option<Sockets>, shared: Arc<Shared>) {
    let Some((listener, metrics)) = sockets else { return };
    match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => drop(tokio::spawn(listener::accept(listener, Arc::clone(&shared)))),
        Err(error) => {
            tracing::error!(%error, "cannot poll the listening socket");
            return shared.shutdown.stopped.cancel();
        }
    }
    if let Some(metrics) = metrics {
        match tokio::net::TcpListener::from_std(metrics) {
            Ok(listener) => drop(tokio::spawn(http::serve_metrics(listener, Arc::clone(&shared)))),
            Err(error) => tracing::error!(%error, "cannot poll the metrics socket"),
        }
    }
    shared.shutdown.begun.cancelled().await;
    drain(&shared).await;
    shared.shutdown.stopped.cancel();
}

/// Lets conversations finish, then closes them, then gives the last farewells their time.
async fn drain(shared: &Shared) {
    let gone = |until: Instant| async move {
        let all = async {
            while shared.lobby.census().total() > 0 {
                sleep(LOOK_EVERY).await;
            }
        };
        timeout_at(until, all).await.is_ok()
    };
    let deadline = Instant::now() + shared.config.drain_timeout;
    if !gone(deadline).await {
        tracing::info!("the drain timeout is over, closing the conversations that go on");
        shared.advance(Phase::Closing);
        gone(Instant::now() + shared.config.timing.closing).await;
    }
}
