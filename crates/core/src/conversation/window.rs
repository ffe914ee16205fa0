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

/// Messages in the order of their numbers; which numbers they have, the lane knows. Costs a pointer
/// while nobody has said anything.
#[derive(Debug, Default)]
pub(super) struct Window(Option<Box<Content>>);

#[derive(Debug, Default)]
struct Content {
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
        self.0.as_ref().map_or(0, |content| content.weight)
    }

    /// The memory it takes, in bytes.
    pub(super) fn held(&self) -> usize {
        let held = |content: &Content| {
            content.bytes.capacity() + content.entries.capacity() * size_of::<Entry>()
        };
        self.0.as_deref().map_or(0, held)
    }

    /// How many messages are written to the receiver's socket.
    pub(super) fn written(&self) -> usize {
        self.0.as_ref().map_or(0, |content| content.written)
    }

    /// Adds a message: the parts of its frame, in order.
    pub(super) fn push(&mut self, frame: [&[u8]; 2], weight: usize) {
        let len = frame[0].len() + frame[1].len();
        self.note(len, weight);
        let content = self.0.get_or_insert_default();
        content.owed = 0;
        content.make_room(len);
        content.bytes.extend_from_slice(frame[0]);
        content.bytes.extend_from_slice(frame[1]);
    }

    /// Notes a message whose frame comes by [`Window::fill`].
    pub(super) fn note(&mut self, len: usize, weight: usize) {
        let content = self.0.get_or_insert_default();
        // A message is far shorter than 4 GiB: the largest limit is 64 MiB.
        content.entries.push_back(Entry { len: len as u32, weight: weight as u32 });
        content.weight += weight;
        content.owed += len;
    }

    /// Takes the frames that were noted off the front of a run.
    pub(super) fn fill(&mut self, run: &mut &[u8]) {
        let Some(content) = &mut self.0 else { return };
        let (frames, rest) = run.split_at(std::mem::take(&mut content.owed));
        content.make_room(frames.len());
        content.bytes.extend_from_slice(frames);
        *run = rest;
    }

    /// Drops the oldest `count` messages.
    pub(super) fn drop_front(&mut self, count: usize) {
        let Some(content) = &mut self.0 else { return };
        if count >= content.entries.len() {
            return self.clear();
        }
        for entry in content.entries.drain(..count) {
            content.start += entry.len as usize;
            content.weight -= entry.weight as usize;
            if content.written > 0 {
                content.written -= 1;
                content.written_bytes -= entry.len as usize;
            }
        }
    }

    /// Drops all messages.
    pub(super) fn clear(&mut self) {
        match &mut self.0 {
            Some(content) if content.bytes.capacity() <= KEEP => {
                content.bytes.clear();
                content.entries.clear();
                (content.start, content.weight) = (0, 0);
                (content.written, content.written_bytes) = (0, 0);
            }
            _ => self.0 = None,
        }
    }

    /// Gives back what an empty window keeps.
    pub(super) fn shrink(&mut self) {
        if self.weight() == 0 {
            self.0 = None;
        }
    }

    /// Nothing counts as written any more: there is another socket.
    pub(super) fn rewind(&mut self) {
        if let Some(content) = &mut self.0 {
            (content.written, content.written_bytes) = (0, 0);
        }
    }

    /// The frames that aren't written yet.
    pub(super) fn unwritten(&self) -> &[u8] {
        let unwritten = |content: &'_ Content| content.start + content.written_bytes;
        self.0.as_deref().map_or(&[], |content| &content.bytes[unwritten(content)..])
    }

    /// The socket took `bytes` more. If that ends inside a frame, its rest is returned, to be written
    /// before anything else, and the frame counts as written.
    pub(super) fn wrote(&mut self, bytes: usize) -> &[u8] {
        let Some(content) = &mut self.0 else { return &[] };
        let end = content.written_bytes + bytes;
        while content.written_bytes < end {
            let Some(entry) = content.entries.get(content.written) else { break };
            content.written += 1;
            content.written_bytes += entry.len as usize;
        }
        &content.bytes[content.start + end..content.start + content.written_bytes]
    }
}

impl Content {
    fn make_room(&mut self, len: usize) {
        // At least half of it is free then, so each byte is moved once at most, on average.
        let full = self.bytes.len() + len > self.bytes.capacity();
        if full && self.start > 0 && self.start >= self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
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
        assert_eq!((window.written(), window.weight()), (0, 20));
        assert_eq!(window.wrote(2), b"");
        window.rewind();
        assert_eq!(window.unwritten(), b"de");
        window.drop_front(5);
        assert_eq!((window.weight(), window.unwritten()), (0, &b""[..]));
    }

    #[test]
    fn room_that_was_dropped_is_used_again() {
        let mut window = Window::default();
        for round in 0..10_000_u32 {
            window.push([&round.to_be_bytes(), &[0; 60]], 80);
            assert_eq!(window.wrote(64), b"");
            if window.weight() > 8 * 80 {
                window.drop_front(1);
            }
        }
        assert_eq!(window.weight(), 8 * 80);
        assert!(window.held() < 4096, "{}", window.held());
        window.rewind();
        assert_eq!(window.unwritten()[..4], 9992_u32.to_be_bytes());
    }
}
