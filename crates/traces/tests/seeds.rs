//! A seed tells everything: the same one gives the same report.

use vyoma_traces::crowd::Rhythm;
use vyoma_traces::study::{World, study};
use vyoma_traces::{plot, report};

#[test]
fn the_same_seeds_give_the_same_report() {
    let world = World { title: "3 a second", rhythm: Rhythm::Poisson(3.0), people: 200 };
    let report = |seeds: &[u64]| {
        let studies = [study(&world, seeds, || ())];
        (report::figures(&studies, seeds), plot::draw(&studies))
    };
    assert_eq!(report(&[7, 8]), report(&[7, 8]));
    assert_ne!(report(&[7, 8]).1, report(&[9, 10]).1);
}
