//! Why two were matched, or weren't, and what befell one, in sentences.
//!
//! Knows what a replay has seen. Must not know files, nor how matching decides.

use std::time::Instant;

use vyoma_core::matching::Lists;
use vyoma_core::matching::decisions::{Event, Look, Match, Parts, Story, What};
use vyoma_core::matching::{INVITED, Person, Step, Ticket};

use super::words::{Words, count, seconds};

/// Why one who would have done wasn't seen.
const CROWD: &str = "would have done, but had not been looked at yet, in a crowd";

/// So many moments at which two could have been matched are told; the rest are counted.
const MOMENTS: usize = 40;

/// Why these two, or why not.
pub(super) fn why(words: &Words<'_>, story: &Story, pair: [Ticket; 2]) -> String {
    let [a, b] = pair.map(|ticket| words.ticket(ticket));
    let together = story.events.iter().rev().find_map(|event| match &event.what {
        What::Matched(told) if told.pair.iter().all(|one| pair.contains(one)) => {
            Some((event.at, told))
        }
        _ => None,
    });
    if let Some((at, told)) = together {
        let head = format!("{a} and {b} were matched at {}. Times are UTC.\n", words.time(at));
        return head + &matched(words, at, told);
    }
    let mut out = format!("{a} and {b} were not matched. Times are UTC.\n");
    if pair[0].pool() != pair[1].pool() {
        return out + "They were in different pools.\n";
    }
    for ticket in pair {
        out += &stays(words, story, ticket);
    }
    out += &would_be(words, story, pair);
    out + &moments(words, story, pair)
}

/// What befell one.
pub(super) fn story(words: &Words<'_>, story: &Story, ticket: Ticket) -> String {
    let mut out = format!("The story of {}. Times are UTC.\n", words.ticket(ticket));
    let mut events = story.events.iter().peekable();
    while let Some(Event { at, what, .. }) = events.next() {
        // A look at a crowd, part by part, is told as one.
        let goes_on = events.peek().is_some_and(|next| matches!(next.what, What::Looked(_)));
        if goes_on && is_part(what, *at) {
            continue;
        }
        let said = said(words, ticket, *at, what);
        out += &format!("{}  {}\n", words.time(*at), said.trim_end().replace('\n', "\n    "));
    }
    if !is_over(story, ticket) {
        out += "The log ends while it is in the pool.\n";
    }
    out
}

/// Whether this is a look at a part of a crowd, of which the rest comes next.
fn is_part(what: &What, at: Instant) -> bool {
    matches!(what, What::Looked(Look { step: Step::Wait(Some(again)), .. }) if *again <= at)
}

fn is_over(story: &Story, ticket: Ticket) -> bool {
    let last = story.events.iter().rev().find(|event| {
        event.ticket == ticket
            && matches!(
                event.what,
                What::Came(_) | What::Returned(_) | What::Matched(_) | What::Left
            )
    });
    last.is_some_and(|event| matches!(event.what, What::Matched(_) | What::Left))
}

fn said(words: &Words<'_>, ticket: Ticket, at: Instant, what: &What) -> String {
    match what {
        What::Came(person) => format!("It came.{}", shown(person)),
        What::Returned(waited) => format!(
            "It was put back at its place, since the partner had gone: it waits for {} already.",
            seconds(*waited)
        ),
        What::Described(person) => format!("It shows something else.{}", shown(person)),
        What::Admitted(Some(other)) => {
            format!("It came by the invitation of {}.", words.ticket(*other))
        }
        What::Admitted(None) => "It came by an invitation, the first of its two.".to_owned(),
        What::Barred(other, until) => {
            format!("It is kept from {}: {}.", words.ticket(*other), words.barred(*until))
        }
        What::Looked(look) => looked(words, look, at),
        What::Probed(by) if *by == ticket => {
            "It had not been heard for a while, and was pinged before it may look.".to_owned()
        }
        What::Probed(by) => format!("It was pinged, since {} would take it.", words.ticket(*by)),
        What::Answered => "It was heard.".to_owned(),
        What::Silent => {
            "It had not answered in time: it keeps its place, but is not handed out until it is heard."
                .to_owned()
        }
        What::Matched(told) => {
            let [one, other] = told.pair;
            let other = if one == ticket { other } else { one };
            format!("It was matched with {}.\n{}", words.ticket(other), matched(words, at, told))
        }
        // The call has no time of its own: it has that of the last one that had.
        What::Left => "It left, then or a little later.".to_owned(),
    }
}

/// The words that somebody shows.
fn shown(person: &Person) -> String {
    let Lists { offers, seeks, topics, languages } = person.lists();
    let mut out = String::new();
    for (verb, list) in
        [("offers", offers), ("seeks", seeks), ("talks about", topics), ("speaks", languages)]
    {
        if !list.is_empty() {
            out += &format!(" It {verb} {}.", list.join(", "));
        }
    }
    if !person.required().is_empty() {
        out += &format!(" It requires one of the languages {}.", person.required().join(", "));
    }
    out
}

fn looked(words: &Words<'_>, look: &Look, at: Instant) -> String {
    let (waited, others) = (seconds(look.waited), count(look.others, "other is", "others are"));
    let head = format!("It looked after {waited}; {others} in the pool.");
    match look.step {
        Step::Probing(until) if look.probed.is_empty() => {
            format!("{head} It has to be heard itself first, before {}.", words.time(until))
        }
        Step::Probing(until) => {
            let asked: Vec<_> = look.probed.iter().map(|ticket| words.ticket(*ticket)).collect();
            let asked = asked.join(", ");
            format!(
                "{head} It would take {asked}, which has to be heard before {}.",
                words.time(until)
            )
        }
        Step::Wait(Some(again)) if again <= at => {
            format!("{head} None of those that it has seen will do; it sees the rest right after.")
        }
        Step::Wait(Some(again)) => {
            format!("{head} None will do; it looks again at {}.", words.time(again))
        }
        Step::Wait(None) | Step::Pair(_) => format!("{head} None will do, and it waits."),
    }
}

/// A match, told.
fn matched(words: &Words<'_>, at: Instant, told: &Match) -> String {
    let [seeker, taken] = told.pair.map(|ticket| words.ticket(ticket));
    let [own, others] = told.waited.map(seconds);
    let mut out = format!("{seeker}, after {own}, took {taken}, who had waited for {others}.\n");
    if told.chosen != at {
        let chosen = words.time(told.chosen);
        out += &format!("It had chosen {taken} at {chosen}, who was pinged, and was heard.\n");
    }
    match &told.verdict {
        Some((verdict, parts)) => {
            out += &format!(
                "Their score is {} of 1000; {seeker} wanted {} or more, {taken} {}.\n{}",
                verdict.score,
                verdict.own,
                verdict.others,
                words.parts(parts, told.pair)
            );
        }
        None if told.pair[0].pool() == INVITED => out += "They had come by the same invitation.\n",
        None => out += "In this pool scores don't count: who came first is taken first.\n",
    }
    let [all, possible] = told.others;
    if all == 0 {
        return out + "Nobody else was in the pool.\n";
    }
    out += &format!(
        "{} in the pool, {possible} of whom could have been taken:\n",
        count(all, "other was", "others were")
    );
    for other in &told.alternatives {
        out += &format!("  {}  {}\n", words.ticket(other.ticket), words.why_not(other, told));
    }
    match all - told.alternatives.len() {
        0 => out,
        more => out + &format!("  and {more} more\n"),
    }
}

/// When somebody was in the pool, and how that ended.
fn stays(words: &Words<'_>, story: &Story, ticket: Ticket) -> String {
    let name = words.ticket(ticket);
    let (mut out, mut since) = (String::new(), None);
    for Event { at, what, .. } in story.events.iter().filter(|event| event.ticket == ticket) {
        let end = match what {
            What::Came(_) | What::Returned(_) => {
                since = Some(*at);
                continue;
            }
            What::Left => "or a little later, when it left".to_owned(),
            What::Matched(told) => with_another(words, ticket, told),
            _ => continue,
        };
        if let Some(since) = since.take() {
            let (from, to) = (words.time(since), words.time(*at));
            out += &format!("{name} was in the pool from {from} to {to}, {end}.\n");
        }
    }
    if let Some(since) = since {
        out += &format!("{name} was in the pool from {} on.\n", words.time(since));
    }
    out
}

/// Whom somebody was matched with instead, and what the seeker made of the other one.
fn with_another(words: &Words<'_>, ticket: Ticket, told: &Match) -> String {
    let [seeker, taken] = told.pair;
    let partner = words.ticket(if seeker == ticket { taken } else { seeker });
    let score =
        told.verdict.as_ref().map_or(String::new(), |(own, _)| format!(" (score {})", own.score));
    let how = if seeker == ticket { "when it took" } else { "when it was taken by" };
    let head = format!("{how} {partner}{score}");
    match &told.other {
        Some(other) => {
            let (seeker, name) = (words.ticket(seeker), words.ticket(other.ticket));
            format!("{head}; as for {name}, {seeker} found: {}", words.why_not(other, told))
        }
        None => head,
    }
}

/// The score that two would have.
fn would_be(words: &Words<'_>, story: &Story, pair: [Ticket; 2]) -> String {
    let scored = words.header.rules.relaxation(pair[0]).is_some();
    let shown = pair.map(|ticket| {
        story.events.iter().rev().find_map(|event| match &event.what {
            What::Came(person) | What::Described(person) if event.ticket == ticket => Some(person),
            _ => None,
        })
    });
    let [Some(a), Some(b)] = shown else { return String::new() };
    if !scored {
        return String::new();
    }
    let score = vyoma_core::matching::score(a.lists(), b.lists());
    let unspoken = words.unspoken([!a.allows(b), !b.allows(a)], pair);
    let unspoken = unspoken.map_or(String::new(), |why| format!("But {why}.\n"));
    let parts = words.parts(&Parts::new(a, b), pair);
    format!("Their score would be {score} of 1000.\n{parts}{unspoken}")
}

/// What came of it whenever one of two looked while the other was there.
fn moments(words: &Words<'_>, story: &Story, [a, b]: [Ticket; 2]) -> String {
    let mut told: Vec<(Instant, Instant, String)> = Vec::new();
    for Event { at, ticket, what } in &story.events {
        let What::Looked(look) = what else { continue };
        let Some(other) = &look.other else { continue };
        let reason =
            words.hindrance(other, *ticket).unwrap_or_else(|| instead(words, look, other.ticket));
        let (name, other) = (words.ticket(*ticket), words.ticket(other.ticket));
        let sentence = format!("{name} looked; {other}: {reason}");
        match told.last_mut() {
            Some((_, last, same)) if *same == sentence => *last = *at,
            _ => told.push((*at, *at, sentence)),
        }
    }
    if told.is_empty() {
        let (a, b) = (words.ticket(a), words.ticket(b));
        return format!(
            "Neither {a} nor {b} looked for a partner while the other was in the pool.\n"
        );
    }
    let mut out = "When one of them looked while the other was in the pool:\n".to_owned();
    for (from, to, sentence) in told.iter().take(MOMENTS) {
        let until = if from == to { String::new() } else { format!(" to {}", words.time(*to)) };
        out += &format!("  {}{until}  {sentence}\n", words.time(*from));
    }
    match told.len().saturating_sub(MOMENTS) {
        0 => out,
        more => out + &format!("  and {more} more times\n"),
    }
}

/// What a look brought, where nothing was against the other one.
fn instead(words: &Words<'_>, look: &Look, other: Ticket) -> String {
    match look.step {
        Step::Probing(_) if look.probed.is_empty() => {
            "would have done, but the one who looked had to be heard itself first".to_owned()
        }
        Step::Probing(_) if look.probed.contains(&other) => {
            "would do, and was pinged, to be sure that it is live".to_owned()
        }
        Step::Probing(_) => {
            let asked: Vec<_> = look.probed.iter().map(|ticket| words.ticket(*ticket)).collect();
            format!("would have done, but came behind {}, pinged first", asked.join(", "))
        }
        Step::Wait(_) | Step::Pair(_) => CROWD.to_owned(),
    }
}
