//! The envelopes of `vyoma.v1`, held to the fixtures and the schema in docs/, and to properties.

#![expect(clippy::unwrap_used, reason = "helpers of tests, too")]

#[path = "../checks/mod.rs"]
mod checks;
mod fixtures;
mod properties;
mod schema;
