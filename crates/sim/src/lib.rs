//! A seeded virtual world around the rules: clients (`vyoma-reliable`), servers (`vyoma-core`), links
//! between them that lose and stall, crashes at any step, and time that passes when the world says so.
//!
//! Which of all that could happen next does happen is drawn from the seed, so that every order of events
//! is possible, and a run repeats exactly. After every step the checkers look whether a promise is
//! broken. Must not know the server's I/O: `process` here is a stand-in for it, as thin as it can be.
//!
//! [`matching`] is a world of its own, for the races of who meets whom.

mod calm;
mod client;
mod fault;
mod flaw;
mod ledger;
mod link;
pub mod matching;
mod process;
mod run;
mod step;
mod world;

pub use flaw::Flaw;
pub use run::{Report, Story, Violation, run, shrink, tell};
