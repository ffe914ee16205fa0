#![no_main]
//! See `check` in crates/protocol/tests/checks/token.rs.

#[path = "../../crates/protocol/tests/checks/mod.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::token::check(data));
