//! What all tasks of a server share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use vyoma_core::roster::ConnectionId;
use vyoma_protocol::envelope::Names;
use vyoma_protocol::token::BootId;

use crate::admission::Admission;
use crate::blocks::{Blocks, Pair};
use crate::config::{Config, Feature};
use crate::counters::Registry;
use crate::decision_log::DecisionLog;
use crate::door::Door;
use crate::hold::Budget;
use crate::keys;
use crate::lobby::{Lobby, Tally};
use crate::pools::Pools;
use crate::replay::Replay;
use crate::reports::Reports;
use crate::shutdown::{Phase, Shutdown};
use crate::site::Site;
use crate::worker::{Command, Worker};

/// The server's state, apart from what each client's task owns.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) registry: Registry,
    pub(crate) admission: Admission,
    pub(crate) lobby: Lobby,
    pub(crate) pools: Pools,
    pub(crate) held: Arc<Budget>,
    pub(crate) door: Door,
    pub(crate) replay: Arc<Replay>,
    pub(crate) reports: Option<Reports>,
    pub(crate) blocks: Option<Blocks>,
    /// What `hello` tells that is on, as JSON.
    pub(crate) features: String,
    /// This process's name in tokens.
    pub(crate) boot: BootId,
    pub(crate) site: Site,
    pub(crate) shutdown: Shutdown,
    pub(crate) workers: Vec<Arc<Worker>>,
    connections: AtomicU64,
}

/// Figures of this moment, for metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gauges {
    /// Connections that were let in: WebSockets, handshakes and HTTP.
    pub(crate) admitted: usize,
    /// WebSocket connections, in whatever place.
    pub(crate) connections: usize,
    /// Clients in the queue.
    pub(crate) waiting: usize,
    /// Conversations under way.
    pub(crate) conversations: usize,
    /// Bytes kept for resuming.
    pub(crate) replayable: usize,
    /// Whether the invariant check found nothing.
    pub(crate) census_ok: bool,
}

impl Shared {
    /// `blocks` come with what was in them.
    pub(crate) fn new(
        config: Config,
        reports: Option<Reports>,
        blocks: Option<(Blocks, Vec<Pair>)>,
        log: Option<DecisionLog>,
        site: Site,
        workers: Vec<Arc<Worker>>,
    ) -> Self {
        let (blocks, blocked) = blocks.unzip();
        let boot = keys::boot();
        let offered = |feature: &Feature| *feature != Feature::Report || reports.is_some();
        let features = config.features.iter().filter(|feature| offered(feature));
        let features = Names::json(features.map(|feature| feature.name()));
        Self {
            registry: Registry::default(),
            admission: Admission::new(&config),
            lobby: Lobby::new(&config, boot, blocked.unwrap_or_default(), log),
            pools: Pools::new(&config),
            replay: Arc::default(),
            reports,
            blocks,
            features,
            boot,
            held: Arc::default(),
            door: Door::new(),
            site,
            shutdown: Shutdown::new(),
            workers,
            connections: AtomicU64::new(0),
            config,
        }
    }

    /// A number for a connection, unique for as long as the process lives.
    pub(crate) fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.connections.fetch_add(1, Relaxed))
    }

    /// Figures of this moment.
    pub(crate) fn gauges(&self) -> Gauges {
        let census = self.lobby.census();
        Gauges {
            admitted: self.admission.open(),
            connections: census.total(),
            waiting: census.waiting,
            conversations: census.talking / 2 + self.lobby.conversations(),
            replayable: self.replay.held(),
            census_ok: self.lobby.check().is_ok(),
        }
    }

    /// What happened in each pool so far, and for how long the oldest search has been going on.
    pub(crate) fn tallies(&self) -> (Vec<Tally>, Duration) {
        self.lobby.tallies(Instant::now())
    }

    /// Moves the server on to this phase, and lets every task know.
    pub(crate) fn advance(&self, phase: Phase) {
        self.shutdown.advance(phase);
        self.workers.iter().for_each(|worker| worker.tell(Command::Ring));
    }
}
