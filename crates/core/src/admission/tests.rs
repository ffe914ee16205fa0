//! Admission against its own words, and against a model that never forgets.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const KEY: AddressKey = AddressKey::V4(1);

fn limits(connections: usize, per_address: u32, attempts: u32) -> Limits {
    Limits { connections, connections_per_address: per_address, attempts_per_address: attempts }
}

/// Any instant: the rules never ask what time it is.
fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "there is no other way to make an Instant")]
    Instant::now()
}

#[test]
fn addresses_count_by_64_bits_and_mapped_ones_as_what_they_are() {
    let key = |text: &str| AddressKey::from(text.parse::<IpAddr>().unwrap());
    assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:ffff:ffff:ffff"));
    assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
    assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    assert_ne!(key("::"), key("0.0.0.0"));
}

#[test]
fn a_burst_of_ten_seconds_then_the_rate() {
    let mut admission = Admission::new(limits(9, 0, 2));
    let now = start();
    for _ in 0..20 {
        assert_eq!(admission.enter_address(KEY, now), Ok(()));
    }
    let wait = Duration::from_millis(500);
    let refused = Err(Refused { why: Refusal::AddressAttempts, retry_after: Some(wait) });
    assert_eq!(admission.enter_address(KEY, now), refused);
    assert_eq!(admission.enter_address(AddressKey::V6(1), now), Ok(()), "others are not hurt");
    assert_eq!(admission.enter_address(KEY, now + wait), Ok(()));
    assert_eq!(admission.enter_address(KEY, now + wait), refused);
}

#[test]
fn a_full_server_keeps_a_reserve_for_plain_http() {
    let mut admission = Admission::new(limits(1, 0, 0));
    assert_eq!(admission.enter(), Ok(Place::Regular));
    for _ in 0..RESERVE {
        assert_eq!(admission.enter(), Ok(Place::Reserve));
    }
    assert_eq!(admission.enter().unwrap_err().why, Refusal::Full);
    assert_eq!(admission.stay(Place::Regular), Ok(()));
    assert_eq!(admission.stay(Place::Reserve).unwrap_err().why, Refusal::Full);
    for _ in 0..RESERVE {
        admission.leave();
    }
    assert_eq!(admission.stay(Place::Reserve), Ok(()), "the only one in is within the limit");
}

#[test]
fn zero_is_no_limit() {
    let mut admission = Admission::new(limits(0, 0, 0));
    let now = start();
    assert!((0..5000).all(|_| admission.enter_address(KEY, now).is_ok()));
}

#[test]
fn what_says_nothing_is_forgotten() {
    let mut admission = Admission::new(limits(0, 1, 100));
    let mut now = start();
    for n in 0..1_000_000 {
        let key = AddressKey::V6(n);
        assert_eq!(admission.enter_address(key, now), Ok(()));
        admission.leave_address(key);
        now += Duration::from_millis(1);
        assert!(admission.addresses() <= SWEEP_FROM);
    }
}

/// A token bucket as the textbook has it, and a count, for each address, for ever.
struct Model {
    limits: Limits,
    connections: HashMap<u32, u32>,
    tokens: HashMap<u32, (Duration, Duration)>,
}

impl Model {
    /// Time is measured in `now`, tokens in the time they take to grow.
    fn enter(&mut self, key: u32, now: Duration) -> Result<(), Refusal> {
        let price = Duration::from_secs(1) / self.limits.attempts_per_address;
        let (level, seen) = self.tokens.entry(key).or_insert((BURST, now));
        *level = (*level + (now - *seen)).min(BURST);
        *seen = now;
        *level = level.checked_sub(price).ok_or(Refusal::AddressAttempts)?;
        let connections = self.connections.entry(key).or_default();
        if *connections >= self.limits.connections_per_address {
            return Err(Refusal::AddressConnections);
        }
        *connections += 1;
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn it_decides_like_a_model_that_never_forgets(
        per_address in 1_u32..6,
        attempts in 1_u32..4,
        sweep_at in 1_usize..4,
        steps in prop::collection::vec((0_u32..5, any::<bool>(), 0_u64..900), 1..150),
    ) {
        let limits = limits(0, per_address, attempts);
        let mut model = Model { limits, connections: HashMap::new(), tokens: HashMap::new() };
        let mut admission = Admission::new(limits);
        let (start, mut elapsed) = (start(), Duration::ZERO);
        for (address, arrives, millis) in steps {
            elapsed += Duration::from_millis(millis);
            admission.sweep_at = sweep_at;
            let key = AddressKey::V4(address);
            let connected = model.connections.get(&address).copied().unwrap_or(0);
            if arrives {
                let ours = admission.enter_address(key, start + elapsed).map_err(|r| r.why);
                prop_assert_eq!(ours, model.enter(address, elapsed));
            } else if connected > 0 {
                model.connections.insert(address, connected - 1);
                admission.leave_address(key);
            }
        }
    }
}
