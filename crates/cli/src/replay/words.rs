//! How tickets, times, scores and words are written for people.

use std::time::{Duration, Instant};

use vyoma_core::matching::decisions::{Candidate, Header, Match, Met, Parts, Sight, Verdict};
use vyoma_core::matching::{Tag, Ticket};

/// What a log's tickets and times are called.
pub(super) struct Words<'a> {
    pub(super) header: &'a Header,
    /// When the log began.
    pub(super) start: Instant,
}

impl Words<'_> {
    pub(super) fn ticket(&self, ticket: Ticket) -> String {
        self.header.rules.show(ticket)
    }

    /// The time of day (UTC).
    pub(super) fn time(&self, at: Instant) -> String {
        let since = at.saturating_duration_since(self.start).as_millis();
        let millis = (u128::from(self.header.began) + since) % 86_400_000;
        let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
        format!("{hours:02}:{minutes:02}:{:02}.{:03}", millis / 1000 % 60, millis % 1000)
    }

    /// Until when two may not meet, and why that can be.
    pub(super) fn barred(&self, until: Option<Instant>) -> String {
        match until {
            Some(until) => {
                format!("they have met, and may not meet again before {}", self.time(until))
            }
            None => "one of them has blocked the other".to_owned(),
        }
    }

    /// Why somebody in the pool was not the one who was taken.
    pub(super) fn why_not(&self, other: &Candidate, told: &Match) -> String {
        let [seeker, taken] = told.pair;
        if let Some(hindrance) = self.hindrance(other, seeker) {
            return hindrance;
        }
        let crowd = "but had not been looked at yet, in a crowd";
        match (other.verdict, &told.verdict) {
            (Some(own), Some((best, _))) if own.score < best.score => {
                format!("score {}, which is less", own.score)
            }
            (Some(own), Some((best, _))) if own.score > best.score => {
                format!("score {}, which is more, {crowd}", own.score)
            }
            (Some(own), _) if other.ticket > taken => {
                format!("score {}, the same, but came later", own.score)
            }
            (Some(own), _) => format!("score {}, the same, and came earlier, {crowd}", own.score),
            (None, _) if other.ticket > taken => "came later".to_owned(),
            (None, _) => format!("came earlier, {crowd}"),
        }
    }

    /// What keeps somebody in the pool from being taken by one who looks, if anything does.
    pub(super) fn hindrance(&self, other: &Candidate, seeker: Ticket) -> Option<String> {
        if let Some(until) = other.barred {
            return Some(self.barred(until));
        }
        if other.stranger {
            return Some("had come by another invitation".to_owned());
        }
        if let Some(unspoken) = self.unspoken(other.unspoken, [seeker, other.ticket]) {
            return Some(unspoken);
        }
        if let Some(verdict) = other.verdict.filter(|verdict| !verdict.will_do()) {
            return Some(self.too_little(verdict, seeker, other.ticket));
        }
        let score = other.verdict.map_or(String::new(), |own| format!("score {}, but ", own.score));
        match other.sight {
            Sight::Waiting(_) => None,
            Sight::Seeking => Some(format!("{score}was just looking for somebody itself")),
            Sight::Kept { by, answered: true } if by == seeker => None,
            Sight::Kept { by, .. } if by == seeker => {
                Some(format!("{score}had been pinged, and had not answered"))
            }
            Sight::Kept { by, .. } => {
                Some(format!("{score}was being pinged for {} at that time", self.ticket(by)))
            }
            Sight::Silent => Some(format!("{score}had not answered a ping, nor been heard since")),
        }
    }

    /// Who of two requires a language that the other doesn't speak, if one does.
    pub(super) fn unspoken(&self, which: [bool; 2], [a, b]: [Ticket; 2]) -> Option<String> {
        let requires = |who, other| {
            let (who, other) = (self.ticket(who), self.ticket(other));
            format!("{who} requires a language that {other} doesn't speak")
        };
        match which {
            [false, false] => None,
            [true, false] => Some(requires(a, b)),
            [false, true] => Some(requires(b, a)),
            [true, true] => {
                Some("each requires a language that the other doesn't speak".to_owned())
            }
        }
    }

    /// For whom a score won't do.
    fn too_little(&self, verdict: Verdict, seeker: Ticket, other: Ticket) -> String {
        let Verdict { score, own, others } = verdict;
        let wanted = |who, least| format!("{} wanted {least}", self.ticket(who));
        match (score < own, score < others) {
            (true, true) => {
                let (one, both) = (wanted(seeker, own), wanted(other, others));
                format!("score {score}, which is too little: {one}, {both}")
            }
            (true, false) => format!("score {score}, which is too little: {}", wanted(seeker, own)),
            _ => format!("score {score}, which is too little: {}", wanted(other, others)),
        }
    }

    /// A score part by part, a line each.
    pub(super) fn parts(&self, parts: &Parts, [a, b]: [Ticket; 2]) -> String {
        let (a, b) = (self.ticket(a), self.ticket(b));
        let Parts { fit, topics, language, given, taken, shared, languages } = parts;
        let offers = |one: &str, other: &str, met: &Met| {
            let [offered, sought] = met.of;
            let words = in_brackets(&met.words);
            let count = met.words.len();
            format!(
                "{one} offers {count} of the {sought} that {other} seeks{words}, of {offered} in all"
            )
        };
        let (gives, takes) = (offers(&a, &b, given), offers(&b, &a, taken));
        let indent = " ".repeat(23);
        let common = |words: &[Tag]| {
            if words.is_empty() { "none in common".to_owned() } else { words.join(", ") }
        };
        let [one, other] = shared.of;
        let topics_words = common(&shared.words);
        format!(
            "  fit       {fit:>3} of 700  {gives};\n{indent}{takes}\n  \
             topics    {topics:>3} of 200  {topics_words} (of {one} and {other})\n  \
             language  {language:>3} of 100  {}\n",
            common(languages)
        )
    }
}

/// A length of time, to the millisecond.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// `1 other`, `2 others`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

fn in_brackets(words: &[Tag]) -> String {
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}
