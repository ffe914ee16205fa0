//! The server as a whole: start, drain, stop.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};
use vyoma_core::roster::Census;

use crate::blocks::Blocks;
use crate::config::{Config, ConfigError};
use crate::decision_log::DecisionLog;
use crate::reports::Reports;
use crate::shared::Shared;
use crate::shutdown::Phase;
use crate::site::Site;
use crate::worker::{self, Worker};
use crate::{http, listener, metrics};

/// How often a draining server looks whether everybody has gone.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running server. Dropping it stops it at once.
pub struct Server {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// To be handed over.
    listeners: Listeners,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
}

/// Listening sockets.
#[derive(Debug)]
pub struct Listeners {
    /// For clients.
    pub main: TcpListener,
    /// For metrics, if they have an address of their own.
    pub metrics: Option<TcpListener>,
}

impl Listeners {
    /// Listens where the configuration says.
    ///
    /// # Errors
    /// Which address is taken, or not ours.
    pub fn bind(config: &Config) -> Result<Self, StartError> {
        let address = SocketAddr::new(config.bind.unwrap_or([0; 16].into()), config.port);
        let main = listener::bind(config);
        let main = main.map_err(|source| StartError::Listen { address, source })?;
        Ok(Self { main, metrics: Self::bind_metrics(config)? })
    }

    /// Listens where the configuration wants the metrics, if it names an address of their own.
    ///
    /// # Errors
    /// If that address is taken, or not ours.
    pub fn bind_metrics(config: &Config) -> Result<Option<TcpListener>, StartError> {
        let Some(address) = config.metrics_bind else { return Ok(None) };
        let listener = listener::listen(address, false);
        listener.map(Some).map_err(|source| StartError::Listen { address, source })
    }

    /// The same sockets once more.
    ///
    /// # Errors
    /// If there are no descriptors left.
    pub fn try_clone(&self) -> io::Result<Self> {
        let metrics = self.metrics.as_ref().map(TcpListener::try_clone).transpose()?;
        Ok(Self { main: self.main.try_clone()?, metrics })
    }
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
    /// The file for reports, or that for blocks, can't be used.
    #[error("cannot keep reports and blocks in {path}: {source}")]
    Journal {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file for the decision log can't be made.
    #[error("cannot write the decision log {path}: {source}")]
    DecisionLog {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory with the organiser's page can't be used.
    #[error("cannot serve the page from {path}: {source}")]
    WebDir {
        /// The directory.
        path: PathBuf,
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
        let listeners = Listeners::bind(&config)?;
        Self::start_on(listeners, config)
    }

    /// Starts on sockets that listen already, whatever addresses the configuration names; accepts
    /// when this returns.
    ///
    /// # Errors
    /// If a setting makes no sense, or the system refuses threads.
    pub fn start_on(listeners: Listeners, config: Config) -> Result<Self, StartError> {
        config.check()?;
        listener::tune(&listeners.main, &config)?;
        if let Some(metrics) = &listeners.metrics {
            metrics.set_nonblocking(true)?;
        }
        let address = listeners.main.local_addr()?;
        let metrics_address =
            listeners.metrics.as_ref().map(TcpListener::local_addr).transpose()?;
        let (workers, orders): (Vec<_>, Vec<_>) = (0..config.workers).map(Worker::new).unzip();
        let reports = open(config.reports.as_deref(), Reports::open)?;
        let blocks = open(config.blocks.as_deref(), Blocks::open)?;
        let log = decision_log(config.decision_log.as_deref())?;
        let site = site(&config)?;
        let shared = Arc::new(Shared::new(config, reports, blocks, log, site, workers));
        let mut sockets = Some(listeners.try_clone()?);
        let threads = Mutex::default();
        // From here on failing drops the server, which stops the workers there are.
        let server =
            Self { shared: Arc::clone(&shared), threads, listeners, address, metrics_address };
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

    /// Stops accepting, so that another process can go on with these sockets: whoever connects
    /// waits in them, and nobody is refused.
    ///
    /// # Errors
    /// If there are no descriptors left; then it accepts as before.
    pub async fn hand_over(&self) -> io::Result<Listeners> {
        let listeners = self.listeners.try_clone()?;
        self.shared.door.shut().await;
        Ok(listeners)
    }

    /// Accepts again, after a [`Server::hand_over`] that came to nothing.
    pub fn take_back(&self) {
        self.shared.door.open();
    }

    /// Begins to shut down after a [`Server::hand_over`], once those who are in the middle of their
    /// handshake are through it: only by then nobody is refused.
    pub async fn retire(&self) {
        self.shared.shutdown.leaving.cancel();
        let through = async {
            loop {
                let gauges = self.shared.gauges();
                if gauges.admitted <= gauges.connections {
                    return;
                }
                sleep(LOOK_EVERY).await;
            }
        };
        // Who takes longer than that would have been refused anyway.
        let _ = timeout(self.shared.config.timing.handshake, through).await;
        self.drain();
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
        self.shared.lobby.end_log();
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
        metrics::render(self.shared.registry.totals(), self.shared.gauges(), self.shared.tallies())
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

fn open<T>(
    path: Option<&Path>,
    open: impl FnOnce(&Path) -> io::Result<T>,
) -> Result<Option<T>, StartError> {
    let failed = |path: &Path, source| StartError::Journal { path: path.to_owned(), source };
    path.map(|path| open(path).map_err(|source| failed(path, source))).transpose()
}

fn decision_log(path: Option<&Path>) -> Result<Option<DecisionLog>, StartError> {
    let failed = |path: &Path, source| StartError::DecisionLog { path: path.to_owned(), source };
    path.map(|path| DecisionLog::create(path).map_err(|source| failed(path, source))).transpose()
}

fn site(config: &Config) -> Result<Site, StartError> {
    let path = config.web_dir.clone().unwrap_or_default();
    Site::open(config).map_err(|source| StartError::WebDir { path, source })
}

/// What the first worker does besides: accept, serve metrics, and see to the shutdown.
async fn service(sockets: Option<Listeners>, shared: Arc<Shared>) {
    let Some(Listeners { main, metrics }) = sockets else { return };
    match tokio::net::TcpListener::from_std(main) {
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
