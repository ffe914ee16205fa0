//! The decision log: what was recorded is decided again in the same way, byte for byte, and what was
//! changed in it is found.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a start to count from; later times are made up")]

mod world;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use vyoma_core::matching::decisions::{
    End, Event, Fault, INVITED_NAME, NotALog, Recorded, Replay, Scout, Story, What,
};
use vyoma_core::matching::{Person, Step, Ticket};
use world::{Act, World, acts, header};

/// Goes through a log; the number of the line that is wrong, and what is.
fn replay(text: &str) -> Result<Replay, (usize, Fault)> {
    let mut lines = text.split_inclusive('\n');
    // Any time will do.
    let start = Instant::now() + Duration::from_secs(12_345);
    let mut replay = Replay::begin(lines.next().unwrap().as_bytes(), start).unwrap();
    for (index, line) in lines.enumerate() {
        replay.line(line.as_bytes(), &mut ()).map_err(|fault| (index + 2, fault))?;
    }
    Ok(replay)
}

/// Goes through what may be no log, as far as that goes.
fn attempt(text: &[u8]) {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    if let Some(Ok(mut replay)) = lines.next().map(|line| Replay::begin(line, Instant::now())) {
        for line in lines {
            if replay.line(line, &mut ()).is_err() {
                return;
            }
        }
    }
}

fn begin(line: &str) -> Result<(), NotALog> {
    Replay::begin(line.as_bytes(), Instant::now()).map(drop)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_was_recorded_is_decided_again_to_the_byte(acts in acts()) {
        let world = World::of(&acts);
        let mut text = world.text();
        text.push_str(&End::Stopped.line());
        let replay = replay(&text).unwrap();
        prop_assert_eq!(replay.matches, world.pairs);
        prop_assert_eq!(replay.lines, text.lines().count() as u64);
        prop_assert_eq!(replay.end, Some(End::Stopped));
        for word in ["Ada", "secret", "77123456789"] {
            prop_assert!(!text.contains(word));
        }
    }

    #[test]
    fn a_changed_decision_is_found(acts in acts(), which in any::<prop::sample::Index>()) {
        let text = World::of(&acts).text();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let decided: Vec<_> = (1..lines.len()).filter(|at| lines[*at].contains("then")).collect();
        prop_assume!(!decided.is_empty());
        let at = *which.get(&decided);
        let original = lines[at].clone();
        lines[at] = match original.find("\"wait\"") {
            Some(_) => original.replace("\"wait\"", "\"pair\""),
            // The last digit of a score, a ticket or a time.
            None => {
                let digit = original.rfind(|c: char| c.is_ascii_digit()).unwrap();
                let other = if &original[digit..=digit] == "0" { "1" } else { "0" };
                let mut changed = original.clone();
                changed.replace_range(digit..=digit, other);
                changed
            }
        };
        let changed = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let found = Fault::Differs(format!("{original}\n").into_bytes());
        prop_assert_eq!(replay(&changed).unwrap_err(), (at + 1, found));
    }

    #[test]
    fn a_lost_line_or_a_damaged_byte_is_no_panic(
        acts in acts(),
        line in any::<prop::sample::Index>(),
        byte in any::<prop::sample::Index>(),
        other in any::<u8>(),
    ) {
        let text = World::of(&acts).text().into_bytes();
        let mut lines: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').collect();
        lines.remove(line.index(lines.len()));
        attempt(&lines.concat());
        let mut damaged = text.clone();
        damaged[byte.index(text.len())] = other;
        attempt(&damaged);
    }

    #[test]
    fn stories_are_told_of_everybody(acts in acts(), a in 0..8_u64, b in 0..8_u64, pool in 0..4_usize) {
        let text = World::of(&acts).text();
        let rules = header().rules;
        let name = rules.pools.get(pool).map_or(INVITED_NAME, |pool| &pool.name);
        let subjects: Vec<_> =
            [a, b].iter().map(|n| rules.ticket(&format!("{name}/{n}")).unwrap()).collect();
        let story = story(&text, &subjects);
        let joined: BTreeSet<_> = text
            .lines()
            .filter(|line| line.contains("\"join\"") || line.contains("\"issue\""))
            .filter_map(|line| subjects.iter().find(|t| line.contains(&format!("{:?}", rules.show(**t)))))
            .collect();
        let came = |event: &&Event| matches!(event.what, What::Came(_));
        prop_assert_eq!(story.events.iter().filter(came).count(), joined.len());
        let shown: Vec<_> = subjects.iter().map(|ticket| format!("{:?}", rules.show(*ticket))).collect();
        let pairs = text.lines().filter(|line| line.contains("\"pair\""));
        let of_them: usize = pairs.map(|line| shown.iter().filter(|own| line.contains(*own)).count()).sum();
        let matched = |event: &&Event| matches!(event.what, What::Matched(_));
        let distinct = if a == b { 2 } else { 1 };
        prop_assert_eq!(story.events.iter().filter(matched).count() * distinct, of_them);
    }
}

fn story(text: &str, subjects: &[Ticket]) -> Story {
    let mut scout = Scout::new(subjects);
    let start = Instant::now();
    let begin = || Replay::begin(text.split_inclusive('\n').next().unwrap().as_bytes(), start);
    let mut replay = begin().unwrap();
    for line in text.split_inclusive('\n').skip(1) {
        replay.line(line.as_bytes(), &mut scout).unwrap();
    }
    let mut story = Story::new(scout);
    let mut replay = begin().unwrap();
    for line in text.split_inclusive('\n').skip(1) {
        replay.line(line.as_bytes(), &mut story).unwrap();
    }
    story
}

#[test]
fn what_is_no_log_is_told_from_one_of_another_version() {
    let text = World::new().text();
    assert_eq!(begin(&text), Ok(()));
    for foreign in ["", "\n", "{}", "[1,2]", "GET / HTTP/1.1\r\n", "{\"log\":\"others\"}"] {
        assert_eq!(begin(foreign), Err(NotALog::Foreign), "{foreign}");
    }
    let next = text.replace("\"version\":1", "\"version\":2");
    assert_eq!(begin(&next), Err(NotALog::Version(2)));
    for (part, other) in [
        ("\"fresh\":2000000000", "\"fresh\":\"soon\""),
        ("[0,600]", "[1,600]"),
        ("[0,600]", "600"),
        ("\"pools\":[", "\"pools\":[7,"),
        ("\"name\":\"strict\"", "\"name\":\"a/b\""),
    ] {
        assert!(text.contains(part));
        assert_eq!(begin(&text.replace(part, other)), Err(NotALog::Header), "{other}");
    }
}

#[test]
fn lines_that_no_call_makes_are_refused() {
    let text = World::new().text();
    for line in [
        r#"{"call":"dance"}"#,
        r#"{"call":"step","at":0}"#,
        r#"{"call":"step","at":0,"ticket":"nowhere/1"}"#,
        r#"{"call":"step","at":0,"ticket":"default/99999999999999999999"}"#,
        r#"{"call":"step","at":0,"ticket":"7"}"#,
        r#"{"call":"heard","at":-1,"ticket":"default/1"}"#,
        r#"{"call":"bar","ticket":"default/1","other":"strict/1","until":null}"#,
        r#"{"call":"join","at":0,"ticket":"strict/0","offers":[7]}"#,
        r#"{"call":"heard","at":0,"ticket":"default/1"}"#,
        r#"{"call":"rejoin","at":0,"ticket":"default/1","since":0}"#,
        r#"{"call":"issue","ticket":"later@3/0"}"#,
        r#"{"call":"put","number":255,"pool":{"name":"later"}}"#,
        r#"{"call":"put","number":3,"pool":{"name":"a/b"}}"#,
        r#"{"call":"put","number":3}"#,
        r#"{"call":"admit","ticket":"@invited/0"}"#,
        r#"{"call":"join","at":0,"ticket":"strict/0","required":["en",7]}"#,
        r#"{"end":"of days"}"#,
        "{}",
        "null",
        "half a li",
    ] {
        let (number, fault) = replay(&format!("{text}{line}\n")).unwrap_err();
        assert!(matches!((number, &fault), (2, Fault::Unreadable(_))), "{line} {fault:?}");
    }
    let end = End::Behind.line();
    assert_eq!(replay(&format!("{text}{end}{end}")).unwrap_err(), (3, Fault::AfterEnd));
    // Orders that nobody gave, and a call written in another way.
    let none = replay(&format!("{text}{{\"call\":\"orders\",\"orders\":[]}}\n")).unwrap_err();
    assert_eq!(none, (2, Fault::Differs(Vec::new())));
    let line = "{\"call\":\"join\",\"at\":0,\"ticket\":\"default/0\"}\n";
    assert!(replay(&format!("{text}{line}")).is_ok());
    let spaced = line.replace(':', ": ");
    let differs = Fault::Differs(line.as_bytes().to_vec());
    assert_eq!(replay(&format!("{text}{spaced}")).unwrap_err(), (2, differs));
}

#[test]
fn a_pool_of_a_number_that_had_another_has_tickets_and_a_name_of_its_own() {
    let mut world = World::new();
    let nothing = || [const { Vec::new() }; 5];
    let [first, second] = ["later@3/0", "later@3/1"];
    for (act, which) in [(Act::Put(3, false), first), (Act::Put(3, true), second)] {
        world.act(&act);
        world.act(&Act::Join(3, nothing()));
        assert!(world.text().contains(which), "{}", world.text());
        // Nothing but that one is there.
        world.act(&Act::Leave(0));
    }
    let rules = replay(&world.text()).unwrap().header().rules.clone();
    let [first, second] = [first, second].map(|text| rules.ticket(text).unwrap());
    let scored = [first, second].map(|ticket| rules.relaxation(ticket).is_some());
    assert_eq!((scored, rules.show(first)), ([false, true], "later@3/0".to_owned()));
    assert_eq!(rules.names().last(), Some(INVITED_NAME));
    let occupied = "{\"call\":\"join\",\"at\":0,\"ticket\":\"later@3/2\"}\n{\"call\":\"put\",\"number\":3,\"pool\":{\"name\":\"more\"}}\n";
    let (_, fault) = replay(&format!("{}{occupied}", world.text())).unwrap_err();
    assert_eq!(fault, Fault::Unreadable("its number is that of another pool"));
}

#[test]
fn who_requires_a_language_is_not_taken_by_one_who_does_not_speak_it() {
    let mut world = World::new();
    let fits = |speaks, required| Act::Join(2, [vec![0], vec![0], vec![1], speaks, required]);
    for act in [fits(vec![2], vec![3]), fits(vec![2], vec![]), fits(vec![3], vec![])] {
        world.act(&act);
    }
    let text = world.text();
    assert!(text.contains("\"required\":[\"design\"]"), "{text}");
    let rules = header().rules;
    let pair = [0, 1].map(|n| rules.ticket(&format!("strict/{n}")).unwrap());
    let told = story(&text, &pair);
    let unspoken = told.events.iter().find_map(|event| match &event.what {
        What::Looked(look) => {
            look.other.as_ref().map(|other| (other.unspoken, other.is_possible()))
        }
        _ => None,
    });
    assert_eq!(unspoken, Some(([false, true], false)));
    replay(&text).unwrap();
}

#[test]
fn who_comes_by_an_invitation_meets_only_the_other_of_it() {
    let mut world = World::new();
    for act in [Act::Invited(1, false), Act::Invited(2, true), Act::Invited(1, true)] {
        world.act(&act);
    }
    assert_eq!(world.pairs, 1);
    let text = world.text();
    assert_eq!(replay(&text).unwrap().matches, 1);
    let rules = header().rules;
    let [first, stranger, second] =
        [0, 1, 2].map(|n| rules.ticket(&format!("{INVITED_NAME}/{n}")).unwrap());
    let told = story(&text, &[second, stranger]);
    assert!(told.events.iter().any(|event| {
        event.ticket == second && matches!(event.what, What::Admitted(Some(with)) if with == first)
    }));
    let other = told.events.iter().find_map(|event| match &event.what {
        What::Matched(told) => told.other.clone(),
        _ => None,
    });
    assert!(other.is_some_and(|other| other.ticket == stranger && other.stranger));
}

/// So many that they aren't looked at in one go.
const CROWD: u64 = 1_100;

#[test]
fn a_look_at_a_crowd_goes_on_in_the_replay_as_it_did() {
    let mut world = World::new();
    let nothing = || [const { Vec::new() }; 5];
    for _ in 0..CROWD {
        world.act(&Act::Join(2, nothing()));
    }
    world.act(&Act::Join(2, [vec![0], vec![1], vec![], vec![], vec![]]));
    world.act(&Act::Join(2, [vec![1], vec![0], vec![], vec![], vec![]]));
    world.act(&Act::Pass(0));
    assert_eq!(world.pairs, 1);
    let text = world.text();
    let replay = replay(&text).unwrap();
    assert_eq!((replay.matches, replay.decisions >= CROWD + 2), (1, true));
    let rules = header().rules;
    let pair = [CROWD, CROWD + 1].map(|n| rules.ticket(&format!("strict/{n}")).unwrap());
    let matched = |event: &Event| match &event.what {
        What::Matched(told) => Some((told.verdict.as_ref()?.0.score, told.others)),
        _ => None,
    };
    let told: Vec<_> = story(&text, &pair).events.iter().filter_map(matched).collect();
    assert_eq!(told, [(700, [CROWD as usize, 0]); 2]);
}

#[test]
fn tickets_are_read_as_they_are_shown() {
    let rules = header().rules;
    for text in ["default/0", "founders/17", "strict/4000000000", "@invited/3"] {
        assert_eq!(rules.show(rules.ticket(text).unwrap()), text);
    }
    assert_eq!(rules.ticket("17"), rules.ticket("default/17"));
    for bad in ["", "/", "default/", "/1", "default/+1", "-1", "nowhere/1", "default/1/1"] {
        assert_eq!(rules.ticket(bad), None, "{bad}");
    }
}

#[test]
fn a_log_that_is_refused_ends_and_the_pools_go_on() {
    let now = Instant::now();
    let mut left = 3;
    let sink = move |_: &[u8]| {
        left -= 1;
        left > 0
    };
    let mut pools = Recorded::recording(&header(), now, Box::new(sink));
    let tickets: Vec<_> = (0..4).map(|_| pools.join(0, &Person::default(), now)).collect();
    assert!(pools.end().is_none(), "it has ended by itself");
    let steps: Vec<_> = tickets.iter().map(|ticket| pools.step(*ticket, now)).collect();
    assert_eq!(steps[1], Step::Pair(tickets[0]));
}
