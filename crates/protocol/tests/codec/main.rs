//! The codec against a naive reader of RFC 6455: whatever comes, however it is cut, and whatever
//! is ordered in between.

#[path = "../checks/mod.rs"]
mod checks;
mod decoder;
mod frames;
mod generate;
mod naive;
mod relay;
mod violations;

use proptest::prelude::ProptestConfig;

/// Ten thousand cases; a failure prints its smallest input, and writes no file.
fn many() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) }
}
