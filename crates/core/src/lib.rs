//! The rules of VyomaChat, as pure state machines.
//!
//! Knows who meets whom, who counts as live, what becomes of whom. Must not know sockets, tokio,
//! threads, storage or HTTP. Time and randomness are arguments; results are returned values.

pub mod acquaintance;
pub mod admission;
pub mod conversation;
pub mod directory;
pub mod liveness;
pub mod matching;
pub mod rate;
pub mod roster;
