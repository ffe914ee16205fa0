//! What must hold for the relay whatever bytes come in, however they are cut, and whatever is
//! ordered in between: the fuzz target, the replay of its corpus and the property tests all call
//! [`check_stream`].
//!
//! The partner is played by the naive reader. Each order to drop something begins a new partner:
//! what one was sent must make sense without the other's.

#![expect(clippy::expect_used, reason = "a check that fails panics")]

use vyoma_protocol::{
    Event, HEADROOM, MAX_UNMASKED_HEADER, READ_SIZE, Reason, Relay, STREAM_ABOVE, Window,
};

use super::naive::{self, End, Message, Story};

/// What is asked of the relay at a point where it has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    None,
    Stream,
    Hold,
    /// Only taken between two windows.
    Mute,
    Discard,
}

/// How a stream is cut into reads, and what is ordered at each stop; both in a circle.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) max_message: u64,
    pub(crate) streaming: bool,
    pub(crate) sizes: Vec<usize>,
    pub(crate) orders: Vec<Order>,
}

/// Begins with flags, the count of bytes of the plan, and where how much filler is put into the
/// stream, so that small inputs make large messages; the rest is what the client sends.
pub(crate) fn check(data: &[u8]) {
    let [flags, count, high, low, rest @ ..] = data else { return };
    let (steps, stream) = rest.split_at(usize::from(*count % 64).min(rest.len()));
    let plan = Plan {
        max_message: super::LIMITS[usize::from(flags >> 1) % super::LIMITS.len()],
        streaming: flags & 1 != 0,
        sizes: steps.iter().map(|step| super::size(*step)).collect(),
        orders: steps.iter().map(|step| order(step >> 5)).collect(),
    };
    let filler = [0, 65_536, 70_000, 140_000][usize::from(flags >> 3) % 4];
    let at = usize::from(u16::from_be_bytes([*high, *low])).min(stream.len());
    let stream = [&stream[..at], &vec![b'a'; filler], &stream[at..]].concat();
    check_stream(&stream, &plan);
}

fn order(bits: u8) -> Order {
    match bits {
        1 => Order::Stream,
        2 => Order::Hold,
        3 => Order::Mute,
        4 => Order::Discard,
        _ => Order::None,
    }
}

/// Compares what the relay makes of a stream with what the naive reader reads in it.
pub(crate) fn check_stream(stream: &[u8], plan: &Plan) {
    let story = naive::read(stream, true, plan.max_message);
    let mut line = Line::new(&story, plan);
    let mut orders = plan.orders.iter().copied().chain([Order::None]).cycle();
    let mut fed = 0;
    for size in plan.sizes.iter().copied().chain([READ_SIZE]).cycle() {
        if fed == stream.len() || line.over {
            break;
        }
        let end = stream.len().min(fed + size.clamp(1, READ_SIZE));
        line.read(&stream[fed..end], fed, &mut orders);
        fed = end;
    }
    line.check_partners();
}

/// What one partner was sent.
#[derive(Default)]
struct Partner {
    received: Vec<u8>,
    /// How far the input was and how much had been received after each read.
    marks: Vec<Mark>,
}

struct Mark {
    consumed: usize,
    received: usize,
    forwarding: bool,
    /// Whether all that was consumed was legal, so that nothing of it may be missing.
    exact: bool,
}

/// A relay at work, and what is expected of it.
struct Line<'s> {
    story: &'s Story,
    max_message: u64,
    relay: Relay,
    /// Since where in the input it is asked to stream, if it is.
    streaming: Option<usize>,
    /// Whether it was never asked to stream.
    always_held: bool,
    partners: Vec<Partner>,
    /// The messages, complete or not, that were dropped by order: their place in the story.
    lost: Vec<usize>,
    /// Those of them that were dropped before they ended.
    muted: Vec<usize>,
    controls: usize,
    /// Where in the input the window's output begins.
    since: usize,
    over: bool,
}

impl<'s> Line<'s> {
    fn new(story: &'s Story, plan: &Plan) -> Self {
        let mut relay = Relay::new(plan.max_message);
        if plan.streaming {
            assert!(relay.stream().is_empty(), "nothing has come");
        }
        Self {
            story,
            max_message: plan.max_message,
            relay,
            streaming: plan.streaming.then_some(0),
            always_held: !plan.streaming && !plan.orders.contains(&Order::Stream),
            partners: vec![Partner::default()],
            lost: Vec::new(),
            muted: Vec::new(),
            controls: 0,
            since: 0,
            over: false,
        }
    }

    /// One read: works through it, orders, and hands the output to the partner.
    fn read(&mut self, bytes: &[u8], before: usize, orders: &mut impl Iterator<Item = Order>) {
        let mut buf = vec![0xAA; HEADROOM];
        buf.extend_from_slice(bytes);
        let mut window = Window::new(&mut buf);
        let after = before + bytes.len();
        self.since = before;
        loop {
            match self.relay.advance(&mut window) {
                Ok(Event::Control(control)) => {
                    let expected = &self.story.controls[self.controls];
                    assert_eq!(control, super::decoder::as_ours(expected));
                    self.controls += 1;
                    self.over |= expected.opcode == 8;
                    self.check_output(&window, expected.end);
                    let order = orders.next().unwrap_or(Order::None);
                    self.order(order, Some(&mut window), expected.end);
                }
                Ok(Event::Drained) => {
                    let consumed = after.min(self.story.end_at);
                    let open = matches!(self.story.end, End::Open) || self.story.end_at > after;
                    assert!(open || self.over, "{:?} was not seen", self.story.end);
                    self.check_muted(&window, before, consumed);
                    let order = orders.next().unwrap_or(Order::None);
                    let late = if order == Order::Discard { order } else { Order::None };
                    self.order(late, Some(&mut window), consumed);
                    self.take(&window, consumed, true);
                    self.check_held(consumed);
                    self.order(if late == order { Order::None } else { order }, None, consumed);
                    return;
                }
                Err(reason) => {
                    self.check_verdict(reason, before, after);
                    self.take(&window, self.story.end_at, false);
                    return self.over = true;
                }
            }
        }
    }

    fn order(&mut self, order: Order, window: Option<&mut Window<'_>>, at: usize) {
        match (order, window) {
            (Order::Stream, window) => {
                let begun = self.relay.stream();
                assert!(begun.is_empty() || window.is_none_or(|w| w.is_empty()), "it comes first");
                if let Some(partner) = self.partners.last_mut() {
                    partner.received.extend(begun);
                }
                self.streaming = self.streaming.or(Some(at));
            }
            (Order::Hold, _) => {
                self.relay.hold();
                self.streaming = None;
            }
            (Order::Mute, None) => {
                self.relay.mute();
                self.lose_open(at);
            }
            (Order::Discard, Some(window)) => {
                let dropped = self.relay.discard(window);
                let here = self.ended_in(self.since, at);
                let here: Vec<usize> = here.filter(|i| !self.lost.contains(i)).collect();
                assert_eq!(dropped, here.len() as u64, "the count of what was discarded");
                assert!(window.is_empty());
                self.lost.extend(here);
                self.since = at;
                self.lose_open(at);
            }
            _ => {}
        }
    }

    /// The message that has begun is dropped, and the next partner comes.
    fn lose_open(&mut self, at: usize) {
        if let Some(open) = self.story.open_at(at) {
            let place = self.place(open);
            if !self.lost.contains(&place) {
                self.lost.push(place);
                self.muted.push(place);
            }
        }
        assert!(!self.relay.is_forwarding());
        assert_eq!(self.relay.held_len(), 0);
        self.partners.push(Partner::default());
    }

    fn check_verdict(&self, reason: Reason, before: usize, after: usize) {
        assert_eq!(self.story.end, End::Broken(reason));
        let shown = self.story.end_at;
        assert!(before < shown && shown <= after, "seen in {before}..{after}, shown by {shown}");
        assert_eq!(self.controls, self.story.controls.len(), "control frames before the verdict");
    }

    fn check_muted(&self, window: &Window<'_>, before: usize, consumed: usize) {
        let ended = self.ended_in(before, consumed).filter(|i| self.muted.contains(i)).count();
        assert_eq!(window.muted, ended as u64, "the count of what was muted");
    }

    /// The output after `consumed` bytes: whole frames, and the counts that go with them.
    fn check_output(&self, window: &Window<'_>, consumed: usize) {
        let frames = naive::frames(&window.output().concat(), false).expect("whole frames only");
        assert_eq!(window.is_empty(), frames.is_empty());
        let ends = frames.iter().filter(|frame| frame.fin).count() as u64;
        assert_eq!(window.messages, ends);
        assert_eq!(window.bytes, frames.iter().map(|frame| frame.len).sum::<u64>());
        let ended = self.ended_in(self.since, consumed).filter(|i| !self.lost.contains(i)).count();
        assert_eq!(window.messages, ended as u64, "what is complete goes out at once");
    }

    fn take(&mut self, window: &Window<'_>, consumed: usize, exact: bool) {
        self.check_output(window, consumed);
        let forwarding = self.relay.is_forwarding();
        if let Some(partner) = self.partners.last_mut() {
            let [first, second] = window.output();
            partner.received.extend_from_slice(first);
            partner.received.extend_from_slice(second);
            let received = partner.received.len();
            partner.marks.push(Mark { consumed, received, forwarding, exact });
        }
    }

    /// What is kept between two reads is the payload of the message that waits to be complete.
    fn check_held(&self, consumed: usize) {
        let open = self.story.open_at(consumed);
        assert_eq!(self.relay.in_message(), open.is_some());
        let kept = match open {
            Some(open) if !self.lost.contains(&self.place(open)) => {
                self.story.payload_by(open, consumed)
            }
            _ => 0,
        };
        let held =
            if kept == 0 || self.relay.is_forwarding() { 0 } else { kept + MAX_UNMASKED_HEADER };
        assert_eq!(self.relay.held_len(), held);
        if self.relay.is_forwarding() {
            let announced = open.map_or(0, |open| open.announced_by(consumed));
            assert!(announced > STREAM_ABOVE && !self.always_held);
        } else if let (Some(since), Some(open)) = (self.streaming, open) {
            // From the first payload that comes after both the order and the header that shows it.
            let long = open.announced.iter().find(|(_, total)| *total > STREAM_ABOVE);
            let known = long.map_or(usize::MAX, |(shown, _)| since.max(*shown));
            let grew = kept > self.story.payload_by(open, known);
            assert!(!grew, "a long message goes on at once");
        }
        let bound = if self.streaming.is_some() { STREAM_ABOVE } else { self.max_message };
        assert!(held as u64 <= bound.saturating_add(MAX_UNMASKED_HEADER as u64));
    }

    /// Everything that each partner was sent, read as it would.
    fn check_partners(&self) {
        let all: Vec<&Message> = self.story.messages.iter().chain(&self.story.open).collect();
        let mut kept = (0..self.story.messages.len()).filter(|i| !self.lost.contains(i));
        for partner in &self.partners {
            let story = naive::read(&partner.received, false, u64::MAX);
            assert_eq!((story.end, story.whole), (End::Open, true), "legal and whole frames");
            for received in &story.messages {
                let sent = all[kept.next().expect("no message from nowhere")];
                assert!((received.text, &received.body) == (sent.text, &sent.body), "the words");
                let one = sent.body.len() as u64 <= STREAM_ABOVE || self.always_held;
                assert!(received.frames == 1 || !one, "in one frame");
            }
            partner.marks.iter().for_each(|mark| self.check_mark(mark, &story));
        }
        assert_eq!(kept.next(), None, "complete, and never sent");
    }

    /// At the end of a read the partner has whole frames, and all there is of a message that is
    /// being forwarded.
    fn check_mark(&self, mark: &Mark, received: &Story) {
        let whole = mark.received == 0 || received.frames.iter().any(|f| f.end == mark.received);
        assert!(whole, "whole frames only");
        let part = received.open_at(mark.received);
        assert_eq!(part.is_some(), mark.forwarding);
        if let (Some(part), Some(sent)) = (part, self.story.open_at(mark.consumed)) {
            let (got, there) = (
                received.payload_by(part, mark.received),
                self.story.payload_by(sent, mark.consumed),
            );
            assert!(got == there || !mark.exact, "a long message goes on as it arrives");
            assert!(part.body[..got] == sent.body[..got] && part.text == sent.text);
        }
    }

    fn ended_in(&self, after: usize, until: usize) -> impl Iterator<Item = usize> + use<'s> {
        let messages = self.story.messages.iter().enumerate();
        messages.filter(move |(_, m)| after < m.end && m.end <= until).map(|(i, _)| i)
    }

    fn place(&self, message: &Message) -> usize {
        self.story
            .messages
            .iter()
            .position(|m| m.began == message.began)
            .unwrap_or(self.story.messages.len())
    }
}
