//! What must hold for the decoder whatever bytes come in and however they are cut: the fuzz
//! target, the replay of its corpus and the property tests all call [`check_stream`].

#![expect(clippy::expect_used, reason = "a check that fails panics")]

use vyoma_protocol::{Control, Decoder, Item, Kind, Piece, Reason, Role, Start};

use super::naive::{self, End, Message, Story};

/// The first byte says the role and the limit, the second how many bytes of sizes follow; the
/// rest is what the peer sends.
pub(crate) fn check(data: &[u8]) {
    let [flags, count, rest @ ..] = data else { return };
    let (sizes, stream) = rest.split_at(usize::from(*count).min(rest.len()));
    let role = if flags & 1 == 0 { Role::Server } else { Role::Client };
    let max_message = super::LIMITS[usize::from(flags >> 1) % super::LIMITS.len()];
    let sizes: Vec<usize> = sizes.iter().map(|size| super::size(*size)).collect();
    check_stream(stream, role, max_message, &sizes);
}

/// Compares the decoder's view of a stream, cut into pieces of these sizes (in a circle), with
/// the naive reader's.
pub(crate) fn check_stream(stream: &[u8], role: Role, max_message: u64, sizes: &[usize]) {
    let story = naive::read(stream, role == Role::Server, max_message);
    let mut reader =
        Reader { story: &story, seen: Seen::default(), decoder: Decoder::new(role, max_message) };
    let mut fed = 0;
    for size in sizes.iter().copied().chain([stream.len()]).cycle() {
        if fed == stream.len() {
            break;
        }
        let end = stream.len().min(fed + size.max(1));
        let verdict = reader.feed(&mut stream[fed..end].to_vec());
        fed = end;
        let shown = story.end_at <= fed;
        match (verdict, story.end) {
            (Err(reason), End::Broken(expected)) if shown => {
                assert_eq!(reason, expected, "after {fed} bytes");
                return reader.check_complete(story.end_at);
            }
            (Ok(()), End::Broken(_)) if shown => panic!("{:?} at {fed}: not seen", story.end),
            (Err(reason), _) => panic!("{reason:?} after {fed} bytes; {:?}", story.end),
            (Ok(()), _) => reader.check_so_far(fed),
        }
    }
    reader.check_complete(stream.len());
}

/// What the decoder said.
#[derive(Default)]
struct Seen {
    starts: Vec<Start>,
    messages: Vec<(Kind, Vec<u8>)>,
    controls: Vec<Control>,
    /// The count of messages before each control frame.
    before: Vec<usize>,
    open: Vec<u8>,
}

struct Reader<'s> {
    story: &'s Story,
    seen: Seen,
    decoder: Decoder,
}

impl Reader<'_> {
    fn feed(&mut self, buf: &mut [u8]) -> Result<(), Reason> {
        let mut at = 0;
        loop {
            let from = at;
            let item = self.decoder.decode(buf, &mut at)?;
            assert!(from <= at && at <= buf.len(), "{from} to {at} of {}", buf.len());
            match item {
                None => {
                    assert_eq!(at, buf.len(), "all is consumed");
                    return Ok(());
                }
                Some(Item::Start(start)) => self.seen.starts.push(start),
                Some(Item::Piece(piece)) => {
                    assert!(from <= piece.range.start && piece.range.end == at);
                    self.piece(&piece, buf);
                }
                Some(Item::Control(control)) => {
                    self.seen.before.push(self.seen.messages.len());
                    self.seen.controls.push(control);
                }
            }
        }
    }

    fn piece(&mut self, piece: &Piece, buf: &[u8]) {
        self.seen.open.extend_from_slice(&buf[piece.range.clone()]);
        if piece.last {
            let kind = self.seen.starts.last().map(|start| start.kind).expect("a start");
            self.seen.messages.push((kind, std::mem::take(&mut self.seen.open)));
        }
    }

    /// After `fed` legal bytes: everything that they say was seen, and nothing else.
    fn check_so_far(&self, fed: usize) {
        // Nothing after a Close frame counts.
        let fed = fed.min(self.story.end_at);
        let complete = self.story.messages.iter().filter(|message| message.end <= fed).count();
        assert_eq!(self.seen.messages.len(), complete, "after {fed} bytes");
        let controls = self.story.controls.iter().filter(|control| control.end <= fed).count();
        assert_eq!(self.seen.controls.len(), controls, "after {fed} bytes");
        let open = self.story.open_at(fed);
        assert_eq!(self.decoder.in_message(), open.is_some(), "after {fed} bytes");
        let body = open.map_or(&[][..], |m| &m.body[..self.story.payload_by(m, fed)]);
        assert!(self.seen.open == body, "after {fed} bytes: the message so far");
    }

    /// In the end: the same frames, messages and control frames in the same order.
    fn check_complete(&self, end: usize) {
        let starts: Vec<Start> =
            self.story.messages.iter().chain(&self.story.open).flat_map(starts).collect();
        let fins: Vec<bool> =
            self.story.frames.iter().filter(|f| f.opcode < 8).map(|f| f.fin).collect();
        assert_eq!(self.seen.starts.len(), starts.len());
        for ((seen, expected), fin) in self.seen.starts.iter().zip(starts).zip(fins) {
            assert_eq!(*seen, Start { fin, ..expected });
        }
        let messages: Vec<(Kind, Vec<u8>)> =
            self.story.messages.iter().map(|m| (kind(m), m.body.clone())).collect();
        assert_eq!(self.seen.messages, messages, "after {end} bytes");
        assert_eq!(self.seen.controls.len(), self.story.controls.len());
        for (i, control) in self.story.controls.iter().enumerate() {
            assert_eq!(self.seen.controls[i], as_ours(control));
            let before = self.story.messages.iter().filter(|m| m.end < control.end).count();
            assert_eq!(self.seen.before[i], before, "order");
        }
    }
}

/// The frames of a message as the decoder announces them, but for `fin`.
fn starts(message: &Message) -> impl Iterator<Item = Start> {
    let kind = kind(message);
    message.announced.iter().enumerate().map(move |(i, (_, total))| Start {
        kind,
        first: i == 0,
        fin: false,
        total: *total,
    })
}

fn kind(message: &Message) -> Kind {
    if message.text { Kind::Text } else { Kind::Binary }
}

/// A control frame as the decoder gives it.
pub(crate) fn as_ours(control: &naive::Control) -> Control {
    let body = control.body.clone();
    match control.opcode {
        9 => Control::Ping(body),
        10 => Control::Pong(body),
        _ => Control::Close(body.first_chunk().map(|code| {
            vyoma_protocol::CloseCode::from_wire(u16::from_be_bytes(*code)).expect("a legal code")
        })),
    }
}
