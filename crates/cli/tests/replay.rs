//! `vyoma replay` on a log that a real server has written, and on what is none.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers may panic")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vyoma_core::matching::decisions::{Header, PoolRule, Recorded, Rules};
use vyoma_core::matching::{Lists, Patience, Person, Relaxation, Tag, Ticket};

/// What nobody but the partner may see.
const SECRETS: [&str; 4] = ["Ada Secret", "a headline", "plain words", "envelope words"];

fn vyoma(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyoma"));
    command.env_clear().args(arguments);
    command
}

/// What it exits with, and prints on either output.
fn replay(log: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = vyoma(&["replay", log.to_str().unwrap()]);
    let Output { status, stdout, stderr } = command.args(arguments).output().expect("it runs");
    let text = [stdout, stderr].map(|bytes| String::from_utf8(bytes).expect("it prints UTF-8"));
    (status.code().unwrap(), text.concat())
}

/// A place for files, removed in the end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let name = format!("vyoma-replay-{}-{name}", std::process::id());
        let place = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&place);
        fs::create_dir(&place).unwrap();
        Self(place)
    }

    /// A file of this text.
    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server on a port of its own. Killed if the test fails.
struct Running {
    child: Child,
    port: u16,
}

impl Running {
    fn start(place: &Path) -> Self {
        let (log, data) = (place.join("log"), place.join("data"));
        let mut command = vyoma(&["--port", "0", "--bind", "127.0.0.1", "--drain-timeout", "0s"]);
        command.arg("--decision-log").arg(log).arg("--data-dir").arg(data);
        command.args(["--pool", "founders=scored:400/0@1h"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
        let port = lines.find_map(|line| {
            line.unwrap().strip_prefix("  WebSocket:  ws://localhost:")?.parse().ok()
        });
        Self { child, port: port.expect("it says where it is") }
    }

    fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }

    fn connect(&self, path: &str, headers: &str) -> Client {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        Client::new(stream)
    }

    /// A founder who shows this profile, and waits.
    fn founder(&self, profile: &str) -> Client {
        let mut client = self.connect("/ws?pool=founders", "Sec-WebSocket-Protocol: vyoma.v1\r\n");
        client.say(&format!(r#"{{"type":"join","profile":{profile}}}"#));
        client
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has gone already, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that answers pings, whatever the test does meanwhile.
struct Client {
    stream: TcpStream,
    heard: Receiver<String>,
}

impl Client {
    /// A client behind its request, which has been sent.
    fn new(stream: TcpStream) -> Self {
        let (texts, heard) = std::sync::mpsc::channel();
        let (mut answers, incoming) = (stream.try_clone().unwrap(), stream.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut incoming = BufReader::new(incoming);
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                incoming.read_line(&mut line).unwrap();
            }
            // It ends with the connection.
            while let Ok((opcode, payload)) = frame(&mut incoming) {
                match opcode {
                    9 => answers.write_all(&masked(10, &payload)).unwrap_or_default(),
                    1 => texts.send(String::from_utf8(payload).unwrap()).unwrap_or_default(),
                    _ => {}
                }
            }
        });
        Self { stream, heard }
    }

    fn say(&mut self, text: &str) {
        self.stream.write_all(&masked(1, text.as_bytes())).unwrap();
    }

    /// Waits for a text in which this is.
    fn expect(&mut self, part: &str) {
        let mut texts =
            std::iter::from_fn(|| self.heard.recv_timeout(Duration::from_secs(60)).ok());
        assert!(texts.any(|text| text.contains(part)), "{part:?} never came");
    }
}

/// The next frame: its opcode and its payload.
fn frame(incoming: &mut impl Read) -> std::io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    incoming.read_exact(&mut head)?;
    let mut length = usize::from(head[1]);
    if length == 126 {
        let mut long = [0; 2];
        incoming.read_exact(&mut long)?;
        length = usize::from(u16::from_be_bytes(long));
    }
    let mut payload = vec![0; length];
    incoming.read_exact(&mut payload)?;
    Ok((head[0] & 15, payload))
}

/// A frame whose mask is zeros.
fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u8::try_from(payload.len()) {
        Ok(short @ 0..=125) => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// A log of four founders and two plain clients.
fn written(place: &Place) -> PathBuf {
    let server = Running::start(&place.0);
    let mut founders = Vec::new();
    for profile in [
        r#"{"offers":["Law"],"seeks":["design"]}"#,
        r#"{"offers":["Funding","law"],"seeks":["rust"],"name":"Ada Secret"}"#,
        r#"{"offers":["funding"],"seeks":["Rust"],"languages":["en"],"topics":["looms","tea"]}"#,
    ] {
        let mut founder = server.founder(profile);
        founder.expect("\"waiting\"");
        founders.push(founder);
    }
    let mut ada = server.founder(
        r#"{"name":"Ada Secret","headline":"a headline","offers":["RUST"],"seeks":["funding"],"languages":["EN"],"topics":["tea"]}"#,
    );
    ada.expect("\"matched\"");
    ada.say(r#"{"type":"message","n":1,"payload":"envelope words"}"#);
    founders[2].expect("envelope words");
    let mut one = server.connect("/", "");
    one.expect("Waiting for");
    let mut other = server.connect("/", "");
    one.expect("Connected with");
    other.expect("Connected with");
    one.say("plain words");
    other.expect("plain words");
    server.stop();
    place.0.join("log")
}

#[test]
fn what_a_server_decided_is_decided_again_and_explained() {
    let place = Place::new("explained");
    let log = written(&place);
    let text = fs::read_to_string(&log).unwrap();
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    let (code, summary) = replay(&log, &[]);
    assert_eq!(code, 0, "{summary}");
    assert!(summary.ends_with("2 matches, all the same\n"), "{summary}");

    for (arguments, sentences) in [
        (
            &["--why", "founders/3", "founders/2"][..],
            &[
                "founders/3 and founders/2 were matched",
                "Their score is 941 of 1000; founders/3 wanted 400 or more, founders/2 400.",
                "founders/3 offers 1 of the 1 that founders/2 seeks (rust), of 1 in all;",
                "topics    141 of 200  tea (of 1 and 2)",
                "language  100 of 100  en",
                "2 others were in the pool, 1 of whom could have been taken:",
                "founders/1  score 589, which is less",
                "founders/0  score 0, which is too little: founders/3 wanted 400, founders/0 wanted 400",
            ][..],
        ),
        (
            &["--why", "founders/1", "founders/3"],
            &[
                "were not matched",
                "when it took founders/2 (score 941); as for founders/1, founders/3 found: score 589, which is less.",
                "Their score would be 589 of 1000.",
                "Neither founders/1 nor founders/3 looked",
            ],
        ),
        (
            &["--why", "founders/0", "founders/1"],
            &["founders/1 looked; founders/0: score 0, which is too little: founders/1 wanted 400"],
        ),
        (
            &["--why", "1", "0"],
            &[
                "default/0 and default/1 were matched|default/1 and default/0 were matched",
                "who came first",
            ],
        ),
        (&["--why", "0", "founders/0"], &["were in different pools"]),
        (
            &["--ticket", "founders/2"],
            &[
                "It came. It offers funding. It seeks rust. It talks about looms, tea. It speaks en.",
                "2 others are in the pool. None will do; it looks again at ",
                "It was matched with founders/3.",
            ],
        ),
        (&["--ticket", "founders/0"], &["It left."]),
    ] {
        let (code, told) = replay(&log, arguments);
        assert_eq!(code, 0, "{told}");
        for sentence in sentences {
            assert!(
                sentence.split('|').any(|part| told.contains(part)),
                "{sentence}\nis missing in\n{told}"
            );
        }
    }

    for (arguments, code, sentence) in [
        (&["--ticket", "founders/9"][..], 1, "no ticket founders/9 came"),
        (&["--why", "founders/0", "9"], 1, "no ticket default/9 came"),
        (
            &["--ticket", "nowhere/1"],
            1,
            "no ticket is named nowhere/1; here they are default/N, founders/N",
        ),
        (&["--why", "0", "default/0"], 1, "the same ticket twice"),
        (&["--why", "0"], 2, "2 values required"),
        (&["--why", "0", "1", "--ticket", "0"], 2, "cannot be used with"),
    ] {
        let (found, told) = replay(&log, arguments);
        assert!(found == code && told.contains(sentence), "{found} {told}");
    }
}

/// A log whose calls are made here: times are seconds after 10:00.
struct Made {
    pools: Recorded,
    start: Instant,
    log: Arc<Mutex<Vec<u8>>>,
}

impl Made {
    /// With an open pool, and one in which 500 will do, and 100 after 10 s.
    fn new() -> Self {
        let second = Duration::from_secs(1);
        let relaxation = Relaxation::new(vec![(Duration::ZERO, 500), (10 * second, 100)]);
        let pools = [("default", None), ("founders", relaxation)];
        let pools = pools.map(|(name, relaxation)| PoolRule { name: name.to_owned(), relaxation });
        let patience = Patience { fresh: 2 * second, answer: 2 * second };
        let rules = Rules { patience, pools: pools.to_vec() };
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let header = Header { program, began: 10 * 3_600_000, rules };
        let (log, start) = (Arc::<Mutex<Vec<u8>>>::default(), Instant::now());
        let into = Arc::clone(&log);
        let sink = move |line: &[u8]| {
            into.lock().unwrap().extend_from_slice(line);
            true
        };
        Self { pools: Recorded::recording(&header, start, Box::new(sink)), start, log }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    /// Comes, and looks.
    fn join(&mut self, pool: usize, offers: &str, seeks: &str, seconds: u64) -> Ticket {
        let list = |words: &str| words.split_whitespace().map(Tag::from).collect();
        let lists = Lists { offers: list(offers), seeks: list(seeks), ..Lists::default() };
        let ticket = self.pools.join(pool, &Person::from_lists(lists), self.at(seconds));
        self.step(ticket, seconds);
        ticket
    }

    fn step(&mut self, ticket: Ticket, seconds: u64) {
        self.pools.step(ticket, self.at(seconds));
        self.pools.take_orders();
    }

    fn heard(&mut self, tickets: &[Ticket], seconds: u64) {
        for ticket in tickets {
            self.pools.heard(*ticket, self.at(seconds));
        }
        self.pools.take_orders();
    }

    #[track_caller]
    fn expect(&self, place: &Place, arguments: &[&str], sentences: &[&str]) {
        let log = place.file("made", &*self.log.lock().unwrap());
        let (code, told) = replay(&log, arguments);
        assert_eq!(code, 0, "{told}");
        for sentence in sentences {
            assert!(told.contains(sentence), "{sentence}\nis missing in\n{told}");
        }
    }
}

#[test]
fn every_reason_in_a_scored_pool_has_its_sentence() {
    let place = Place::new("scored");
    let mut made = Made::new();
    let silent = made.join(1, "law", "ops", 0);
    let blocked = made.join(1, "law", "ops", 1);
    let met = made.join(1, "law", "ops", 2);
    let [weak, good] = [("law tea", "ops"), ("law", "ops")].map(|(o, s)| made.join(1, o, s, 3));
    let late = made.join(1, "law", "ops", 4);
    made.heard(&[blocked, met, weak, good, late], 4);
    // It would take the first, who doesn't answer.
    let seeker = made.join(1, "ops", "law", 5);
    for (other, until) in [(blocked, None), (met, Some(made.at(60)))] {
        made.pools.bar(seeker, other, until);
    }
    made.heard(&[weak, good, late, seeker], 6);
    made.step(seeker, 7);
    made.pools.leave(late);

    for (arguments, sentences) in [
        (
            &["--why", "founders/6", "founders/4"][..],
            &[
                "founders/6 and founders/4 were matched at 10:00:07.000.",
                "founders/6, after 2.000 s, took founders/4, who had waited for 4.000 s.",
                "Their score is 700 of 1000; founders/6 wanted 500 or more, founders/4 500.",
                "  founders/5  score 700, the same, but came later\n",
                "  founders/3  score 589, which is less\n",
                "  founders/0  score 700, but had been pinged, and had not answered\n",
                "  founders/1  one of them has blocked the other\n",
                "  founders/2  they have met, and may not meet again before 10:01:00.000\n",
                "5 others were in the pool, 2 of whom could have been taken",
            ][..],
        ),
        (
            &["--why", "founders/0", "founders/6"],
            &[
                "founders/6 was in the pool from 10:00:05.000 to 10:00:07.000, when it took founders/4 (score 700); \
                 as for founders/0, founders/6 found: score 700, but had been pinged, and had not answered.",
                "founders/0 was in the pool from 10:00:00.000 on.",
                "10:00:05.000  founders/6 looked; founders/0: would do, and was pinged, to be sure that it is live",
            ],
        ),
        (
            &["--why", "founders/3", "founders/6"],
            &[
                "founders/6 looked; founders/3: would have done, but came behind founders/0, pinged first",
            ],
        ),
        (
            &["--why", "founders/4", "founders/5"],
            &[
                "founders/5 looked; founders/4: score 0, which is too little: founders/5 wanted 500, founders/4 wanted 500",
            ],
        ),
        (
            &["--ticket", "founders/0"],
            &[
                "10:00:00.000  It came. It offers law. It seeks ops.\n",
                "It looked after 0.000 s; 0 others are in the pool. None will do; it looks again at 10:00:10.000.\n",
                "10:00:05.000  It was pinged, since founders/6 would take it.\n",
                "10:00:07.000  It had not answered in time",
                "The log ends while it is in the pool.\n",
            ],
        ),
        (
            &["--ticket", "founders/6"],
            &[
                "It would take founders/0, which has to be heard before 10:00:07.000.",
                "It is kept from founders/1: one of them has blocked the other.",
            ],
        ),
        (&["--ticket", "founders/5"], &["10:00:07.000  It left.\n"]),
    ] {
        made.expect(&place, arguments, sentences);
    }
    made.heard(&[silent], 9);
    made.expect(&place, &["--ticket", "founders/0"], &["10:00:09.000  It was heard.\n"]);
}

#[test]
fn in_an_open_pool_the_first_is_taken_and_that_is_said() {
    let place = Place::new("open");
    let mut made = Made::new();
    let first = made.join(0, "", "", 20);
    made.join(0, "", "", 20);
    made.pools.rejoin(first, &Person::default(), made.at(20), made.at(21));
    made.step(first, 21);
    made.join(0, "law", "", 21);
    let stale = made.join(0, "", "", 30);
    let seeker = made.join(0, "", "", 35);
    made.heard(&[stale], 36);
    made.step(seeker, 36);
    for (arguments, sentences) in [
        (
            &["--why", "0", "1"][..],
            &[
                "default/0 and default/1 were matched at 10:00:20.000.",
                "In this pool scores don't count: who came first is taken first.\nNobody else was in the pool.\n",
            ][..],
        ),
        (
            &["--why", "1", "2"],
            &[
                "default/1 was in the pool from 10:00:20.000 to 10:00:20.000, when it took default/0.",
                "Neither default/1 nor default/2 looked for a partner while the other was in the pool.",
            ],
        ),
        (
            &["--ticket", "0"],
            &[
                "It was put back at its place, since the partner had gone: it waits for 1.000 s already.",
                "It was matched with default/2.",
            ],
        ),
        (&["--ticket", "2"], &["It came. It offers law.\n"]),
        (
            &["--why", "3", "4"],
            &["It had chosen default/3 at 10:00:35.000, who was pinged, and was heard.\n"],
        ),
        (&["--ticket", "3"], &["10:00:36.000  It was heard.\n10:00:36.000  It was matched with"]),
    ] {
        made.expect(&place, arguments, sentences);
    }
}

#[test]
fn what_is_wrong_with_a_log_is_told_with_its_line() {
    let place = Place::new("damaged");
    let log = written(&place);
    let text = fs::read_to_string(&log).unwrap();
    let fails = |name: &str, text: &str, sentence: &str| {
        let file = place.file(name, text);
        for arguments in [&[][..], &["--ticket", "0"]] {
            let (code, told) = replay(&file, arguments);
            assert!(code == 1 && told.contains(sentence), "{code} {told}");
        }
    };
    let scored = text.lines().position(|line| line.contains("\"score\":941")).unwrap();
    let expected = format!("line {} differs.\n  the log:  {{", scored + 1);
    let other = text.replace("\"score\":941", "\"score\":940");
    fails("score", &other, &expected);
    let (_, told) = replay(&place.0.join("score"), &[]);
    let lines = told.lines().collect::<Vec<_>>();
    assert!(lines[1].contains("\"score\":940") && lines[2].contains("\"score\":941"), "{told}");

    fails(
        "garbage",
        &text.replacen("{\"call\":\"step\"", "{\"call:\"step\"", 1),
        "line 3 can't be read, it is no JSON",
    );
    fails(
        "version",
        &text.replacen("\"version\":1", "\"version\":7", 1),
        "is a decision log of version 7",
    );
    fails("empty", "", "is no decision log");
    fails("foreign", "hello\n", "is no decision log");
    fails("behind", &format!("{text}{{}}\n"), "lines behind the last one");
    let (code, told) = replay(&place.0.join("nowhere"), &[]);
    assert!(code == 1 && told.contains("cannot read"), "{told}");

    // Of a program of another version: said, since it may be the reason.
    let program = format!("\"program\":\"{}\"", env!("CARGO_PKG_VERSION"));
    fails(
        "newer",
        &other.replacen(&program, "\"program\":\"9.9.9\"", 1),
        "The log is by vyoma 9.9.9",
    );

    for (name, kept, sentence) in [
        ("cut", text.len() - "\"}\n".len(), "The last line is cut off"),
        ("killed", text.len() - "{\"end\":\"stopped\"}\n".len(), "The log has no end"),
    ] {
        let (code, told) = replay(&place.file(name, &text[..kept]), &[]);
        assert!(
            code == 0 && told.contains("2 matches, all the same") && told.contains(sentence),
            "{told}"
        );
    }
    for (end, sentence) in [("behind", "didn't keep up"), ("failed", "could not be written")] {
        let (code, told) = replay(&place.file(end, text.replace("stopped", end)), &[]);
        assert!(code == 0 && told.contains(sentence), "{told}");
    }
}

#[test]
fn a_log_that_cannot_be_made_stops_the_start() {
    let place = Place::new("refused");
    let Place(dir) = &place;
    let output = vyoma(&["--port", "0", "--bind", "127.0.0.1", "--data-dir"])
        .arg(dir.join("data"))
        .arg("--decision-log")
        .arg(dir)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("cannot write the decision log") && told.contains("no file"), "{told}");
}
