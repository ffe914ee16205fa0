//! RFC 6455 on the client's side, written for the tests from the RFC alone.
//!
//! Knows bytes. Uses nothing of `vyoma-protocol`, so that a mistake there can't hide here, and is
//! strict: whatever a server must not send makes the test fail.

use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

/// What the other side did, as an application sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// A Close frame: its code, if it had one, and its text.
    Close(Option<u16>, String),
    /// The stream ended.
    Fin,
    /// The connection was reset.
    Reset,
}

/// A masked frame, whatever it says; nothing is checked.
pub(crate) fn frame(fin: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(fin, opcode, payload.len() as u64);
    let mask: [u8; 4] = bytes[bytes.len() - 4..].try_into().unwrap();
    bytes.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ mask[i % 4]));
    bytes
}

/// The header of a masked frame, mask included, for a payload that may never follow.
pub(crate) fn header(fin: bool, opcode: u8, length: u64) -> Vec<u8> {
    static MASKS: AtomicU32 = AtomicU32::new(1);
    let mask = MASKS.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9).to_be_bytes();
    let mut bytes = vec![u8::from(fin) << 7 | opcode];
    match length {
        0..=125 => bytes.push(0x80 | length as u8),
        126..=0xFFFF => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes
}

pub(crate) fn text(words: &str) -> Vec<u8> {
    frame(true, TEXT, words.as_bytes())
}

pub(crate) fn binary(bytes: &[u8]) -> Vec<u8> {
    frame(true, BINARY, bytes)
}

pub(crate) fn ping(payload: &[u8]) -> Vec<u8> {
    frame(true, PING, payload)
}

pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
    frame(true, PONG, payload)
}

pub(crate) fn close(code: u16, reason: &str) -> Vec<u8> {
    frame(true, CLOSE, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}

/// Turns what a server sent into events.
#[derive(Default)]
pub(crate) struct Decoder {
    bytes: Vec<u8>,
    start: usize,
    message: Option<(u8, Vec<u8>)>,
    closed: bool,
}

struct Frame {
    fin: bool,
    opcode: u8,
    payload: Vec<u8>,
}

impl Decoder {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// What was fed and is not decoded yet.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Whether the server is inside a message: some of it came, but not its end.
    pub(crate) fn is_inside_message(&self) -> bool {
        self.message.is_some() || !self.rest().is_empty()
    }

    /// The next event, if all of it is here. Panics at anything a server must not send.
    pub(crate) fn next(&mut self) -> Option<Event> {
        while let Some(frame) = self.take_frame() {
            assert!(!self.closed, "the server sent a frame after its Close");
            if frame.opcode >= 8 {
                assert!(frame.fin && frame.payload.len() <= 125, "a bad control frame");
                return Some(self.control(frame));
            }
            if let Some(event) = self.data(frame) {
                return Some(event);
            }
        }
        None
    }

    fn control(&mut self, frame: Frame) -> Event {
        match frame.opcode {
            PING => Event::Ping(frame.payload),
            PONG => Event::Pong(frame.payload),
            CLOSE => {
                self.closed = true;
                assert_ne!(frame.payload.len(), 1, "a Close body of one byte");
                let (code, reason) = frame.payload.split_at(frame.payload.len().min(2));
                let code = code.try_into().ok().map(u16::from_be_bytes);
                Event::Close(code, String::from_utf8(reason.to_vec()).expect("a Close in UTF-8"))
            }
            other => panic!("control opcode {other} is not defined"),
        }
    }

    fn data(&mut self, frame: Frame) -> Option<Event> {
        let (opcode, mut payload) = match (frame.opcode, self.message.take()) {
            (CONTINUATION, Some(begun)) => begun,
            (TEXT | BINARY, None) => (frame.opcode, Vec::new()),
            (opcode, begun) => panic!("opcode {opcode}, inside a message: {}", begun.is_some()),
        };
        payload.extend(frame.payload);
        if !frame.fin {
            self.message = Some((opcode, payload));
            return None;
        }
        Some(match opcode {
            TEXT => Event::Text(String::from_utf8(payload).expect("text in UTF-8")),
            _ => Event::Binary(payload),
        })
    }

    fn take_frame(&mut self) -> Option<Frame> {
        let rest = self.rest();
        let (&first, &second) = (rest.first()?, rest.get(1)?);
        assert_eq!(first & 0x70, 0, "a reserved bit");
        assert_eq!(second & 0x80, 0, "a server must not mask");
        let (length, header) = match second {
            126 => (u64::from(u16::from_be_bytes(rest.get(2..4)?.try_into().unwrap())), 4),
            127 => (u64::from_be_bytes(rest.get(2..10)?.try_into().unwrap()), 10),
            short => (u64::from(short), 2),
        };
        let least = [(126, 126), (127, 0x1_0000)].iter().find(|(code, _)| *code == second);
        assert!(least.is_none_or(|(_, least)| length >= *least), "the length is not minimal");
        let end = header + length as usize;
        let payload = rest.get(header..end)?.to_vec();
        self.start += end;
        Some(Frame { fin: first & 0x80 != 0, opcode: first & 0x0F, payload })
    }
}
