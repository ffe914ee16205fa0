//! The actions that wait to be carried out.

use std::collections::VecDeque;
use std::sync::Arc;

use vyoma_protocol::envelope::ClientEnvelope;

use crate::{Action, Change, Event, Frame};

/// The actions, in order. A driver takes them after each call, so there are no more than one call
/// causes: at most an outbox full of writes.
#[derive(Debug, Default)]
pub(super) struct Out(VecDeque<Action>);

impl Out {
    pub(super) fn pop(&mut self) -> Option<Action> {
        self.0.pop_front()
    }

    pub(super) fn connect(&mut self) {
        self.0.push_back(Action::Connect);
    }

    pub(super) fn close(&mut self, code: u16) {
        self.0.push_back(Action::Close(code));
    }

    pub(super) fn save(&mut self, change: Change) {
        self.0.push_back(Action::Save(change));
    }

    pub(super) fn event(&mut self, event: Event) {
        self.0.push_back(Action::Event(event));
    }

    pub(super) fn frame(&mut self, frame: Frame) {
        self.0.push_back(Action::Write(frame));
    }

    pub(super) fn write(&mut self, envelope: &ClientEnvelope<'_>) {
        self.frame(Frame::Text(Arc::from(text(envelope))));
    }
}

/// The text of an envelope.
pub(super) fn text(envelope: &ClientEnvelope<'_>) -> String {
    let mut bytes = Vec::with_capacity(128);
    envelope.write(&mut bytes);
    // Envelopes are made of text only.
    String::from_utf8(bytes).unwrap_or_default()
}
