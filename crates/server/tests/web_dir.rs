//! An organiser's own directory: it comes first, and nothing outside of it is ever served.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::os::unix::fs::symlink;
use std::process::Command;

use common::http::get;
use common::{Folder, House};
use vyoma_server::{Config, Server, StartError};

const BROWSER: &str = "Accept: text/html\r\n";

fn with(dir: &Folder) -> House {
    House::with(|config| config.web_dir = Some(dir.path().to_owned()))
}

fn status(house: &House, path: &str) -> u16 {
    get(house.address(), path, BROWSER).status
}

#[test]
fn its_files_come_first_as_they_are_now_and_the_rest_is_ours() {
    let dir = Folder::new();
    let house = with(&dir);
    let style = || get(house.address(), "/_/live/style.css", "Accept-Encoding: gzip\r\n");
    let ours = style();
    assert_eq!(ours.header("content-encoding"), Some("gzip"));
    assert_eq!(ours.header("cache-control"), Some("no-cache"));
    for text in ["p { color: red }\n", "p { color: blue }\n"] {
        dir.write("style.css", text);
        let theirs = style();
        assert_eq!((theirs.status, theirs.body.as_str()), (200, text));
        assert_eq!(theirs.header("content-type"), Some("text/css; charset=utf-8"));
        assert_eq!(theirs.header("cache-control"), Some("no-cache"));
        assert_eq!(theirs.header("content-encoding"), None);
    }
    dir.remove("style.css");
    assert_eq!(style().bytes, ours.bytes);

    // Scripts of theirs are served with their comments.
    dir.write("extra/own.js", "// mine\nexport {};\n");
    assert_eq!(get(house.address(), "/_/live/extra/own.js", "").body, "// mine\nexport {};\n");
    dir.write("logo.png", "png");
    assert_eq!(
        get(house.address(), "/_/live/logo.png", "").header("content-type"),
        Some("image/png")
    );
    // One that is opened by itself may have scripts.
    dir.write("logo.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    let drawing = get(house.address(), "/_/live/logo.svg", "");
    assert!(drawing.header("content-security-policy").is_some());
    assert_eq!(status(&house, "/_/live/vyoma/line.js"), 200);
    let moved = get(house.address(), "/vyoma.js", "");
    assert_eq!(moved.header("location"), Some("_/live/vyoma.js"));
}

#[test]
fn a_page_of_its_own_is_filled_in_and_knows_its_languages() {
    let dir = Folder::new();
    let house = with(&dir);
    let page = || get(house.address(), "/", BROWSER);
    assert!(page().body.contains("href=\"_/live/style.css\""), "ours, from there");
    dir.write("index.html", "%TREE% %NAME%");
    assert_eq!(page().body, "_/live/ VyomaChat");
    dir.write("index.html", "no placeholders");
    assert_eq!(page().body, "no placeholders");
    assert!(page().header("content-security-policy").is_some());

    dir.write("index.html", "%PLACE%");
    dir.write("words/qya.js", "export default {};\n");
    dir.write("words/not a tag.js", "");
    dir.write("words/folder.js/x", "");
    let told: serde_json::Value = serde_json::from_str(&page().body).unwrap();
    let languages: Vec<_> = told["languages"].as_array().unwrap().iter().collect();
    assert!(languages.contains(&&"qya".into()), "{told}");
    assert!(!languages.contains(&&"not a tag".into()), "{told}");
    assert!(!languages.contains(&&"folder".into()), "{told}");
    assert_eq!(status(&house, "/_/live/words/qya.js"), 200);
}

#[test]
fn nothing_outside_is_served_nor_what_is_hidden() {
    let outside = Folder::new();
    outside.write("secret.js", "secret");
    outside.write("web/style.css", "inside");
    outside.write("web/.hidden.js", "secret");
    outside.write("web/.git/config.js", "secret");
    outside.write("web/notes.txt", "secret");
    outside.write("web/key", "secret");
    let web = outside.path().join("web");
    let secret = outside.path().join("secret.js");
    symlink(&secret, web.join("link.js")).unwrap();
    symlink("../secret.js", web.join("relative.js")).unwrap();
    symlink("..", web.join("up")).unwrap();
    symlink(web.join("style.css"), web.join("same.css")).unwrap();
    symlink("loop.js", web.join("loop.js")).unwrap();
    let house = House::with(|config| config.web_dir = Some(web.clone()));
    assert_eq!(get(house.address(), "/_/live/style.css", "").body, "inside");
    assert_eq!(get(house.address(), "/_/live/same.css", "").body, "inside", "a link within");
    for path in [
        "link.js",
        "relative.js",
        "up/secret.js",
        "loop.js",
        "../secret.js",
        "x/../../secret.js",
        "%2e%2e/secret.js",
        "%2e%2e%2fsecret.js",
        "..%2fsecret.js",
        "..\\secret.js",
        "....//secret.js",
        "./style.css",
        ".hidden.js",
        ".git/config.js",
        "notes.txt",
        "key",
        "",
        "up",
        "style.css/",
        "style.css/x.css",
        secret.to_str().unwrap(),
        &format!("/{}", secret.display()),
        &format!("{}.js", "a".repeat(300)),
    ] {
        let answer = get(house.address(), &format!("/_/live/{path}"), "");
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.body.contains("secret\""), "{path}");
    }
}

#[test]
fn what_is_no_file_or_too_large_is_not_served() {
    let dir = Folder::new();
    dir.write("folder.js/x", "");
    dir.write("large.css", &"a".repeat(1024 * 1024));
    dir.write("larger.css", &"a".repeat(1024 * 1024 + 1));
    // To open it would be to wait for somebody who writes.
    assert!(Command::new("mkfifo").arg(dir.path().join("pipe.js")).status().unwrap().success());
    let house = with(&dir);
    assert_eq!(status(&house, "/_/live/folder.js"), 404);
    assert_eq!(status(&house, "/_/live/pipe.js"), 404);
    assert_eq!(get(house.address(), "/_/live/large.css", "").body.len(), 1024 * 1024);
    assert_eq!(status(&house, "/_/live/larger.css"), 404);
    dir.write("words", "no folder");
    assert_eq!(status(&house, "/"), 200);
}

#[test]
fn a_directory_that_is_not_there_is_an_error_at_start() {
    let dir = Folder::new();
    dir.write("file", "");
    for name in ["nowhere", "file"] {
        let path = dir.path().join(name);
        let config = Config {
            bind: Some([127, 0, 0, 1].into()),
            port: 0,
            web_dir: Some(path.clone()),
            ..Config::default()
        };
        let error = Server::start(config).map(|_| ()).unwrap_err();
        assert!(matches!(&error, StartError::WebDir { path: told, .. } if *told == path));
        assert!(error.to_string().contains(name), "{error}");
    }
}
