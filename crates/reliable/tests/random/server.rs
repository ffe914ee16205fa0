//! A server of sorts: mostly it answers what it was asked, sometimes it says anything at all.

use proptest::prelude::*;
use vyoma_protocol::Reason;
use vyoma_protocol::envelope::{
    ClientEnvelope, ConversationId, Ending, ErrorReport, Level, Names, Presence, ServerEnvelope,
    Side, StreamId, Subject,
};

const CONVERSATIONS: [ConversationId; 2] = [ConversationId([1; 16]), ConversationId([2; 16])];
const STREAMS: [StreamId; 3] = [StreamId(0xa), StreamId(0xb), StreamId(0xc)];

/// What the server says next.
#[derive(Debug, Clone)]
pub(crate) enum Say {
    /// What fits: hello, an answer, the next message, an acknowledgement.
    Fitting(u64),
    /// Anything.
    Anything(Anything),
}

/// The parts of an envelope, not made for each other.
#[derive(Debug, Clone)]
pub(crate) struct Anything {
    kind: usize,
    conversation: usize,
    stream: usize,
    n: u64,
    m: u64,
    some: bool,
    reason: usize,
}

pub(crate) fn say() -> impl Strategy<Value = Say> {
    let anything = (0..22_usize, 0..2_usize, 0..3_usize, 0..7_u64, 0..7_u64, any::<bool>());
    prop_oneof![
        6 => any::<u64>().prop_map(Say::Fitting),
        1 => (anything, any::<prop::sample::Index>()).prop_map(
            |((kind, conversation, stream, n, m, some), reason)| {
                let reason = reason.index(Reason::ALL.len());
                Say::Anything(Anything { kind, conversation, stream, n, m, some, reason })
            }
        ),
    ]
}

/// What the server knows of the client.
#[derive(Debug, Default)]
pub(crate) struct Server {
    greeted: bool,
    /// The last envelope that wants an answer.
    asked: Option<String>,
    talk: Option<ConversationId>,
    last: Option<ConversationId>,
    ours: u64,
    theirs: u64,
}

impl Server {
    /// A new connection.
    pub(crate) fn opened(&mut self) {
        (self.greeted, self.asked, self.talk) = (false, None, None);
    }

    /// The client has written this.
    pub(crate) fn heard(&mut self, text: &str) {
        match ClientEnvelope::parse(text).unwrap() {
            ClientEnvelope::Join { .. }
            | ClientEnvelope::Resume { .. }
            | ClientEnvelope::Next { .. }
            | ClientEnvelope::Leave {}
            | ClientEnvelope::Block { .. } => self.asked = Some(text.to_owned()),
            ClientEnvelope::Message { n, .. } => self.theirs = n,
            _ => {}
        }
    }

    pub(crate) fn say(&mut self, say: &Say) -> String {
        let mut out = Vec::new();
        match say {
            Say::Fitting(dice) => self.fitting(*dice, &mut out),
            Say::Anything(anything) => envelope(anything, &mut out),
        }
        String::from_utf8(out).unwrap()
    }

    fn fitting(&mut self, dice: u64, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.greeted, true) {
            return hello(dice, out);
        }
        if let Some(asked) = self.asked.take() {
            return self.answer(&asked, dice, out);
        }
        let Some(conversation) = self.talk else {
            return waiting(out);
        };
        let (stream, n) = (STREAMS[0], self.theirs);
        match dice % 4 {
            0 | 1 => {
                self.ours += 1;
                ServerEnvelope::Message { n: self.ours, payload: "\"hello\"" }.write(out);
            }
            2 => ServerEnvelope::Ack { conversation, stream, n }.write(out),
            _ => ServerEnvelope::Accepted { conversation, stream, n, level: Level::Memory }
                .write(out),
        }
    }

    fn answer(&mut self, asked: &str, dice: u64, out: &mut Vec<u8>) {
        match ClientEnvelope::parse(asked).unwrap() {
            ClientEnvelope::Join { .. } if dice.is_multiple_of(4) => {
                self.asked = Some(asked.to_owned());
                waiting(out);
            }
            ClientEnvelope::Join { .. } => {
                let conversation = CONVERSATIONS[dice as usize / 4 % 2];
                self.last = Some(conversation);
                (self.talk, self.ours, self.theirs) = (self.last, 0, 0);
                matched(conversation, dice, out);
            }
            ClientEnvelope::Resume { stream, received, first, next, partner_stream, .. } => {
                let conversation = self.last.unwrap_or(CONVERSATIONS[0]);
                self.talk = Some(conversation);
                self.ours = if partner_stream.is_some() { received } else { 0 };
                self.theirs = next - 1;
                ServerEnvelope::Resumed {
                    conversation,
                    stream,
                    partner_stream: Some(partner_stream.unwrap_or(STREAMS[1])),
                    received: first - 1,
                    read: 0,
                    expected: first + dice % (next - first + 1),
                    reliable: true,
                    grace_ms: 60_000,
                }
                .write(out);
            }
            asked => {
                let conversation = self.talk.take();
                if matches!(asked, ClientEnvelope::Next { .. }) {
                    self.asked = Some(r#"{"type":"join"}"#.to_owned());
                }
                let (stream, last) = (Some(STREAMS[1]), Some(self.ours));
                ServerEnvelope::Ended { conversation, reason: Ending::Left, stream, last }
                    .write(out);
            }
        }
    }
}

fn hello(dice: u64, out: &mut Vec<u8>) {
    let features = Names::json(["typing", "read", "signal", "block", "report"]);
    ServerEnvelope::Hello {
        version: 1,
        max_message: 200 + dice % 100,
        credit: 400,
        heartbeat_ms: 25_000,
        grace_ms: 1_000 * (dice % 60),
        device: "device",
        features: Names::from_json(&features).unwrap(),
    }
    .write(out);
}

fn waiting(out: &mut Vec<u8>) {
    let (estimate_from_ms, estimate_to_ms) = (None, None);
    let (pool, ahead, widened) = ("default", 0, None);
    ServerEnvelope::Waiting { pool, ahead, widened, estimate_from_ms, estimate_to_ms }.write(out);
}

fn matched(conversation: ConversationId, dice: u64, out: &mut Vec<u8>) {
    ServerEnvelope::Matched {
        conversation,
        side: Side::A,
        stream: STREAMS[0],
        partner_stream: STREAMS[1],
        partner: None,
        reliable: !dice.is_multiple_of(5),
        why: Names::from_json("[]").unwrap(),
        common: None,
        token: "token",
        epoch: 1,
        grace_ms: 60_000,
    }
    .write(out);
}

fn envelope(anything: &Anything, out: &mut Vec<u8>) {
    let Anything { kind, n, m, some, .. } = *anything;
    let conversation = CONVERSATIONS[anything.conversation];
    let stream = STREAMS[anything.stream];
    match kind {
        0 => hello(n, out),
        1 => waiting(out),
        2 => matched(conversation, n, out),
        3 => ServerEnvelope::Message { n, payload: "[1]" }.write(out),
        4 => ServerEnvelope::Signal { payload: "{}" }.write(out),
        5 => ServerEnvelope::Accepted { conversation, stream, n, level: Level::Memory }.write(out),
        6 => ServerEnvelope::Ack { conversation, stream, n }.write(out),
        7 => ServerEnvelope::Read { conversation, stream, n }.write(out),
        8 => ServerEnvelope::Typing { on: some }.write(out),
        9 | 10 => {
            let state = if some { Presence::Away } else { Presence::Back };
            let stream = (n > 1).then_some(stream);
            ServerEnvelope::Partner { conversation, state, stream }.write(out);
        }
        11 => ServerEnvelope::Resumed {
            conversation,
            stream,
            partner_stream: some.then_some(STREAMS[n as usize % 3]),
            received: n,
            read: m,
            expected: m,
            reliable: some,
            grace_ms: 60_000,
        }
        .write(out),
        12 | 13 => {
            let to = some.then_some(m);
            ServerEnvelope::Gap { conversation, stream, from: n, to }.write(out);
        }
        14 => ServerEnvelope::Undelivered { conversation, stream, from: n, to: m }.write(out),
        15 => {
            let reason = Ending::ALL[n as usize % Ending::ALL.len()];
            let (conversation, last) = (some.then_some(conversation), some.then_some(m));
            ServerEnvelope::Ended { conversation, reason, stream: Some(stream), last }.write(out);
        }
        16 => ServerEnvelope::Token { token: "token2", epoch: n }.write(out),
        17 => ServerEnvelope::Done { about: Subject::Block, conversation }.write(out),
        18 => ServerEnvelope::Pong { id: None }.write(out),
        19 => ServerEnvelope::Goaway { delay_ms: n * 100 }.write(out),
        _ => ErrorReport {
            about: Some(["join", "next", "leave", "resume", "read", "token", "block"][n as usize]),
            conversation: some.then_some(conversation),
            retry_after_ms: (m > 2).then_some(m * 10),
            ..ErrorReport::new(Reason::ALL[anything.reason])
        }
        .envelope()
        .write(out),
    }
}
