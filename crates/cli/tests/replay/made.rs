//! Logs whose calls are made here, at times that are known: what is told of them, to the letter.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vyoma_core::matching::decisions::{Header, PoolRule, Recorded, Rules};
use vyoma_core::matching::{INVITED, Lists, Patience, Person, Relaxation, Tag, Ticket};

use crate::place::{Place, replay};

/// A log whose calls are made here: times are seconds after 10:00.
struct Made {
    pools: Recorded,
    start: Instant,
    log: Arc<Mutex<Vec<u8>>>,
}

impl Made {
    /// With an open pool, and one in which 500 will do, and 100 after 10 s.
    fn new() -> Self {
        let second = Duration::from_secs(1);
        let relaxation = Relaxation::new(vec![(Duration::ZERO, 500), (10 * second, 100)]);
        let pools = [("default", None), ("founders", relaxation)];
        let pools = pools.map(|(name, relaxation)| PoolRule { name: name.to_owned(), relaxation });
        let patience = Patience { fresh: 2 * second, answer: 2 * second };
        let rules = Rules::new(patience, pools.to_vec());
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let header = Header { program, began: 10 * 3_600_000, rules };
        let (log, start) = (Arc::<Mutex<Vec<u8>>>::default(), Instant::now());
        let into = Arc::clone(&log);
        let sink = move |line: &[u8]| {
            into.lock().unwrap().extend_from_slice(line);
            true
        };
        Self { pools: Recorded::recording(&header, start, Box::new(sink)), start, log }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    /// Comes, and looks.
    fn join(&mut self, pool: usize, offers: &str, seeks: &str, seconds: u64) -> Ticket {
        let list = |words: &str| words.split_whitespace().map(Tag::from).collect();
        let lists = Lists { offers: list(offers), seeks: list(seeks), ..Lists::default() };
        let ticket = self.pools.join(pool, &Person::from_lists(lists), self.at(seconds));
        self.step(ticket, seconds);
        ticket
    }

    fn step(&mut self, ticket: Ticket, seconds: u64) {
        self.pools.step(ticket, self.at(seconds));
        self.pools.take_orders();
    }

    fn heard(&mut self, tickets: &[Ticket], seconds: u64) {
        for ticket in tickets {
            self.pools.heard(*ticket, self.at(seconds));
        }
        self.pools.take_orders();
    }

    #[track_caller]
    fn expect(&self, place: &Place, arguments: &[&str], sentences: &[&str]) {
        let log = place.file("made", &*self.log.lock().unwrap());
        let (code, told) = replay(&log, arguments);
        assert_eq!(code, 0, "{told}");
        for sentence in sentences {
            assert!(told.contains(sentence), "{sentence}\nis missing in\n{told}");
        }
    }
}

/// What is asked about the scored pool, and some of what is told.
const SCORED: &[(&[&str], &[&str])] = &[
    (
        &["--why", "founders/6", "founders/4"],
        &[
            "founders/6 and founders/4 were matched at 10:00:07.000.",
            "founders/6, after 2.000 s, took founders/4, who had waited for 4.000 s.",
            "Their score is 700 of 1000; founders/6 wanted 500 or more, founders/4 500.",
            "  founders/5  score 700, the same, but came later\n",
            "  founders/3  score 589, which is less\n",
            "  founders/0  score 700, but had been pinged, and had not answered\n",
            "  founders/1  one of them has blocked the other\n",
            "  founders/2  they have met, and may not meet again before 10:01:00.000\n",
            "5 others were in the pool, 2 of whom could have been taken",
        ],
    ),
    (
        &["--why", "founders/0", "founders/6"],
        &[
            "founders/6 was in the pool from 10:00:05.000 to 10:00:07.000, when it took founders/4 (score 700); \
                 as for founders/0, founders/6 found: score 700, but had been pinged, and had not answered.",
            "founders/0 was in the pool from 10:00:00.000 on.",
            "10:00:05.000  founders/6 looked; founders/0: would do, and was pinged, to be sure that it is live",
        ],
    ),
    (
        &["--why", "founders/3", "founders/6"],
        &[
            "founders/6 looked; founders/3: would have done, but came behind founders/0, pinged first",
        ],
    ),
    (
        &["--why", "founders/4", "founders/5"],
        &[
            "founders/5 looked; founders/4: score 0, which is too little: founders/5 wanted 500, founders/4 wanted 500",
        ],
    ),
    (
        &["--ticket", "founders/0"],
        &[
            "10:00:00.000  It came. It offers law. It seeks ops.\n",
            "It looked after 0.000 s; 0 others are in the pool. None will do; it looks again at 10:00:10.000.\n",
            "10:00:05.000  It was pinged, since founders/6 would take it.\n",
            "10:00:07.000  It had not answered in time",
            "The log ends while it is in the pool.\n",
        ],
    ),
    (
        &["--ticket", "founders/6"],
        &[
            "It would take founders/0, which has to be heard before 10:00:07.000.",
            "It is kept from founders/1: one of them has blocked the other.",
        ],
    ),
    (&["--ticket", "founders/5"], &["10:00:07.000  It left, then or a little later.\n"]),
];

#[test]
fn every_reason_in_a_scored_pool_has_its_sentence() {
    let place = Place::new("scored");
    let mut made = Made::new();
    let silent = made.join(1, "law", "ops", 0);
    let blocked = made.join(1, "law", "ops", 1);
    let met = made.join(1, "law", "ops", 2);
    let [weak, good] = [("law tea", "ops"), ("law", "ops")].map(|(o, s)| made.join(1, o, s, 3));
    let late = made.join(1, "law", "ops", 4);
    made.heard(&[blocked, met, weak, good, late], 4);
    // It would take the first, who doesn't answer.
    let seeker = made.join(1, "ops", "law", 5);
    for (other, until) in [(blocked, None), (met, Some(made.at(60)))] {
        made.pools.bar(seeker, other, until);
    }
    made.heard(&[weak, good, late, seeker], 6);
    made.step(seeker, 7);
    made.pools.leave(late);

    for (arguments, sentences) in SCORED {
        made.expect(&place, arguments, sentences);
    }
    made.heard(&[silent], 9);
    made.expect(&place, &["--ticket", "founders/0"], &["10:00:09.000  It was heard.\n"]);
}

#[test]
fn in_an_open_pool_the_first_is_taken_and_that_is_said() {
    let place = Place::new("open");
    let mut made = Made::new();
    let first = made.join(0, "", "", 20);
    made.join(0, "", "", 20);
    made.pools.rejoin(first, &Person::default(), made.at(20), made.at(21));
    made.step(first, 21);
    made.join(0, "law", "", 21);
    let stale = made.join(0, "", "", 30);
    let seeker = made.join(0, "", "", 35);
    made.heard(&[stale], 36);
    made.step(seeker, 36);
    for (arguments, sentences) in [
        (
            &["--why", "0", "1"][..],
            &[
                "default/0 and default/1 were matched at 10:00:20.000.",
                "In this pool scores don't count: who came first is taken first.\nNobody else was in the pool.\n",
            ][..],
        ),
        (
            &["--why", "1", "2"],
            &[
                "default/1 was in the pool from 10:00:20.000 to 10:00:20.000, when it took default/0.",
                "Neither default/1 nor default/2 looked for a partner while the other was in the pool.",
            ],
        ),
        (
            &["--ticket", "0"],
            &[
                "It was put back at its place, since the partner had gone: it waits for 1.000 s already.",
                "It was matched with default/2.",
            ],
        ),
        (&["--ticket", "2"], &["It came. It offers law.\n"]),
        (
            &["--why", "3", "4"],
            &["It had chosen default/3 at 10:00:35.000, who was pinged, and was heard.\n"],
        ),
        (&["--ticket", "3"], &["10:00:36.000  It was heard.\n10:00:36.000  It was matched with"]),
    ] {
        made.expect(&place, arguments, sentences);
    }
}

#[test]
fn languages_that_are_required_have_their_sentence() {
    let place = Place::new("required");
    let mut made = Made::new();
    made.join(1, "law", "ops", 0);
    let lists =
        Lists { offers: vec![Tag::from("ops")], seeks: vec![Tag::from("law")], ..Lists::default() };
    let person = Person::from_lists(lists).requiring(["en", "de"].into_iter());
    let choosy = made.pools.join(1, &person, made.at(1));
    made.step(choosy, 1);
    let unspoken = "founders/1 requires a language that founders/0 doesn't speak";
    for (arguments, sentences) in [
        (&["--ticket", "founders/1"][..], &["It requires one of the languages de, en.\n"][..]),
        (
            &["--why", "founders/0", "founders/1"],
            &[
                &*format!("10:00:01.000  founders/1 looked; founders/0: {unspoken}\n"),
                &format!("But {unspoken}.\n"),
            ],
        ),
    ] {
        made.expect(&place, arguments, sentences);
    }
}

#[test]
fn invitations_and_pools_on_demand_are_told_by_their_names() {
    let place = Place::new("invited");
    let mut made = Made::new();
    for (invitation, seconds) in [(8, 0), (9, 1), (8, 1)] {
        let ticket = made.pools.join(INVITED, &Person::default(), made.at(seconds));
        made.pools.admit(ticket, invitation);
        made.step(ticket, seconds);
    }
    made.pools.put(2, PoolRule { name: "garden@2".to_owned(), relaxation: None });
    made.join(2, "", "", 2);
    made.join(2, "", "", 2);
    for (arguments, sentences) in [
        (
            &["--why", "@invited/2", "@invited/0"][..],
            &[
                "They had come by the same invitation.\n",
                "  @invited/1  had come by another invitation\n",
            ][..],
        ),
        (&["--ticket", "@invited/2"], &["It came by the invitation of @invited/0.\n"]),
        (&["--ticket", "@invited/1"], &["It came by an invitation, the first of its two.\n"]),
        (&["--why", "garden@2/0", "garden@2/1"], &["garden@2/1, after 0.000 s, took garden@2/0"]),
    ] {
        made.expect(&place, arguments, sentences);
    }
}
