//! The page and the JavaScript SDK, as they are in web/.
//!
//! Knows their paths and media types. Must not know who asks for them.

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// The page, for browsers that open `/`.
pub(crate) const PAGE: &str = include_str!("../../../web/index.html");

/// A file that anyone may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    /// The path under which it is asked for; in web/ it has the same.
    pub(crate) path: &'static str,
    /// Its media type.
    pub(crate) kind: &'static str,
    /// What is in it.
    pub(crate) body: &'static str,
}

/// The asset at a path.
pub(crate) fn find(path: &str) -> Option<Asset> {
    ASSETS.iter().copied().find(|asset| asset.path == path)
}

macro_rules! assets {
    ($($kind:ident $path:literal)+) => {
        &[$(Asset { path: $path, kind: $kind, body: include_str!(concat!("../../../web", $path)) },)+]
    };
}

const ASSETS: &[Asset] = assets! {
    SCRIPT "/app.js"
    STYLE "/style.css"
    SCRIPT "/vyoma.js"
    SCRIPT "/vyoma/asking.js"
    SCRIPT "/vyoma/backoff.js"
    SCRIPT "/vyoma/client.js"
    SCRIPT "/vyoma/driver.js"
    SCRIPT "/vyoma/ends.js"
    SCRIPT "/vyoma/envelopes.js"
    SCRIPT "/vyoma/errors.js"
    SCRIPT "/vyoma/hearing.js"
    SCRIPT "/vyoma/inbox.js"
    SCRIPT "/vyoma/inviting.js"
    SCRIPT "/vyoma/json.js"
    SCRIPT "/vyoma/line.js"
    SCRIPT "/vyoma/outbox.js"
    SCRIPT "/vyoma/place.js"
    SCRIPT "/vyoma/pulse.js"
    SCRIPT "/vyoma/receipts.js"
    SCRIPT "/vyoma/refused.js"
    SCRIPT "/vyoma/resuming.js"
    SCRIPT "/vyoma/saved.js"
    SCRIPT "/vyoma/saying.js"
    SCRIPT "/vyoma/session.js"
    SCRIPT "/vyoma/settings.js"
    SCRIPT "/vyoma/storage.js"
    SCRIPT "/vyoma/typing.js"
    SCRIPT "/vyoma/values.js"
    SCRIPT "/vyoma/watching.js"
    SCRIPT "/vyoma/wishes.js"
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// The scripts and styles in a folder of web/, as paths to ask for.
    fn files(folder: &str) -> BTreeSet<String> {
        let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
        let entries = std::fs::read_dir(web.join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.ends_with(".js") || name.ends_with(".css"))
            .map(|name| format!("/{folder}{name}"))
            .collect()
    }

    #[test]
    fn every_file_of_the_page_and_the_sdk_is_served() {
        let served: BTreeSet<_> = ASSETS.iter().map(|asset| asset.path.to_owned()).collect();
        assert_eq!(served, &files("") | &files("vyoma/"));
        assert_eq!(served.len(), ASSETS.len(), "one is there twice");
        assert!(find("/vyoma/").is_none() && find("/index.html").is_none());
    }
}
