//! Lines of the decision log, as they are read.
//!
//! Takes what a call needs and passes over the rest: what else is in a line, and how it is written, is
//! compared with what the replay writes. Must not know what calls do.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Call, End, Header, NotALog, PoolRule, Rules, VERSION};
use crate::matching::score::Lists;
use crate::matching::{INVITED, Patience, Person, Relaxation, Tag, Ticket};

/// What a line that isn't the first can be.
#[derive(Debug)]
pub(super) enum Read {
    Call(Call),
    End(End),
}

/// What is wrong with a line.
type Wrong = &'static str;

/// Reads the first line.
pub(super) fn header(line: &[u8]) -> Result<Header, NotALog> {
    let value: Value = serde_json::from_slice(line).map_err(|_| NotALog::Foreign)?;
    if value["log"] != "vyoma decisions" {
        return Err(NotALog::Foreign);
    }
    match value["version"].as_u64() {
        Some(VERSION) => {}
        Some(other) => return Err(NotALog::Version(other)),
        None => return Err(NotALog::Foreign),
    }
    let rules = rules(&value).ok_or(NotALog::Header)?;
    let program = value["program"].as_str().ok_or(NotALog::Header)?.to_owned();
    let began = value["began_unix_ms"].as_u64().ok_or(NotALog::Header)?;
    Ok(Header { program, began, rules })
}

fn rules(value: &Value) -> Option<Rules> {
    let time = |key: &str| value[key].as_u64().map(Duration::from_nanos);
    let patience = Patience { fresh: time("fresh")?, answer: time("answer")? };
    let pools = value["pools"].as_array()?.iter().map(pool).collect::<Option<Vec<_>>>()?;
    (1..=INVITED).contains(&pools.len()).then_some(Rules::new(patience, pools))
}

fn pool(value: &Value) -> Option<PoolRule> {
    let name = value["name"].as_str().filter(|name| !name.contains(['/', '"', '\\']))?.to_owned();
    let relaxation = match value.get("steps") {
        None => None,
        Some(steps) => {
            let steps = steps.as_array()?.iter().map(|step| {
                let score = step[1].as_u64().and_then(|score| u16::try_from(score).ok())?;
                Some((Duration::from_nanos(step[0].as_u64()?), score))
            });
            Some(Relaxation::new(steps.collect::<Option<Vec<_>>>()?)?)
        }
    };
    Some(PoolRule { name, relaxation })
}

/// Reads any other line; times count from `start`.
pub(super) fn line(line: &[u8], rules: &Rules, start: Instant) -> Result<Read, Wrong> {
    let value: Value = serde_json::from_slice(line).map_err(|_| "it is no JSON")?;
    if let Some(end) = value.get("end") {
        let known = End::ALL.into_iter().find(|known| end == known.name());
        return known.map(Read::End).ok_or("nobody knows this end");
    }
    Keys { value: &value, rules, start }.call().map(Read::Call)
}

/// A line's keys.
struct Keys<'a> {
    value: &'a Value,
    rules: &'a Rules,
    start: Instant,
}

impl Keys<'_> {
    fn call(&self) -> Result<Call, Wrong> {
        let ticket = || self.ticket("ticket");
        Ok(match self.value["call"].as_str().ok_or("it tells no call")? {
            "join" => {
                let pool = ticket()?.pool();
                Call::Join { pool, person: self.person()?, now: self.time("at")? }
            }
            "rejoin" => {
                let (since, now) = (self.time("since")?, self.time("at")?);
                Call::Rejoin { ticket: ticket()?, person: self.person()?, since, now }
            }
            "issue" => Call::Issue { pool: ticket()?.pool() },
            "put" => Call::Put { number: self.pool_number()?, rule: self.rule()? },
            "admit" => Call::Admit { ticket: ticket()?, with: self.companion()? },
            "describe" => Call::Describe { ticket: ticket()?, person: self.person()? },
            "bar" => Call::Bar { a: ticket()?, b: self.other()?, until: self.until()? },
            "step" => Call::Step { ticket: ticket()?, now: self.time("at")? },
            "heard" => Call::Heard { ticket: ticket()?, now: self.time("at")? },
            "leave" => Call::Leave { ticket: ticket()? },
            "orders" => Call::TakeOrders,
            _ => return Err("nobody knows this call"),
        })
    }

    fn ticket(&self, key: &str) -> Result<Ticket, Wrong> {
        let text = self.value[key].as_str().filter(|text| text.contains('/'));
        text.and_then(|text| self.rules.ticket(text)).ok_or("a ticket is missing, or of no pool")
    }

    fn pool_number(&self) -> Result<u8, Wrong> {
        let number = self.value["number"].as_u64().filter(|number| *number < INVITED as u64);
        number.map(|number| number as u8).ok_or("a pool's number is missing, or too large")
    }

    fn rule(&self) -> Result<PoolRule, Wrong> {
        pool(&self.value["pool"]).ok_or("a pool's rule is missing, or makes no sense")
    }

    /// The other ticket of an invitation, if that is there.
    fn companion(&self) -> Result<Option<Ticket>, Wrong> {
        self.value.get("with").map(|_| self.ticket("with")).transpose()
    }

    /// The second ticket of a bar.
    fn other(&self) -> Result<Ticket, Wrong> {
        let (one, other) = (self.ticket("ticket")?, self.ticket("other")?);
        if one.pool() == other.pool() { Ok(other) } else { Err("its tickets are of two pools") }
    }

    fn time(&self, key: &str) -> Result<Instant, Wrong> {
        let since = self.value[key].as_u64().ok_or("a time is missing")?;
        self.start.checked_add(Duration::from_nanos(since)).ok_or("a time is out of range")
    }

    fn until(&self) -> Result<Option<Instant>, Wrong> {
        if self.value["until"].is_null() { Ok(None) } else { self.time("until").map(Some) }
    }

    fn person(&self) -> Result<Person, Wrong> {
        let [offers, seeks, topics, languages] =
            ["offers", "seeks", "topics", "languages"].map(|key| self.words(key));
        let lists =
            Lists { offers: offers?, seeks: seeks?, topics: topics?, languages: languages? };
        let required = self.words("required")?;
        Ok(Person::from_lists(lists).requiring(required.iter().map(|word| &**word)))
    }

    fn words(&self, key: &str) -> Result<Vec<Tag>, Wrong> {
        let Some(list) = self.value.get(key) else { return Ok(Vec::new()) };
        let words = list.as_array().into_iter().flatten().map(|word| word.as_str().map(Tag::from));
        words.collect::<Option<_>>().ok_or("a list holds something else than words")
    }
}
