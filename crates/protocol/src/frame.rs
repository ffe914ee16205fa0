//! Frames (RFC 6455, section 5.2): the header, read and written.

use crate::{MAX_CONTROL_PAYLOAD, Reason, apply_mask};

/// Which end of the connection we are: it decides who masks (section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// We receive masked frames and send unmasked ones.
    Server,
    /// We receive unmasked frames and send masked ones.
    Client,
}

/// The type of a data message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Any bytes.
    Binary,
}

/// What a frame is (section 11.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// More of a fragmented message.
    Continuation,
    /// A message, or its first fragment.
    Data(Kind),
    /// The closing handshake.
    Close,
    /// Are you there?
    Ping,
    /// I am.
    Pong,
}

impl Opcode {
    fn from_wire(nibble: u8) -> Option<Self> {
        Some(match nibble {
            0x0 => Self::Continuation,
            0x1 => Self::Data(Kind::Text),
            0x2 => Self::Data(Kind::Binary),
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    fn to_wire(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Data(Kind::Text) => 0x1,
            Self::Data(Kind::Binary) => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The longest header in bytes: two, an eight-byte length, a four-byte mask.
pub const MAX_HEADER: usize = 14;
/// The longest header without a mask, as a server sends it.
pub const MAX_UNMASKED_HEADER: usize = 10;

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whether this is the message's last frame.
    pub fin: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// The payload's length in bytes.
    pub len: u64,
    /// The masking key, if the payload is masked.
    pub mask: Option<[u8; 4]>,
}

impl Header {
    /// Reads a header from the start of `bytes`: the header and its length, or `None` if more
    /// bytes are needed. `role` is the reader's.
    ///
    /// # Errors
    /// The rule of section 5 that is broken, as soon as the bytes show it.
    pub fn parse(bytes: &[u8], role: Role) -> Result<Option<(Self, usize)>, Reason> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(Reason::ReservedBits);
        }
        let opcode = Opcode::from_wire(first & 0x0F).ok_or(Reason::UnknownOpcode)?;
        let fin = first & 0x80 != 0;
        if opcode.is_control() && !fin {
            return Err(Reason::ControlFrame);
        }
        let Some(&second) = bytes.get(1) else { return Ok(None) };
        let (masked, short) = (second & 0x80 != 0, second & 0x7F);
        if masked != (role == Role::Server) {
            return Err(Reason::Masking);
        }
        if opcode.is_control() && usize::from(short) > MAX_CONTROL_PAYLOAD {
            return Err(Reason::ControlFrame);
        }
        let Some((len, at)) = parse_len(short, &bytes[2..])? else { return Ok(None) };
        if !masked {
            return Ok(Some((Self { fin, opcode, len, mask: None }, at)));
        }
        let Some(&key) = bytes[at..].first_chunk::<4>() else { return Ok(None) };
        Ok(Some((Self { fin, opcode, len, mask: Some(key) }, at + 4)))
    }

    /// Writes the header to the start of `out` and returns its length; `out` has to have room for
    /// [`MAX_HEADER`] bytes, or [`MAX_UNMASKED_HEADER`] without a mask, or what
    /// [`unmasked_header_len`] says.
    pub fn write(&self, out: &mut [u8]) -> usize {
        let mask_bit = if self.mask.is_some() { 0x80 } else { 0 };
        out[0] = if self.fin { 0x80 } else { 0 } | self.opcode.to_wire();
        let mut at = unmasked_header_len(self.len);
        match at {
            2 => out[1] = mask_bit | self.len as u8,
            4 => {
                out[1] = mask_bit | 126;
                out[2..4].copy_from_slice(&(self.len as u16).to_be_bytes());
            }
            _ => {
                out[1] = mask_bit | 127;
                out[2..10].copy_from_slice(&self.len.to_be_bytes());
            }
        }
        if let Some(key) = self.mask {
            out[at..at + 4].copy_from_slice(&key);
            at += 4;
        }
        at
    }
}

/// The bytes of an unmasked header for a payload of `len` bytes.
pub fn unmasked_header_len(len: u64) -> usize {
    match len {
        0..=125 => 2,
        126..=0xFFFF => 4,
        _ => MAX_UNMASKED_HEADER,
    }
}

/// Reads the extended length: the length, and where in the frame it ends.
fn parse_len(short: u8, bytes: &[u8]) -> Result<Option<(u64, usize)>, Reason> {
    let (len, at, least) = match short {
        126 => match bytes.first_chunk() {
            Some(wire) => (u64::from(u16::from_be_bytes(*wire)), 4, 126),
            None => return Ok(None),
        },
        127 => match bytes.first_chunk() {
            Some(wire) => (u64::from_be_bytes(*wire), 10, 0x1_0000),
            None => return Ok(None),
        },
        short => (u64::from(short), 2, 0),
    };
    // "The minimal number of bytes MUST be used"; "the most significant bit MUST be 0".
    if len < least || len >> 63 != 0 {
        return Err(Reason::LengthEncoding);
    }
    Ok(Some((len, at)))
}

/// Appends a whole frame to `out`; with a `mask` it is a client's.
pub fn encode(out: &mut Vec<u8>, fin: bool, opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>) {
    let mut header = [0; MAX_HEADER];
    let len = Header { fin, opcode, len: payload.len() as u64, mask }.write(&mut header);
    out.extend_from_slice(&header[..len]);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = mask {
        apply_mask(&mut out[start..], key);
    }
}

/// Appends an unmasked text frame whose payload `write` appends. For short payloads: up to 64 KiB they
/// are moved by two bytes at most, longer ones by six.
pub fn encode_text(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let len = out.len() - start - 4;
    let header =
        Header { fin: true, opcode: Opcode::Data(Kind::Text), len: len as u64, mask: None };
    let mut bytes = [0; MAX_HEADER];
    let header_len = header.write(&mut bytes);
    if header_len != 4 {
        out.splice(start..start + 4, bytes[..header_len].iter().copied());
    } else {
        out[start..start + 4].copy_from_slice(&bytes[..4]);
    }
}

/// A whole message in one unmasked frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framed<'a> {
    /// Text or binary.
    pub kind: Kind,
    /// What it says.
    pub payload: &'a [u8],
    /// All of the frame.
    pub frame: &'a [u8],
}

impl<'a> Framed<'a> {
    /// Takes the first message off a run of whole messages; `None` at its end.
    pub fn split_off(run: &mut &'a [u8]) -> Option<Self> {
        let (kind, at, len) = match **run {
            [0x81, len @ 0..126, ..] => (Kind::Text, 2, usize::from(len)),
            _ => {
                let (header, at) = Header::parse(run, Role::Client).ok()??;
                let Opcode::Data(kind) = header.opcode else { return None };
                (kind, at, usize::try_from(header.len).ok()?)
            }
        };
        let (frame, rest) = run.split_at_checked(at + len)?;
        *run = rest;
        Some(Self { kind, payload: &frame[at..], frame })
    }
}

/// The body of a Close frame that carries this reason; empty for one without a code.
pub fn close_body(reason: Reason) -> Vec<u8> {
    let Some(code) = reason.close_code() else { return Vec::new() };
    let mut body = code.get().to_be_bytes().to_vec();
    body.extend_from_slice(reason.sentence().as_bytes());
    body
}
