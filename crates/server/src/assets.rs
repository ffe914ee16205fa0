//! The files of web/ that are in the binary, and what kinds of files there are.
//!
//! Knows paths, media types and compressed forms; `build/main.rs` makes the table. Must not know who
//! asks, nor that an organiser may have files of their own.

/// The page, with its placeholders (`site::page`).
pub(crate) const PAGE: &str = include_str!("../../../web/index.html");

/// A file that anyone may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    /// Where it is in web/, such as `vyoma/line.js`.
    pub(crate) path: &'static str,
    /// What is in it.
    pub(crate) plain: &'static [u8],
    /// The same in gzip, where that is smaller.
    pub(crate) gzip: Option<&'static [u8]>,
    /// The same in Brotli, where that is smaller.
    pub(crate) brotli: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The hash of all of them together: another one, if a byte of any is another.
pub(crate) const fn hash() -> &'static str {
    HASH
}

/// The scripts that `app.js` can't begin without.
pub(crate) const fn needed() -> &'static [&'static str] {
    NEEDED
}

/// Every file, in the order of the paths.
pub(crate) const fn all() -> &'static [Asset] {
    ASSETS
}

/// The file at a path.
pub(crate) fn find(path: &str) -> Option<&'static Asset> {
    let found = ASSETS.binary_search_by(|asset| asset.path.cmp(path));
    found.ok().map(|index| &ASSETS[index])
}

/// The media type of a file by its name; `None` if such a file isn't served. Fonts and sounds are
/// left out, since the page's policy doesn't let it use them.
pub(crate) fn kind(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "jpg" | "jpeg" => "image/jpeg",
        // UTF-8 by itself (RFC 9239, section 4.2); the page has fifty of them.
        "js" => "text/javascript",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "webmanifest" => "application/manifest+json",
        "webp" => "image/webp",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_and_the_sdk_is_there_and_nothing_else() {
        for path in ["app.js", "style.css", "vyoma.js", "vyoma/line.js"] {
            assert!(find(path).is_some(), "{path}");
        }
        for path in ["", "vyoma", "vyoma/", "index.html", "README.md", "package.json", "/app.js"] {
            assert!(find(path).is_none(), "{path}");
        }
        for asset in all() {
            assert_eq!(find(asset.path).map(|found| found.path), Some(asset.path), "sorted");
            assert!(kind(asset.path).is_some(), "{}", asset.path);
            assert!(!asset.path.starts_with("node_modules/"), "{}", asset.path);
        }
    }

    #[test]
    fn what_the_page_begins_with_is_known() {
        for path in ["page/seeking.js", "vyoma.js", "vyoma/line.js", "words.js"] {
            assert!(needed().contains(&path), "{path}");
        }
        // What comes by `import()` isn't waited for.
        for path in ["app.js", "page/demo.js", "conversation.js", "words/en.js"] {
            assert!(!needed().contains(&path), "{path}");
        }
        assert!(needed().iter().all(|path| find(path).is_some()));
    }

    #[test]
    fn the_hash_can_stand_in_an_address() {
        assert_eq!(hash().len(), 16);
        assert!(hash().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
