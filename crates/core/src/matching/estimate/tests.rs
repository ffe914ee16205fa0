//! The estimator on waits made by hand; its calibration is measured in `crates/traces`.

#![expect(clippy::disallowed_methods, reason = "a start to count from; later times are made up")]

use super::*;

/// Two come each second, of whom one waits 1 to 10 s; `seconds` long.
struct World {
    estimator: Estimator,
    now: Instant,
}

impl World {
    fn new() -> Self {
        Self { estimator: Estimator::new(), now: Instant::now() }
    }

    fn pass(&mut self, seconds: u64, rate: u64, waits: impl Fn(u64) -> Option<u64>) {
        for second in 0..seconds {
            (0..rate).for_each(|_| self.estimator.joined(self.now));
            if let Some(wait) = waits(second) {
                self.estimator.matched(Duration::from_secs(wait), self.now);
            }
            self.now += Duration::from_secs(1);
        }
    }

    fn told(&mut self, waited: u64) -> Option<(u64, u64)> {
        let interval = self.estimator.estimate(Duration::from_secs(waited), self.now)?;
        Some((interval.from.as_secs(), interval.to.as_secs()))
    }
}

fn even(second: u64) -> Option<u64> {
    Some(1 + second * 7 % 10)
}

#[test]
fn none_is_given_before_thirty_have_been_matched() {
    let mut world = World::new();
    assert_eq!(world.told(0), None);
    world.pass(100, 2, |_| None);
    world.pass(29, 2, even);
    assert_eq!(world.told(0), None);
    world.pass(20, 2, even);
    assert!(world.told(0).is_some());
    assert_eq!(world.told(12), None, "so long nobody has waited");
}

#[test]
fn who_has_waited_is_told_of_those_who_waited_as_long() {
    let mut world = World::new();
    world.pass(300, 2, even);
    assert_eq!(world.told(0), Some((2, 9)));
    assert_eq!(world.told(5), Some((6, 9)));
}

#[test]
fn who_is_matched_on_arrival_is_left_out() {
    let mut world = World::new();
    for _ in 0..300 {
        world.pass(1, 2, even);
        world.estimator.matched(Duration::ZERO, world.now);
    }
    assert_eq!(world.told(0), Some((1, 1)), "all others waited one second");
}

#[test]
fn after_a_jump_none_is_given_until_enough_who_came_since_have_been_matched() {
    let mut world = World::new();
    world.pass(300, 2, even);
    assert!(world.told(0).is_some());
    world.pass(4, 30, even);
    assert_eq!(world.told(0), None, "right after the jump");
    world.pass(28, 30, even);
    assert_eq!(world.told(0), None);
    world.pass(40, 30, even);
    assert!(world.told(0).is_some());
}

#[test]
fn none_is_given_when_nobody_comes_any_more() {
    let mut world = World::new();
    world.pass(300, 2, even);
    world.pass(30, 0, |_| None);
    assert_eq!(world.told(0), None);
}

#[test]
fn what_was_long_ago_is_forgotten() {
    let mut world = World::new();
    world.pass(300, 2, even);
    world.pass(RECENT.as_secs(), 2, |_| None);
    assert_eq!(world.told(0), None);
}

#[test]
fn a_long_wait_takes_a_long_time_to_be_told() {
    let mut world = World::new();
    let slow = |second: u64| (second >= 100).then_some(100);
    world.pass(399, 2, slow);
    assert_eq!(world.told(0), None, "299 matches, but only four times as long will do");
    world.pass(1, 2, slow);
    assert_eq!(world.told(0), Some((100, 100)));
}

#[test]
fn none_is_given_while_it_turns_out_wrong() {
    let mut world = World::new();
    world.pass(300, 2, even);
    assert!(world.told(0).is_some());
    // The same people come, and suddenly wait twice as long.
    world.pass(90, 2, |second| even(second).map(|wait| wait + 10));
    assert_eq!(world.told(0), None);
    world.pass(600, 2, |second| even(second).map(|wait| wait + 10));
    assert_eq!(world.told(0), Some((12, 19)));
}

#[test]
fn who_left_is_not_taken_for_matched() {
    let (mut world, mut calm) = (World::new(), World::new());
    for second in 0..400 {
        calm.pass(1, 2, |_| even(second));
        world.pass(1, 2, |_| even(second));
        world.estimator.left(Duration::from_millis(5500), world.now);
    }
    assert_eq!(calm.told(0), Some((2, 9)));
    assert_eq!(world.told(0), Some((5, 10)), "who left at 5.5 s would have waited longer");
}

#[test]
fn memory_is_bounded() {
    let mut world = World::new();
    for second in 0..2000 {
        world.pass(1, 20, |_| even(second));
        (0..10).for_each(|_| world.estimator.left(Duration::from_secs(3), world.now));
    }
    assert!(world.estimator.waits.len() <= MOST);
    assert_eq!(size_of::<(u32, Wait)>() * MOST, 6_144);
}
