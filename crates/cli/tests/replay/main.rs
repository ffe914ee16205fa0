//! `vyoma replay` on a log that a real server has written, on logs made here, and on what is none.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers may panic")]

mod made;
mod place;
mod server;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use place::{Place, replay, vyoma};
use server::Running;

/// What nobody but the partner may see.
const SECRETS: [&str; 4] = ["Ada Secret", "a headline", "plain words", "envelope words"];

/// What is asked of a log of [`written`], and some of what is told.
const EXPLAINED: &[(&[&str], &[&str])] = &[
    (
        &["--why", "founders/3", "founders/2"],
        &[
            "founders/3 and founders/2 were matched",
            "Their score is 941 of 1000; founders/3 wanted 400 or more, founders/2 400.",
            "founders/3 offers 1 of the 1 that founders/2 seeks (rust), of 1 in all;",
            "topics    141 of 200  tea (of 1 and 2)",
            "language  100 of 100  en",
            "2 others were in the pool, 1 of whom could have been taken:",
            "founders/1  score 589, which is less",
            "founders/0  score 0, which is too little: founders/3 wanted 400, founders/0 wanted 400",
        ],
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
    (&["--why", "1", "0"], &["default/1 and default/0 were matched", "who came first"]),
    (&["--why", "0", "founders/0"], &["were in different pools"]),
    (
        &["--ticket", "founders/2"],
        &[
            "It came. It offers funding. It seeks rust. It talks about looms, tea. It speaks en.",
            "2 others are in the pool. None will do; it looks again at ",
            "It was matched with founders/3.",
        ],
    ),
    (&["--ticket", "founders/0"], &["It left, then or a little later."]),
];

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
    for (arguments, sentences) in EXPLAINED {
        let (code, told) = replay(&log, arguments);
        assert_eq!(code, 0, "{told}");
        for sentence in *sentences {
            assert!(told.contains(sentence), "{sentence}\nis missing in\n{told}");
        }
    }
}

#[test]
fn what_is_asked_wrongly_is_told_how_to_ask() {
    let place = Place::new("asked");
    let log = written(&place);
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
