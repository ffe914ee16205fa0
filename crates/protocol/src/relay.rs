//! The plain relay: one direction of a conversation, from a client's frames to its partner's.
//!
//! A message of up to [`STREAM_ABOVE`] bytes goes out only when it is complete and valid, as one
//! frame; a longer one goes on in fragments as it arrives. Knows frames and messages. Must not
//! know sockets, nor who the partner is.

use crate::decoder::{Control, Decoder, Item, Piece, Start, Whole};
use crate::{Header, Kind, MAX_UNMASKED_HEADER, Opcode, Reason, Role, Window, unmasked_header_len};

/// Messages longer than this are forwarded in fragments before they are complete, in bytes.
pub const STREAM_ABOVE: u64 = 64 * 1024;

/// What to do with the message that is being received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Assembly {
    /// None is.
    Idle,
    /// Keep it until it is complete.
    Whole,
    /// Forward it in fragments; whether one was forwarded.
    Streaming { begun: bool },
    /// Drop it.
    Muted,
}

/// Where [`Relay::advance`] stopped.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// All input is consumed.
    Drained,
    /// A control frame; there may be more input behind it.
    Control(Control),
}

/// Turns what a client sends into what its partner receives.
#[derive(Debug)]
pub struct Relay {
    decoder: Decoder,
    assembly: Assembly,
    kind: Kind,
    /// The announced length of the current message so far.
    total: u64,
    /// Room to leave for the header of the current message.
    reserve: u8,
    /// Whether long messages are forwarded in fragments.
    streams: bool,
    /// Free bytes for a header, and the payload so far of a message that is kept until complete;
    /// empty while there is none.
    held: Vec<u8>,
}

impl Relay {
    /// A relay for messages of up to `max_message` bytes. It keeps every message until it is
    /// complete, until [`Relay::stream`] is called.
    pub fn new(max_message: u64) -> Self {
        Self {
            decoder: Decoder::new(Role::Server, max_message),
            assembly: Assembly::Idle,
            kind: Kind::Binary,
            total: 0,
            reserve: 0,
            streams: false,
            held: Vec::new(),
        }
    }

    /// Forwards messages over [`STREAM_ABOVE`] in fragments: there is a partner to take them.
    /// Returns the first fragment, to be sent before any output, of a message of which as much has
    /// already come.
    #[must_use]
    pub fn stream(&mut self) -> Vec<u8> {
        self.streams = true;
        let payload_len = self.held.len().saturating_sub(MAX_UNMASKED_HEADER) as u64;
        if self.assembly != Assembly::Whole || payload_len <= STREAM_ABOVE {
            return Vec::new();
        }
        self.assembly = Assembly::Streaming { begun: true };
        let mut fragment = std::mem::take(&mut self.held);
        // Longer than 64 KiB, so its header fills the room that is kept for it.
        let opcode = Opcode::Data(self.kind);
        Header { fin: false, opcode, len: payload_len, mask: None }.write(&mut fragment);
        fragment
    }

    /// Keeps every message until it is complete: there is no partner. One that is already being
    /// forwarded goes on in fragments, unless it is muted.
    pub fn hold(&mut self) {
        self.streams = false;
    }

    /// Works on through the window, up to a control frame or the end.
    ///
    /// # Errors
    /// The rule that the client broke. The window's output is then what was complete before.
    pub fn advance(&mut self, window: &mut Window<'_>) -> Result<Event, Reason> {
        loop {
            if self.decoder.is_between_messages() {
                let max_message = self.decoder.max_message();
                while let Some(whole) = Whole::parse(&window.buf[window.at..], max_message) {
                    window.whole(whole)?;
                }
            }
            match self.decoder.decode(window.buf, &mut window.at)? {
                Some(Item::Start(start)) => self.begin(start),
                Some(Item::Piece(piece)) => self.piece(piece, window),
                Some(Item::Control(control)) => return Ok(Event::Control(control)),
                None => {
                    self.keep_open(window);
                    return Ok(Event::Drained);
                }
            }
        }
    }

    /// Drops the window's output so far and the message that has begun, whenever it ends: none of
    /// it was meant for who comes next. Returns how many complete messages were dropped.
    pub fn discard(&mut self, window: &mut Window<'_>) -> u64 {
        self.mute();
        window.clear()
    }

    /// Drops the message that has begun, whenever it ends. Only between two windows: within one,
    /// [`Relay::discard`] also drops what the window has of it.
    pub fn mute(&mut self) {
        if self.assembly != Assembly::Idle {
            self.assembly = Assembly::Muted;
        }
        self.held = Vec::new();
    }

    /// Whether a message has begun that isn't complete.
    pub fn in_message(&self) -> bool {
        self.assembly != Assembly::Idle
    }

    /// Whether the partner has received a part of a message that isn't complete.
    pub fn is_forwarding(&self) -> bool {
        self.assembly == Assembly::Streaming { begun: true }
    }

    /// The bytes of memory that hold an incomplete message.
    pub fn held_len(&self) -> usize {
        self.held.len()
    }

    fn begin(&mut self, start: Start) {
        (self.kind, self.total) = (start.kind, start.total);
        if start.first {
            self.assembly = Assembly::Whole;
        }
        // A fragment's successors lengthen the message: up to 64 KiB, four bytes cover it.
        let exact = unmasked_header_len(start.total);
        self.reserve = if start.fin { exact } else { exact.max(4) } as u8;
    }

    fn piece(&mut self, piece: Piece, window: &mut Window<'_>) {
        if self.assembly == Assembly::Whole && self.streams && self.total > STREAM_ABOVE {
            self.begin_streaming(window);
        }
        let last = piece.last;
        match self.assembly {
            Assembly::Idle => {}
            Assembly::Muted => window.muted += u64::from(last),
            Assembly::Whole => self.whole(piece, window),
            Assembly::Streaming { begun } => self.fragment(piece, begun, window),
        }
        if last {
            self.assembly = Assembly::Idle;
        }
    }

    fn whole(&mut self, piece: Piece, window: &mut Window<'_>) {
        if self.held.is_empty() {
            window.collect(piece.range, usize::from(self.reserve));
            if piece.last {
                window.seal(true, Opcode::Data(self.kind));
            }
        } else if piece.last {
            window.put_front(std::mem::take(&mut self.held), piece.range, true, self.kind);
        } else {
            self.held.extend_from_slice(&window.buf[piece.range]);
        }
    }

    fn fragment(&mut self, piece: Piece, begun: bool, window: &mut Window<'_>) {
        let opcode = if begun { Opcode::Continuation } else { Opcode::Data(self.kind) };
        window.frame(piece.range, piece.last, opcode);
        self.assembly = Assembly::Streaming { begun: true };
    }

    /// Sends what was kept of a message that turns out to be long as its first fragment.
    fn begin_streaming(&mut self, window: &mut Window<'_>) {
        let begun = if self.held.is_empty() {
            let begun = window.is_open();
            window.seal(false, Opcode::Data(self.kind));
            begun
        } else {
            let here = window.at..window.at;
            window.put_front(std::mem::take(&mut self.held), here, false, self.kind);
            true
        };
        self.assembly = Assembly::Streaming { begun };
    }

    /// Keeps what the window has of an incomplete message.
    fn keep_open(&mut self, window: &mut Window<'_>) {
        if let Some(payload) = window.take_open()
            && !payload.is_empty()
        {
            self.held.reserve(MAX_UNMASKED_HEADER + payload.len());
            self.held.resize(MAX_UNMASKED_HEADER, 0);
            self.held.extend_from_slice(payload);
        }
    }
}
