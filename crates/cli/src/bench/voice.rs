//! How one end of a pair talks: in plain messages that are recognised byte by byte, or in the
//! envelopes of `vyoma.v1`, where it also acknowledges.
//!
//! Knows what is sent and what has to come. Must not know sockets or time.

use vyoma_protocol::envelope::{ClientEnvelope, ConversationId, ServerEnvelope, StreamId};
use vyoma_protocol::{Kind, Opcode, encode, push_escaped};

use super::fault::Fault;
use super::inbound::{Sink, client_frame};
use super::message::{Burst, Progress, Template};

/// One end's voice, and its ear.
#[derive(Debug)]
pub(crate) enum Voice {
    Plain { burst: Burst, sender: u32, sent: u32, heard: Progress },
    Reliable(Box<Reliable>),
}

/// What `matched` told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matched {
    pub(crate) conversation: ConversationId,
    /// The partner's numbering.
    pub(crate) stream: StreamId,
}

/// One end of a conversation in `vyoma.v1`.
#[derive(Debug)]
pub(crate) struct Reliable {
    matched: Matched,
    /// What every message says, as JSON.
    payload: String,
    sent: u32,
    heard: u32,
    acknowledged: u32,
    /// What is being put together: the next write, the next message to come, one that comes in parts.
    frames: Vec<u8>,
    due: Vec<u8>,
    part: Vec<u8>,
}

impl Reliable {
    pub(crate) fn new(matched: Matched, template: &Template) -> Self {
        let mut payload = vec![b'"'];
        push_escaped(&String::from_utf8_lossy(template.payload()), &mut payload);
        payload.push(b'"');
        Self {
            matched,
            payload: String::from_utf8_lossy(&payload).into_owned(),
            sent: 0,
            heard: 0,
            acknowledged: 0,
            frames: Vec::new(),
            due: Vec::new(),
            part: Vec::new(),
        }
    }

    /// The next messages, behind the acknowledgement of what was heard, for one write.
    fn say(&mut self, count: u32) -> &[u8] {
        self.frames.clear();
        if self.heard > self.acknowledged {
            self.acknowledged = self.heard;
            let Matched { conversation, stream } = self.matched;
            let ack = ClientEnvelope::Ack { conversation, stream, n: self.heard.into() };
            client_frame(&mut self.frames, &ack);
        }
        for _ in 0..count {
            self.sent += 1;
            let message = ClientEnvelope::Message { n: self.sent.into(), payload: &self.payload };
            client_frame(&mut self.frames, &message);
        }
        &self.frames
    }

    /// The frame of the next message that is due.
    fn expect(&mut self) {
        self.part.clear();
        let n = u64::from(self.heard) + 1;
        ServerEnvelope::Message { n, payload: &self.payload }.write(&mut self.part);
        self.due.clear();
        encode(&mut self.due, true, Opcode::Data(Kind::Text), &self.part, None);
        self.part.clear();
    }

    fn hear(&mut self) -> Result<u32, Fault> {
        let text = std::str::from_utf8(&self.part).map_err(|_| Fault::Unknown)?;
        let heard = match ServerEnvelope::parse(text).map_err(|_| Fault::Unknown)? {
            ServerEnvelope::Message { n, payload }
                if n == u64::from(self.heard) + 1 && payload == self.payload =>
            {
                1
            }
            ServerEnvelope::Ack { n, .. } | ServerEnvelope::Accepted { n, .. }
                if n <= self.sent.into() =>
            {
                0
            }
            _ => return Err(Fault::Notice(text.to_owned())),
        };
        self.heard += heard;
        self.part.clear();
        Ok(heard)
    }
}

impl Voice {
    /// The next messages, for one write.
    pub(crate) fn say(&mut self, count: u32) -> &[u8] {
        match self {
            Self::Reliable(reliable) => reliable.say(count),
            Self::Plain { burst, sender, sent, .. } => {
                let first = *sent;
                *sent = sent.wrapping_add(count);
                burst.number(*sender, first, count)
            }
        }
    }

    /// How many messages it has said (it wraps).
    pub(crate) fn said(&self) -> u32 {
        match self {
            Self::Plain { sent, .. } => *sent,
            Self::Reliable(reliable) => reliable.sent,
        }
    }

    /// How many messages it has heard (it wraps).
    pub(crate) fn heard(&self) -> u32 {
        match self {
            Self::Plain { heard, .. } => heard.number(),
            Self::Reliable(reliable) => reliable.heard,
        }
    }
}

/// Compares what arrives with what is due, and counts.
pub(crate) struct Ear<'a> {
    pub(crate) voice: &'a mut Voice,
    pub(crate) template: &'a Template,
    pub(crate) complete: u32,
}

impl Sink for Ear<'_> {
    fn take(&mut self, bytes: &[u8], last: Option<bool>) -> Result<(), Fault> {
        match self.voice {
            Voice::Plain { heard, .. } => {
                self.complete += heard.take(self.template, bytes)?;
                match last {
                    Some(last) if last != heard.is_between() => Err(Fault::Unknown),
                    _ => Ok(()),
                }
            }
            Voice::Reliable(reliable) => {
                reliable.part.extend_from_slice(bytes);
                if last == Some(true) {
                    self.complete += reliable.hear()?;
                }
                Ok(())
            }
        }
    }

    fn take_expected(&mut self, bytes: &[u8]) -> usize {
        match self.voice {
            Voice::Plain { heard, .. } => {
                let frames = heard.take_frames(self.template, bytes);
                self.complete += frames;
                frames as usize * self.template.server_frame_len()
            }
            Voice::Reliable(reliable) => {
                let mut taken = 0;
                loop {
                    reliable.expect();
                    if !bytes[taken..].starts_with(&reliable.due) {
                        return taken;
                    }
                    taken += reliable.due.len();
                    reliable.heard += 1;
                    self.complete += 1;
                }
            }
        }
    }
}
