//! The pool against a small world in which clients live, fall silent, come back and go.

#![expect(
    clippy::disallowed_methods,
    reason = "a start to count from; all later times are made up"
)]

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

const PATIENCE: Patience =
    Patience { fresh: Duration::from_secs(2), answer: Duration::from_secs(2) };

struct World {
    pool: Pool,
    now: Instant,
    clients: HashMap<Ticket, Client>,
    orders: Vec<(Ticket, Order)>,
    pairs: Vec<(Ticket, Ticket)>,
}

#[derive(Default)]
struct Client {
    dead_since: Option<Instant>,
    step_at: Option<Instant>,
}

#[derive(Debug, Clone)]
enum Act {
    Join,
    Leave(usize),
    Die(usize),
    Revive(usize),
    Speak(usize),
    Obey(usize),
    Pass(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let any = 0usize..64;
    let act = prop_oneof![
        4 => Just(Act::Join),
        1 => any.clone().prop_map(Act::Leave),
        2 => any.clone().prop_map(Act::Die),
        1 => any.clone().prop_map(Act::Revive),
        1 => any.clone().prop_map(Act::Speak),
        6 => any.prop_map(Act::Obey),
        3 => (1u64..3000).prop_map(Act::Pass),
    ];
    proptest::collection::vec(act, 0..120)
}

impl World {
    fn new() -> Self {
        Self {
            pool: Pool::new(PATIENCE),
            now: Instant::now(),
            clients: HashMap::new(),
            orders: Vec::new(),
            pairs: Vec::new(),
        }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Join => {
                let ticket = self.pool.join(self.now);
                self.clients.insert(ticket, Client::default());
                self.step(ticket);
            }
            Act::Leave(i) => {
                if let Some(ticket) = self.pick(i) {
                    assert!(self.pool.leave(ticket));
                    self.clients.remove(&ticket);
                }
            }
            Act::Die(i) => self.with(i, |client, now| {
                client.dead_since.get_or_insert(now);
            }),
            Act::Revive(i) => self.with(i, |client, _| client.dead_since = None),
            Act::Speak(i) => {
                if let Some(ticket) = self.pick(i)
                    && self.clients[&ticket].dead_since.is_none()
                {
                    self.pool.heard(ticket, self.now);
                }
            }
            Act::Obey(i) => self.obey(i),
            Act::Pass(millis) => self.pass(Duration::from_millis(millis)),
        }
        self.orders.extend(self.pool.take_orders());
        if let Err(violation) = self.pool.check() {
            panic!("{violation}");
        }
    }

    fn pick(&self, i: usize) -> Option<Ticket> {
        let mut tickets: Vec<_> = self.clients.keys().copied().collect();
        tickets.sort();
        (!tickets.is_empty()).then(|| tickets[i % tickets.len()])
    }

    fn with(&mut self, i: usize, change: impl FnOnce(&mut Client, Instant)) {
        if let Some(ticket) = self.pick(i)
            && let Some(client) = self.clients.get_mut(&ticket)
        {
            change(client, self.now);
        }
    }

    /// A task looks into its mailbox.
    fn obey(&mut self, i: usize) {
        if self.orders.is_empty() {
            return;
        }
        let (ticket, order) = self.orders.remove(i % self.orders.len());
        let Some(client) = self.clients.get(&ticket) else { return };
        match order {
            Order::Seek => self.step(ticket),
            Order::Probe if client.dead_since.is_none() => self.pool.heard(ticket, self.now),
            Order::Probe => {}
        }
    }

    fn step(&mut self, ticket: Ticket) {
        let step = self.pool.step(ticket, self.now);
        let Some(client) = self.clients.get_mut(&ticket) else { return };
        client.step_at = match step {
            Step::Probing(until) => Some(until),
            Step::Wait(again) => again,
            Step::Pair(_) => None,
        };
        if let Step::Pair(other) = step {
            for ticket in [ticket, other] {
                let client = self.clients.remove(&ticket).expect("matched twice, or never in");
                let dead = client.dead_since.map_or(Duration::ZERO, |since| self.now - since);
                assert!(dead < PATIENCE.fresh, "{ticket:?} was handed out, dead for {dead:?}");
            }
            self.pairs.push((other, ticket));
        }
    }

    /// Time passes; tasks whose probes have run out step on.
    fn pass(&mut self, time: Duration) {
        self.now += time;
        let due: Vec<_> = self
            .clients
            .iter()
            .filter(|(_, client)| client.step_at.is_some_and(|at| at <= self.now))
            .map(|(ticket, _)| *ticket)
            .collect();
        for ticket in due {
            self.step(ticket);
        }
    }

    /// Lets everything under way come to rest.
    fn rest(&mut self) {
        for _ in 0..10_000 {
            while !self.orders.is_empty() {
                self.act(&Act::Obey(0));
            }
            if self.clients.values().all(|client| client.step_at.is_none()) {
                return;
            }
            self.act(&Act::Pass(500));
        }
        panic!("the pool never comes to rest");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]
    #[test]
    fn no_two_live_clients_are_left_waiting_and_no_dead_one_is_handed_out(acts in acts()) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
        }
        world.rest();
        // Whoever lives is heard from sooner or later, by the heartbeat at the latest.
        for i in 0..world.clients.len() {
            world.act(&Act::Speak(i));
        }
        world.rest();
        let live = world.clients.values().filter(|client| client.dead_since.is_none()).count();
        prop_assert!(live <= 1, "{live} live clients wait beside each other");
        prop_assert_eq!(world.pool.len(), world.clients.len());
    }
}

#[test]
fn the_first_to_come_is_the_first_to_be_matched() {
    let mut world = World::new();
    for _ in 0..6 {
        world.act(&Act::Join);
    }
    let pairs: Vec<_> = world.pairs.iter().map(|(a, b)| (a.0 / 256, b.0 / 256)).collect();
    assert_eq!(pairs, [(0, 1), (2, 3), (4, 5)]);
}

/// Ten stale waiters beside each other, as pools will have where not everybody fits everybody.
fn ten_stale() -> (Pool, Vec<Ticket>, Instant) {
    let (mut pool, start) = (Pool::new(PATIENCE), Instant::now());
    let waiters: Vec<_> = (0..10).map(|_| pool.join(start)).collect();
    waiters.iter().for_each(|ticket| pool.show(*ticket, Moment::NEVER));
    (pool, waiters, start + PATIENCE.fresh)
}

fn probed(pool: &mut Pool) -> Vec<Ticket> {
    let orders = pool.take_orders().into_iter();
    orders.filter(|(_, order)| *order == Order::Probe).map(|(ticket, _)| ticket).collect()
}

#[test]
fn after_a_failed_probe_eight_are_probed_and_the_oldest_live_one_wins() {
    let (mut pool, waiters, now) = ten_stale();
    let newcomer = pool.join(now);
    let mut search = Search::default();
    assert_eq!(pool.seek(newcomer, &mut search, now), Step::Probing(now + PATIENCE.answer));
    assert_eq!(probed(&mut pool), waiters[..1]);

    let later = now + PATIENCE.answer;
    pool.heard(newcomer, later);
    let until = later + PATIENCE.answer;
    assert_eq!(pool.seek(newcomer, &mut search, later), Step::Probing(until));
    assert_eq!(probed(&mut pool), waiters[1..9]);
    assert_eq!(pool.failed_probes(), 1);

    // The third answers before the second, which still has time.
    let soon = until - PATIENCE.fresh / 2;
    pool.heard(waiters[3], soon);
    pool.heard(waiters[2], soon);
    assert_eq!(pool.seek(newcomer, &mut search, later), Step::Probing(until));
    assert_eq!(pool.seek(newcomer, &mut search, until), Step::Pair(waiters[2]));
    assert_eq!(pool.failed_probes(), 2, "the second failed, nobody else");
}

#[test]
fn the_oldest_wins_at_once_when_it_answers() {
    let (mut pool, waiters, now) = ten_stale();
    let newcomer = pool.join(now);
    let mut search = Search { failed: true, ..Search::default() };
    pool.seek(newcomer, &mut search, now);
    pool.heard(waiters[0], now);
    assert_eq!(pool.seek(newcomer, &mut search, now), Step::Pair(waiters[0]));
}

#[test]
fn one_that_failed_its_probe_keeps_its_place_for_when_it_is_heard() {
    let mut world = World::new();
    world.act(&Act::Join);
    world.act(&Act::Die(0));
    world.act(&Act::Pass(3000));
    world.act(&Act::Join);
    world.rest();
    assert!(world.pairs.is_empty(), "the newcomer waits");
    world.act(&Act::Revive(0));
    world.act(&Act::Speak(0));
    world.rest();
    assert_eq!(world.pairs, [(Ticket(0), Ticket(256))], "the older one is joined by the younger");
}

/// A scored pool in which a fit is needed for a second; after that anybody will do.
fn scored() -> (Pool, Instant) {
    let steps = vec![(Duration::ZERO, 500), (Duration::from_secs(1), 0)];
    let relaxation = Relaxation::new(steps).expect("it falls");
    (Pool::scored(PATIENCE, relaxation), Instant::now())
}

fn person(json: &str) -> Person {
    Person::new(vyoma_protocol::envelope::Profile::from_json(json).expect("a profile"))
}

fn enter(pool: &mut Pool, person: &Person, now: Instant) -> (Ticket, Step) {
    let ticket = pool.issue();
    pool.rejoin(ticket, person, now, now);
    (ticket, pool.step(ticket, now))
}

#[test]
fn where_nobody_has_shown_a_word_anybody_will_do_in_the_end() {
    let (mut pool, start) = scored();
    let [(one, _), (other, _)] = [(); 2].map(|()| enter(&mut pool, &Person::default(), start));
    let later = start + Duration::from_secs(1);
    assert_eq!(pool.step(other, later), Step::Pair(one));
}

/// Somebody who needs a fit asks whether one is live who waits for it; both as tickets.
fn asking() -> (Pool, [Ticket; 2], Instant) {
    let (mut pool, start) = scored();
    let ada = person(r#"{"offers":["maths"],"seeks":["law"]}"#);
    let ben = person(r#"{"offers":["law"],"seeks":["maths"]}"#);
    let (waiter, _) = enter(&mut pool, &ada, start);
    let now = start + PATIENCE.fresh;
    let (seeker, step) = enter(&mut pool, &ben, now);
    assert_eq!(step, Step::Probing(now + PATIENCE.answer));
    (pool, [waiter, seeker], now)
}

#[test]
fn who_turns_out_to_be_another_person_is_not_matched_as_the_one_before() {
    for described in [0, 1] {
        let (mut pool, both, now) = asking();
        let [waiter, seeker] = both;
        pool.describe(both[described], &Person::default());
        pool.heard(waiter, now);
        assert_eq!(pool.check(), Ok(()));
        let steps = both.map(|ticket| pool.step(ticket, now));
        assert!(steps.iter().all(|step| matches!(step, Step::Wait(_))), "{steps:?}");
        let later = now + Duration::from_secs(1);
        assert_eq!(pool.step(seeker, later), Step::Pair(waiter), "anybody will do");
    }
}

#[test]
fn two_who_are_barred_while_one_asks_whether_the_other_is_live_are_not_matched() {
    let (mut pool, [waiter, seeker], now) = asking();
    pool.bar(waiter, seeker, None);
    pool.heard(waiter, now);
    assert_eq!(pool.check(), Ok(()));
    for ticket in [seeker, waiter] {
        assert!(matches!(pool.step(ticket, now), Step::Wait(_)));
    }
    assert_eq!(pool.step(seeker, now + Duration::from_secs(1)), Step::Wait(None));
}

#[test]
fn one_that_is_heard_again_after_its_bar_has_passed_finds_whoever_waits() {
    let (mut pool, start) = (Pool::new(PATIENCE), Instant::now());
    let [older, younger] = [(); 2].map(|()| pool.join(start));
    let until = start + PATIENCE.fresh;
    pool.bar(older, younger, Some(until));
    assert_eq!(pool.step(older, start), Step::Wait(Some(until)));
    assert_eq!(pool.step(younger, start), Step::Wait(Some(until)));
    pool.heard(younger, until);
    let failed = until + PATIENCE.answer;
    assert_eq!(pool.step(younger, until), Step::Probing(failed));
    pool.heard(younger, failed);
    assert_eq!(pool.step(younger, failed), Step::Wait(None), "the older one is silent");
    pool.take_orders();
    pool.heard(older, failed);
    assert_eq!(pool.take_orders(), [(older, Order::Seek)]);
    assert_eq!(pool.step(older, failed), Step::Pair(younger));
}

#[test]
fn one_that_answered_too_long_ago_looks_itself_at_who_has_come_meanwhile() {
    let (mut pool, [waiter, seeker], now) = asking();
    pool.heard(waiter, now);
    pool.take_orders();
    let late = now + PATIENCE.fresh;
    let (newcomer, step) = enter(&mut pool, &Person::default(), late);
    assert!(matches!(step, Step::Wait(_)), "the others are out of sight");
    // The seeker comes so late that both have to be asked anew.
    pool.heard(seeker, late);
    pool.step(seeker, late);
    assert!(pool.take_orders().contains(&(waiter, Order::Seek)));
    pool.leave(seeker);
    pool.heard(waiter, late);
    pool.heard(newcomer, late + Duration::from_secs(1));
    pool.heard(waiter, late + Duration::from_secs(1));
    assert_eq!(pool.step(waiter, late + Duration::from_secs(1)), Step::Pair(newcomer));
}
