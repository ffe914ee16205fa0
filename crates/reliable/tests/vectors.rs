//! docs/vectors: what every SDK does, step by step; none is skipped.

#![expect(clippy::unwrap_used, reason = "helpers of tests, too")]

#[path = "vectors/run.rs"]
mod run;

use std::collections::BTreeSet;

use serde_json::Value;

#[test]
fn every_vector_is_followed_to_the_byte() {
    let mut names = BTreeSet::new();
    for (file, vectors) in run::files() {
        for vector in vectors.as_array().unwrap() {
            let name = vector["name"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{file}: {name} comes twice");
            follow(&format!("{file}: {name}"), vector);
        }
    }
    assert!(names.len() >= 130, "only {} vectors were found", names.len());
}

fn follow(name: &str, vector: &Value) {
    let mut run = run::Run::new(vector);
    for (index, step) in vector["steps"].as_array().unwrap().iter().enumerate() {
        let at = format!("{name}, step {index} ({} at {})", step["do"], step["at"]);
        let known =
            ["at", "do", "expect", "returns", "deadline"].into_iter().chain(run::arguments(step));
        let known: BTreeSet<_> = known.collect();
        let keys: BTreeSet<_> = step.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(keys.is_subset(&known), "{at}: {keys:?}");
        let seen = run.step(step);
        let none = Value::Array(Vec::new());
        let expected = step.get("expect").unwrap_or(&none);
        assert_eq!(&seen.actions, expected, "{at}");
        assert_eq!(seen.returned, step["returns"], "{at}: what it returned");
        if let Some(deadline) = step.get("deadline") {
            assert_eq!(&seen.deadline, deadline, "{at}: deadline");
        }
    }
}
