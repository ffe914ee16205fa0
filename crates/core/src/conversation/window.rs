//! A sender's messages that the receiver hasn't acknowledged, as the frames they are written in.
//!
//! Kept for a resume, and at the same time the send buffer of a slow socket. Frames lie one behind
//! the other in one buffer, so that any run of them is one slice for one write.

use std::collections::VecDeque;

/// An empty window keeps a buffer of up to this many bytes, for the next message; a few short ones.
const KEEP: usize = 1024;

/// What is noted of a message.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The bytes of its frame.
    len: u32,
    /// What it weighs against the credit.
    weight: u32,
}

/// Messages in the order of their numbers; which numbers they have, the lane knows.
#[derive(Debug, Default)]
pub(super) struct Window {
    bytes: Vec<u8>,
    /// Where the first frame begins.
    start: usize,
    entries: VecDeque<Entry>,
    /// What all of them weigh.
    weight: usize,
    /// How many messages, and bytes behind `start`, are written to the receiver's socket.
    written: usize,
    written_bytes: usize,
    /// Bytes of frames that are noted, and still to be filled in.
    owed: usize,
}

impl Window {
    /// What all messages weigh, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// The memory it takes, in bytes.
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// How many messages are written to the receiver's socket.
    pub(super) fn written(&self) -> usize {
        self.written
    }

    /// Adds a message: the parts of its frame, in order.
    pub(super) fn push(&mut self, frame: [&[u8]; 2], weight: usize) {
        let len = frame[0].len() + frame[1].len();
        self.make_room(len);
        self.bytes.extend_from_slice(frame[0]);
        self.bytes.extend_from_slice(frame[1]);
        self.note(len, weight);
        self.owed = 0;
    }

    /// Notes a message whose frame comes by [`Window::fill`].
    pub(super) fn note(&mut self, len: usize, weight: usize) {
        // A message is far shorter than 4 GiB: the largest limit is 64 MiB.
        self.entries.push_back(Entry { len: len as u32, weight: weight as u32 });
        self.weight += weight;
        self.owed += len;
    }

    /// Takes the frames that were noted off the front of a run.
    pub(super) fn fill(&mut self, run: &mut &[u8]) {
        let (frames, rest) = run.split_at(std::mem::take(&mut self.owed));
        self.make_room(frames.len());
        self.bytes.extend_from_slice(frames);
        *run = rest;
    }

    fn make_room(&mut self, len: usize) {
        // At least half of it is free then, so each byte is moved once at most, on average.
        let full = self.bytes.len() + len > self.bytes.capacity();
        if full && self.start > 0 && self.start >= self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }

    /// Drops the oldest `count` messages.
    pub(super) fn drop_front(&mut self, count: usize) {
        if count >= self.entries.len() {
            return self.clear();
        }
        for entry in self.entries.drain(..count) {
            self.start += entry.len as usize;
            self.weight -= entry.weight as usize;
            if self.written > 0 {
                self.written -= 1;
                self.written_bytes -= entry.len as usize;
            }
        }
    }

    /// Drops all messages.
    pub(super) fn clear(&mut self) {
        if self.bytes.capacity() > KEEP {
            *self = Self::default();
        } else {
            self.bytes.clear();
            self.entries.clear();
            (self.start, self.weight, self.written, self.written_bytes) = (0, 0, 0, 0);
        }
    }

    /// Gives back what an empty window keeps.
    pub(super) fn shrink(&mut self) {
        if self.entries.is_empty() {
            *self = Self::default();
        }
    }

    /// Nothing counts as written any more: there is another socket.
    pub(super) fn rewind(&mut self) {
        (self.written, self.written_bytes) = (0, 0);
    }

    /// The frames that aren't written yet.
    pub(super) fn unwritten(&self) -> &[u8] {
        &self.bytes[self.start + self.written_bytes..]
    }

    /// The socket took `bytes` more. If that ends inside a frame, its rest is returned, to be written
    /// before anything else, and the frame counts as written.
    pub(super) fn wrote(&mut self, bytes: usize) -> &[u8] {
        let end = self.written_bytes + bytes;
        while self.written_bytes < end {
            let Some(entry) = self.entries.get(self.written) else { break };
            self.written += 1;
            self.written_bytes += entry.len as usize;
        }
        &self.bytes[self.start + end..self.start + self.written_bytes]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_kept_until_it_is_dropped() {
        let mut window = Window::default();
        window.push([b"ab", b"c"], 10);
        window.push([b"", b"de"], 20);
        assert_eq!(window.unwritten(), b"abcde");
        assert_eq!(window.wrote(2), b"c");
        assert_eq!((window.written(), window.unwritten()), (1, &b"de"[..]));
        window.drop_front(1);
        assert_eq!((window.entries.len(), window.written(), window.weight()), (1, 0, 20));
        assert_eq!(window.wrote(2), b"");
        window.rewind();
        assert_eq!(window.unwritten(), b"de");
        window.drop_front(5);
        assert_eq!((window.entries.len(), window.weight(), window.unwritten()), (0, 0, &b""[..]));
    }

    #[test]
    fn room_that_was_dropped_is_used_again() {
        let mut window = Window::default();
        for round in 0..10_000_u32 {
            window.push([&round.to_be_bytes(), &[0; 60]], 80);
            assert_eq!(window.wrote(64), b"");
            if window.entries.len() > 8 {
                window.drop_front(1);
            }
        }
        assert_eq!(window.entries.len(), 8);
        assert!(window.held() < 4096, "{}", window.held());
        window.rewind();
        assert_eq!(window.unwritten()[..4], 9992_u32.to_be_bytes());
    }
}
