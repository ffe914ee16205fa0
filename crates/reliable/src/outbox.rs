//! The own messages that the partner's application isn't known to have.
//!
//! Knows numbers, weights, and how far each stage has come. Must not know connections or envelopes.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use vyoma_protocol::envelope::{MAX_NUMBER, weight};

use crate::Kept;

/// The outbox of one conversation.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// By rising numbers, the last of which is `next` - 1.
    kept: VecDeque<Kept>,
    /// The number that is assigned next.
    next: u64,
    /// The weight of all.
    weight: usize,
    /// The number to write next on this connection; the ones below it weigh on the credit.
    to_write: u64,
    /// The weight of what is below `to_write`.
    in_flight: usize,
    /// The highest number that was ever written, and whether the application has been told.
    written: u64,
    /// The highest number that the server answers for, that was delivered, and that was read.
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) read: u64,
    /// What the server has reported as undelivered.
    reported: Option<RangeInclusive<u64>>,
    /// A message was refused, and the application waits for room.
    refused: bool,
}

impl Outbox {
    pub(crate) fn new(next: u64, kept: Vec<Kept>) -> Self {
        let kept = VecDeque::from(kept);
        let first = next - kept.len() as u64;
        Self {
            weight: kept.iter().map(kept_weight).sum(),
            kept,
            next,
            to_write: first,
            in_flight: 0,
            written: first - 1,
            accepted: first - 1,
            delivered: first - 1,
            read: 0,
            reported: None,
            refused: false,
        }
    }

    /// The number that is assigned next.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The lowest number in it, or `next`.
    pub(crate) fn first(&self) -> u64 {
        self.next - self.kept.len() as u64
    }

    pub(crate) fn kept(&self) -> impl Iterator<Item = &Kept> {
        self.kept.iter()
    }

    /// Whether another number can be assigned: `next` itself has to be a number that can be told.
    pub(crate) fn exhausted(&self) -> bool {
        self.next >= MAX_NUMBER
    }

    /// Whether a message of this length fits; if not, [`regained`](Self::regained) will tell.
    pub(crate) fn fits(&mut self, length: usize, bytes: usize, count: usize) -> bool {
        let room = self.kept.len() < count && self.weight + weight(length) <= bytes;
        self.refused = !room && !self.kept.is_empty();
        !self.refused
    }

    /// Whether, after a refusal, half of it is free; true once.
    pub(crate) fn regained(&mut self, bytes: usize, count: usize) -> bool {
        let free = self.kept.len() <= count / 2 && self.weight <= bytes / 2;
        free && std::mem::take(&mut self.refused)
    }

    /// Takes a message with the number `next`.
    pub(crate) fn push(&mut self, kept: Kept) {
        self.weight += kept_weight(&kept);
        self.next = kept.n + 1;
        self.kept.push_back(kept);
    }

    /// The message to write next, if the credit and the server's `longest` allow.
    pub(crate) fn write(&mut self, credit: u64, longest: u64) -> Option<Kept> {
        let index = usize::try_from(self.to_write.checked_sub(self.first())?).ok()?;
        let kept = self.kept.get(index)?;
        let weight = kept_weight(kept);
        if (self.in_flight + weight) as u64 > credit || kept.frame.len() as u64 > longest {
            return None;
        }
        self.in_flight += weight;
        self.to_write = kept.n + 1;
        Some(kept.clone())
    }

    /// The highest number written, if that has risen since the last call.
    pub(crate) fn newly_written(&mut self) -> Option<u64> {
        let last = self.to_write - 1;
        let risen = last > self.written;
        self.written = self.written.max(last);
        risen.then_some(last)
    }

    /// On a new connection the server expects this number next; what is below weighs on the credit.
    pub(crate) fn resume(&mut self, expected: u64) {
        self.to_write = expected.max(self.first());
        let below = |kept: &&Kept| kept.n < self.to_write;
        self.in_flight = self.kept.iter().take_while(below).map(kept_weight).sum();
    }

    /// Drops everything up to `n`, which is below `next`; whether that changed anything.
    pub(crate) fn acked(&mut self, n: u64) -> bool {
        let before = self.kept.len();
        while self.first() <= n
            && let Some(kept) = self.kept.pop_front()
        {
            let weight = kept_weight(&kept);
            self.weight -= weight;
            if kept.n < self.to_write {
                self.in_flight -= weight;
            }
        }
        self.to_write = self.to_write.max(self.first());
        self.kept.len() < before
    }

    /// The server said that these are undelivered; they aren't reported again.
    pub(crate) fn reported(&mut self, range: RangeInclusive<u64>) {
        self.reported = Some(range);
    }

    /// What is left above `n` and wasn't reported by the server: up to two ranges.
    pub(crate) fn unconfirmed(&self, n: u64) -> Vec<(u64, u64)> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        let reported = |n| self.reported.as_ref().is_some_and(|range| range.contains(&n));
        for n in self.kept.iter().map(|kept| kept.n).filter(|own| *own > n && !reported(*own)) {
            match ranges.last_mut() {
                Some((_, to)) if *to + 1 == n => *to = n,
                _ => ranges.push((n, n)),
            }
        }
        ranges
    }
}

fn kept_weight(kept: &Kept) -> usize {
    weight(kept.frame.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;

    /// A message that weighs 20.
    fn kept(n: u64) -> Kept {
        Kept { n, frame: Frame::Text("abcd".into()) }
    }

    fn outbox(count: u64) -> Outbox {
        let mut outbox = Outbox::new(1, Vec::new());
        (1..=count).for_each(|n| outbox.push(kept(n)));
        outbox
    }

    fn write_all(outbox: &mut Outbox, credit: u64) -> Vec<u64> {
        std::iter::from_fn(|| outbox.write(credit, 100)).map(|kept| kept.n).collect()
    }

    #[test]
    fn an_ack_frees_the_credit_of_what_was_written_only() {
        let mut outbox = outbox(5);
        assert_eq!(write_all(&mut outbox, 59), [1, 2]);
        assert!(outbox.acked(1));
        assert_eq!(write_all(&mut outbox, 59), [3]);
        // After a resume the server may confirm what wasn't written again on this connection.
        outbox.resume(2);
        assert!(outbox.acked(4));
        assert_eq!((outbox.in_flight, outbox.first()), (0, 5));
        assert_eq!(write_all(&mut outbox, 59), [5]);
        assert!(outbox.acked(5) && !outbox.acked(5));
        assert_eq!((outbox.weight, outbox.in_flight, outbox.first()), (0, 0, 6));
    }

    #[test]
    fn what_the_server_has_weighs_on_the_credit_of_a_new_connection() {
        let mut outbox = outbox(4);
        outbox.resume(3);
        assert_eq!(outbox.in_flight, 40);
        assert_eq!(write_all(&mut outbox, 60), [3]);
    }

    #[test]
    fn what_was_reported_is_not_reported_again() {
        let mut outbox = outbox(7);
        assert_eq!(outbox.unconfirmed(0), [(1, 7)]);
        outbox.reported(3..=4);
        assert_eq!(outbox.unconfirmed(1), [(2, 2), (5, 7)]);
        assert_eq!(outbox.unconfirmed(7), []);
    }

    #[test]
    fn written_is_told_once_however_often_it_is_written() {
        let mut outbox = outbox(2);
        assert_eq!(outbox.newly_written(), None);
        write_all(&mut outbox, 100);
        assert_eq!(outbox.newly_written(), Some(2));
        outbox.resume(1);
        write_all(&mut outbox, 100);
        assert_eq!(outbox.newly_written(), None);
    }
}
