//! Lines of the decision log, as they are written: one JSON object each.
//!
//! Written by hand, since it happens while everybody waits for the lobby's lock. Knows the keys. Must not
//! know what they are for.

use std::time::{Duration, Instant};

use vyoma_protocol::push_escaped;

use super::{Header, PoolRule, Rules, VERSION, nanos};
use crate::matching::score::Lists;
use crate::matching::{Order, Patience, Person, Tag, Ticket};

/// A line that is being written, after its first key.
pub(super) struct Line<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) rules: &'a Rules,
    pub(super) start: Instant,
}

impl<'a> Line<'a> {
    /// Begins a line about this call, in place of what is in `out`.
    pub(super) fn call(out: &'a mut Vec<u8>, rules: &'a Rules, start: Instant, call: &str) -> Self {
        out.clear();
        out.extend_from_slice(b"{\"call\":\"");
        out.extend_from_slice(call.as_bytes());
        out.push(b'"');
        Self { out, rules, start }
    }

    /// A time, in nanoseconds since the log began.
    pub(super) fn time(self, key: &str, at: Instant) -> Self {
        let since = nanos(at.saturating_duration_since(self.start));
        self.number(key, since)
    }

    pub(super) fn number(mut self, key: &str, value: u64) -> Self {
        self.key(key);
        push_number(self.out, value);
        self
    }

    pub(super) fn ticket(mut self, key: &str, ticket: Ticket) -> Self {
        self.key(key);
        push_ticket(self.out, self.rules, ticket);
        self
    }

    /// A word that needs no escapes.
    pub(super) fn word(mut self, key: &str, word: &str) -> Self {
        self.key(key);
        push_word(self.out, word);
        self
    }

    /// A time, or `null`.
    pub(super) fn until(self, key: &str, until: Option<Instant>) -> Self {
        match until {
            Some(until) => self.time(key, until),
            None => self.raw(key, "null"),
        }
    }

    pub(super) fn raw(mut self, key: &str, json: &str) -> Self {
        self.key(key);
        self.out.extend_from_slice(json.as_bytes());
        self
    }

    /// The lists that aren't empty.
    pub(super) fn person(mut self, person: &Person) -> Self {
        let Lists { offers, seeks, topics, languages } = person.lists();
        for (key, words) in
            [("offers", offers), ("seeks", seeks), ("topics", topics), ("languages", languages)]
        {
            if !words.is_empty() {
                self = self.words(key, words);
            }
        }
        match person.required() {
            [] => self,
            required => self.words("required", required),
        }
    }

    /// A pool's name and rule.
    pub(super) fn pool(mut self, rule: &PoolRule) -> Self {
        self.key("pool");
        push_pool(self.out, rule);
        self
    }

    fn words(mut self, key: &str, words: &[Tag]) -> Self {
        self.key(key);
        push_list(self.out, words, |out, word| {
            out.push(b'"');
            push_escaped(word, out);
            out.push(b'"');
        });
        self
    }

    /// What tickets are told, in this order.
    pub(super) fn orders(mut self, orders: &[(Ticket, Order)]) -> Self {
        self.key("orders");
        let rules = self.rules;
        push_list(self.out, orders, |out, (ticket, order)| {
            out.push(b'[');
            push_ticket(out, rules, *ticket);
            out.push(b',');
            push_word(out, if *order == Order::Probe { "probe" } else { "seek" });
            out.push(b']');
        });
        self
    }

    pub(super) fn end(self) {
        self.out.extend_from_slice(b"}\n");
    }

    fn key(&mut self, key: &str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

/// The first line of a log, with its line break.
pub(super) fn header(header: &Header) -> Vec<u8> {
    let mut out = Vec::new();
    let Header { program, began, rules: Rules { patience: Patience { fresh, answer }, pools, .. } } =
        header;
    out.extend_from_slice(b"{\"log\":\"vyoma decisions\",\"version\":");
    push_number(&mut out, VERSION);
    out.extend_from_slice(b",\"program\":\"");
    push_escaped(program, &mut out);
    let times = [
        ("\",\"began_unix_ms\":", *began),
        (",\"fresh\":", nanos(*fresh)),
        (",\"answer\":", nanos(*answer)),
    ];
    for (key, value) in times {
        out.extend_from_slice(key.as_bytes());
        push_number(&mut out, value);
    }
    out.extend_from_slice(b",\"pools\":");
    push_list(&mut out, pools, push_pool);
    out.extend_from_slice(b"}\n");
    out
}

fn push_pool(out: &mut Vec<u8>, pool: &PoolRule) {
    out.extend_from_slice(b"{\"name\":\"");
    push_escaped(&pool.name, out);
    out.push(b'"');
    if let Some(relaxation) = &pool.relaxation {
        out.extend_from_slice(b",\"steps\":");
        push_list(out, relaxation.steps(), push_step);
    }
    out.push(b'}');
}

fn push_step(out: &mut Vec<u8>, (after, score): &(Duration, u16)) {
    out.push(b'[');
    push_number(out, nanos(*after));
    out.push(b',');
    push_number(out, u64::from(*score));
    out.push(b']');
}

fn push_list<T>(out: &mut Vec<u8>, items: &[T], each: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b']');
}

fn push_ticket(out: &mut Vec<u8>, rules: &Rules, ticket: Ticket) {
    out.push(b'"');
    out.extend_from_slice(rules.name(ticket).as_bytes());
    out.push(b'/');
    push_number(out, ticket.sequence());
    out.push(b'"');
}

fn push_word(out: &mut Vec<u8>, word: &str) {
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

/// Several a line, and the lobby waits: quicker than the standard library's formatting.
fn push_number(out: &mut Vec<u8>, mut value: u64) {
    // As many digits as 2^64 has.
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
