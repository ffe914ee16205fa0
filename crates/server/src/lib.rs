//! The I/O of VyomaChat.
//!
//! Knows sockets, clocks, HTTP and threads. Must not know the rules: who meets whom and who counts
//! as alive is decided by `vyoma-core`, what bytes mean by `vyoma-protocol`.

mod admission;
mod alarm;
mod alone;
mod assets;
mod bell;
mod blocks;
mod buffer;
mod closing;
mod config;
mod counters;
mod decision_log;
mod door;
mod exchange;
mod handshake;
mod hold;
mod http;
mod keys;
mod letterbox;
mod life;
mod linger;
mod listener;
mod lobby;
mod lounge;
mod metrics;
mod outbox;
mod place;
mod pools;
mod qr;
mod queue;
mod replay;
mod reports;
mod seat;
mod send_queue;
mod server;
mod shared;
mod shutdown;
mod site;
mod speaker;
mod speech;
mod talk;
mod worker;

pub use config::{Config, ConfigError, Feature, OnDemand, PoolConfig, Rule, Survivor, Timing};
pub use place::{Confirm, Place};
pub use server::{Listeners, Server, StartError};
pub use vyoma_core::matching::Relaxation;
pub use vyoma_core::roster::Census;
