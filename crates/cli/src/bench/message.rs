//! The messages: prepared once, numbered cheaply, recognised byte by byte.
//!
//! Knows what is sent and what has to come. Must not know sockets, time or pairs.

use vyoma_protocol::{Kind, MAX_HEADER, Opcode, encode};

use super::options::Text;

/// Bytes at the beginning of each message that say whose it is and its number: seven and eight
/// hexadecimal digits and a space.
pub(crate) const STAMP: usize = 16;

/// The mask of every frame. A browser must take a new one for each (RFC 6455, section 5.3); here
/// it costs the server the same, and the generator less.
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// A stamp: who sends, and its how many-th message this is (both wrap).
pub(crate) fn stamp(sender: u32, number: u32) -> [u8; STAMP] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut stamp = [b' '; STAMP];
    for (at, byte) in stamp[..7].iter_mut().enumerate() {
        *byte = DIGITS[(sender >> (24 - 4 * at)) as usize & 15];
    }
    for (at, byte) in stamp[7..15].iter_mut().enumerate() {
        *byte = DIGITS[(number >> (28 - 4 * at)) as usize & 15];
    }
    stamp
}

/// Who sent a message that begins with this stamp.
pub(crate) fn sender(stamp: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(stamp.get(..7)?).ok()?, 16).ok()
}

/// The message that all others differ from by their stamps only.
#[derive(Debug)]
pub(crate) struct Template {
    payload: Vec<u8>,
    /// The payload in a client's frame.
    frame: Vec<u8>,
    header: usize,
    /// The header of a server's frame with that payload.
    server_header: Vec<u8>,
    /// Whether what comes back is the frame as it was sent, rather than the payload.
    raw: bool,
}

impl Template {
    pub(crate) fn new(text: Text, size: usize, raw: bool) -> Self {
        let mut payload = stamp(0, 0).to_vec();
        let (kind, filler): (_, &[u8]) = match text {
            Text::Ascii => (Kind::Text, b"The quick brown fox jumps over the lazy dog. "),
            Text::Multibyte => (Kind::Text, "Größe ⌛ 日本語 🎯 и так далее ".as_bytes()),
            Text::Binary => (Kind::Binary, &[0xFF, 0x00, 0xC0, 0x80, 0x7F, 0x0A, 0xFE]),
        };
        payload.extend(filler.iter().cycle().take(size - STAMP));
        if text == Text::Multibyte {
            // The last character may be cut.
            let valid = payload.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
            payload[valid..].fill(b'.');
        }
        let mut frame = Vec::with_capacity(size + MAX_HEADER);
        encode(&mut frame, true, Opcode::Data(kind), &payload, Some(MASK));
        let header = frame.len() - size;
        let mut server_header = Vec::new();
        encode(&mut server_header, true, Opcode::Data(kind), &payload, None);
        server_header.truncate(server_header.len() - size);
        Self { payload, frame, header, server_header, raw }
    }

    /// Frames to send, this many at once, not numbered yet.
    pub(crate) fn burst(&self, count: u32) -> Burst {
        Burst { frames: self.frame.repeat(count as usize), len: self.frame.len(), at: self.header }
    }

    /// What a message says, but for its stamp.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// What has to arrive for one message.
    fn expected(&self) -> &[u8] {
        if self.raw { &self.frame } else { &self.payload }
    }

    /// The bytes of one message as it arrives.
    pub(crate) fn arriving_len(&self) -> usize {
        self.expected().len()
    }

    /// The bytes of one message in a server's frame.
    pub(crate) fn server_frame_len(&self) -> usize {
        self.server_header.len() + self.payload.len()
    }

    /// Where in it the stamp is, and the stamp as it arrives there.
    fn stamped(&self, stamp: [u8; STAMP]) -> (usize, [u8; STAMP]) {
        if self.raw { (self.header, masked(stamp)) } else { (0, stamp) }
    }

    /// Whose message this is, once it is whole; `None` if it isn't one of ours.
    pub(crate) fn recognise(&self, arrived: &[u8]) -> Option<u32> {
        let at = if self.raw { self.header } else { 0 };
        let shown: [u8; STAMP] = arrived.get(at..at + STAMP)?.try_into().ok()?;
        let sender = sender(&if self.raw { masked(shown) } else { shown })?;
        let mut progress = Progress::new(sender);
        let whole = progress.take(self, arrived) == Ok(1) && progress.at == 0;
        whole.then_some(sender)
    }
}

fn masked(mut stamp: [u8; STAMP]) -> [u8; STAMP] {
    vyoma_protocol::apply_mask(&mut stamp, MASK);
    stamp
}

/// Frames that go out in one write.
#[derive(Debug)]
pub(crate) struct Burst {
    frames: Vec<u8>,
    len: usize,
    at: usize,
}

impl Burst {
    /// Numbers the first `count` frames, from `first` on, and returns their bytes.
    pub(crate) fn number(&mut self, sender: u32, first: u32, count: u32) -> &[u8] {
        let bytes = &mut self.frames[..count as usize * self.len];
        for (frame, number) in bytes.chunks_exact_mut(self.len).zip(0..) {
            let stamp = masked(stamp(sender, first.wrapping_add(number)));
            frame[self.at..self.at + STAMP].copy_from_slice(&stamp);
        }
        bytes
    }
}

/// What arrived isn't what was sent, or not in that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// The message that was due.
    pub(crate) number: u32,
}

/// How far one sender's messages have arrived.
#[derive(Debug)]
pub(crate) struct Progress {
    sender: u32,
    number: u32,
    /// Bytes of the next message that have arrived.
    at: usize,
}

impl Progress {
    pub(crate) fn new(sender: u32) -> Self {
        Self { sender, number: 0, at: 0 }
    }

    /// The number of the message that is due.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Whether no message is half there.
    pub(crate) fn is_between(&self) -> bool {
        self.at == 0
    }

    /// How many of the frames at the beginning of `bytes` are a server's with the messages that
    /// are due; it is up to [`Progress::take`] to say what is wrong with the next.
    pub(crate) fn take_frames(&mut self, template: &Template, bytes: &[u8]) -> u32 {
        let before = self.number;
        for frame in bytes.chunks_exact(template.server_frame_len()) {
            let (header, payload) = frame.split_at(template.server_header.len());
            let stamp = stamp(self.sender, self.number);
            if header != template.server_header
                || !matches(payload, 0, &template.payload, 0, &stamp)
            {
                break;
            }
            self.number = self.number.wrapping_add(1);
        }
        self.number.wrapping_sub(before)
    }

    /// Compares what arrived with what is due: how many messages are complete with it.
    pub(crate) fn take(&mut self, template: &Template, mut bytes: &[u8]) -> Result<u32, Mismatch> {
        let due = template.expected();
        let mut complete = 0;
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(bytes.len().min(due.len() - self.at));
            let (from, stamp) = template.stamped(stamp(self.sender, self.number));
            if !matches(piece, self.at, due, from, &stamp) {
                return Err(Mismatch { number: self.number });
            }
            self.at += piece.len();
            if self.at == due.len() {
                (self.at, self.number) = (0, self.number.wrapping_add(1));
                complete += 1;
            }
            bytes = rest;
        }
        Ok(complete)
    }
}

/// Whether `piece` is what lies at `at` in `due` with `stamp` put over it at `from`.
fn matches(piece: &[u8], at: usize, due: &[u8], from: usize, stamp: &[u8; STAMP]) -> bool {
    let end = at + piece.len();
    let (before, after) = (from.clamp(at, end), (from + STAMP).clamp(at, end));
    let stamp =
        &stamp[before.clamp(from, from + STAMP) - from..after.clamp(from, from + STAMP) - from];
    piece[..before - at] == due[at..before]
        && &piece[before - at..after - at] == stamp
        && piece[after - at..] == due[after..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Text; 3] = [Text::Ascii, Text::Multibyte, Text::Binary];

    #[test]
    fn a_stamp_names_its_sender() {
        assert_eq!(&stamp(0xABC, 0x1234_5678), b"0000abc12345678 ");
        assert_eq!(sender(&stamp(0xFFF_FFFF, 7)), Some(0xFFF_FFFF));
        assert_eq!(sender(b"nonsense"), None);
    }

    #[test]
    fn text_is_valid_at_every_size() {
        for size in STAMP..STAMP + 100 {
            let template = Template::new(Text::Multibyte, size, false);
            assert_eq!(template.payload.len(), size);
            assert!(std::str::from_utf8(&template.payload).is_ok());
        }
    }

    #[test]
    fn whatever_the_pieces_a_change_of_any_byte_is_seen() {
        for (text, size) in KINDS.into_iter().flat_map(|text| [(text, 16), (text, 150)]) {
            let template = Template::new(text, size, true);
            let stream = template.burst(3).number(5, 0, 3).to_vec();
            for piece in [1, 7, 40, stream.len()] {
                let mut progress = Progress::new(5);
                let counts = stream.chunks(piece).map(|c| progress.take(&template, c).unwrap());
                assert_eq!(counts.sum::<u32>(), 3);
                assert!(progress.at == 0 && progress.number() == 3);
            }
            for at in 0..stream.len() {
                let mut changed = stream.clone();
                changed[at] ^= 1;
                let number = (at / template.arriving_len()) as u32;
                let seen = Progress::new(5).take(&template, &changed);
                assert_eq!(seen, Err(Mismatch { number }), "{text:?}, byte {at}");
            }
        }
    }

    #[test]
    fn a_message_is_recognised_only_whole() {
        let template = Template::new(Text::Ascii, 64, true);
        let frame = template.burst(1).number(0xBEEF, 0, 1).to_vec();
        assert_eq!(template.recognise(&frame), Some(0xBEEF));
        assert_eq!(template.recognise(&frame[..frame.len() - 1]), None);
        assert_eq!(template.recognise(&[]), None);
    }
}
