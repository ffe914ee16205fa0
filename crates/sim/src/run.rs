//! A run of the world, from a seed or from a list of steps; and how a failing one is shortened.

use fastrand::Rng;

use crate::Flaw;
use crate::world::World;

/// All that a run depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Draws the clients.
    pub seed: u64,
    /// Each draws a step.
    pub steps: Vec<u64>,
    /// A bug that is put in on purpose.
    pub flaw: Option<Flaw>,
}

impl Story {
    /// The story of a seed.
    pub fn new(seed: u64, steps: usize, flaw: Option<Flaw>) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x9e37_79b9_7f4a_7c15);
        Self { seed, steps: (0..steps).map(|_| rng.u64(..)).collect(), flaw }
    }
}

/// What happened in a run, or in several.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Steps, and how many of them were faults.
    pub steps: u64,
    /// Of those, faults.
    pub faults: u64,
    /// Messages that applications were handed.
    pub messages: u64,
    /// Holes that they were told of.
    pub gaps: u64,
    /// Conversations that began.
    pub matched: u64,
    /// Seats that were taken again.
    pub resumed: u64,
    /// Conversations that a process took on which knew nothing of them.
    pub adopted: u64,
    /// Connections that lost their place to another one.
    pub superseded: u64,
}

impl Report {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            steps: self.steps + other.steps,
            faults: self.faults + other.faults,
            messages: self.messages + other.messages,
            gaps: self.gaps + other.gaps,
            matched: self.matched + other.matched,
            resumed: self.resumed + other.resumed,
            adopted: self.adopted + other.adopted,
            superseded: self.superseded + other.superseded,
        }
    }
}

/// A promise was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which, in words.
    pub what: String,
    /// At which step; the number of steps if only in the end nothing moved any more.
    pub step: usize,
}

/// Runs a story, and then lets everything come to rest.
///
/// # Errors
/// The first promise that was broken.
pub fn run(story: &Story) -> Result<Report, Violation> {
    play(story, false)
}

/// Runs a story, and prints all that is said in it.
///
/// # Errors
/// As [`run`].
pub fn tell(story: &Story) -> Result<Report, Violation> {
    play(story, true)
}

fn play(story: &Story, tells: bool) -> Result<Report, Violation> {
    let mut world = World::new(story.seed, story.flaw, tells);
    for (step, entropy) in story.steps.iter().enumerate() {
        let broken = |what| Violation { what, step };
        world.step(*entropy).map_err(broken)?;
    }
    world.tell(|| "all is well from here on".into());
    world.calm_down().map_err(|what| Violation { what, step: story.steps.len() })?;
    Ok(Report {
        steps: story.steps.len() as u64,
        faults: world.faults,
        messages: world.ledger.messages,
        gaps: world.ledger.gaps,
        matched: world.counts.matched,
        resumed: world.counts.resumed,
        adopted: world.counts.adopted,
        superseded: world.counts.superseded,
    })
}

/// Takes steps out of a story that fails in a world for as long as it fails there: first many at once, then
/// single ones.
#[must_use]
pub fn shrink<R>(story: &Story, run: fn(&Story) -> Result<R, Violation>) -> Story {
    let mut best = story.clone();
    let Err(violation) = run(&best) else { return best };
    best.steps.truncate(violation.step + 1);
    // It is to stay the same violation, whoever meets with it.
    let kind = |what: &str| what.replace(|letter: char| !letter.is_alphabetic(), "");
    let same =
        |story: &Story| run(story).is_err_and(|own| kind(&own.what) == kind(&violation.what));
    let mut length = best.steps.len() / 2;
    while length > 0 {
        let mut from = 0;
        while from < best.steps.len() {
            let mut shorter = best.clone();
            shorter.steps.drain(from..(from + length).min(best.steps.len()));
            if same(&shorter) {
                best = shorter;
            } else {
                from += length;
            }
        }
        length /= 2;
    }
    best
}
