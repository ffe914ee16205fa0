//! Puts the files of web/ into the server: a table of them, compressed in advance, and the hash that
//! their addresses begin with.
//!
//! Knows which files belong to the page, and how they are packed. Must not know who asks for them,
//! nor what is in them.

mod imports;
mod strip;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// From this crate's folder, in which Cargo runs the script.
const WEB: &str = "../../web";

/// What a browser may ask for.
const EXTENSIONS: [&str; 5] = ["css", "html", "js", "svg", "webmanifest"];

/// In web/ itself: the page, which names the hash and so can't be part of it, and what is there for
/// those who work on the files.
const LEFT_OUT: [&str; 3] = ["index.html", "node_modules", "types"];

/// Where the page's script begins.
const ENTRY: &str = "app.js";

/// Digits of the hash in the addresses: 64 bits, so no two versions share one by accident.
const DIGITS: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut paths = Vec::new();
    collect(Path::new(WEB), "", &mut paths)?;
    paths.sort();
    let mut hash = Sha256::new();
    let mut rows = String::new();
    let mut scripts = BTreeMap::new();
    for (number, path) in paths.iter().enumerate() {
        let body = served(path)?;
        for part in [path.as_bytes(), &body] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let row = pack(&out, number, path, &body)?;
        writeln!(rows, "    {row},")?;
        if path.ends_with(".js") {
            scripts.insert(path.clone(), String::from_utf8(body)?);
        }
    }
    let mut digits = String::new();
    for byte in hash.finalize() {
        write!(digits, "{byte:02x}")?;
    }
    let digits = &digits[..DIGITS];
    let needed = imports::closure(ENTRY, &scripts)?;
    let table = format!(
        "const HASH: &str = {digits:?};\n\nconst NEEDED: &[&str] = &{needed:?};\n\n\
         const ASSETS: &[Asset] = &[\n{rows}];\n"
    );
    Ok(fs::write(out.join("assets.rs"), table)?)
}

/// Adds the paths of the files in a folder of web/, as they are asked for: `vyoma/line.js`.
fn collect(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|name| format!("{name:?} in web/"))?;
        let left_out = prefix.is_empty() && LEFT_OUT.contains(&name.as_str());
        if left_out || name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), paths)?;
        } else if name.rsplit_once('.').is_some_and(|(_, kind)| EXTENSIONS.contains(&kind)) {
            paths.push(path);
        }
    }
    Ok(())
}

/// A file as it is served.
fn served(path: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let source = Path::new(WEB).join(path);
    println!("cargo::rerun-if-changed={}", source.display());
    if !path.ends_with(".js") {
        return Ok(fs::read(source)?);
    }
    let stripped = strip::strip(&fs::read_to_string(source)?);
    Ok(stripped.map_err(|line| format!("web/{path}:{line}: {}", strip::RULE))?.into_bytes())
}

/// Writes a file and its compressed forms beside the table; returns its row.
fn pack(out: &Path, number: usize, path: &str, body: &[u8]) -> io::Result<String> {
    let keep = |form: &str, bytes: &[u8]| {
        let name = format!("{number}.{form}");
        fs::write(out.join(&name), bytes)?;
        Ok::<_, io::Error>(format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\"))"))
    };
    let smaller = |form: &str, bytes: Vec<u8>| {
        let worth_it = bytes.len() < body.len();
        Ok::<_, io::Error>(match worth_it.then(|| keep(form, &bytes)).transpose()? {
            Some(included) => format!("Some({included})"),
            None => "None".to_owned(),
        })
    };
    let (plain, gzip, brotli) =
        (keep("plain", body)?, smaller("gzip", gzip(body)?)?, smaller("br", brotli(body)?)?);
    Ok(format!("Asset {{ path: {path:?}, plain: {plain}, gzip: {gzip}, brotli: {brotli} }}"))
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body)?;
    encoder.finish()
}

fn brotli(mut body: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut body, &mut packed, &brotli::enc::BrotliEncoderParams::default())?;
    Ok(packed)
}
