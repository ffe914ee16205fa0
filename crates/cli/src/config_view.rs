//! `--print-config`: each setting, its value, and where that comes from.

use std::fmt::{self, Display};
use std::path::PathBuf;

use vyoma_server::Config;

use crate::options::{ServeOptions, Settings};
use crate::pools::PoolOption;
use crate::values::{ByteSize, Span};

/// The configuration, to be shown.
pub(crate) struct ConfigView<'a> {
    pub(crate) options: &'a ServeOptions,
    pub(crate) config: &'a Config,
    pub(crate) settings: &'a Settings,
}

impl Display for ConfigView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in self.rows() {
            let source = match self.settings.variable(key) {
                Some(variable) => variable,
                None if self.settings.is_given(key) => "command line".to_owned(),
                None => "default".to_owned(),
            };
            writeln!(f, "{:<45} # {source}", format!("{key} = {value}"))?;
        }
        Ok(())
    }
}

impl ConfigView<'_> {
    /// All settings of the server, named as their flags.
    fn rows(&self) -> Vec<(&'static str, String)> {
        let Self { options, config, .. } = self;
        let list =
            |items: &[_]| items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let list_of = |pools: &[PoolOption]| {
            pools.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        let name = |value: Option<clap::builder::PossibleValue>| {
            value.map_or_else(String::new, |value| value.get_name().to_owned())
        };
        let path = |path: &Option<PathBuf>| {
            path.as_ref().map_or(String::new(), |path| path.display().to_string())
        };
        let features: Vec<_> = config.features.iter().map(|feature| feature.name()).collect();
        use clap::ValueEnum as _;
        vec![
            ("bind", config.bind.map_or("[::]".to_owned(), |bind| bind.to_string())),
            ("port", config.port.to_string()),
            ("workers", config.workers.to_string()),
            ("max-message-size", ByteSize(config.max_message_size).to_string()),
            ("max-connections", config.max_connections.to_string()),
            ("max-connections-per-address", config.max_connections_per_address.to_string()),
            ("max-attempts-per-address", config.max_attempts_per_address.to_string()),
            ("trusted-proxy", list(&config.trusted_proxies)),
            ("limit-loopback", config.limit_loopback.to_string()),
            ("heartbeat", Span(config.heartbeat).to_string()),
            ("drain-timeout", Span(config.drain_timeout).to_string()),
            ("survivor", name(options.survivor.to_possible_value())),
            ("pool", list_of(&options.pool)),
            ("pools-file", path(&options.pools_file)),
            (
                "pools-on-demand",
                options.pools_on_demand.as_ref().map_or(String::new(), ToString::to_string),
            ),
            ("cooldown", Span(config.cooldown).to_string()),
            ("invite-expiry", Span(config.invite_expiry).to_string()),
            ("grace", Span(config.grace).to_string()),
            ("credit", ByteSize(config.credit).to_string()),
            ("replay-memory", ByteSize(config.replay_memory).to_string()),
            ("features", features.join(",")),
            ("data-dir", path(&options.data_dir)),
            ("secret-file", path(&options.secret_file)),
            ("decision-log", path(&options.decision_log)),
            ("place", path(&options.place)),
            ("web-dir", path(&options.web_dir)),
            ("metrics-bind", config.metrics_bind.map_or(String::new(), |bind| bind.to_string())),
            ("takeover", path(&options.takeover)),
            ("log-format", name(options.log_format.to_possible_value())),
            ("log", options.log.clone()),
        ]
    }
}
