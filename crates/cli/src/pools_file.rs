//! Pools, as a file declares them: a table each.
//!
//! Knows the file's form. What makes sense of a rule is as on the command line (`pools`).

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use vyoma_server::PoolConfig;

use crate::pools::named_rule;
use crate::values::Span;

/// A pool's table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rule: String,
    steps: Option<String>,
    cooldown: Option<String>,
}

/// The pools that a file declares, by name.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<PoolConfig>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    parse(&text).with_context(|| shown.to_string())
}

fn parse(text: &str) -> anyhow::Result<Vec<PoolConfig>> {
    let tables: BTreeMap<String, Table> = toml::from_str(text)?;
    let told = |name: &str, (key, why)| anyhow!("{name}.{key}: {why}");
    let pools = tables.iter().map(|(name, table)| pool(name, table).map_err(|it| told(name, it)));
    pools.collect()
}

/// A pool, or the key that is wrong and what would be right.
fn pool(name: &str, table: &Table) -> Result<PoolConfig, (&'static str, &'static str)> {
    const RULE: &str = "must be open, scored or invite-only, and only scored has steps";
    if !PoolConfig::is_name(name) {
        return Err(("(name)", "a pool's name is 1 to 32 of a-z, 0-9 and _"));
    }
    let rule = named_rule(&table.rule, table.steps.as_deref()).ok_or(("rule", RULE))?;
    let rule = rule.map_err(|why| ("steps", why))?;
    let cooldown = table.cooldown.as_deref().map(str::parse::<Span>).transpose();
    let cooldown = cooldown.map_err(|why| ("cooldown", why))?.map(|span| span.0);
    Ok(PoolConfig { cooldown, ..PoolConfig::new(name, rule) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use vyoma_server::{Relaxation, Rule};

    fn parsed(text: &str) -> Result<Vec<PoolConfig>, String> {
        parse(text).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_table_is_a_pool() {
        let text = "
            [lounge]
            rule = \"open\"

            [founders] # profiles decide
            rule = \"scored\"
            steps = \"600/0@1m\"
            cooldown = \"1h\"

            [team]
            rule = \"invite-only\"
            cooldown = \"0s\"
        ";
        let steps = vec![(Duration::ZERO, 600), (Duration::from_secs(60), 0)];
        let founders = Rule::Scored(Relaxation::new(steps).unwrap());
        let cooldown =
            |pool, seconds| PoolConfig { cooldown: Some(Duration::from_secs(seconds)), ..pool };
        assert_eq!(
            parsed(text),
            Ok(vec![
                cooldown(PoolConfig::new("founders", founders), 3600),
                PoolConfig::new("lounge", Rule::Open),
                cooldown(PoolConfig::new("team", Rule::InviteOnly), 0),
            ])
        );
        assert_eq!(parsed(""), Ok(vec![]));
    }

    #[test]
    fn an_error_names_the_file_the_key_and_what_would_be_right() {
        for (text, said) in [
            ("[a]\nrule = \"closed\"", &["a.rule", "open, scored or invite-only"][..]),
            ("[a]\nrule = \"open\"\nsteps = \"500\"", &["a.rule", "only scored has steps"]),
            ("[a]\nrule = \"scored\"\nsteps = \"5oo\"", &["a.steps", "500/300@10s/0@30s"]),
            ("[a]\nrule = \"scored\"\nsteps = \"500/600@1s\"", &["a.steps", "falling scores"]),
            ("[a]\nrule = \"open\"\ncooldown = \"10\"", &["a.cooldown", "500ms, 25s"]),
            ("[A]\nrule = \"open\"", &["A.(name)", "a-z"]),
            ("[a]\ncooldown = \"1m\"", &["line 1", "missing field `rule`"]),
            (
                "[a]\nrule = \"open\"\nscore = 1",
                &["line 3", "score", "`rule`, `steps`, `cooldown`"],
            ),
            ("[a]\nrule = 7", &["line 2", "expected a string"]),
            ("[a]\nrule = \"open\"\n[a]\nrule = \"open\"", &["line 3", "duplicate"]),
            ("rule = \"open\"", &["line 1", "expected struct Table"]),
            ("[a", &["line 1"]),
        ] {
            let error = parsed(text).unwrap_err();
            said.iter().for_each(|word| assert!(error.contains(word), "{text}\n{error}"));
        }
        let nowhere = format!("{:#}", read(Path::new("no/such/file.toml")).unwrap_err());
        assert!(nowhere.starts_with("cannot read no/such/file.toml: "), "{nowhere}");
        let wrong = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let wrong = format!("{:#}", read(&wrong).unwrap_err());
        assert!(wrong.contains("Cargo.toml: TOML parse error at line"), "{wrong}");
    }
}
