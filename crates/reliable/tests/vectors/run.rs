//! Runs a vector: calls a session as a step says, and tells what came of it as JSON.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vyoma_reliable::{
    Action, Body, Change, Content, Event, Frame, Refusal, Saved, SendError, Session, Settings,
    Wanted,
};

/// The files in docs/vectors, by name.
pub(crate) fn files() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
        })
        .collect();
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    files
}

/// The arguments that a call has in a vector.
pub(crate) fn arguments(step: &Value) -> Vec<&'static str> {
    match step["do"].as_str().unwrap() {
        "connected" => vec!["unix_ms"],
        "text" => vec!["text"],
        "binary" => vec!["hex"],
        "disconnected" => vec!["code"],
        "join" => vec!["profile", "invite", "rules"],
        "next" => vec!["profile", "rules"],
        "report" => vec!["reason"],
        "send" => vec!["json", "hex"],
        "taken" | "read" => vec!["n"],
        "typing" => vec!["on"],
        "signal" => vec!["json"],
        _ => vec![],
    }
}

/// A session that follows a vector.
pub(crate) struct Run {
    start: Instant,
    settings: Settings,
    saved: Saved,
    session: Option<Session>,
    /// What the changes make of what was saved.
    kept: Saved,
}

/// What a step brought.
pub(crate) struct Seen {
    pub(crate) actions: Value,
    pub(crate) returned: Value,
    pub(crate) deadline: Value,
}

impl Run {
    #[expect(clippy::disallowed_methods, reason = "a time to count from")]
    pub(crate) fn new(vector: &Value) -> Self {
        let saved = match &vector["saved"] {
            Value::Null => Saved::default(),
            saved => {
                let text = saved.to_string();
                let read = Saved::from_json(&text).unwrap();
                assert_eq!(serde_json::from_str::<Value>(&read.to_json()).unwrap(), *saved);
                read
            }
        };
        Self {
            start: Instant::now(),
            settings: settings(&vector["settings"]),
            kept: saved.clone(),
            saved,
            session: None,
        }
    }

    pub(crate) fn step(&mut self, step: &Value) -> Seen {
        let now = self.start + Duration::from_millis(step["at"].as_u64().unwrap());
        let returned = self.call(step, now);
        let session = self.session.as_mut().unwrap();
        let mut actions = Vec::new();
        while let Some(action) = session.next_action() {
            if let Action::Save(change) = &action {
                self.kept.apply(change);
                assert_eq!(Change::from_json(&change.to_json()).unwrap(), *change);
            }
            actions.push(tell(&action));
        }
        assert_eq!(self.kept, session.saved(), "what was saved and what is known differ");
        let deadline = session.deadline().map(|at| (at - self.start).as_millis() as u64);
        Seen { actions: Value::Array(actions), returned, deadline: json!(deadline) }
    }

    /// Makes the call; what it returned, null if that is nothing.
    fn call(&mut self, step: &Value, now: Instant) -> Value {
        let text = |key: &str| match &step[key] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let number = |key: &str| step[key].as_u64().unwrap();
        let word = step["do"].as_str().unwrap();
        if word == "start" {
            let (settings, saved) = (self.settings.clone(), self.saved.clone());
            self.session = Some(Session::new(settings, saved, 1, now));
            return Value::Null;
        }
        let session = self.session.as_mut().unwrap();
        match word {
            "connected" => session.connected(number("unix_ms"), now),
            "text" => session.text(&text("text"), now),
            "binary" => session.binary(&from_hex(&text("hex")), now),
            "heard" => session.heard(now),
            "disconnected" => session.disconnected(step["code"].as_u64().map(|c| c as u16), now),
            "wake" => session.wake(now),
            "tick" => session.tick(now),
            "leave" => session.leave(now),
            "taken" => session.taken(number("n"), now),
            "read" => session.read(number("n"), now),
            "typing" => session.typing(step["on"].as_bool().unwrap(), now),
            "close" => session.close(now),
            "join" | "next" => {
                let given = |key| step.get(key).filter(|it| !it.is_null()).map(|_| text(key));
                let [profile, invite, rules] = ["profile", "invite", "rules"].map(given);
                let (profile, rules) = (profile.as_deref(), rules.as_deref());
                return told(if word == "join" {
                    session.join_with(Wanted { profile, invite: invite.as_deref(), rules }, now)
                } else {
                    session.next_with(profile, rules, now)
                });
            }
            "invite" => return told(session.invite(now)),
            "block" => return told(session.block(now)),
            "report" => return told(session.report(&text("reason"), now)),
            "signal" => return told(session.signal(&text("json"), now)),
            "send" if step.get("hex").is_some() => {
                return sent(session.send(Body::Binary(&from_hex(&text("hex"))), now));
            }
            "send" => return sent(session.send(Body::Json(&text("json")), now)),
            other => panic!("there is no {other}"),
        }
        Value::Null
    }
}

fn told(result: Result<(), Refusal>) -> Value {
    result.err().map_or(Value::Null, |refusal| json!(refusal.name()))
}

fn sent(result: Result<u64, SendError>) -> Value {
    result.map_or_else(|refusal| json!(refusal.name()), |n| json!(n))
}

fn settings(given: &Value) -> Settings {
    let mut settings = Settings { jitter: Some(0.5), ..Settings::default() };
    for (key, value) in given.as_object().into_iter().flatten() {
        let count = value.as_u64().unwrap_or_default();
        let wait = Duration::from_millis(count);
        match key.as_str() {
            "outbox_bytes" => settings.outbox_bytes = count as usize,
            "outbox_count" => settings.outbox_count = count as usize,
            "inbox_bytes" => settings.inbox_bytes = count as usize,
            "backoff_first_ms" => settings.backoff_first = wait,
            "backoff_most_ms" => settings.backoff_most = wait,
            "heartbeat_ms" => settings.heartbeat = wait,
            "probe_ms" => settings.probe = wait,
            "wake_probe_ms" => settings.wake_probe = wait,
            "answer_ms" => settings.answer = wait,
            "ack_delay_ms" => settings.ack_delay = wait,
            "jitter" => settings.jitter = Some(value.as_f64().unwrap()),
            other => panic!("there is no setting {other}"),
        }
    }
    settings
}

fn tell(action: &Action) -> Value {
    match action {
        Action::Connect => json!("connect"),
        Action::Close(code) => json!({"close": code}),
        Action::Write(Frame::Text(text)) => {
            json!({"write": serde_json::from_str::<Value>(text).unwrap()})
        }
        Action::Write(Frame::Binary(bytes)) => json!({"write_hex": to_hex(bytes)}),
        Action::Save(change) => {
            json!({"save": serde_json::from_str::<Value>(&change.to_json()).unwrap()})
        }
        Action::Event(event) => json!({"event": tell_event(event)}),
    }
}

fn tell_event(event: &Event) -> Value {
    match event {
        Event::Waiting { pool, ahead, widened, estimate_ms } => {
            let mut told = json!({"type": "waiting", "pool": pool, "ahead": ahead});
            if let Some(widened) = widened {
                told["widened"] = json!(widened);
            }
            if let Some(estimate) = estimate_ms {
                told["estimate_ms"] = json!(estimate);
            }
            told
        }
        Event::Matched { conversation, side, partner, reliable, why, common } => {
            let mut told = json!({
                "type": "matched", "conversation": conversation.to_string(), "side": side.name(),
                "partner": partner, "reliable": reliable, "why": why,
            });
            if let Some(common) = common {
                told["common"] = json!(common);
            }
            told
        }
        Event::Message { n, content: Content::Json(text) } => {
            json!({"type": "message", "n": n, "json": text})
        }
        Event::Message { n, content: Content::Binary(bytes) } => {
            json!({"type": "message", "n": n, "hex": to_hex(bytes)})
        }
        Event::Written { n } => json!({"type": "written", "n": n}),
        Event::Accepted { n } => json!({"type": "accepted", "n": n}),
        Event::Delivered { n } => json!({"type": "delivered", "n": n}),
        Event::Read { n } => json!({"type": "read", "n": n}),
        Event::Undelivered { from, to } => json!({"type": "undelivered", "from": from, "to": to}),
        Event::Gap { from, to } => json!({"type": "gap", "from": from, "to": to}),
        Event::Typing { on } => json!({"type": "typing", "on": on}),
        Event::Signal { payload: Content::Json(text) } => {
            json!({"type": "signal", "payload": text})
        }
        Event::Signal { payload } => panic!("{payload:?} is no JSON"),
        Event::Away => json!({"type": "away"}),
        Event::Back => json!({"type": "back"}),
        Event::Lost => json!({"type": "lost"}),
        Event::Restored { conversation } => {
            json!({"type": "restored", "conversation": conversation.map(|id| id.to_string())})
        }
        Event::Ended { conversation, reason, complete } => json!({
            "type": "ended", "conversation": conversation.map(|id| id.to_string()),
            "reason": reason.name(), "complete": complete,
        }),
        Event::Invitation { code, expires_ms } => {
            json!({"type": "invitation", "code": code, "expires_ms": expires_ms})
        }
        Event::Done { about } => json!({"type": "done", "about": about.name()}),
        Event::Error(error) => {
            let mut told = json!({"type": "error", "code": error.code, "name": error.name});
            let fields = [
                ("about", json!(error.about)),
                ("n", json!(error.n)),
                ("retry_after_ms", json!(error.retry_after_ms)),
            ];
            for (key, value) in fields.into_iter().filter(|(_, value)| !value.is_null()) {
                told[key] = value;
            }
            told
        }
        Event::Trouble(trouble) => json!({"type": "trouble", "what": trouble.name()}),
        Event::Writable => json!({"type": "writable"}),
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}
