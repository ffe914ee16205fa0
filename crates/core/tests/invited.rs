//! A pool in which everybody has come for somebody: whatever happens, in whatever order, only the two of one
//! invitation meet, and they do.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a start to count from; later times are made up")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use vyoma_core::matching::{Order, Patience, Person, Pool, Step, Ticket};

const PATIENCE: Patience =
    Patience { fresh: Duration::from_secs(2), answer: Duration::from_secs(2) };

#[derive(Debug, Clone)]
enum Act {
    Join(u64),
    Leave(usize),
    Die(usize),
    Speak(usize),
    Obey(usize),
    Pass(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let any = 0usize..16;
    let act = prop_oneof![
        5 => (0u64..6).prop_map(Act::Join),
        1 => any.clone().prop_map(Act::Leave),
        2 => any.clone().prop_map(Act::Die),
        1 => any.clone().prop_map(Act::Speak),
        6 => any.prop_map(Act::Obey),
        3 => (1u64..3000).prop_map(Act::Pass),
    ];
    prop::collection::vec(act, 0..100)
}

struct Guest {
    invitation: u64,
    dead: bool,
    step_at: Option<Instant>,
}

struct World {
    pool: Pool,
    now: Instant,
    guests: BTreeMap<Ticket, Guest>,
    orders: Vec<(Ticket, Order)>,
    /// Invitations by which two have met.
    spent: Vec<u64>,
}

impl World {
    fn act(&mut self, act: &Act) {
        match *act {
            Act::Join(invitation) => self.join(invitation),
            Act::Leave(i) => {
                if let Some(ticket) = self.pick(i) {
                    assert!(self.pool.leave(ticket));
                    self.guests.remove(&ticket);
                }
            }
            Act::Die(i) => {
                if let Some(guest) = self.pick(i).and_then(|it| self.guests.get_mut(&it)) {
                    guest.dead = true;
                }
            }
            Act::Speak(i) => {
                if let Some(ticket) = self.pick(i).filter(|it| !self.guests[it].dead) {
                    self.pool.heard(ticket, self.now);
                }
            }
            Act::Obey(i) => self.obey(i),
            Act::Pass(millis) => {
                self.now += Duration::from_millis(millis);
                let due = |guest: &Guest| guest.step_at.is_some_and(|at| at <= self.now);
                let due: Vec<_> =
                    self.guests.iter().filter(|(_, it)| due(it)).map(|(it, _)| *it).collect();
                due.into_iter().for_each(|ticket| self.step(ticket));
            }
        }
        self.orders.extend(self.pool.take_orders());
        assert_eq!(self.pool.check(), Ok(()));
    }

    /// As the registry has it: never three, and never again once two have met.
    fn join(&mut self, invitation: u64) {
        let of = self.guests.values().filter(|guest| guest.invitation == invitation).count();
        if of == 2 || self.spent.contains(&invitation) {
            return;
        }
        let ticket = self.pool.issue();
        self.pool.rejoin(ticket, &Person::default(), self.now, self.now);
        self.pool.admit(ticket, invitation);
        self.guests.insert(ticket, Guest { invitation, dead: false, step_at: None });
        self.step(ticket);
    }

    fn pick(&self, i: usize) -> Option<Ticket> {
        self.guests.keys().copied().nth(i % self.guests.len().max(1))
    }

    fn obey(&mut self, i: usize) {
        if self.orders.is_empty() {
            return;
        }
        let (ticket, order) = self.orders.remove(i % self.orders.len());
        let Some(guest) = self.guests.get(&ticket) else { return };
        match order {
            Order::Seek => self.step(ticket),
            Order::Probe if !guest.dead => self.pool.heard(ticket, self.now),
            Order::Probe => {}
        }
    }

    fn step(&mut self, ticket: Ticket) {
        let step = self.pool.step(ticket, self.now);
        let Some(guest) = self.guests.get_mut(&ticket) else { return };
        guest.step_at = match step {
            Step::Probing(until) => Some(until),
            Step::Wait(again) => again,
            Step::Pair(_) => None,
        };
        if let Step::Pair(other) = step {
            let two = [ticket, other].map(|it| self.guests.remove(&it).expect("matched twice"));
            assert_eq!(two[0].invitation, two[1].invitation, "a stranger came in between");
            self.spent.push(two[0].invitation);
        }
    }

    /// Lets everything under way come to rest.
    fn rest(&mut self) {
        for _ in 0..10_000 {
            while !self.orders.is_empty() {
                self.act(&Act::Obey(0));
            }
            if self.guests.values().all(|guest| guest.step_at.is_none()) {
                return;
            }
            self.act(&Act::Pass(500));
        }
        panic!("the pool never comes to rest");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]
    #[test]
    fn only_the_two_of_an_invitation_meet_and_live_ones_do(acts in acts()) {
        let mut world = World {
            pool: Pool::invited(PATIENCE),
            now: Instant::now(),
            guests: BTreeMap::new(),
            orders: Vec::new(),
            spent: Vec::new(),
        };
        for act in &acts {
            world.act(act);
        }
        world.rest();
        // Whoever lives is heard from sooner or later.
        for i in 0..world.guests.len() {
            world.act(&Act::Speak(i));
        }
        world.rest();
        for (ticket, guest) in world.guests.iter().filter(|(_, guest)| !guest.dead) {
            let other = world.guests.iter().find(|(other, it)| {
                *other != ticket && it.invitation == guest.invitation && !it.dead
            });
            prop_assert!(other.is_none(), "two live ones of invitation {} wait", guest.invitation);
        }
        prop_assert_eq!(world.pool.len(), world.guests.len());
    }
}
