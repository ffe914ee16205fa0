//! One read's bytes: what came in is turned into what goes out, in the same buffer.
//!
//! Client frames carry a four-byte mask that server frames don't, so what goes out of a frame is
//! shorter than what came in, and is written over bytes that were already consumed. Only the
//! first output of a read can need more: its frame's header may have arrived with the read
//! before. For that the buffer begins with [`HEADROOM`].

use std::ops::Range;

use crate::decoder::Whole;
use crate::mask::move_masked;
use crate::{Header, Kind, MAX_UNMASKED_HEADER, Opcode, Reason, Role, unmasked_header_len};

/// The most bytes one read may bring: 16 KiB would double the cost of 16 KiB messages, and more
/// than 64 KiB only costs cache.
pub const READ_SIZE: usize = 64 * 1024;

/// Free bytes before the input: the longest header we write (10), rounded up.
pub const HEADROOM: usize = 16;

/// A message that lies in the window, but isn't complete yet.
#[derive(Debug)]
struct Open {
    /// Where its header will stand.
    header_at: usize,
    payload_at: usize,
}

/// The buffer of one read, being worked through.
#[derive(Debug)]
pub struct Window<'b> {
    pub(crate) buf: &'b mut [u8],
    pub(crate) at: usize,
    /// A message that began in earlier windows and was completed in this one, from
    /// `front_at`: it goes out before `out`.
    front: Vec<u8>,
    front_at: usize,
    out: Range<usize>,
    open: Option<Open>,
    /// Complete messages in the output.
    pub messages: u64,
    /// Payload bytes in the output.
    pub bytes: u64,
    /// Messages that ended in this window, and were dropped by an earlier order.
    pub muted: u64,
}

impl<'b> Window<'b> {
    /// A window over `buf[HEADROOM..]`, which holds what was read.
    ///
    /// # Panics
    /// If `buf` is shorter than [`HEADROOM`] or holds more than [`READ_SIZE`] read bytes.
    pub fn new(buf: &'b mut [u8]) -> Self {
        assert!((HEADROOM..=HEADROOM + READ_SIZE).contains(&buf.len()));
        Self {
            buf,
            at: HEADROOM,
            front: Vec::new(),
            front_at: 0,
            out: HEADROOM..HEADROOM,
            open: None,
            messages: 0,
            bytes: 0,
            muted: 0,
        }
    }

    /// The output so far: whole frames, the first slice before the second.
    pub fn output(&self) -> [&[u8]; 2] {
        let end = self.open.as_ref().map_or(self.out.end, |open| open.header_at);
        [&self.front[self.front_at..], &self.buf[self.out.start.min(end)..end]]
    }

    /// Makes each slice of the output hold whole frames: the end of a message that began in earlier
    /// windows is copied to where it began. Who only writes the output on doesn't need it.
    pub fn align(&mut self) {
        let Ok(Some((header, at))) = Header::parse(&self.front[self.front_at..], Role::Client)
        else {
            return;
        };
        let missing = at + header.len as usize - (self.front.len() - self.front_at);
        let tail = self.out.start..self.out.start + missing;
        self.out.start = tail.end;
        self.front.extend_from_slice(&self.buf[tail]);
    }

    /// Whether nothing goes out.
    pub fn is_empty(&self) -> bool {
        self.output().iter().all(|part| part.is_empty())
    }

    /// Forgets the output so far, and returns how many complete messages that were.
    pub(crate) fn clear(&mut self) -> u64 {
        self.front.clear();
        self.front_at = 0;
        self.out = self.at..self.at;
        self.open = None;
        self.bytes = 0;
        std::mem::take(&mut self.messages)
    }

    /// Adds a message that lies whole at the window's place: unmasked and moved in one go, and
    /// validated if it is text.
    pub(crate) fn whole(&mut self, whole: Whole) -> Result<(), Reason> {
        debug_assert!(self.open.is_none(), "no message is incomplete");
        // The mask is what the header is shorter by.
        let header_len = whole.header_len - 4;
        let from = self.at + whole.header_len;
        let payload_at = self.make_room(from, header_len);
        let payload = payload_at..payload_at + whole.len;
        self.at = from + whole.len;
        let ascii = move_masked(self.buf, from, payload.start, whole.len, whole.key);
        if whole.kind == Kind::Text
            && !ascii
            && simdutf8::basic::from_utf8(&self.buf[payload.clone()]).is_err()
        {
            self.out.end -= header_len;
            return Err(Reason::InvalidUtf8);
        }
        let (opcode, len) = (Opcode::Data(whole.kind), whole.len as u64);
        let header = Header { fin: true, opcode, len, mask: None };
        header.write(&mut self.buf[payload.start - header_len..payload.start]);
        self.out.end = payload.end;
        self.count(len, true);
        Ok(())
    }

    /// Adds a piece of a message whose frame will be written when it is complete.
    pub(crate) fn collect(&mut self, piece: Range<usize>, reserve: usize) {
        if self.open.is_none() {
            let payload_at = self.make_room(piece.start, reserve);
            self.open = Some(Open { header_at: payload_at - reserve, payload_at });
        }
        self.append(piece);
    }

    /// Writes the header of the frame that was collected; does nothing if nothing was.
    pub(crate) fn seal(&mut self, fin: bool, opcode: Opcode) {
        let Some(open) = self.open.take() else { return };
        let len = (self.out.end - open.payload_at) as u64;
        let header_len = unmasked_header_len(len);
        let gap = open.payload_at - open.header_at - header_len;
        let mut header_at = open.header_at;
        if open.header_at == self.out.start {
            self.out.start += gap;
            header_at += gap;
        } else if gap > 0 {
            self.buf.copy_within(open.payload_at..self.out.end, open.payload_at - gap);
            self.out.end -= gap;
        }
        Header { fin, opcode, len, mask: None }.write(&mut self.buf[header_at..]);
        self.count(len, fin);
    }

    /// Adds a whole frame.
    pub(crate) fn frame(&mut self, piece: Range<usize>, fin: bool, opcode: Opcode) {
        self.collect(piece.clone(), unmasked_header_len(piece.len() as u64));
        self.seal(fin, opcode);
    }

    /// Puts a message (or its first fragment) from earlier windows before the output; `held` is
    /// [`MAX_UNMASKED_HEADER`] free bytes and the payload, of which the last `tail` lie here.
    pub(crate) fn put_front(
        &mut self,
        mut held: Vec<u8>,
        tail: Range<usize>,
        fin: bool,
        kind: Kind,
    ) {
        debug_assert!(self.front.is_empty() && self.out.is_empty(), "held comes first");
        let len = (held.len() - MAX_UNMASKED_HEADER + tail.len()) as u64;
        self.front_at = MAX_UNMASKED_HEADER - unmasked_header_len(len);
        let header = Header { fin, opcode: Opcode::Data(kind), len, mask: None };
        header.write(&mut held[self.front_at..]);
        self.front = held;
        self.out = tail;
        self.count(len, fin);
    }

    /// Whether something was collected of an incomplete message.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes what was collected of an incomplete message out of the window.
    pub(crate) fn take_open(&mut self) -> Option<&[u8]> {
        let open = self.open.take()?;
        let payload = open.payload_at..self.out.end;
        self.out.end = open.header_at;
        Some(&self.buf[payload])
    }

    fn count(&mut self, len: u64, fin: bool) {
        self.messages += u64::from(fin);
        self.bytes += len;
    }

    /// Leaves `reserve` bytes free before the new place of a payload that lies at `payload_at`,
    /// and returns that place. A first output stays where it lies: a single message is never moved.
    fn make_room(&mut self, payload_at: usize, reserve: usize) -> usize {
        if self.out.is_empty() {
            self.out = payload_at - reserve..payload_at;
        } else {
            self.out.end += reserve;
        }
        self.out.end
    }

    fn append(&mut self, piece: Range<usize>) {
        debug_assert!(self.out.end <= piece.start, "output never overtakes input");
        let len = piece.len();
        if piece.start != self.out.end {
            self.buf.copy_within(piece, self.out.end);
        }
        self.out.end += len;
    }
}
