//! What a browser gets over HTTP: the page, its files, links into them, QR codes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::Read as _;

use common::http::{Answer, ask, get};
use common::{House, http};
use vyoma_server::{Confirm, Place};

const BROWSER: &str =
    "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nSec-Fetch-Mode: navigate\r\n";

/// `_/<hash>/`, as the page names it.
fn tree(house: &House) -> String {
    let page = get(house.address(), "/", BROWSER).body;
    let begin = page.find("_/").expect("the page names the tree");
    let length = page[begin + 2..].find('/').unwrap() + 3;
    page[begin..begin + length].to_owned()
}

#[track_caller]
fn assert_headers(answer: &Answer, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(answer.header(name), Some(*value), "{name}");
    }
}

#[test]
fn the_page_may_do_little_and_says_so() {
    let house = House::open();
    for path in ["/", "/?invite=baku-niro", "/demo"] {
        let page = get(house.address(), path, BROWSER);
        assert_eq!(page.status, 200);
        assert_headers(
            &page,
            &[
                ("content-type", "text/html; charset=utf-8"),
                ("cache-control", "no-cache"),
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
                (
                    "content-security-policy",
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                     connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
                     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
                ),
            ],
        );
        // Browsers complain of it where they don't trust the transport; there they don't say this.
        let plain = get(house.address(), path, "Accept: text/html\r\n");
        assert_eq!(plain.header("cross-origin-opener-policy"), None);
        let off = page.header("permissions-policy").unwrap();
        assert!(off.contains("camera=()") && off.contains("microphone=()"), "{off}");
        assert!(page.body.starts_with("<!doctype html>") && page.body.ends_with("</html>\n"));
        for placeholder in ["%TREE%", "%NAME%", "%WELCOME%", "%PLACE%"] {
            assert!(!page.body.contains(placeholder), "{placeholder}");
        }
    }
    assert_eq!(get(house.address(), "/favicon.ico", "").status, 204, "the page has its own");
    let line = get(house.address(), "/demo", "Accept: */*\r\n");
    assert_headers(&line, &[("content-type", "text/plain; charset=utf-8")]);
    assert_eq!(get(house.address(), "/demo/", BROWSER).status, 404);
}

#[test]
fn the_organiser_s_texts_are_in_the_page_as_texts() {
    let dir = common::Folder::new();
    dir.write("index.html", "<h1>%NAME%</h1><p>%WELCOME%</p><script>%PLACE%</script>%TREE% 100%");
    let house = House::with(|config| {
        config.web_dir = Some(dir.path().to_owned());
        config.place = Place {
            name: "<script>alert(1)</script>".to_owned(),
            welcome: Some("\"%NAME%\" & 'co'".to_owned()),
            rules: vec!["</script>".to_owned()],
            minimum_age: Some(18),
            confirm: Some(Confirm::Sentence("Yes.".to_owned())),
        };
    });
    let languages = languages(&house);
    assert_eq!(
        get(house.address(), "/", BROWSER).body,
        format!(
            "<h1>&lt;script&gt;alert(1)&lt;/script&gt;</h1>\
             <p>&quot;%NAME%&quot; &amp; &#39;co&#39;</p><script>{{\"tree\":\"_/live/\",\
             \"languages\":{languages},\"name\":\"\\u003cscript>alert(1)\\u003c/script>\",\
             \"welcome\":\"\\\"%NAME%\\\" & 'co'\",\"rules\":[\"\\u003c/script>\"],\
             \"minimum_age\":18,\"confirm\":\"Yes.\"}}</script>_/live/ 100%"
        )
    );
}

/// The languages in the binary, as the page is told.
fn languages(house: &House) -> String {
    let page = get(house.address(), "/", BROWSER).body;
    let begin = page.find("\"languages\":").unwrap() + "\"languages\":".len();
    page[begin..=begin + page[begin..].find(']').unwrap()].to_owned()
}

#[test]
fn files_are_below_the_hash_and_kept_for_ever() {
    let house = House::open();
    let tree = tree(&house);
    for (path, kind) in [
        ("vyoma.js", "text/javascript"),
        ("vyoma/line.js", "text/javascript"),
        ("style.css", "text/css; charset=utf-8"),
    ] {
        let file = get(house.address(), &format!("/{tree}{path}"), "");
        assert_eq!(file.status, 200, "{path}");
        assert_headers(
            &file,
            &[
                ("content-type", kind),
                ("cache-control", "max-age=31536000, immutable"),
                ("vary", "Accept-Encoding"),
                ("x-content-type-options", "nosniff"),
                ("cross-origin-resource-policy", "same-origin"),
            ],
        );
        assert_eq!(file.header("content-encoding"), None);
    }
    let script = get(house.address(), &format!("/{tree}vyoma/line.js"), "").body;
    let source = include_str!("../../../web/vyoma/line.js");
    assert_eq!(script.lines().count(), source.lines().count(), "errors name the source's lines");
    assert!(script.len() < source.len() && !script.contains("\n//"), "{script}");

    for path in [
        "/vyoma/line.js",
        "/style.css",
        "/_/0123456789abcdef/style.css",
        "/_/live/style.css",
        "/_/style.css",
        &format!("/{tree}"),
        &format!("/{tree}index.html"),
        &format!("/{tree}README.md"),
        &format!("/{tree}package.json"),
        &format!("/{tree}vyoma"),
        &format!("/{tree}nothing.js"),
        &format!("/{tree}./style.css"),
        &format!("/{tree}x/../style.css"),
        &format!("/{tree}%73tyle.css"),
        &format!("/{tree}//style.css"),
        &format!("//{tree}style.css"),
    ] {
        let answer = get(house.address(), path, BROWSER);
        assert_eq!(answer.status, 404, "{path}");
        assert_headers(&answer, &[("cache-control", "no-cache")]);
    }
}

#[test]
fn a_file_comes_in_the_form_that_is_asked_for() {
    let house = House::open();
    let path = format!("/{}vyoma/client.js", tree(&house));
    let plain = get(house.address(), &path, "").body;
    for (accepted, encoding) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("gzip", Some("gzip")),
        ("br;q=0, gzip;q=0.1", Some("gzip")),
        ("br;q=0.1, gzip", Some("gzip")),
        ("identity", None),
        ("br;q=0, gzip;q=0", None),
        ("*;q=0", None),
        ("", None),
        ("deflate", None),
    ] {
        let file = get(house.address(), &path, &format!("Accept-Encoding: {accepted}\r\n"));
        assert_eq!(file.header("content-encoding"), encoding, "{accepted}");
        assert_eq!(file.header("vary"), Some("Accept-Encoding"));
        assert!(encoding.is_none() || file.bytes.len() * 2 < plain.len(), "{accepted}");
        assert_eq!(unpacked(encoding, &file.bytes), plain, "{accepted}");
    }
    // The page itself is filled in, so it comes in gzip only.
    let page = get(house.address(), "/", BROWSER).body;
    let packed = get(house.address(), "/", &format!("{BROWSER}Accept-Encoding: gzip, br\r\n"));
    assert_headers(
        &packed,
        &[("content-encoding", "gzip"), ("vary", "Accept, Accept-Encoding, Sec-Fetch-Mode")],
    );
    assert_eq!(unpacked(Some("gzip"), &packed.bytes), page);
}

fn unpacked(encoding: Option<&str>, bytes: &[u8]) -> String {
    let mut text = String::new();
    match encoding {
        Some("br") => brotli::Decompressor::new(bytes, 4096).read_to_string(&mut text),
        Some("gzip") => flate2::read::GzDecoder::new(bytes).read_to_string(&mut text),
        _ => return String::from_utf8(bytes.to_vec()).unwrap(),
    }
    .unwrap();
    text
}

#[test]
fn a_head_has_the_length_and_no_body() {
    let house = House::open();
    let path = format!("/{}style.css", tree(&house));
    let length = get(house.address(), &path, "").body.len();
    let head = format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let answer = ask(house.address(), head.as_bytes());
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_headers(&answer, &[("content-length", &length.to_string())]);
}

#[test]
fn applications_are_led_to_the_files_of_this_version() {
    let house = House::open();
    let tree = tree(&house);
    for name in ["vyoma.js", "conversation.js", "conversation.css", "palette.css"] {
        let answer = get(house.address(), &format!("/{name}"), "");
        assert_eq!(answer.status, 302);
        // Relative, so that it holds below a proxy's prefix, too.
        assert_headers(&answer, &[("location", &format!("{tree}{name}"))]);
        assert_headers(&answer, &[("cache-control", "no-cache")]);
    }
    assert_eq!(get(house.address(), &format!("/{tree}vyoma.js"), "").status, 200);
}

#[test]
fn a_link_to_here_is_drawn_and_no_other() {
    let house = House::open();
    let draw = |query: &str| get(house.address(), &format!("/qr.svg?{query}"), "");
    let code = draw("link=https%3A%2F%2Flocalhost%2F%3Finvite%3Dbaku-niro-zapi-tulo");
    assert_eq!(code.status, 200);
    assert_headers(&code, &[("content-type", "image/svg+xml"), ("cache-control", "no-store")]);
    assert!(code.body.starts_with("<svg ") && code.body.contains("fill=\"#000\""), "{}", code.body);
    assert_eq!(draw(&format!("link=http://localhost/{}", "a".repeat(512 - 17))).status, 200);
    for query in [
        "",
        "link=",
        "link=https://evil.example/",
        "link=https://localhost:1/",
        "link=https://localhost@evil.example/",
        "link=javascript:alert(1)//localhost/",
        "link=ws://localhost/",
        "link=http://localhost",
        "link=http://localhost/%0d%0a",
        &format!("link=http://localhost/{}", "a".repeat(513 - 17)),
    ] {
        let answer = draw(query);
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.body.ends_with(".\n"), "{}", answer.body);
    }
    let nowhere = b"GET /qr.svg?link=http:/// HTTP/1.0\r\n\r\n";
    let mut stream = common::client::Dial::default().open(house.address());
    std::io::Write::write_all(&mut stream, nowhere).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 400 "), "{answer}");
}

#[test]
fn metrics_have_a_port_without_the_page() {
    let house = House::with(|config| config.metrics_bind = Some(([127, 0, 0, 1], 0).into()));
    let scraped = house.metrics_addr().unwrap();
    for path in ["/", "/demo", "/vyoma.js", "/qr.svg?link=http://localhost/"] {
        assert_eq!(http::get(scraped, path, BROWSER).status, 404, "{path}");
    }
    assert_eq!(http::get(scraped, &format!("/{}style.css", tree(&house)), "").status, 404);
}
