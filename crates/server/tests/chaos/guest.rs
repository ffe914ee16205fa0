//! One guest: carries out its plan, and checks everything it hears on the way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::common::client::upgrade_head;
use crate::common::wire::{self, CONTINUATION, Decoder, Event, TEXT};
use crate::common::{CONNECTED, DISCONNECTED, PATIENCE, WAITING};
use crate::ledger::{Account, Ledger};
use crate::plan::{Exit, Plan, When};

/// Where a guest believes it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Arriving,
    Waiting,
    Talking,
    Fenced,
}

struct Guest {
    plan: Plan,
    stream: TcpStream,
    decoder: Decoder,
    ledger: Arc<Ledger>,
    place: Place,
    stay: u32,
    account: Account,
    pairings: u32,
    heard: u32,
    answers_left: u32,
}

/// A guest's whole visit.
pub(crate) async fn visit(
    to: SocketAddr,
    plan: Plan,
    ledger: Arc<Ledger>,
    mut home_time: watch::Receiver<bool>,
) {
    let mut stream = TcpStream::connect(to).await.expect("connects");
    stream.set_nodelay(true).expect("nodelay");
    let head = upgrade_head("/", "");
    if plan.when == When::InHandshake {
        let part = plan.id as usize % head.len();
        stream.write_all(&head.as_bytes()[..part]).await.expect("sends");
        return if plan.id.is_multiple_of(2) {
            reset(&stream)
        };
    }
    let mut guest = Guest {
        answers_left: plan.chatty,
        plan,
        stream,
        decoder: Decoder::default(),
        ledger,
        place: Place::Arriving,
        stay: 0,
        account: Account::default(),
        pairings: 0,
        heard: 0,
    };
    let early: Vec<u8> = (0..guest.plan.early).flat_map(|_| guest.next_message()).collect();
    guest.send(&[head.as_bytes(), &early].concat()).await;
    guest.read_head().await;
    guest.live(&mut home_time).await;
    guest.leave().await;
}

impl Guest {
    async fn read_head(&mut self) {
        while !self.decoder.rest().windows(4).any(|four| four == b"\r\n\r\n") {
            assert!(self.read().await, "guest {}: no answer to the upgrade", self.plan.id);
        }
        let bytes = self.decoder.rest();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an end") + 4;
        let (head, rest) = bytes.split_at(end);
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(head));
        let mut decoder = Decoder::default();
        decoder.feed(rest);
        self.decoder = decoder;
    }

    /// Reads something; `false` at the end of the stream.
    async fn read(&mut self) -> bool {
        let mut bytes = [0; 16 * 1024];
        let n = self.stream.read(&mut bytes).await.unwrap_or(0);
        self.decoder.feed(&bytes[..n]);
        n > 0
    }

    /// Acts until its plan says that it is time to go.
    async fn live(&mut self, home_time: &mut watch::Receiver<bool>) {
        let time = match self.plan.when {
            When::After(time) | When::Heard(_, time) | When::Fenced(time) => time,
            When::Upgraded => return,
            // Others always come, so that this is not for ever; the latest by far.
            When::Paired(_) => Duration::from_secs(1),
            When::InHandshake | When::Home => PATIENCE * 10,
        };
        let deadline = Instant::now() + time;
        while !self.is_time_to_go() {
            if let Some(event) = self.decoder.next() {
                self.hear(event).await;
                continue;
            }
            tokio::select! {
                read = timeout_at(deadline, self.read()) => match read {
                    Ok(more) => assert!(more, "guest {} was thrown out: {:?}", self.plan.id, self.plan),
                    Err(_) => return,
                },
                _ = home_time.wait_for(|now| *now), if self.plan.is_stayer() => return,
            }
        }
    }

    fn is_time_to_go(&self) -> bool {
        match self.plan.when {
            When::Paired(times) => self.pairings >= times,
            When::Heard(messages, _) => self.heard >= messages,
            When::Fenced(_) => self.place == Place::Fenced,
            When::InHandshake | When::Upgraded | When::After(_) | When::Home => false,
        }
    }

    async fn hear(&mut self, event: Event) {
        match event {
            Event::Text(words) if words == WAITING => self.go(Place::Waiting, &[Place::Arriving]),
            Event::Text(words) if words == CONNECTED => {
                self.go(Place::Talking, &[Place::Arriving, Place::Waiting]);
                self.pairings += 1;
                self.answers_left = self.plan.chatty;
                self.say(self.plan.eager).await;
            }
            Event::Text(words) if words == DISCONNECTED => {
                self.go(Place::Fenced, &[Place::Talking]);
                self.account.widowed = true;
            }
            Event::Text(words) => self.hear_words(&words).await,
            Event::Ping(payload) => self.answer(&payload).await,
            Event::Pong(_) => {}
            other => panic!("guest {}, {:?}: {other:?}", self.plan.id, self.place),
        }
    }

    fn go(&mut self, to: Place, from: &[Place]) {
        let id = self.plan.id;
        assert!(from.contains(&self.place), "guest {id} is {:?} and told {to:?}", self.place);
        self.place = to;
    }

    /// Checks that all words of this stay come from one stay of one partner, without a hole.
    async fn hear_words(&mut self, words: &str) {
        let id = self.plan.id;
        assert_eq!(self.place, Place::Talking, "guest {id} heard {words:?}");
        let mut parts = words.split(' ');
        assert_eq!(parts.next(), Some("word"), "guest {id} heard {words:?}");
        let mut number =
            || parts.next().and_then(|part| part.parse::<u64>().ok()).expect("a number");
        let (speaker, n) = ((number(), number() as u32), number());
        assert_ne!(speaker.0, id, "guest {id} hears itself");
        let (expected, heard) = self.account.heard.get_or_insert((speaker, 0));
        assert_eq!((speaker, n), (*expected, *heard), "guest {id} heard another than it should");
        *heard += 1;
        self.heard += 1;
        if self.answers_left > 0 {
            self.answers_left -= 1;
            self.say(1).await;
        }
    }

    /// Answers a ping; in a fence that begins a new stay.
    async fn answer(&mut self, payload: &[u8]) {
        if self.place != Place::Fenced {
            return self.send(&wire::pong(payload)).await;
        }
        let lost = (0..self.plan.lost).flat_map(|_| wire::text("nobody may see this"));
        let packet = [lost.collect(), wire::pong(payload)].concat();
        self.send(&packet).await;
        let account = std::mem::take(&mut self.account);
        self.ledger.close((self.plan.id, self.stay), account);
        self.stay += 1;
        self.place = Place::Arriving;
        if self.plan.early > 0 {
            self.say(1).await;
        }
    }

    async fn say(&mut self, messages: u32) {
        let bytes: Vec<u8> = (0..messages).flat_map(|_| self.next_message()).collect();
        self.send(&bytes).await;
    }

    fn next_message(&mut self) -> Vec<u8> {
        let (id, stay, n) = (self.plan.id, self.stay, self.account.sent);
        self.account.sent += 1;
        let words = format!("word {id} {stay} {n} {}", "x".repeat(self.plan.padding));
        if !self.plan.in_pieces {
            return wire::text(&words);
        }
        let (first, last) = words.as_bytes().split_at(words.len() / 2);
        [
            wire::frame(false, TEXT, first),
            wire::ping(b"between"),
            wire::frame(true, CONTINUATION, last),
        ]
        .concat()
    }

    async fn send(&mut self, bytes: &[u8]) {
        let sent = self.stream.write_all(bytes).await;
        sent.unwrap_or_else(|error| panic!("guest {} sends: {error}", self.plan.id));
    }

    /// Goes as planned. What it sent before is still meant for its partner, all of it.
    async fn leave(mut self) {
        let half = wire::text("half a word, and nobody may see it");
        let last: Vec<u8> = match self.plan.exit {
            Exit::Close => wire::close(1000, ""),
            Exit::CutFrame | Exit::FinInFrame => half[..half.len() / 2].to_vec(),
            Exit::CutFragments => wire::frame(false, TEXT, b"half a word"),
            Exit::Error => wire::frame(true, 3, b"no such opcode"),
            Exit::Fin | Exit::Reset => Vec::new(),
        };
        self.send(&last).await;
        match self.plan.exit {
            Exit::Reset | Exit::CutFrame | Exit::CutFragments => {
                self.account.reset = true;
                reset(&self.stream);
            }
            Exit::Fin | Exit::FinInFrame => {
                self.stream.shutdown().await.expect("a FIN");
                self.read_to_end().await;
            }
            Exit::Close | Exit::Error => self.read_to_end().await,
        }
        self.ledger.close((self.plan.id, self.stay), self.account);
    }

    /// The server ends the stream in its turn; until then it may say what it likes.
    async fn read_to_end(&mut self) {
        let until = Instant::now() + PATIENCE;
        while timeout_at(until, self.read()).await.expect("the server ends the stream") {
            while self.decoder.next().is_some() {}
        }
    }
}

/// Makes the socket go by a reset when it is dropped.
fn reset(stream: &TcpStream) {
    SockRef::from(stream).set_linger(Some(Duration::ZERO)).expect("linger");
}
