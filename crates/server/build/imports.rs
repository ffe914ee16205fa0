//! Which scripts a script needs before it runs, so that a page can ask for all of them at once.
//!
//! Knows static imports, each of which has its `from "…";` at the end of a line. Must not know what is
//! imported; what `import(…)` asks for comes when it is wanted.

use std::collections::{BTreeMap, BTreeSet};

/// All that `first` imports, and what those import, and so on; `scripts` by their paths, without comments.
///
/// # Errors
/// What is imported and not there.
pub(crate) fn closure(
    first: &str,
    scripts: &BTreeMap<String, String>,
) -> Result<Vec<String>, String> {
    let mut found = BTreeSet::new();
    let mut rest = vec![first.to_owned()];
    while let Some(path) = rest.pop() {
        let script =
            scripts.get(&path).ok_or_else(|| format!("web/{path} is imported, and not there"))?;
        for import in imports(script) {
            let target = resolve(&path, import);
            if found.insert(target.clone()) {
                rest.push(target);
            }
        }
    }
    Ok(found.into_iter().collect())
}

fn imports(script: &str) -> impl Iterator<Item = &str> {
    script.lines().filter_map(|line| {
        let (_, target) = line.strip_suffix("\";")?.rsplit_once("from \"")?;
        target.starts_with('.').then_some(target)
    })
}

/// `../vyoma.js`, as `page/seeking.js` imports it, is `vyoma.js`.
fn resolve(from: &str, import: &str) -> String {
    let mut folders: Vec<&str> = from.split('/').collect();
    folders.pop();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => drop(folders.pop()),
            part => folders.push(part),
        }
    }
    folders.join("/")
}
