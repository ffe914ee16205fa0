//! The fuzz targets' corpora, replayed on stable: what was found once stays found.

mod checks;

use std::path::Path;

/// Panics where something that must hold doesn't.
type Check = fn(&[u8]);

/// A target's name, as in fuzz/, and what it asserts.
const TARGETS: [(&str, Check); 6] = [
    ("binary_header", checks::binary_header::check),
    ("decoder", checks::decoder::check),
    ("envelope", checks::envelope::check),
    ("handshake", checks::handshake::check),
    ("relay", checks::relay::check),
    ("token", checks::token::check),
];

#[test]
fn every_input_of_every_corpus_passes() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (target, check) in TARGETS {
        let mut inputs: Vec<_> = std::fs::read_dir(corpora.join(target))
            .unwrap_or_else(|error| panic!("the corpus of {target}: {error}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "the corpus of {target} is empty");
        for input in inputs {
            println!("{}", input.display());
            check(&std::fs::read(&input).unwrap());
        }
    }
}
