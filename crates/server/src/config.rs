//! What an organiser can set, as plain values: parsed by the binary, checked here.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use vyoma_core::matching::{INVITED, Relaxation};
use vyoma_protocol::Reason;
use vyoma_protocol::envelope::{ErrorReport, weight};
use vyoma_protocol::token::Keyring;

use crate::keys;
use crate::place::Place;

/// Everything the server needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; `None` is every address: `[::]` dual-stack, else `0.0.0.0`.
    pub bind: Option<IpAddr>,
    /// The TCP port; 0 takes a free one.
    pub port: u16,
    /// Threads that carry connections, at least 1.
    pub workers: usize,
    /// The largest message a client may send, in bytes of payload.
    pub max_message_size: usize,
    /// Connections at once, over all addresses.
    pub max_connections: usize,
    /// Connections at once from one address (IPv6: one /64); 0 for no limit.
    pub max_connections_per_address: u32,
    /// New connections a second from one address, with a burst of ten times that; 0 for no limit.
    pub max_attempts_per_address: u32,
    /// Proxies whose forwarded address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether loopback addresses are limited like any other.
    pub limit_loopback: bool,
    /// Silence after which a client is pinged.
    pub heartbeat: Duration,
    /// How long conversations may go on after SIGTERM.
    pub drain_timeout: Duration,
    /// The pools, of which the first is for who asks for none; at least one.
    pub pools: Vec<PoolConfig>,
    /// The pools that are made when somebody asks for one that isn't there; `None`: none.
    pub on_demand: Option<OnDemand>,
    /// For how long two devices that have met don't meet again, where their pool has no time of its own.
    pub cooldown: Duration,
    /// How long an invitation holds.
    pub invite_expiry: Duration,
    /// What becomes of a client whose partner has left.
    pub survivor: Survivor,
    /// How long a client of `vyoma.v1` may be away from its conversation.
    pub grace: Duration,
    /// What a `vyoma.v1` client's unacknowledged messages may weigh, in bytes; less than one largest
    /// message counts as that.
    pub credit: usize,
    /// What all conversations together may keep for resuming, in bytes.
    pub replay_memory: usize,
    /// What `vyoma.v1` offers besides messages.
    pub features: Vec<Feature>,
    /// With what tokens and devices are signed.
    pub keys: Keyring,
    /// Where reports are appended, if anywhere.
    pub reports: Option<PathBuf>,
    /// Where blocks are kept, if anywhere: else they last as long as the process.
    pub blocks: Option<PathBuf>,
    /// Where the decision log goes, if it is written.
    pub decision_log: Option<PathBuf>,
    /// How the page presents this server.
    pub place: Place,
    /// A directory whose files take the place of the page's own, if there is one.
    pub web_dir: Option<PathBuf>,
    /// An address of its own for `/metrics`; `None` serves it on the main port to loopback only.
    pub metrics_bind: Option<SocketAddr>,
    /// Asks the allocator to give free memory back to the system: many keep it for as long as
    /// nothing is allocated. Each worker calls it on its own thread once most of a crowd has left.
    pub give_memory_back: fn(),
    /// Deadlines that no flag changes; tests shorten them.
    pub timing: Timing,
}

/// Who is paired with whom in a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The oldest comes first.
    Open,
    /// Profiles decide: what score will do after which wait.
    Scored(Relaxation),
    /// Only those who present the same invitation.
    InviteOnly,
}

/// A queue of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolConfig {
    /// Its name: 1 to 32 of `[a-z0-9_]`.
    pub name: String,
    /// Who is paired with whom.
    pub rule: Rule,
    /// For how long two devices that have met here don't meet again; `None`: as everywhere.
    pub cooldown: Option<Duration>,
}

/// Pools that are made when somebody asks for one that isn't there, and go with the last who is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDemand {
    /// The most at once.
    pub most: usize,
    /// The rule of each.
    pub rule: Rule,
}

impl PoolConfig {
    /// A pool of this name and rule, otherwise as everywhere.
    pub fn new(name: &str, rule: Rule) -> Self {
        Self { name: name.to_owned(), rule, cooldown: None }
    }

    /// The pool of those who ask for none.
    pub fn usual() -> Self {
        Self::new("default", Rule::Open)
    }

    /// Whether a pool may be called so.
    pub fn is_name(name: &str) -> bool {
        let sound = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        (1..=32).contains(&name.len()) && name.bytes().all(sound)
    }

    /// If profiles decide, what score will do after which wait.
    pub fn relaxation(&self) -> Option<&Relaxation> {
        match &self.rule {
            Rule::Scored(relaxation) => Some(relaxation),
            Rule::Open | Rule::InviteOnly => None,
        }
    }
}

/// What becomes of a client whose partner has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survivor {
    /// It is queued again, and told so.
    Requeue,
    /// It stays connected, unpaired, as with the first VyomaChat server.
    Stay,
}

/// What `vyoma.v1` offers besides messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// One is told that the partner types.
    Typing,
    /// One is told what the partner has read.
    Read,
    /// Opaque and fleeting messages, for WebRTC.
    Signal,
    /// A client can have a partner kept from it.
    Block,
    /// A client can tell the organiser of its partner.
    Report,
    /// A client can make an invitation.
    Invite,
}

impl Feature {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Typing, Self::Read, Self::Signal, Self::Block, Self::Report, Self::Invite];

    /// Its name in `hello`; also the type of the envelope it is about.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Typing => "typing",
            Self::Read => "read",
            Self::Signal => "signal",
            Self::Block => "block",
            Self::Report => "report",
            Self::Invite => "invite",
        }
    }
}

/// Deadlines with their reasons; changed by tests only.
#[derive(Debug, Clone)]
pub struct Timing {
    /// From accept to the end of the request's head.
    pub handshake: Duration,
    /// From an answer over HTTP to the next request on the same connection. A page asks for all it
    /// needs within a few round trips; and each browser keeps up to six connections, which count
    /// towards its address meanwhile, so that a hall of people behind one address can't have many.
    pub idle: Duration,
    /// From the 101 to the first `join` or `resume` of `vyoma.v1`.
    pub join: Duration,
    /// From a heartbeat ping to its answer.
    pub ping_answer: Duration,
    /// How much longer a ping may go unanswered while not even what was sent before it is
    /// acknowledged: a few retransmissions. With 25 s of silence and 8 s to answer a peer that is
    /// gone is noticed after 39 s.
    pub unacknowledged: Duration,
    /// A waiter heard from within this time needs no probe.
    pub fresh: Duration,
    /// From a probe to its answer, for a waiter that is about to be paired.
    pub probe_answer: Duration,
    /// The window over which a client that isn't reading is judged.
    pub progress_window: Duration,
    /// From a survivor's fence to its pong, for one that keeps sending; a silent one has
    /// `ping_answer`. Its pong comes behind all it had already sent: 8 MB at 1 Mbit/s.
    pub fence: Duration,
    /// How often a worker looks whether a crowd has left it.
    pub crowd: Duration,
    /// For flushing, the Close frame, and the read-and-discard after it, together. Two seconds
    /// less than the server may take to exit once its drain timeout is over.
    pub closing: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(5),
            join: Duration::from_secs(10),
            ping_answer: Duration::from_secs(8),
            unacknowledged: Duration::from_secs(6),
            fresh: Duration::from_secs(2),
            probe_answer: Duration::from_secs(2),
            progress_window: Duration::from_secs(20),
            fence: Duration::from_secs(60),
            crowd: Duration::from_secs(5),
            closing: Duration::from_secs(3),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bind: None,
            port: 3001,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            max_message_size: 64 * 1024,
            max_connections: 1_000_000,
            max_connections_per_address: 1_000,
            max_attempts_per_address: 100,
            trusted_proxies: Vec::new(),
            limit_loopback: false,
            heartbeat: Duration::from_secs(25),
            drain_timeout: Duration::from_secs(30),
            pools: vec![PoolConfig::usual()],
            on_demand: None,
            cooldown: Duration::from_secs(600),
            invite_expiry: Duration::from_secs(24 * 60 * 60),
            survivor: Survivor::Requeue,
            grace: Duration::from_secs(60),
            credit: 256 * 1024,
            replay_memory: 256 * 1024 * 1024,
            features: Feature::ALL.to_vec(),
            keys: Keyring::new(keys::random()),
            reports: None,
            blocks: None,
            decision_log: None,
            place: Place::default(),
            web_dir: None,
            metrics_bind: None,
            give_memory_back: || (),
            timing: Timing::default(),
        }
    }
}

/// A setting that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {why}")]
pub struct ConfigError {
    /// The setting, named as its flag without the dashes.
    pub key: &'static str,
    /// What is wrong, and what would be right.
    pub why: &'static str,
}

/// The largest limit for messages: what one waiting client may make the server hold.
pub(crate) const LARGEST_MESSAGE_LIMIT: usize = 64 * 1024 * 1024;

/// More credit than this is a mistake.
const LARGEST_CREDIT: usize = 1024 * 1024 * 1024;

/// More threads than this are a mistake.
pub(crate) const MOST_WORKERS: usize = 1024;

impl Config {
    /// What a `vyoma.v1` client's unacknowledged messages may weigh, in bytes: always one largest
    /// message, at least.
    pub(crate) fn credit(&self) -> usize {
        self.credit.max(weight(self.max_message_size))
    }

    /// Over how long those are spread who are told to go on with another process: so that no wave of
    /// them comes at once, and both sides of a conversation are back well within their grace, and
    /// before this process ends.
    pub(crate) fn spread(&self) -> Duration {
        (self.grace / 4).min(self.drain_timeout / 3)
    }

    /// Whether a feature is on.
    ///
    /// # Errors
    /// `feature_off`, about the envelope of that name.
    pub(crate) fn demand(&self, feature: Feature) -> Result<(), ErrorReport<'static>> {
        if self.features.contains(&feature) {
            return Ok(());
        }
        Err(ErrorReport { about: Some(feature.name()), ..ErrorReport::new(Reason::FeatureOff) })
    }

    fn has_sound_pools(&self) -> bool {
        let names: BTreeSet<_> = self.pools.iter().map(|pool| &pool.name).collect();
        let named = self.pools.iter().all(|pool| PoolConfig::is_name(&pool.name));
        named && names.len() == self.pools.len()
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<(), ConfigError> {
        let day = Duration::from_secs(24 * 60 * 60);
        let rules = [
            ((1..=MOST_WORKERS).contains(&self.workers), "workers", "must be between 1 and 1024"),
            (
                (1..=LARGEST_MESSAGE_LIMIT).contains(&self.max_message_size),
                "max-message-size",
                "must be between 1 byte and 64 MiB",
            ),
            (self.max_connections > 0, "max-connections", "must be at least 1"),
            (
                !self.heartbeat.is_zero() && self.heartbeat <= day,
                "heartbeat",
                "must be longer than 0 and at most a day",
            ),
            (
                !self.grace.is_zero() && self.grace <= day,
                "grace",
                "must be longer than 0 and at most a day",
            ),
            (self.credit <= LARGEST_CREDIT, "credit", "must be at most 1 GiB"),
            (self.drain_timeout <= day, "drain-timeout", "must be at most a day"),
            (
                (1..=INVITED).contains(&self.pools.len()),
                "pool",
                "there can be up to 254 beside the default one",
            ),
            (
                self.on_demand
                    .as_ref()
                    .is_none_or(|pools| pools.most <= INVITED - self.pools.len()),
                "pools-on-demand",
                "there can be up to 254 pools beside the default one, those that are declared included",
            ),
            (self.has_sound_pools(), "pool", "a name is 1 to 32 of a-z, 0-9 and _, and unique"),
            (
                self.pools.iter().flat_map(|pool| pool.cooldown).chain([self.cooldown]).max()
                    <= Some(365 * day),
                "cooldown",
                "must be at most a year, in every pool",
            ),
            (
                !self.invite_expiry.is_zero() && self.invite_expiry <= 30 * day,
                "invite-expiry",
                "must be longer than 0 and at most 30 days",
            ),
        ];
        if let Some((_, key, why)) = rules.into_iter().find(|(fine, ..)| !fine) {
            return Err(ConfigError { key, why });
        }
        self.place.check().map_err(|(_, why)| ConfigError { key: "place", why })
    }
}
