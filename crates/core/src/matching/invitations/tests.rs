//! Whatever is done with invitations, in whatever order: two at most, once, and nobody by guessing.
#![expect(clippy::disallowed_methods, reason = "a start to count from; later times are made up")]

use super::*;
use proptest::prelude::*;
use std::collections::HashSet;

const LIFE: Duration = Duration::from_secs(1000);

fn device(number: u8) -> Identity {
    Identity([number; 16])
}

fn one() -> (Invitations, Code, Instant) {
    let now = Instant::now();
    let mut all = Invitations::new(LIFE, now);
    let code = all.make(device(0), "default", [7; 6], now).unwrap();
    (all, code, now)
}

#[test]
fn two_have_a_seat_and_a_third_has_none() {
    let (mut all, code, now) = one();
    let mut present = |who: Option<u8>| all.present(code, "default", who.map(device), now);
    let first = present(Some(1)).unwrap();
    present(None).unwrap();
    assert_eq!(present(Some(2)), Err(Uninvited::Used));
    assert_eq!(present(None), Err(Uninvited::Used));
    // Another tab has the place of the first, which can't give it up any more.
    let other_tab = present(Some(1)).unwrap();
    all.free(first);
    assert_eq!(all.present(code, "default", None, now), Err(Uninvited::Used));
    all.free(other_tab);
    let third = all.present(code, "default", Some(device(2)), now).unwrap();
    assert_eq!(third.invitation(), code.number());

    all.spend(third);
    all.free(third);
    assert!(all.is_empty());
    for who in [Some(device(2)), Some(device(1)), None] {
        assert_eq!(all.present(code, "default", who, now), Err(Uninvited::Used));
    }
}

#[test]
fn an_invitation_holds_in_its_pool_and_for_its_life() {
    let (mut all, code, now) = one();
    let other = Code::new([8; 6]);
    assert_eq!(all.judge(other, "default", None, now), Err(Uninvited::Unknown));
    assert_eq!(all.judge(code, "founders", None, now), Err(Uninvited::Unknown));
    let late = now + LIFE - Duration::from_nanos(1);
    let pass = all.present(code, "default", None, late).unwrap();
    assert_eq!(pass.expires, now + LIFE);
    assert_eq!(all.judge(code, "default", None, now + LIFE), Err(Uninvited::Unknown));
    // Whoever met by it has met, and a new one of the same code is another one.
    assert_eq!(all.make(device(0), "default", [7; 6], now + LIFE), Ok(code));
    all.spend(pass);
    all.free(pass);
    assert_eq!(all.judge(code, "default", None, now + LIFE), Ok(()));
}

#[test]
fn guessing_is_slowed_down_and_right_codes_are_not() {
    let (mut all, code, now) = one();
    for _ in 0..1000 {
        assert_eq!(all.judge(code, "default", None, now), Ok(()));
    }
    for guess in 0..FAILURES.burst {
        let guess = Code::new([1, 2, 0, 0, 0, guess as u8]);
        assert_eq!(all.judge(guess, "default", None, now), Err(Uninvited::Unknown));
    }
    let wait = Duration::from_millis(FAILURES.interval.into());
    for code in [code, Code::new([9; 6])] {
        assert_eq!(all.judge(code, "default", None, now), Err(Uninvited::TooFast(wait)));
    }
    assert_eq!(all.judge(code, "default", None, now + wait), Ok(()));
}

#[test]
fn a_device_has_so_many_open_and_no_more() {
    let (mut all, first, now) = one();
    let mut codes = HashSet::from([first]);
    for _ in 1..MOST_OPEN_PER_DEVICE {
        // The same bytes: the code behind it is taken.
        assert!(codes.insert(all.make(device(0), "default", [7; 6], now).unwrap()));
    }
    assert_eq!(all.make(device(0), "default", [1; 6], now), Err(Uninvited::TooMany));
    assert!(all.make(device(1), "default", [7; 6], now).is_ok());
    let pass = all.present(first, "default", None, now).unwrap();
    all.spend(pass);
    assert!(all.make(device(0), "default", [2; 6], now).is_ok(), "one was used");
    assert!(all.make(device(0), "default", [2; 6], now + LIFE).is_ok(), "all have expired");
    assert_eq!((all.len(), all.open.len(), all.expiring.len()), (1, 1, 1));
}

#[test]
fn there_are_so_many_in_all_and_the_oldest_that_were_used_are_forgotten() {
    let now = Instant::now();
    let mut all = Invitations::new(LIFE, now);
    let bytes = |n: u32| {
        let [a, b, c, d] = n.to_be_bytes();
        [0, 0, a, b, c, d]
    };
    let maker = |n: u32| Identity(u128::from(n).to_be_bytes());
    for n in 0..=MOST_SPENT as u32 {
        let code = all.make(maker(n), "default", bytes(n), now).unwrap();
        let pass = all.present(code, "default", None, now).unwrap();
        all.spend(pass);
    }
    assert_eq!(all.all.len(), MOST_SPENT);
    assert_eq!(all.judge(Code::new(bytes(0)), "default", None, now), Err(Uninvited::Unknown));
    assert_eq!(all.judge(Code::new(bytes(1)), "default", None, now), Err(Uninvited::Used));
    for n in 0..MOST_OPEN as u32 {
        all.make(maker(n), "default", bytes(n + (1 << 24)), now).unwrap();
    }
    assert_eq!(all.make(maker(1 << 31), "default", [1; 6], now), Err(Uninvited::TooMany));
}

#[derive(Debug, Clone)]
enum Act {
    Make(u8),
    Present { code: usize, device: Option<u8>, elsewhere: bool },
    Free(usize),
    Spend(usize),
    Pass(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let any = 0usize..8;
    let act = prop_oneof![
        2 => (0u8..3).prop_map(Act::Make),
        6 => (any.clone(), prop::option::of(0u8..4), prop::bool::weighted(0.1))
            .prop_map(|(code, device, elsewhere)| Act::Present { code, device, elsewhere }),
        2 => any.clone().prop_map(Act::Free),
        1 => any.prop_map(Act::Spend),
        2 => (1u64..400).prop_map(Act::Pass),
    ];
    prop::collection::vec(act, 0..80)
}

/// An invitation as a naive reader of docs/matching.md keeps it.
struct Naive {
    code: Code,
    expires: Instant,
    spent: bool,
    holders: Vec<(Pass, Option<u8>)>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    #[test]
    fn never_three_never_twice_never_two_of_one_code(acts in acts()) {
        let mut now = Instant::now();
        let mut all = Invitations::new(LIFE, now);
        let mut naive: Vec<Naive> = Vec::new();
        for act in acts {
            match act {
                Act::Make(by) => {
                    // A few codes only, so that they meet.
                    if let Ok(code) = all.make(device(by), "default", [0, 0, 0, 0, 0, by % 2], now) {
                        let twin = naive.iter().any(|it| it.code == code && it.expires > now);
                        prop_assert!(!twin, "two of one code");
                        let (expires, holders) = (now + LIFE, Vec::new());
                        naive.push(Naive { code, expires, spent: false, holders });
                    }
                }
                Act::Present { code, device: who, elsewhere } => {
                    let code = Code::new([0, 0, 0, 0, 0, code as u8]);
                    let pool = if elsewhere { "elsewhere" } else { "default" };
                    let found = naive.iter_mut().find(|it| it.code == code && it.expires > now);
                    let answer = all.present(code, pool, who.map(device), now);
                    match (found.filter(|_| !elsewhere), answer) {
                        (_, Err(Uninvited::TooFast(_))) => {}
                        (None, answer) => prop_assert_eq!(answer, Err(Uninvited::Unknown)),
                        (Some(it), Err(why)) => {
                            prop_assert_eq!(why, Uninvited::Used);
                            let own = it.holders.iter().any(|(_, held)| who.is_some() && *held == who);
                            prop_assert!(it.spent || (it.holders.len() == 2 && !own));
                        }
                        (Some(it), Ok(pass)) => {
                            prop_assert!(!it.spent, "used twice");
                            it.holders.retain(|(_, held)| who.is_none() || *held != who);
                            it.holders.push((pass, who));
                            prop_assert!(it.holders.len() <= 2, "three");
                        }
                    }
                }
                Act::Free(which) => {
                    let passes: Vec<_> = naive.iter().flat_map(|it| &it.holders).collect();
                    if let Some((pass, _)) = passes.get(which).map(|held| **held) {
                        all.free(pass);
                        let open = naive.iter_mut().filter(|it| !it.spent);
                        open.for_each(|it| it.holders.retain(|(held, _)| *held != pass));
                    }
                }
                Act::Spend(which) => {
                    let passes: Vec<_> = naive.iter().flat_map(|it| &it.holders).collect();
                    if let Some((pass, _)) = passes.get(which).map(|held| **held) {
                        all.spend(pass);
                        let of = |it: &&mut Naive| it.holders.iter().any(|(held, _)| *held == pass);
                        naive.iter_mut().find(of).unwrap().spent = true;
                    }
                }
                Act::Pass(seconds) => now += Duration::from_secs(seconds),
            }
            all.forget(now);
            naive.retain(|it| it.expires > now);
            let open = naive.iter().filter(|it| !it.spent).count();
            prop_assert_eq!((all.len(), all.all.len()), (open, naive.len()));
            prop_assert_eq!(all.open.values().sum::<usize>(), open);
            prop_assert_eq!((all.expiring.len(), all.spent.len()), (naive.len(), naive.len() - open));
        }
    }
}
