//! The command line and the environment, parsed once.
//!
//! `docs/operations.md` has the same tables for people; a test keeps the two together.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap::{ValueEnum, value_parser};
use ipnet::IpNet;
use vyoma_server::{Config, Feature, Survivor};

use crate::allocator;
use crate::bench::BenchOptions;
use crate::chat::options::ChatOptions;
use crate::logs::LogFormat;
use crate::pools::{OnDemandOption, PoolOption, pools};
use crate::replay::ReplayOptions;
use crate::values::{ByteSize, Span, address, filter, network};
use crate::{place_file, pools_file};

/// Brings two people together, one-to-one, and carries their conversation.
///
/// Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "vyoma", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeOptions,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the server (the default)
    Serve(Box<ServeOptions>),
    /// Asks a running server whether it is ready: exit code 0 if so, else 1
    Healthcheck(HealthcheckOptions),
    /// Chats, at a terminal or line by line through a pipe: exit code 0 if all that was said arrived
    Chat(Box<ChatOptions>),
    /// Goes through a decision log again: exit code 0 if every decision is the same, else 1
    Replay(ReplayOptions),
    /// Makes load for a server and tells what it costs: exit code 1 if anything goes wrong
    Bench(Box<BenchOptions>),
}

/// How the server runs.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServeOptions {
    /// Address to listen on; every one by default, IPv6 and IPv4, or 0.0.0.0 where there is no IPv6
    #[arg(long, env = "VYOMA_BIND", value_name = "IP", default_value = "[::]", value_parser = address)]
    pub(crate) bind: IpAddr,

    /// TCP port; 0 takes a free one
    #[arg(long, env = "PORT", default_value_t = 3001)]
    pub(crate) port: u16,

    /// Threads that carry connections; one per core if not given
    #[arg(long, env = "VYOMA_WORKERS", value_name = "N")]
    pub(crate) workers: Option<usize>,

    /// Largest message a client may send
    #[arg(long, env = "VYOMA_MAX_MESSAGE_SIZE", value_name = "SIZE", default_value = "64KiB")]
    pub(crate) max_message_size: ByteSize,

    /// Connections at once, over all addresses; descriptors may end sooner
    #[arg(long, env = "VYOMA_MAX_CONNECTIONS", value_name = "N", default_value_t = 1_000_000)]
    pub(crate) max_connections: usize,

    /// Connections at once from one address (IPv6: one /64); 0 for no limit
    #[arg(
        long,
        env = "VYOMA_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "N",
        default_value_t = 1000
    )]
    pub(crate) max_connections_per_address: u32,

    /// New connections a second from one address, with a burst of ten times that; 0 for no limit
    #[arg(long, env = "VYOMA_MAX_ATTEMPTS_PER_ADDRESS", value_name = "N", default_value_t = 100)]
    pub(crate) max_attempts_per_address: u32,

    /// Proxy whose X-Forwarded-For or Forwarded is believed, as an address or a network; may be given several times
    #[arg(long, env = "VYOMA_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    pub(crate) trusted_proxy: Vec<IpNet>,

    /// Counts loopback addresses towards the limits per address, too
    #[arg(long, env = "VYOMA_LIMIT_LOOPBACK")]
    pub(crate) limit_loopback: bool,

    /// Silence after which a client is pinged
    #[arg(long, env = "VYOMA_HEARTBEAT", value_name = "TIME", default_value = "25s")]
    pub(crate) heartbeat: Span,

    /// How long conversations may go on after SIGTERM
    #[arg(long, env = "VYOMA_DRAIN_TIMEOUT", value_name = "TIME", default_value = "30s")]
    pub(crate) drain_timeout: Span,

    /// What becomes of a client whose partner has left
    #[arg(long, env = "VYOMA_SURVIVOR", value_name = "WHAT", default_value = "requeue")]
    pub(crate) survivor: SurvivorOption,

    /// A pool beside the default one, for who connects with ?pool=NAME: NAME=open (the oldest comes first), NAME=scored (profiles decide) or NAME=invite-only; may be given several times
    #[arg(long, env = "VYOMA_POOL", value_name = "NAME=RULE", value_delimiter = ',')]
    pub(crate) pool: Vec<PoolOption>,

    /// TOML file with more pools, a table each: rule, steps, cooldown
    #[arg(long, env = "VYOMA_POOLS_FILE", value_name = "FILE")]
    pub(crate) pools_file: Option<PathBuf>,

    /// Makes a pool that isn't there when somebody asks for it, up to so many at once; each goes with the last who is in it. Open, unless written as N=RULE
    #[arg(long, env = "VYOMA_POOLS_ON_DEMAND", value_name = "N")]
    pub(crate) pools_on_demand: Option<OnDemandOption>,

    /// For how long two clients of vyoma.v1 who have met aren't paired again
    #[arg(long, env = "VYOMA_COOLDOWN", value_name = "TIME", default_value = "10m")]
    pub(crate) cooldown: Span,

    /// How long an invitation holds
    #[arg(long, env = "VYOMA_INVITE_EXPIRY", value_name = "TIME", default_value = "24h")]
    pub(crate) invite_expiry: Span,

    /// How long a client of vyoma.v1 may be away from its conversation
    #[arg(long, env = "VYOMA_GRACE", value_name = "TIME", default_value = "60s")]
    pub(crate) grace: Span,

    /// What a vyoma.v1 client may have sent that isn't acknowledged; at least the largest message
    #[arg(long, env = "VYOMA_CREDIT", value_name = "SIZE", default_value = "256KiB")]
    pub(crate) credit: ByteSize,

    /// What all conversations together may keep for resuming
    #[arg(long, env = "VYOMA_REPLAY_MEMORY", value_name = "SIZE", default_value = "256MiB")]
    pub(crate) replay_memory: ByteSize,

    /// What vyoma.v1 offers besides messages; may be given several times
    #[arg(
        long,
        env = "VYOMA_FEATURES",
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "typing,read,signal,block,report,invite"
    )]
    pub(crate) features: Vec<FeatureOption>,

    /// Where the server keeps its secret, reports and blocks; $XDG_STATE_HOME/vyoma or ~/.local/state/vyoma if not given
    #[arg(long, env = "VYOMA_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// File with the keys that sign resume tokens, made if it isn't there; secret in the data directory if not given
    #[arg(long, env = "VYOMA_SECRET_FILE", value_name = "PATH")]
    pub(crate) secret_file: Option<PathBuf>,

    /// File to which every decision of matching is written, for vyoma replay; one that is there already is set aside as FILE.1, FILE.2 and so on
    #[arg(long, env = "VYOMA_DECISION_LOG", value_name = "FILE")]
    pub(crate) decision_log: Option<PathBuf>,

    /// TOML file with how the page presents this server: name, welcome, rules, minimum_age, confirm
    #[arg(long, env = "VYOMA_PLACE", value_name = "FILE")]
    pub(crate) place: Option<PathBuf>,

    /// Directory whose files take the place of the page's own; one with only style.css restyles it
    #[arg(long, env = "VYOMA_WEB_DIR", value_name = "DIR")]
    pub(crate) web_dir: Option<PathBuf>,

    /// Address and port of its own for /metrics; else the main port serves it to this machine only
    #[arg(long, env = "VYOMA_METRICS_BIND", value_name = "IP:PORT")]
    pub(crate) metrics_bind: Option<SocketAddr>,

    /// Unix socket at which the next process takes the listening sockets over from this one, as this one does from the process there now
    #[arg(long, env = "VYOMA_TAKEOVER", value_name = "PATH")]
    pub(crate) takeover: Option<PathBuf>,

    /// How logs are written
    #[arg(long, env = "VYOMA_LOG_FORMAT", value_name = "FORMAT", default_value = "human")]
    pub(crate) log_format: LogFormat,

    /// What is logged: error, warn, info, debug, trace or off, also for single modules
    #[arg(long, env = "VYOMA_LOG", value_name = "FILTER", default_value = "info", value_parser = filter)]
    pub(crate) log: String,

    /// Prints the configuration and where each value comes from, and exits
    #[arg(long)]
    pub(crate) print_config: bool,
}

/// Whom to ask.
#[derive(Debug, Clone, Args)]
pub(crate) struct HealthcheckOptions {
    /// What to ask; http://localhost:PORT/readyz if not given
    #[arg(long)]
    pub(crate) url: Option<String>,

    /// Port of the server on this machine, where no URL is given
    #[arg(long, env = "PORT", default_value_t = 3001, value_parser = value_parser!(u16).range(1..))]
    pub(crate) port: u16,
}

/// What becomes of a client whose partner has left.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SurvivorOption {
    /// It is queued again, and told so
    Requeue,
    /// It stays connected, unpaired, as with the first VyomaChat server
    Stay,
}

/// What `vyoma.v1` offers besides messages.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FeatureOption {
    /// One is told that the partner types
    Typing,
    /// One is told what the partner has read
    Read,
    /// Opaque and fleeting messages, for WebRTC
    Signal,
    /// A client can have a partner kept from it
    Block,
    /// A client can tell the organiser of its partner
    Report,
    /// A client can make an invitation
    Invite,
    /// Nothing
    None,
}

impl FeatureOption {
    fn feature(self) -> Option<Feature> {
        match self {
            Self::Typing => Some(Feature::Typing),
            Self::Read => Some(Feature::Read),
            Self::Signal => Some(Feature::Signal),
            Self::Block => Some(Feature::Block),
            Self::Report => Some(Feature::Report),
            Self::Invite => Some(Feature::Invite),
            Self::None => None,
        }
    }
}

impl ServeOptions {
    /// What the server wants to know.
    ///
    /// # Errors
    /// If the file with pools can't be used, or that about the place.
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        let defaults = Config::default();
        let mut declared: Vec<_> = self.pool.iter().map(|option| option.0.clone()).collect();
        if let Some(path) = &self.pools_file {
            declared.extend(pools_file::read(path).context("--pools-file")?);
        }
        let place = self.place.as_deref().map(place_file::read).transpose();
        let place = place.context("--place")?.unwrap_or_default();
        Ok(Config {
            bind: Some(self.bind).filter(|bind| !(bind.is_ipv6() && bind.is_unspecified())),
            port: self.port,
            workers: self.workers.unwrap_or(defaults.workers),
            max_message_size: self.max_message_size.0,
            max_connections: self.max_connections,
            max_connections_per_address: self.max_connections_per_address,
            max_attempts_per_address: self.max_attempts_per_address,
            trusted_proxies: self.trusted_proxy.clone(),
            limit_loopback: self.limit_loopback,
            heartbeat: self.heartbeat.0,
            drain_timeout: self.drain_timeout.0,
            survivor: match self.survivor {
                SurvivorOption::Requeue => Survivor::Requeue,
                SurvivorOption::Stay => Survivor::Stay,
            },
            pools: pools(&declared),
            on_demand: self.pools_on_demand.as_ref().map(|option| option.0.clone()),
            invite_expiry: self.invite_expiry.0,
            cooldown: self.cooldown.0,
            grace: self.grace.0,
            credit: self.credit.0,
            replay_memory: self.replay_memory.0,
            features: self.features.iter().filter_map(|option| option.feature()).collect(),
            decision_log: self.decision_log.clone(),
            place,
            web_dir: self.web_dir.clone(),
            metrics_bind: self.metrics_bind,
            give_memory_back: allocator::give_back,
            ..defaults
        })
    }
}

/// A command, and where its settings come from.
pub(crate) struct Invocation {
    pub(crate) command: Command,
    pub(crate) settings: Settings,
}

/// Where each setting of the server comes from.
pub(crate) struct Settings(ArgMatches);

impl Settings {
    /// The environment variable that a setting comes from, if it does.
    pub(crate) fn variable(&self, key: &str) -> Option<String> {
        let from = self.source(key)?;
        (from == ValueSource::EnvVariable).then(|| variable_of(key)).flatten()
    }

    /// Whether a setting was given on the command line.
    pub(crate) fn is_given(&self, key: &str) -> bool {
        self.source(key) == Some(ValueSource::CommandLine)
    }

    fn source(&self, key: &str) -> Option<ValueSource> {
        self.0.value_source(&key.replace('-', "_"))
    }
}

/// Parses the process's command line and environment.
pub(crate) fn parse() -> Result<Invocation, clap::Error> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    parse_from(Cli::command(), &arguments).map_err(|error| name_variable(error, &arguments))
}

fn parse_from(
    definition: clap::Command,
    arguments: &[OsString],
) -> Result<Invocation, clap::Error> {
    let mut matches = definition.try_get_matches_from(arguments)?;
    let cli = Cli::from_arg_matches(&matches)?;
    let command = cli.command.unwrap_or_else(|| Command::Serve(Box::new(cli.serve)));
    let settings = matches.remove_subcommand().map_or(matches, |(_, own)| own);
    Ok(Invocation { command, settings: Settings(settings) })
}

/// clap names the flag of a bad value, even if nobody wrote that flag: says which environment
/// variable the value is from.
fn name_variable(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let bad_value = matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation);
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let flag = shown.split([' ', '=', '[']).next().unwrap_or_default().to_owned();
    let given = arguments.iter().any(|argument| argument.to_string_lossy().starts_with(&flag));
    if let (true, false, Some(variable)) = (bad_value, given, variable_of(&flag)) {
        let advice = StyledStr::from(format!("the value is that of the variable {variable}"));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![advice]));
    }
    error
}

/// The environment variable for a flag, with or without its dashes.
pub(crate) fn variable_of(flag: &str) -> Option<String> {
    let name = flag.trim_start_matches('-');
    let command = Cli::command();
    let argument = command.get_arguments().find(|argument| argument.get_long() == Some(name))?;
    argument.get_env().map(|variable| variable.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;
