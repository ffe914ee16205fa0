//! The page and its files as this server has them: what is in the binary, the organiser's texts, and
//! the organiser's files, which come first.
//!
//! Knows addresses within the site. Must not know HTTP.

mod disk;
mod page;

use std::io;
use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;

use crate::assets::{self, Asset};
use crate::config::Config;
use crate::place::Place;
use disk::{Disk, Unreadable};
use page::Page;

/// Where applications find the SDK and the conversation, whatever the hash.
const STABLE: [&str; 4] = ["vyoma.js", "conversation.js", "conversation.css", "palette.css"];

/// The page's name, in web/ and in an organiser's directory.
const INDEX: &str = "index.html";

/// All that is served of the page.
pub(crate) struct Site {
    /// What the addresses of all files begin with: `_/`, and something that changes with them.
    tree: String,
    place: Place,
    /// The page in the binary, filled in.
    page: File,
    disk: Option<Arc<Disk>>,
}

/// A file, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Its media type.
    pub(crate) kind: &'static str,
    pub(crate) plain: Bytes,
    pub(crate) gzip: Option<Bytes>,
    pub(crate) brotli: Option<Bytes>,
    /// Whether its address will never have anything else.
    pub(crate) lasting: bool,
}

impl Site {
    /// Reads nothing but whether the organiser's directory is there.
    ///
    /// # Errors
    /// If it isn't.
    pub(crate) fn open(config: &Config) -> io::Result<Self> {
        let disk = config.web_dir.as_deref().map(Disk::open).transpose()?.map(Arc::new);
        let tree = match disk {
            Some(_) => "_/live/".to_owned(),
            None => format!("_/{}/", assets::hash()),
        };
        let place = config.place.clone();
        let languages = page::languages(assets::all().iter().map(|asset| asset.path));
        let needed = assets::needed();
        let rendered = Page { tree: &tree, place: &place, languages, needed }.render(assets::PAGE);
        let page = File { gzip: Some(gzip(&rendered)?), ..changing(INDEX, rendered.into()) };
        Ok(Self { tree, place, page, disk })
    }

    /// The page.
    ///
    /// # Errors
    /// If the organiser's can't be read.
    pub(crate) async fn page(&self) -> Result<File, Unreadable> {
        let Some(disk) = &self.disk else { return Ok(self.page.clone()) };
        let (template, words) = disk.page().await?;
        let ours = assets::all().iter().map(|asset| asset.path);
        let languages = page::languages(ours.chain(words.iter().map(String::as_str)));
        let needed = assets::needed();
        let page = Page { tree: &self.tree, place: &self.place, languages, needed };
        let rendered = match template.as_deref().map(String::from_utf8_lossy) {
            Some(template) => page.render(&template),
            None => page.render(assets::PAGE),
        };
        Ok(changing(INDEX, disk.share(INDEX, rendered.into())))
    }

    /// The file at a path of the server; `None` if there is none.
    ///
    /// # Errors
    /// If it is the organiser's, and can't be read.
    pub(crate) async fn file(&self, path: &str) -> Result<Option<File>, Unreadable> {
        let path = path.strip_prefix('/').and_then(|path| path.strip_prefix(self.tree.as_str()));
        let Some(path) = path.filter(|path| is_sound(path) && *path != INDEX) else {
            return Ok(None);
        };
        if assets::kind(path).is_none() {
            return Ok(None);
        }
        if let Some(disk) = &self.disk
            && let Some(body) = disk.read(path).await?
        {
            return Ok(Some(changing(path, disk.share(path, body))));
        }
        Ok(assets::find(path).map(|asset| embedded(asset, self.disk.is_none())))
    }

    /// Where a file is now that applications ask for by its name alone, relative to where they ask.
    pub(crate) fn stable(&self, path: &str) -> Option<String> {
        let name = path.strip_prefix('/')?;
        STABLE.contains(&name).then(|| format!("{}{name}", self.tree))
    }
}

/// Segments of `[A-Za-z0-9_.-]`, none of which begins with a dot: nothing that a file system, or a
/// reader of percent signs, could take for something else.
fn is_sound(path: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    path.split('/').all(|segment| {
        !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(sound)
    })
}

/// A file that may be another one at the next request.
fn changing(path: &str, plain: Bytes) -> File {
    let kind = assets::kind(path).unwrap_or_default();
    File { kind, plain, gzip: None, brotli: None, lasting: false }
}

fn embedded(asset: &'static Asset, lasting: bool) -> File {
    File {
        gzip: asset.gzip.map(Bytes::from_static),
        brotli: asset.brotli.map(Bytes::from_static),
        lasting,
        ..changing(asset.path, Bytes::from_static(asset.plain))
    }
}

fn gzip(text: &str) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_path_means_one_thing() {
        for path in ["a.js", "vyoma/line.js", "words/pt-BR.js", "A_1.css", "a..b"] {
            assert!(is_sound(path), "{path}");
        }
        for path in [
            "", "/", "/a.js", "a//b.js", "a/", "..", "../a", "a/../b", ".a", "a/.b", "a%2fb",
            "a\\b",
        ] {
            assert!(!is_sound(path), "{path}");
        }
    }

    #[tokio::test]
    async fn the_page_names_the_tree_and_only_that_tree_is_there() {
        let site = Site::open(&Config::default()).unwrap();
        let page = site.page().await.unwrap();
        let tree = format!("_/{}/", assets::hash());
        assert!(
            String::from_utf8_lossy(&page.plain).contains(&format!("href=\"{tree}style.css\""))
        );
        let script = site.file(&format!("/{tree}app.js")).await.unwrap().unwrap();
        assert!(script.lasting && script.brotli.is_some() && script.gzip.is_some());
        for path in ["/app.js", "/_/0123456789abcdef/app.js", "/_/live/app.js"] {
            assert!(site.file(path).await.unwrap().is_none(), "{path}");
        }
        assert!(site.file(&format!("/{tree}index.html")).await.unwrap().is_none());
        assert_eq!(site.stable("/vyoma.js"), Some(format!("{tree}vyoma.js")));
        assert_eq!(site.stable("/app.js"), None);
    }
}
