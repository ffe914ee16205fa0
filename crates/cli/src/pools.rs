//! Pools, as people write them: `founders=scored`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use vyoma_server::{PoolConfig, Relaxation};

use crate::values::Span;

/// A pool: its name and its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PoolOption(pub(crate) PoolConfig);

/// What will do in a scored pool after which wait, in milliseconds, unless it is written otherwise: in the
/// first second only what is good, ten seconds long what fits in some way, then nearly anybody, and after 20 s
/// anybody. Measured by `crates/traces`; docs/matching.md says why these.
const USUAL: [(u64, u16); 5] = [(0, 400), (500, 300), (1000, 180), (10_000, 100), (20_000, 0)];

const USAGE: &str = "write it as NAME=open, NAME=scored, or with its steps as \
                     NAME=scored:500/300@10s/0@30s (what score of 1000 will do from which wait on)";

impl FromStr for PoolOption {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, rule) = text.split_once('=').ok_or(USAGE)?;
        let relaxation = match rule.split_once(':') {
            None if rule == "open" => None,
            None if rule == "scored" => Some(usual()),
            Some(("scored", steps)) => Some(relaxation(steps)?),
            _ => return Err(USAGE),
        };
        Ok(Self(PoolConfig { name: name.to_owned(), relaxation }))
    }
}

impl fmt::Display for PoolOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PoolConfig { name, relaxation } = &self.0;
        let Some(relaxation) = relaxation else { return write!(f, "{name}=open") };
        write!(f, "{name}=scored")?;
        for (index, (after, score)) in relaxation.steps().iter().enumerate() {
            match index {
                0 => write!(f, ":{score}")?,
                _ => write!(f, "/{score}@{}", Span(*after))?,
            }
        }
        Ok(())
    }
}

/// The pools that these make, of which the one named `default` is for who asks for none.
pub(crate) fn pools(options: &[PoolOption]) -> Vec<PoolConfig> {
    let named = |pool: &&PoolConfig| pool.name == PoolConfig::usual().name;
    let all = options.iter().map(|option| &option.0);
    let usual = all.clone().find(named).cloned().unwrap_or_else(PoolConfig::usual);
    // A second default is left in, to be refused as a name that isn't unique.
    let first = all.clone().position(|pool| named(&pool));
    let others = all.enumerate().filter(|(index, _)| Some(*index) != first);
    std::iter::once(usual).chain(others.map(|(_, pool)| pool.clone())).collect()
}

fn usual() -> Relaxation {
    let steps = USUAL.map(|(after, score)| (Duration::from_millis(after), score));
    // Its test holds it to what makes sense.
    Relaxation::new(steps.to_vec()).unwrap_or_default()
}

fn relaxation(steps: &str) -> Result<Relaxation, &'static str> {
    let mut parsed = Vec::new();
    for step in steps.split('/') {
        let (score, after) = step.split_once('@').unwrap_or((step, "0s"));
        let score: u16 = score.parse().map_err(|_| USAGE)?;
        if score > 1000 {
            return Err("a score is at most 1000");
        }
        parsed.push((after.parse::<Span>()?.0, score));
    }
    Relaxation::new(parsed)
        .ok_or("the first step needs no time, later ones rising times and falling scores")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PoolOption, &'static str> {
        text.parse()
    }

    #[test]
    fn pools_are_read_as_they_are_shown() {
        for text in
            ["a=open", "b=scored:500/300@10s/100@20s/0@30s", "c=scored:0", "d=scored:1000/1@1h"]
        {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        let usual = "b=scored:400/300@500ms/180@1s/100@10s/0@20s";
        assert_eq!(parse("b=scored").unwrap().to_string(), usual);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "founders",
            "a=closed",
            "a=open:500",
            "a=scored:",
            "a=scored:1001",
            "a=scored:500@1s",
            "a=scored:500/600@1s",
            "a=scored:500/400@5s/300@5s",
            "a=scored:500/400@5",
            "a=scored:x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_default_pool_comes_first_and_may_be_scored() {
        let pools = |texts: &[&str]| {
            let options: Vec<_> = texts.iter().map(|text| parse(text).unwrap()).collect();
            super::pools(&options).iter().map(|pool| pool.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(pools(&[]), ["default"]);
        assert_eq!(pools(&["a=open", "default=scored", "b=scored"]), ["default", "a", "b"]);
        assert_eq!(pools(&["default=open", "default=open"]).len(), 2);
    }
}
