//! Pools, as people write them: `founders=scored`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use vyoma_server::{OnDemand, PoolConfig, Relaxation, Rule};

use crate::values::Span;

/// A pool: its name and its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PoolOption(pub(crate) PoolConfig);

/// Pools on demand: how many, and their rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnDemandOption(pub(crate) OnDemand);

/// What will do in a scored pool after which wait, in milliseconds, unless it is written otherwise: in the
/// first second only what is good, ten seconds long what fits in some way, then nearly anybody, and after 20 s
/// anybody. Measured by `crates/traces`; docs/matching.md says why these.
const USUAL: [(u64, u16); 5] = [(0, 400), (500, 300), (1000, 180), (10_000, 100), (20_000, 0)];

const USAGE: &str = "write it as NAME=open, NAME=invite-only, NAME=scored, or with its steps as \
                     NAME=scored:500/300@10s/0@30s (what score of 1000 will do from which wait on)";

const STEPS: &str =
    "write steps as 500/300@10s/0@30s (what score of 1000 will do from which wait on)";

const ON_DEMAND: &str =
    "write it as the most pools at once, such as 100, or with their rule as 100=scored";

impl FromStr for PoolOption {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, written) = text.split_once('=').ok_or(USAGE)?;
        Ok(Self(PoolConfig::new(name, rule(written)?)))
    }
}

impl FromStr for OnDemandOption {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (most, written) = text.split_once('=').unwrap_or((text, "open"));
        let most = most.parse().map_err(|_| ON_DEMAND)?;
        Ok(Self(OnDemand { most, rule: rule(written)? }))
    }
}

impl fmt::Display for PoolOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.0.name, Shown(&self.0.rule))
    }
}

impl fmt::Display for OnDemandOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.0.most, Shown(&self.0.rule))
    }
}

/// A rule, as it is written.
struct Shown<'a>(&'a Rule);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relaxation = match self.0 {
            Rule::Open => return f.write_str("open"),
            Rule::InviteOnly => return f.write_str("invite-only"),
            Rule::Scored(relaxation) => relaxation,
        };
        f.write_str("scored")?;
        for (index, (after, score)) in relaxation.steps().iter().enumerate() {
            match index {
                0 => write!(f, ":{score}")?,
                _ => write!(f, "/{score}@{}", Span(*after))?,
            }
        }
        Ok(())
    }
}

/// The rule that is written like this, with its steps if it has some.
fn rule(text: &str) -> Result<Rule, &'static str> {
    let (name, steps) = text.split_once(':').map_or((text, None), |(name, it)| (name, Some(it)));
    named_rule(name, steps).ok_or(USAGE)?
}

/// The rule of this name; `None` if there is none, or it has no steps.
pub(crate) fn named_rule(name: &str, steps: Option<&str>) -> Option<Result<Rule, &'static str>> {
    match (name, steps) {
        ("open", None) => Some(Ok(Rule::Open)),
        ("invite-only", None) => Some(Ok(Rule::InviteOnly)),
        ("scored", None) => Some(Ok(Rule::Scored(usual()))),
        ("scored", Some(steps)) => Some(relaxation(steps).map(Rule::Scored)),
        _ => None,
    }
}

/// The pools that these make, of which the one named `default` is for who asks for none.
pub(crate) fn pools(options: &[PoolConfig]) -> Vec<PoolConfig> {
    let named = |pool: &&PoolConfig| pool.name == PoolConfig::usual().name;
    let all = options.iter();
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
        let score: u16 = score.parse().map_err(|_| STEPS)?;
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
        for text in [
            "a=open",
            "e=invite-only",
            "b=scored:500/300@10s/100@20s/0@30s",
            "c=scored:0",
            "d=scored:1000/1@1h",
        ] {
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
            "a=invite-only:500",
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
    fn pools_on_demand_are_so_many_and_open_unless_written_otherwise() {
        let parse = |text: &str| text.parse::<OnDemandOption>();
        for (text, shown) in
            [("7", "7=open"), ("0=open", "0=open"), ("9=scored:500/0@5s", "9=scored:500/0@5s")]
        {
            assert_eq!(parse(text).unwrap().to_string(), shown);
        }
        for text in ["", "many", "-1", "7=", "7=closed", "=open"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_default_pool_comes_first_and_may_be_scored() {
        let pools = |texts: &[&str]| {
            let options: Vec<_> = texts.iter().map(|text| parse(text).unwrap().0).collect();
            super::pools(&options).iter().map(|pool| pool.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(pools(&[]), ["default"]);
        assert_eq!(pools(&["a=open", "default=scored", "b=scored"]), ["default", "a", "b"]);
        assert_eq!(pools(&["default=open", "default=open"]).len(), 2);
    }
}
