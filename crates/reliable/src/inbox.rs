//! How far the partner's messages have come: given to the application, taken by it, acknowledged.
//!
//! Knows numbers, weights and when to acknowledge. Must not know connections or envelopes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use vyoma_protocol::envelope::StreamId;

/// The partner's numbering in one conversation.
#[derive(Debug)]
pub(crate) struct Inbox {
    /// Whose numbers these are; `None` while nobody knows.
    pub(crate) stream: Option<StreamId>,
    /// The last number that the application was told of.
    pub(crate) given: u64,
    /// The last number that the application took.
    pub(crate) received: u64,
    /// The last number that came on this connection: this server process knows of no more, and takes
    /// no acknowledgement of it.
    came: u64,
    /// The last number that the server was told on this connection.
    acked: u64,
    /// The weight of what was taken since then.
    unacked: usize,
    /// When that has to be told at the latest.
    due: Option<Instant>,
    /// The last number that a person has seen, and that the server was told as seen.
    seen: u64,
    told_seen: u64,
}

impl Inbox {
    pub(crate) fn new(stream: Option<StreamId>, received: u64) -> Self {
        Self {
            stream,
            given: received,
            received,
            came: received,
            acked: received,
            unacked: 0,
            due: None,
            seen: 0,
            told_seen: 0,
        }
    }

    /// The application took everything up to `n`.
    pub(crate) fn took(&mut self, n: u64, weight: usize, now: Instant, delay: Duration) {
        self.received = n;
        self.unacked += weight;
        self.due.get_or_insert(now + delay);
    }

    /// Asks for the seat on another connection, which tells what was taken.
    pub(crate) fn resume(&mut self) {
        (self.came, self.acked) = (self.received, self.received);
        (self.due, self.unacked) = (None, 0);
    }

    /// Everything up to `n` has come on this connection, perhaps once more.
    pub(crate) fn came(&mut self, n: u64, now: Instant, delay: Duration) {
        self.came = self.came.max(n);
        if self.acked < self.received.min(self.came) {
            self.due.get_or_insert(now + delay);
        }
    }

    /// When an acknowledgement has to go out at the latest.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether it has to go out now.
    pub(crate) fn is_due(&self, credit: u64, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now || self.unacked as u64 >= credit / 4)
    }

    /// The number to acknowledge, if there is one; it counts as told.
    pub(crate) fn acknowledge(&mut self) -> Option<u64> {
        self.due = None;
        self.unacked = 0;
        let n = self.received.min(self.came);
        let news = n > self.acked;
        self.acked = self.acked.max(n);
        news.then_some(n)
    }

    /// A person has seen what was taken up to `n`.
    pub(crate) fn saw(&mut self, n: u64) {
        self.seen = self.seen.max(n.min(self.received));
    }

    /// Whether the server doesn't know yet what was seen.
    pub(crate) fn unseen(&self) -> bool {
        self.seen.min(self.came) > self.told_seen
    }

    /// The number to tell as seen; it has to be acknowledged first.
    pub(crate) fn tell_seen(&mut self) -> u64 {
        self.told_seen = self.seen.min(self.came);
        self.told_seen
    }

    /// The server took no note of what was told as seen.
    pub(crate) fn untell_seen(&mut self) {
        self.told_seen = 0;
    }
}

/// What the application was given, and hasn't taken; in order, over all conversations, since a
/// callback may return after its conversation.
#[derive(Debug, Default)]
pub(crate) struct Untaken {
    entries: VecDeque<Entry>,
    /// The weight of all.
    weight: usize,
    /// Counts numberings; entries of an older one need no acknowledgement.
    era: u64,
}

#[derive(Debug)]
struct Entry {
    era: u64,
    n: u64,
    weight: usize,
    /// Nothing to be taken: numbers up to `n` that will never come.
    gap: bool,
}

impl Untaken {
    /// Another numbering begins.
    pub(crate) fn begin(&mut self) {
        self.era += 1;
    }

    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    pub(crate) fn gave(&mut self, n: u64, weight: usize) {
        self.weight += weight;
        self.entries.push_back(Entry { era: self.era, n, weight, gap: false });
    }

    /// Numbers up to `n` will never come. If nothing before them is untaken, that is taken at once:
    /// `n` is returned.
    pub(crate) fn gap(&mut self, n: u64) -> Option<u64> {
        match self.entries.back_mut() {
            Some(last) if last.gap && last.era == self.era => last.n = n,
            _ => self.entries.push_back(Entry { era: self.era, n, weight: 0, gap: true }),
        }
        self.pass_gaps()
    }

    /// The application took `n`. Returns up to where the present numbering is taken with that, and
    /// the message's weight; `None` if `n` isn't next, or of an older numbering.
    pub(crate) fn take(&mut self, n: u64) -> Option<(u64, usize)> {
        let entry = self.pop_if(|entry| entry.n == n && !entry.gap)?;
        self.weight -= entry.weight;
        let further = self.pass_gaps();
        if entry.era == self.era {
            return Some((further.unwrap_or(entry.n), entry.weight));
        }
        further.map(|n| (n, 0))
    }

    fn pass_gaps(&mut self) -> Option<u64> {
        let mut last = None;
        while let Some(entry) = self.pop_if(|entry| entry.gap) {
            last = (entry.era == self.era).then_some(entry.n).or(last);
        }
        last
    }

    fn pop_if(&mut self, wanted: impl Fn(&Entry) -> bool) -> Option<Entry> {
        self.entries.front().is_some_and(wanted).then(|| self.entries.pop_front())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_count_in_order_and_for_their_own_numbering() {
        let mut untaken = Untaken::default();
        untaken.gave(1, 10);
        untaken.gave(2, 20);
        assert_eq!(untaken.take(2), None);
        untaken.begin();
        untaken.gave(1, 30);
        // The first two belong to the numbering before.
        assert_eq!(untaken.take(1), None);
        assert_eq!(untaken.take(1), None);
        assert_eq!(untaken.take(2), None);
        assert_eq!(untaken.weight(), 30);
        assert_eq!(untaken.take(1), Some((1, 30)));
        assert_eq!((untaken.take(1), untaken.weight()), (None, 0));
    }

    #[test]
    fn a_gap_counts_when_all_before_it_is_taken() {
        let mut untaken = Untaken::default();
        assert_eq!(untaken.gap(3), Some(3));
        untaken.gave(4, 10);
        assert_eq!(untaken.gap(6), None);
        assert_eq!(untaken.gap(8), None);
        assert_eq!(untaken.take(4), Some((8, 10)));
        // A gap of the present numbering behind a callback of the one before.
        untaken.gave(9, 10);
        untaken.begin();
        assert_eq!(untaken.gap(2), None);
        assert_eq!(untaken.take(9), Some((2, 0)));
        // ... and the other way round.
        untaken.gave(3, 10);
        untaken.gap(5);
        untaken.begin();
        assert_eq!(untaken.take(3), None);
    }
}
