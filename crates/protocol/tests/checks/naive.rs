//! RFC 6455 once more, as plainly as possible: a reader of a whole stream, the judge of the codec.
//!
//! Knows the RFC and the names of the reasons. Shares no code with the crate, keeps no state
//! between calls, and doesn't care for speed.
//!
//! Where a stream breaks several rules the order is: what a header's bytes show one by one; then,
//! once the header is whole, how it fits the message; then the payload, byte by byte.

use vyoma_protocol::Reason;

/// A frame's place in the stream; its payload may be cut off by the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    pub(crate) opcode: u8,
    pub(crate) fin: bool,
    /// The length that the header announces.
    pub(crate) len: u64,
    pub(crate) payload_at: usize,
    /// Behind what there is of its payload.
    pub(crate) end: usize,
}

/// A data message. `began` is behind its first header, `end` behind what there is of its last
/// frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) text: bool,
    pub(crate) body: Vec<u8>,
    pub(crate) frames: usize,
    pub(crate) began: usize,
    pub(crate) end: usize,
    pub(crate) complete: bool,
    /// What its headers announced so far, and where each of them ended.
    pub(crate) announced: Vec<(usize, u64)>,
}

/// A whole control frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) opcode: u8,
    pub(crate) body: Vec<u8>,
    pub(crate) end: usize,
}

/// How far a stream could be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// To its end; it may go on.
    #[default]
    Open,
    /// To a Close frame.
    Closed,
    /// To a broken rule.
    Broken(Reason),
}

/// What a stream says.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// Every frame whose header is whole and legal.
    pub(crate) frames: Vec<Frame>,
    /// The complete messages.
    pub(crate) messages: Vec<Message>,
    /// The message that isn't complete.
    pub(crate) open: Option<Message>,
    pub(crate) controls: Vec<Control>,
    pub(crate) end: End,
    /// The count of bytes that show `end`; all of them while it is open.
    pub(crate) end_at: usize,
    /// Whether the stream ends behind a whole frame.
    pub(crate) whole: bool,
}

/// A header, and the length of it.
struct Head {
    opcode: u8,
    fin: bool,
    len: u64,
    key: [u8; 4],
    size: usize,
}

/// Reads a stream whose frames have to be masked, or must not be.
pub(crate) fn read(bytes: &[u8], masked: bool, max_message: u64) -> Story {
    let mut story = Story { whole: true, end_at: bytes.len(), ..Story::default() };
    let mut at = 0;
    while at < bytes.len() && story.end == End::Open {
        story.whole = false;
        let head = match read_head(&bytes[at..], masked) {
            Ok(Some(head)) => head,
            Ok(None) => break,
            Err((reason, shown)) => {
                story.breaks(reason, at + shown);
                break;
            }
        };
        at = story.frame(&head, bytes, at + head.size, max_message);
    }
    story
}

/// The frames in `bytes`, each for itself; `None` unless they are whole and their headers legal.
pub(crate) fn frames(bytes: &[u8], masked: bool) -> Option<Vec<Frame>> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let Head { opcode, fin, len, size, .. } = read_head(&bytes[at..], masked).ok()??;
        let payload_at = at + size;
        at = payload_at.checked_add(usize::try_from(len).ok()?)?;
        frames.push(Frame { opcode, fin, len, payload_at, end: at });
    }
    (at == bytes.len()).then_some(frames)
}

/// The header at the start of `bytes`, or the broken rule and how many bytes show it.
fn read_head(bytes: &[u8], masked: bool) -> Result<Option<Head>, (Reason, usize)> {
    let opcode = bytes[0] & 15;
    let fin = bytes[0] >= 128;
    if bytes[0] & 0b0111_0000 != 0 {
        return Err((Reason::ReservedBits, 1));
    }
    if ![0, 1, 2, 8, 9, 10].contains(&opcode) {
        return Err((Reason::UnknownOpcode, 1));
    }
    if opcode >= 8 && !fin {
        return Err((Reason::ControlFrame, 1));
    }
    if bytes.len() < 2 {
        return Ok(None);
    }
    if (bytes[1] >= 128) != masked {
        return Err((Reason::Masking, 2));
    }
    let short = bytes[1] % 128;
    if opcode >= 8 && short > 125 {
        return Err((Reason::ControlFrame, 2));
    }
    let extra = if short == 126 { 2 } else { 8 * usize::from(short == 127) };
    if bytes.len() < 2 + extra {
        return Ok(None);
    }
    let mut len = 0u64;
    for byte in &bytes[2..2 + extra] {
        len = len * 256 + u64::from(*byte);
    }
    let legal = match extra {
        0 => true,
        2 => len > 125,
        _ => len > 65535 && len < 1 << 63,
    };
    if !legal {
        return Err((Reason::LengthEncoding, 2 + extra));
    }
    let len = if extra == 0 { u64::from(short) } else { len };
    let size = 2 + extra + if masked { 4 } else { 0 };
    if bytes.len() < size {
        return Ok(None);
    }
    let mut key = [0; 4];
    if masked {
        key.copy_from_slice(&bytes[size - 4..size]);
    }
    Ok(Some(Head { opcode, fin, len, key, size }))
}

impl Message {
    /// What the first `at` bytes announced of its length.
    pub(crate) fn announced_by(&self, at: usize) -> u64 {
        let mut seen = self.announced.iter().filter(|(shown, _)| *shown <= at);
        seen.next_back().map_or(0, |(_, total)| *total)
    }
}

impl Story {
    /// The message that isn't complete after `at` bytes.
    pub(crate) fn open_at(&self, at: usize) -> Option<&Message> {
        let mut all = self.messages.iter().chain(&self.open);
        all.find(|message| message.began <= at && (at < message.end || !message.complete))
    }

    /// How much of a message's payload the first `at` bytes hold.
    pub(crate) fn payload_by(&self, message: &Message, at: usize) -> usize {
        let place = message.began..=message.end;
        let frames = self.frames.iter().filter(|frame| frame.opcode < 8);
        let frames = frames.filter(|frame| place.contains(&frame.payload_at));
        frames.map(|frame| frame.end.min(at).saturating_sub(frame.payload_at)).sum()
    }

    fn breaks(&mut self, reason: Reason, shown: usize) {
        self.end = End::Broken(reason);
        self.end_at = shown;
    }

    /// Reads a frame's payload from `start`, and returns where it ends.
    fn frame(&mut self, head: &Head, bytes: &[u8], start: usize, max_message: u64) -> usize {
        let there = (bytes.len() - start) as u64;
        let end = start + head.len.min(there) as usize;
        let mut body = bytes[start..end].to_vec();
        for (i, byte) in body.iter_mut().enumerate() {
            *byte ^= head.key[i % 4];
        }
        self.whole = head.len <= there;
        let Head { opcode, fin, len, .. } = *head;
        let frame = Frame { opcode, fin, len, payload_at: start, end };
        if opcode >= 8 {
            self.frames.push(frame);
            if self.whole {
                self.control(opcode, body, end);
            }
        } else if (opcode == 0) == self.open.is_some() {
            self.data(frame, &body, max_message);
        } else {
            self.breaks(Reason::Fragmentation, start);
        }
        end
    }

    fn data(&mut self, frame: Frame, body: &[u8], max_message: u64) {
        let Frame { opcode, fin, len, payload_at, end } = frame;
        let new = Message { text: opcode == 1, began: payload_at, ..Message::default() };
        let mut message = self.open.take().unwrap_or(new);
        let before = message.announced.last().map_or(0, |(_, total)| *total);
        let total = u128::from(before) + u128::from(len);
        if total > u128::from(max_message) {
            self.open = (opcode == 0).then_some(message);
            return self.breaks(Reason::MessageTooBig, payload_at);
        }
        self.frames.push(frame);
        message.announced.push((payload_at, total as u64));
        message.frames += 1;
        message.end = end;
        message.body.extend_from_slice(body);
        let fault = if message.text { utf8_fault(&message.body, self.whole && fin) } else { None };
        if let Some(shown) = fault {
            self.breaks(Reason::InvalidUtf8, end - (message.body.len() - shown));
            self.open = Some(message);
        } else if self.whole && fin {
            message.complete = true;
            self.messages.push(message);
        } else {
            self.open = Some(message);
        }
    }

    fn control(&mut self, opcode: u8, body: Vec<u8>, end: usize) {
        if opcode == 8 {
            self.end_at = end;
            self.end = End::Closed;
            let code = body.first_chunk().map(|code| u16::from_be_bytes(*code));
            if body.len() == 1 || code.is_some_and(|code| !may_travel(code)) {
                return self.breaks(Reason::CloseFrame, end);
            }
            if std::str::from_utf8(body.get(2..).unwrap_or_default()).is_err() {
                return self.breaks(Reason::InvalidUtf8, end);
            }
        }
        self.controls.push(Control { opcode, body, end });
    }
}

/// Section 7.4 and the IANA registry of close codes.
fn may_travel(code: u16) -> bool {
    let assigned = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
    assigned.contains(&code) || (3000..=3999).contains(&code) || (4000..=4999).contains(&code)
}

/// The count of bytes that show that a text can't become valid, if they do.
fn utf8_fault(text: &[u8], complete: bool) -> Option<usize> {
    let valid = std::str::from_utf8(text).err()?.valid_up_to();
    // A prefix is hopeless once the standard library names a length for the error.
    let hopeless = |n: &usize| {
        std::str::from_utf8(&text[..*n]).is_err_and(|error| error.error_len().is_some())
    };
    (valid + 1..=text.len()).find(hopeless).or(complete.then_some(text.len()))
}
