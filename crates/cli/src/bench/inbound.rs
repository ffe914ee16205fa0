//! What comes from the server, without I/O: the answer to the request, notices, then messages.
//!
//! Knows RFC 6455 through `vyoma-protocol`, the notices, and when to answer. Must not know sockets,
//! or what the messages should be.

use vyoma_protocol::envelope::{ClientEnvelope, SUBPROTOCOL, ServerEnvelope};
use vyoma_protocol::handshake::{HeadScan, check_answer};
use vyoma_protocol::{Control, Decoder, Dialect, Item, Kind, Opcode, Role, encode, plain};

use super::fault::Fault;
use super::voice::Matched;

/// The key of every handshake: it protects from caches, and there are none here.
pub(crate) const KEY: &[u8; 16] = b"the sample nonce";

/// The mask of our pongs; see `message` for why one is enough.
const MASK: [u8; 4] = [0x1D, 0x2C, 0x3B, 0x4A];

/// More than the longest notice, and more than an envelope is longer than its payload.
const NOTICE: usize = 1024;

/// Takes what the partner sent.
pub(crate) trait Sink: Send {
    /// Bytes of messages, and whether a message ends with them, where that shows.
    fn take(&mut self, bytes: &[u8], last: Option<bool>) -> Result<(), Fault>;

    /// Takes the frames at the beginning of `bytes` that are, to the byte, what was due, and
    /// returns their length: what is as expected need not be decoded. Comparing costs the generator
    /// the same with and without a server, so it presses both alike.
    fn take_expected(&mut self, _bytes: &[u8]) -> usize {
        0
    }
}

/// Whatever is said.
impl Sink for Vec<u8> {
    fn take(&mut self, bytes: &[u8], _last: Option<bool>) -> Result<(), Fault> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// For whom every byte is one too many.
pub(crate) struct Nothing;

impl Sink for Nothing {
    fn take(&mut self, _bytes: &[u8], _last: Option<bool>) -> Result<(), Fault> {
        Err(Fault::Unknown)
    }
}

/// One connection's incoming bytes.
#[derive(Debug)]
pub(crate) enum Inbound {
    /// The head of the answer to the request, so far.
    Head(Vec<u8>, HeadScan, Box<Decoder>, Dialect),
    /// WebSocket frames.
    Frames(Frames),
    /// Bytes as they are.
    Raw,
}

/// WebSocket frames, of the server at first, then of the partner.
#[derive(Debug)]
pub(crate) struct Frames {
    decoder: Box<Decoder>,
    /// The notice that is arriving.
    notice: Vec<u8>,
    stage: Stage,
    dialect: Dialect,
    matched: Option<Matched>,
}

/// How far the pairing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing was heard yet.
    Unheard,
    /// The client waits for a partner.
    Waiting,
    /// It has one.
    Paired,
}

impl Inbound {
    /// For messages of up to `largest` bytes.
    pub(crate) fn new(raw: bool, dialect: Dialect, largest: usize) -> Self {
        if raw {
            return Self::Raw;
        }
        let decoder = Decoder::new(Role::Client, (largest + NOTICE) as u64);
        Self::Head(Vec::new(), HeadScan::new(), Box::new(decoder), dialect)
    }

    /// How far the pairing is; without a server there is nothing to be told.
    pub(crate) fn stage(&self) -> Stage {
        match self {
            Self::Head(..) => Stage::Unheard,
            Self::Frames(frames) => frames.stage,
            Self::Raw => Stage::Paired,
        }
    }

    /// What the server told of the conversation, in `vyoma.v1`.
    pub(crate) fn matched(&self) -> Option<Matched> {
        match self {
            Self::Frames(frames) => frames.matched,
            Self::Head(..) | Self::Raw => None,
        }
    }

    /// Works through `bytes`: what the partner sent goes to `sink`. Answers to pings are appended
    /// to `pongs`.
    pub(crate) fn take(
        &mut self,
        bytes: &mut [u8],
        pongs: &mut Vec<u8>,
        sink: &mut dyn Sink,
    ) -> Result<(), Fault> {
        match self {
            Self::Raw => sink.take(bytes, None),
            Self::Frames(frames) => frames.take(bytes, pongs, sink),
            Self::Head(head, scan, _, dialect) => {
                head.extend_from_slice(bytes);
                let Some(end) = scan.advance(head).map_err(Fault::Head)? else { return Ok(()) };
                check_answer(&head[..end], KEY, offered(*dialect)).map_err(Fault::Handshake)?;
                // Notices may have come in the same read.
                let mut rest = head.split_off(end);
                self.switch();
                self.take(&mut rest, pongs, sink)
            }
        }
    }

    fn switch(&mut self) {
        if let Self::Head(_, _, decoder, dialect) = std::mem::replace(self, Self::Raw) {
            let (notice, stage, matched) = (Vec::new(), Stage::Unheard, None);
            *self = Self::Frames(Frames { decoder, notice, stage, dialect, matched });
        }
    }
}

impl Frames {
    fn take(
        &mut self,
        bytes: &mut [u8],
        pongs: &mut Vec<u8>,
        sink: &mut dyn Sink,
    ) -> Result<(), Fault> {
        let mut at = 0;
        loop {
            if self.stage == Stage::Paired && self.decoder.is_between_messages() {
                at += sink.take_expected(&bytes[at..]);
            }
            let Some(item) = self.decoder.decode(bytes, &mut at).map_err(Fault::Protocol)? else {
                return Ok(());
            };
            match item {
                Item::Start(_) | Item::Control(Control::Pong(_)) => {}
                Item::Piece(piece) if self.stage == Stage::Paired => {
                    sink.take(&bytes[piece.range], Some(piece.last))?;
                }
                Item::Piece(piece) => self.hear(&bytes[piece.range], piece.last, pongs)?,
                Item::Control(Control::Ping(body)) => {
                    encode(pongs, true, Opcode::Pong, &body, Some(MASK));
                }
                Item::Control(Control::Close(code)) => return Err(Fault::Closed(code)),
            }
        }
    }

    /// Nobody but the server may speak before there is a partner.
    fn hear(&mut self, bytes: &[u8], last: bool, answers: &mut Vec<u8>) -> Result<(), Fault> {
        self.notice.extend_from_slice(bytes);
        if !last {
            return Ok(());
        }
        let said = std::mem::take(&mut self.notice);
        if self.dialect == Dialect::V1 {
            return self.hear_envelope(&said, answers);
        }
        self.stage = match (std::str::from_utf8(&said), self.stage) {
            (Ok(plain::WAITING), Stage::Unheard) => Stage::Waiting,
            (Ok(plain::CONNECTED), _) => Stage::Paired,
            _ => return Err(Fault::Notice(String::from_utf8_lossy(&said).into_owned())),
        };
        Ok(())
    }

    fn hear_envelope(&mut self, said: &[u8], answers: &mut Vec<u8>) -> Result<(), Fault> {
        let unknown = || Fault::Notice(String::from_utf8_lossy(said).into_owned());
        let text = std::str::from_utf8(said).map_err(|_| unknown())?;
        match ServerEnvelope::parse(text).map_err(|_| unknown())? {
            ServerEnvelope::Hello { .. } => {
                let join = ClientEnvelope::Join {
                    device: None,
                    profile: None,
                    leave: None,
                    invite: None,
                    rules: None,
                };
                client_frame(answers, &join);
            }
            ServerEnvelope::Waiting { .. } => self.stage = Stage::Waiting,
            ServerEnvelope::Matched { conversation, partner_stream: stream, .. } => {
                self.stage = Stage::Paired;
                self.matched = Some(Matched { conversation, stream });
            }
            _ => return Err(unknown()),
        }
        Ok(())
    }
}

/// The subprotocols to offer for a dialect.
pub(crate) fn offered(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Plain => &[],
        Dialect::V1 => &[SUBPROTOCOL],
    }
}

/// Appends an envelope in a client's frame.
pub(crate) fn client_frame(out: &mut Vec<u8>, envelope: &ClientEnvelope<'_>) {
    thread_local! {
        static TEXT: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    TEXT.with_borrow_mut(|text| {
        text.clear();
        envelope.write(text);
        encode(out, true, Opcode::Data(Kind::Text), text, Some(MASK));
    });
}

#[cfg(test)]
mod tests {
    use vyoma_protocol::handshake::{accept_key, switching_protocols};

    use super::*;

    fn text(out: &mut Vec<u8>, words: &str) {
        encode(out, true, Opcode::Data(Kind::Text), words.as_bytes(), None);
    }

    /// What a client hears of this, if it comes in pieces of `size` bytes.
    fn heard(stream: &[u8], size: usize) -> Result<(Stage, Vec<u8>, Vec<u8>), Fault> {
        let (mut inbound, mut pongs, mut said) =
            (Inbound::new(false, Dialect::Plain, 64), vec![], vec![]);
        for piece in stream.chunks(size) {
            inbound.take(&mut piece.to_vec(), &mut pongs, &mut said)?;
        }
        Ok((inbound.stage(), pongs, said))
    }

    #[test]
    fn a_conversation_is_heard_in_whatever_pieces_it_comes() {
        let accept = accept_key(b"dGhlIHNhbXBsZSBub25jZQ==");
        let mut stream = switching_protocols(&accept, None);
        text(&mut stream, plain::WAITING);
        text(&mut stream, plain::CONNECTED);
        text(&mut stream, "hello");
        encode(&mut stream, true, Opcode::Ping, b"there?", None);
        for size in [1, 3, 50, stream.len()] {
            let (stage, pongs, said) = heard(&stream, size).unwrap();
            assert_eq!((stage, said.as_slice()), (Stage::Paired, "hello".as_bytes()));
            assert_eq!(pongs.len(), 6 + "there?".len());
        }
    }

    #[test]
    fn what_is_no_answer_and_no_notice_is_a_fault() {
        assert!(matches!(heard(b"HTTP/1.1 503 Full\r\n\r\n", 99), Err(Fault::Handshake(_))));
        let mut stream = switching_protocols(&accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), None);
        text(&mut stream, "hello");
        assert!(matches!(heard(&stream, 99), Err(Fault::Notice(said)) if said == "hello"));
    }
}
