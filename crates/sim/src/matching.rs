//! A second, smaller world, for who meets whom: clients, the tasks that hold their seats, and the lobby.
//!
//! `vyoma-server`'s tasks are here as they are there, but for what is said: a task takes one step at a time,
//! in any order; mailboxes and sockets are read late, seats are under way while others leave, and a second
//! tab comes when it likes. Must not know the server's I/O, or how links fail: that is the other world's.

mod acts;
mod check;
mod client;
mod ledger;
mod lobby;
mod mail;
mod queue;
mod talk;
mod world;

use crate::run::{Story, Violation};
use world::World;

/// What happened in a run, or in several.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Steps of clients and tasks, those apart in which everything came to rest.
    pub steps: u64,
    /// Who was matched with somebody.
    pub matched: u64,
    /// Of those, by an invitation.
    pub invited: u64,
    /// Seats that came back from a partner who had gone.
    pub returned: u64,
    /// Places that a second tab took over.
    pub taken_over: u64,
    /// Joins that were refused, for whatever reason.
    pub refused: u64,
    /// Who was kept from somebody as it came.
    pub kept_apart: u64,
    /// Probes that weren't answered.
    pub failed_probes: u64,
}

impl Report {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            steps: self.steps + other.steps,
            matched: self.matched + other.matched,
            invited: self.invited + other.invited,
            returned: self.returned + other.returned,
            taken_over: self.taken_over + other.taken_over,
            refused: self.refused + other.refused,
            kept_apart: self.kept_apart + other.kept_apart,
            failed_probes: self.failed_probes + other.failed_probes,
        }
    }
}

/// Runs a story, and then lets everything come to rest.
///
/// # Errors
/// The first promise that was broken.
pub fn run(story: &Story) -> Result<Report, Violation> {
    play(story, false)
}

/// Runs a story, and prints who has moved at each step.
///
/// # Errors
/// As [`run`].
pub fn tell(story: &Story) -> Result<Report, Violation> {
    play(story, true)
}

fn play(story: &Story, tells: bool) -> Result<Report, Violation> {
    let mut world = World::new(story.seed, story.flaw);
    world.tells = tells;
    for (step, entropy) in story.steps.iter().enumerate() {
        world.step(*entropy).map_err(|what| Violation { what, step })?;
    }
    world.come_to_rest().map_err(|what| Violation { what, step: story.steps.len() })?;
    let failed_probes = world.lobby.pools.failed_probes();
    Ok(Report { steps: story.steps.len() as u64, failed_probes, ..world.report })
}
