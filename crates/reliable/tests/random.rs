//! Whatever a server, a network, a clock, a disk and an application do, in any order: what a session
//! must keep in all cases.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests, too")]

#[path = "random/server.rs"]
mod server;
#[path = "random/watch.rs"]
mod watch;

use proptest::prelude::*;
use server::{Say, say};
use watch::Watch;

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    /// The time goes on by so many milliseconds.
    Later(u64),
    /// ... until the session wants a tick.
    Deadline,
    Opened,
    Lost(Option<u16>),
    Say(Say),
    Garbage(String),
    Binary(Vec<u8>),
    Heard,
    Wake,
    Join,
    Next,
    Leave,
    Block,
    Report,
    Send(usize),
    SendBinary(usize),
    /// The application takes what it was given next.
    Take,
    /// ... or says so of something else.
    TakeWrongly(u64),
    Read(u64),
    Typing(bool),
    Signal,
    Close,
    /// The process dies: only so many of the next call's actions are carried out.
    Crash(usize),
    /// ... and loses all but the token.
    Forget,
}

fn step() -> impl Strategy<Value = Step> {
    let code = prop::sample::select(vec![
        None,
        Some(1000),
        Some(1001),
        Some(1006),
        Some(1008),
        Some(1013),
        Some(4409),
        Some(4429),
    ]);
    prop_oneof![
        6 => (0..3_000_u64).prop_map(Step::Later),
        1 => (0..120_000_u64).prop_map(Step::Later),
        12 => Just(Step::Deadline),
        10 => Just(Step::Opened),
        3 => code.prop_map(Step::Lost),
        40 => say().prop_map(Step::Say),
        1 => "[ -~]{0,12}".prop_map(Step::Garbage),
        1 => prop::collection::vec(any::<u8>(), 0..12).prop_map(Step::Binary),
        1 => Just(Step::Heard),
        1 => Just(Step::Wake),
        4 => Just(Step::Join),
        1 => Just(Step::Next),
        1 => Just(Step::Leave),
        1 => Just(Step::Block),
        1 => Just(Step::Report),
        10 => (0..300_usize).prop_map(Step::Send),
        4 => (0..300_usize).prop_map(Step::SendBinary),
        8 => Just(Step::Take),
        1 => (0..6_u64).prop_map(Step::TakeWrongly),
        3 => (0..9_u64).prop_map(Step::Read),
        2 => any::<bool>().prop_map(Step::Typing),
        1 => Just(Step::Signal),
        1 => Just(Step::Close),
        2 => (0..4_usize).prop_map(Step::Crash),
        1 => Just(Step::Forget),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_session_keeps_its_promises(seed in any::<u64>(), steps in prop::collection::vec(step(), 1..120)) {
        let mut watch = Watch::new(seed);
        for step in steps {
            watch.step(&step);
        }
    }
}
