//! What a guest is going to do, drawn from the seed. Knows no sockets.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// How a guest goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// By a Close frame.
    Close,
    /// By ending its direction of the stream.
    Fin,
    /// By a reset.
    Reset,
    /// By a reset in the middle of a frame.
    CutFrame,
    /// By a reset between the fragments of a message.
    CutFragments,
    /// By ending its direction in the middle of a frame.
    FinInFrame,
    /// By breaking the protocol.
    Error,
}

/// When a guest goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Before it has sent its whole head.
    InHandshake,
    /// As soon as it is upgraded, whatever it was told.
    Upgraded,
    /// This long after it was upgraded, wherever it is then.
    After(Duration),
    /// As soon as it has been paired so often.
    Paired(u32),
    /// Once it has heard so many messages, or at the latest after the time.
    Heard(u32, Duration),
    /// Between the notice that its partner left and its answer to the fence, or after the time.
    Fenced(Duration),
    /// When everybody goes home.
    Home,
}

/// One guest's plan.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) id: u64,
    pub(crate) when: When,
    pub(crate) exit: Exit,
    /// Messages sent in the packet of the head.
    pub(crate) early: u32,
    /// Messages sent as soon as there is a partner.
    pub(crate) eager: u32,
    /// Messages sent in answer to each one heard, as long as there are any left.
    pub(crate) chatty: u32,
    /// Bytes that each message is padded with.
    pub(crate) padding: usize,
    /// Sends its messages in fragments with a ping between.
    pub(crate) in_pieces: bool,
    /// Messages sent between the notice and the fence's pong: nobody may ever see them.
    pub(crate) lost: u32,
}

/// One in so many stays.
const STAYERS: u32 = 20;

impl Plan {
    /// The plan of guest `id` in the run with this seed.
    pub(crate) fn draw(seed: u64, id: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed ^ id.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let stays = dice.random_ratio(1, STAYERS);
        let when = if stays { When::Home } else { draw_when(&mut dice) };
        Self {
            id,
            when,
            exit: draw_exit(&mut dice),
            early: if dice.random_ratio(1, 4) { dice.random_range(1..4) } else { 0 },
            eager: dice.random_range(1..6),
            chatty: dice.random_range(0..20),
            padding: if dice.random_ratio(1, 20) { dice.random_range(0..9_000) } else { 7 },
            in_pieces: dice.random_ratio(1, 8),
            lost: dice.random_range(0..4),
        }
    }

    pub(crate) fn is_stayer(&self) -> bool {
        self.when == When::Home
    }
}

fn draw_when(dice: &mut StdRng) -> When {
    let time = Duration::from_millis(dice.random_range(0..400));
    match dice.random_range(0..20) {
        0 => When::InHandshake,
        1 | 2 => When::Upgraded,
        3..9 => When::After(time),
        9..13 => When::Paired(dice.random_range(1..3)),
        13..17 => When::Heard(dice.random_range(1..20), time),
        _ => When::Fenced(time),
    }
}

fn draw_exit(dice: &mut StdRng) -> Exit {
    const ALL: [Exit; 7] = [
        Exit::Close,
        Exit::Fin,
        Exit::Reset,
        Exit::CutFrame,
        Exit::CutFragments,
        Exit::FinInFrame,
        Exit::Error,
    ];
    ALL[dice.random_range(0..ALL.len())]
}
