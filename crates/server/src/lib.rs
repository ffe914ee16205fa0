//! The I/O of VyomaChat.
//!
//! Knows sockets, clocks, HTTP and threads. Must not know the rules: who meets whom and who counts
//! as alive is decided by `vyoma-core`, what bytes mean by `vyoma-protocol`.

mod config;
mod counters;

pub use config::{Config, Survivor, Timing};
