//! The decoder: bytes in, pieces of messages and control frames out, in place and without I/O.
//!
//! It works on a buffer that its caller fills: payloads are unmasked where they lie and named by
//! their range. Between two buffers it keeps some hundred bytes, never a payload (but that of a
//! control frame cut in two).

use std::ops::Range;

use crate::mask::advance_key;
use crate::utf8::{InvalidUtf8, Utf8};
use crate::{CloseCode, Header, Kind, MAX_HEADER, Opcode, Reason, Role, apply_mask, parse_close};

/// What the decoder found.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// A data frame begins.
    Start(Start),
    /// A piece of the data frame that began last; each frame has at least one, maybe empty.
    Piece(Piece),
    /// A control frame, whole.
    Control(Control),
}

/// The begin of a data frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The type of the message.
    pub kind: Kind,
    /// Whether the message begins with this frame.
    pub first: bool,
    /// Whether the message ends with this frame.
    pub fin: bool,
    /// The length of the message in bytes up to the end of this frame.
    pub total: u64,
}

/// A piece of a message's payload, unmasked and, for text, validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where in the buffer it lies.
    pub range: Range<usize>,
    /// Whether the message is complete with it.
    pub last: bool,
}

/// A control frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// To be answered by a pong with the same body.
    Ping(Vec<u8>),
    /// Answers a ping, or comes unasked.
    Pong(Vec<u8>),
    /// The peer closes; nothing after it counts.
    Close(Option<CloseCode>),
}

impl From<InvalidUtf8> for Reason {
    fn from(_: InvalidUtf8) -> Self {
        Self::InvalidUtf8
    }
}

/// Decodes one direction of a WebSocket connection.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    max_message: u64,
    /// The begin of a header whose rest hasn't arrived.
    cut: [u8; MAX_HEADER],
    cut_len: u8,
    frame: Option<Frame>,
    /// The message that more frames will continue, with its length so far.
    message: Option<(Kind, u64)>,
    utf8: Utf8,
    /// The payload so far of a control frame cut in two.
    control: Vec<u8>,
    closed: bool,
}

/// The frame whose payload is being read.
#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: Opcode,
    fin: bool,
    /// Turned so that it fits the next byte; zeros if the payload isn't masked.
    key: [u8; 4],
    remaining: u64,
}

/// A client's frame that is a whole message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole {
    pub(crate) kind: Kind,
    pub(crate) key: [u8; 4],
    /// The bytes of its header, mask included.
    pub(crate) header_len: usize,
    pub(crate) len: usize,
}

impl Whole {
    /// The next frame between messages, if it is whole: the common case. Whatever else there is,
    /// also a frame that breaks a rule, is for [`Decoder::decode`].
    pub(crate) fn parse(bytes: &[u8], max_message: u64) -> Option<Self> {
        let &[first, second, high, low, ..] = bytes else { return None };
        let kind = match first {
            0x81 => Kind::Text,
            0x82 => Kind::Binary,
            _ => return None,
        };
        let (len, header_len) = match second {
            0x80..=0xFD => (usize::from(second & 0x7F), 6),
            0xFE => (usize::from(u16::from_be_bytes([high, low])), 8),
            _ => return None,
        };
        // A length that isn't written as it must be is the header parser's to refuse.
        let written_short = header_len == 8 && len < 126;
        if written_short || len as u64 > max_message || bytes.len() < header_len + len {
            return None;
        }
        let key = *bytes[..header_len].last_chunk()?;
        Some(Self { kind, key, header_len, len })
    }
}

impl Decoder {
    /// A decoder for the reading side of an endpoint in this role, that takes messages of up to
    /// `max_message` bytes.
    pub fn new(role: Role, max_message: u64) -> Self {
        Self {
            role,
            max_message,
            cut: [0; MAX_HEADER],
            cut_len: 0,
            frame: None,
            message: None,
            utf8: Utf8::default(),
            control: Vec::new(),
            closed: false,
        }
    }

    /// Decodes on from `buf[*at..]` and moves `at` behind what was consumed; `None` once all was.
    ///
    /// # Errors
    /// The rule that the peer broke, as soon as the bytes show it; how a frame fits its message
    /// and the limit is judged once its header is whole. Nothing may be decoded after.
    pub fn decode(&mut self, buf: &mut [u8], at: &mut usize) -> Result<Option<Item>, Reason> {
        if self.closed {
            *at = buf.len();
            return Ok(None);
        }
        if self.frame.is_none() {
            let Some(header) = self.read_header(buf, at)? else { return Ok(None) };
            let start = self.begin(header)?;
            let Header { fin, opcode, len: remaining, mask } = header;
            self.frame = Some(Frame { opcode, fin, key: mask.unwrap_or_default(), remaining });
            if let Some(start) = start {
                return Ok(Some(Item::Start(start)));
            }
        }
        self.read_payload(buf, at)
    }

    /// Whether a message has begun that isn't complete.
    pub fn in_message(&self) -> bool {
        self.message.is_some()
    }

    /// Whether the next byte begins a message or a control frame.
    pub fn is_between_messages(&self) -> bool {
        self.frame.is_none() && self.cut_len == 0 && self.message.is_none() && !self.closed
    }

    /// The longest message it takes, in bytes.
    pub(crate) fn max_message(&self) -> u64 {
        self.max_message
    }

    fn read_header(&mut self, buf: &[u8], at: &mut usize) -> Result<Option<Header>, Reason> {
        if self.cut_len == 0
            && let Some((header, len)) = Header::parse(&buf[*at..], self.role)?
        {
            *at += len;
            return Ok(Some(header));
        }
        while let Some(&byte) = buf.get(*at) {
            self.cut[usize::from(self.cut_len)] = byte;
            self.cut_len += 1;
            *at += 1;
            let so_far = &self.cut[..usize::from(self.cut_len)];
            if let Some((header, _)) = Header::parse(so_far, self.role)? {
                self.cut_len = 0;
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    /// Judges a header against the message it belongs to.
    fn begin(&mut self, header: Header) -> Result<Option<Start>, Reason> {
        let (kind, before, first) = match (header.opcode, self.message) {
            (Opcode::Data(kind), None) => (kind, 0, true),
            (Opcode::Continuation, Some((kind, len))) => (kind, len, false),
            (Opcode::Data(_), Some(_)) | (Opcode::Continuation, None) => {
                return Err(Reason::Fragmentation);
            }
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => return Ok(None),
        };
        let total = before.saturating_add(header.len);
        if total > self.max_message {
            return Err(Reason::MessageTooBig);
        }
        self.message = Some((kind, total));
        Ok(Some(Start { kind, first, fin: header.fin, total }))
    }

    fn read_payload(&mut self, buf: &mut [u8], at: &mut usize) -> Result<Option<Item>, Reason> {
        let Some(frame) = &mut self.frame else { return Ok(None) };
        let available = buf.len() - *at;
        if available == 0 && frame.remaining > 0 {
            return Ok(None);
        }
        let len = usize::try_from(frame.remaining).map_or(available, |r| r.min(available));
        let range = *at..*at + len;
        let ascii = apply_mask(&mut buf[range.clone()], frame.key);
        frame.key = advance_key(frame.key, len);
        *at = range.end;
        frame.remaining -= len as u64;
        let Frame { opcode, fin, remaining, .. } = *frame;
        let complete = remaining == 0;
        if complete {
            self.frame = None;
        }
        if !matches!(opcode, Opcode::Continuation | Opcode::Data(_)) {
            return self.control(opcode, &buf[range], complete);
        }
        let last = complete && fin;
        self.data(&buf[range.clone()], ascii, last)?;
        Ok(Some(Item::Piece(Piece { range, last })))
    }

    fn data(&mut self, bytes: &[u8], ascii: bool, last: bool) -> Result<(), Reason> {
        if matches!(self.message, Some((Kind::Text, _))) {
            if ascii {
                self.utf8.push_ascii(bytes)?;
            } else {
                self.utf8.push(bytes)?;
            }
            if last {
                self.utf8.finish()?;
            }
        }
        if last {
            self.message = None;
        }
        Ok(())
    }

    fn control(&mut self, op: Opcode, part: &[u8], whole: bool) -> Result<Option<Item>, Reason> {
        self.control.extend_from_slice(part);
        if !whole {
            return Ok(None);
        }
        let body = std::mem::take(&mut self.control);
        Ok(Some(Item::Control(match op {
            Opcode::Ping => Control::Ping(body),
            Opcode::Pong => Control::Pong(body),
            _ => {
                let code = parse_close(&body)?;
                self.closed = true;
                Control::Close(code)
            }
        })))
    }
}
