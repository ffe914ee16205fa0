//! Streams to read: what clients say, cut into frames at random, and broken at random.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::checks::naive;

/// What is sent, in order.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) parts: Vec<Part>,
    pub(crate) close: Option<Close>,
    /// Where the frames' masking keys are drawn from.
    pub(crate) keys: u32,
}

/// A Close frame's code and the length of its reason.
pub(crate) type Close = (Option<u16>, usize);

/// A message or a control frame.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Message { text: bool, len: usize, salt: u8, cuts: Vec<Cut> },
    Control(Beat),
}

/// Where a message is cut, in parts of 256, and the control frame in that place, if any.
pub(crate) type Cut = (u8, Option<Beat>);

/// A ping or pong with a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beat {
    ping: bool,
    len: usize,
    salt: u8,
}

pub(crate) fn script() -> impl Strategy<Value = Script> {
    let code = prop_oneof![Just(1000u16), Just(1001), 3000u16..=4999];
    let close =
        (Just(0), proptest::option::of(code), 0usize..=123).prop_map(|(_, code, len)| (code, len));
    let parts = vec(prop_oneof![4 => message(), 1 => beat().prop_map(Part::Control)], 0..12);
    (parts, proptest::option::of(close), any::<u32>()).prop_map(|(parts, close, keys)| Script {
        parts,
        close,
        keys,
    })
}

fn message() -> impl Strategy<Value = Part> {
    let len = prop_oneof![
        200 => 0usize..40,
        100 => 120usize..132,
        40 => 100usize..3_000,
        1 => 65_530usize..65_540,
        1 => 60_000usize..150_000,
    ];
    let cut = (any::<u8>(), proptest::option::weighted(0.3, beat()));
    let cuts = prop_oneof![3 => Just(Vec::new()), 2 => vec(cut, 1..6)];
    (any::<bool>(), len, any::<u8>(), cuts).prop_map(|(text, len, salt, cuts)| Part::Message {
        text,
        len,
        salt,
        cuts,
    })
}

fn beat() -> impl Strategy<Value = Beat> {
    let len = prop_oneof![4 => 0usize..20, 1 => Just(125usize), 1 => 0usize..=125];
    (any::<bool>(), len, any::<u8>()).prop_map(|(ping, len, salt)| Beat { ping, len, salt })
}

/// Sizes of reads.
pub(crate) fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![
        4 => 1usize..16, 2 => 1usize..200, 1 => 200usize..5_000, 1 => 60_000usize..=65_536
    ];
    vec(size, 0..24)
}

/// What the script says: its messages (whether text, and the payload), and the opcodes and bodies
/// of its control frames.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) messages: Vec<(bool, Vec<u8>)>,
    pub(crate) controls: Vec<(u8, Vec<u8>)>,
}

impl Script {
    /// The script as bytes on the wire, and what it says.
    pub(crate) fn write(&self, masked: bool) -> (Vec<u8>, Said) {
        let mut pen =
            Pen { out: Vec::new(), said: Said::default(), key: masked.then_some(self.keys) };
        for part in &self.parts {
            match part {
                Part::Control(beat) => pen.beat(*beat),
                Part::Message { text, len, salt, cuts } => {
                    let body = if *text { words(*len, *salt) } else { noise(*len, *salt) };
                    pen.message(*text, body, cuts);
                }
            }
        }
        if let Some((code, len)) = self.close {
            let code = code.map(u16::to_be_bytes);
            let reason = code.map_or_else(Vec::new, |_| words(len, 7));
            pen.control(8, [code.as_ref().map_or(&[][..], |code| code), &reason].concat());
        }
        (pen.out, pen.said)
    }
}

struct Pen {
    out: Vec<u8>,
    said: Said,
    key: Option<u32>,
}

impl Pen {
    fn message(&mut self, text: bool, body: Vec<u8>, cuts: &[Cut]) {
        let mut cuts = cuts.to_vec();
        cuts.sort_by_key(|(place, _)| *place);
        let opcode = if text { 1 } else { 2 };
        let mut from = 0;
        for (i, (place, beat)) in cuts.iter().enumerate() {
            let to = body.len() * usize::from(*place) / 256;
            self.frame(false, if i == 0 { opcode } else { 0 }, &body[from..to]);
            from = to;
            beat.iter().for_each(|beat| self.beat(*beat));
        }
        self.frame(true, if cuts.is_empty() { opcode } else { 0 }, &body[from..]);
        self.said.messages.push((text, body));
    }

    fn beat(&mut self, beat: Beat) {
        self.control(if beat.ping { 9 } else { 10 }, noise(beat.len, beat.salt));
    }

    fn control(&mut self, opcode: u8, body: Vec<u8>) {
        self.frame(true, opcode, &body);
        self.said.controls.push((opcode, body));
    }

    fn frame(&mut self, fin: bool, opcode: u8, payload: &[u8]) {
        self.key = self.key.map(|key| key.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        self.out.extend(frame(fin, opcode, payload, self.key.map(u32::to_be_bytes)));
    }
}

/// A frame as in section 5.2.
pub(crate) fn frame(fin: bool, opcode: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let mask_bit = if key.is_some() { 128 } else { 0 };
    let mut out = vec![opcode + if fin { 128 } else { 0 }];
    let len = payload.len();
    if len < 126 {
        out.push(mask_bit + len as u8);
    } else if len < 65_536 {
        out.extend([mask_bit + 126, (len / 256) as u8, (len % 256) as u8]);
    } else {
        out.push(mask_bit + 127);
        out.extend((0..8).rev().map(|place| (len as u64 >> (8 * place)) as u8));
    }
    out.extend(key.iter().flatten());
    let key = key.unwrap_or_default();
    out.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]));
    out
}

/// Text of exactly `len` bytes, its characters one to four bytes long.
fn words(len: usize, salt: u8) -> Vec<u8> {
    let alphabet = ["a", "é", "⌛", "🎯", "z", "\u{7ff}", "\u{ffff}", "\u{10ffff}", " ", "\0"];
    let mut out = Vec::with_capacity(len);
    for character in alphabet.iter().cycle().skip(usize::from(salt) % alphabet.len()) {
        if out.len() + character.len() > len {
            break;
        }
        out.extend_from_slice(character.as_bytes());
    }
    out.resize(len, b'.');
    out
}

fn noise(len: usize, salt: u8) -> Vec<u8> {
    (0..len).map(|i| salt.wrapping_add((i as u8).wrapping_mul(31))).collect()
}

/// A way to break a stream; places are parts of 65,536 of what there is.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// A bit of the first ten bytes of a frame.
    Header {
        frame: u16,
        byte: usize,
        bit: u8,
    },
    Bit {
        place: u16,
        bit: u8,
    },
    Byte {
        place: u16,
        byte: u8,
    },
    Insert {
        place: u16,
        bytes: Vec<u8>,
    },
    Remove {
        place: u16,
        count: usize,
    },
    Cut {
        place: u16,
    },
}

pub(crate) fn fault() -> impl Strategy<Value = Fault> {
    let place = any::<u16>;
    prop_oneof![
        4 => (place(), 0usize..10, 0u8..8)
            .prop_map(|(frame, byte, bit)| Fault::Header { frame, byte, bit }),
        2 => (place(), 0u8..8).prop_map(|(place, bit)| Fault::Bit { place, bit }),
        2 => (place(), any::<u8>()).prop_map(|(place, byte)| Fault::Byte { place, byte }),
        1 => (place(), vec(any::<u8>(), 1..20))
            .prop_map(|(place, bytes)| Fault::Insert { place, bytes }),
        1 => (place(), 1usize..20).prop_map(|(place, count)| Fault::Remove { place, count }),
        1 => place().prop_map(|place| Fault::Cut { place }),
    ]
}

impl Fault {
    pub(crate) fn apply(&self, stream: &mut Vec<u8>, masked: bool) {
        let share = |place: &u16, of: usize| of * usize::from(*place) / 65_536;
        if stream.is_empty() {
            return;
        }
        match self {
            Self::Header { frame, byte, bit } => {
                let mut starts = vec![0];
                let frames = naive::read(stream, masked, u64::MAX).frames;
                starts.extend(frames.iter().map(|frame| frame.end));
                let at = starts[share(frame, starts.len())] + byte;
                stream.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << bit);
            }
            Self::Bit { place, bit } => {
                let at = share(place, stream.len());
                stream[at] ^= 1 << bit;
            }
            Self::Byte { place, byte } => {
                let at = share(place, stream.len());
                stream[at] = *byte;
            }
            Self::Insert { place, bytes } => {
                let at = share(place, stream.len());
                stream.splice(at..at, bytes.iter().copied());
            }
            Self::Remove { place, count } => {
                let at = share(place, stream.len());
                stream.drain(at..(at + count).min(stream.len()));
            }
            Self::Cut { place } => stream.truncate(share(place, stream.len())),
        }
    }
}
