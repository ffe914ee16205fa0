//! A client of `vyoma.v1` that shares no code with the server.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::client::{Client, Dial};
use super::wire::{self, Event};

/// A client that speaks envelopes.
pub(crate) struct Speaker {
    pub(crate) client: Client,
    pub(crate) device: Value,
    pub(crate) matched: Value,
}

impl Speaker {
    pub(crate) fn connect(to: SocketAddr) -> Self {
        Self::connect_at(to, "/")
    }

    pub(crate) fn connect_at(to: SocketAddr, path: &str) -> Self {
        let stream = Dial::default().open(to);
        let more = "Sec-WebSocket-Protocol: vyoma.v1\r\n";
        let client = Client::upgrade(stream, path, more, &[]);
        let mut speaker = Self { client, device: Value::Null, matched: Value::Null };
        speaker.device = speaker.expect("hello")["device"].clone();
        speaker
    }

    pub(crate) fn say(&mut self, envelope: &Value) {
        self.client.say(&envelope.to_string());
    }

    /// The next envelope; pings and pongs are passed over.
    pub(crate) fn hear(&mut self) -> Value {
        loop {
            match self.client.event() {
                Event::Text(text) => return serde_json::from_str(&text).unwrap(),
                Event::Ping(body) => self.client.send(&wire::pong(&body)),
                Event::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next envelope of this type; receipts may come before it.
    pub(crate) fn expect(&mut self, kind: &str) -> Value {
        loop {
            let heard = self.hear();
            let receipt = heard["type"] == "accepted" || heard["type"] == "ack";
            if heard["type"] == kind {
                return heard;
            }
            assert!(receipt, "{kind} is due, not {heard}");
        }
    }

    pub(crate) fn expect_error(&mut self, name: &str) -> Value {
        let error = self.expect("error");
        assert_eq!(error["name"], name, "{error}");
        error
    }

    pub(crate) fn message(&mut self, n: u64, payload: &str) {
        self.say(&json!({"type": "message", "n": n, "payload": payload}));
    }

    pub(crate) fn ack(&mut self, n: u64) {
        let (conversation, stream) =
            (&self.matched["conversation"], &self.matched["partner_stream"]);
        self.say(&json!({"type": "ack", "conversation": conversation, "stream": stream, "n": n}));
    }

    pub(crate) fn expect_message(&mut self, n: u64, payload: &str) {
        let message = self.expect("message");
        assert_eq!((&message["n"], &message["payload"]), (&json!(n), &json!(payload)));
    }

    /// What this client would say to have its seat again on another connection.
    pub(crate) fn resume(&self, attempt: u64, received: u64, first: u64, next: u64) -> Value {
        json!({
            "type": "resume", "token": self.matched["token"], "device": self.device,
            "attempt": attempt, "stream": self.matched["stream"],
            "partner_stream": self.matched["partner_stream"],
            "received": received, "first": first, "next": next,
        })
    }
}

/// Two who talk with each other.
pub(crate) fn pair(to: SocketAddr) -> (Speaker, Speaker) {
    let (mut a, mut b) = (Speaker::connect(to), Speaker::connect(to));
    a.say(&json!({"type": "join", "profile": {"name": "Ada"}}));
    assert_eq!(a.expect("waiting")["ahead"], 0);
    b.say(&json!({"type": "join"}));
    (a.matched, b.matched) = (a.expect("matched"), b.expect("matched"));
    assert_eq!(b.matched["partner"]["name"], "Ada");
    (a, b)
}
