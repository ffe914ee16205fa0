//! The exact matching against all matchings of small graphs.

use proptest::prelude::*;
use vyoma_traces::edmonds::{Edge, matching};

/// The most weight, by trying for the first vertex all that it could be matched with.
fn by_force(vertices: u32, edges: &[Edge], taken: u32) -> u64 {
    let Some(first) = (0..vertices).find(|vertex| taken & (1 << vertex) == 0) else { return 0 };
    let taken = taken | 1 << first;
    let others = edges.iter().filter_map(|(a, b, weight)| {
        let other = if *a == first { *b } else { *a };
        let free = (*a == first || *b == first) && taken & (1 << other) == 0;
        free.then(|| u64::from(*weight) + by_force(vertices, edges, taken | 1 << other))
    });
    others.max().unwrap_or_default().max(by_force(vertices, edges, taken))
}

/// Graphs of up to eleven vertices; few weights make many ties, and so many blossoms.
fn graphs() -> impl Strategy<Value = (u32, Vec<Edge>)> {
    (1..12_u32, prop_oneof![Just(3_u32), Just(40), Just(1000)]).prop_flat_map(|(vertices, most)| {
        let pairs = (vertices * (vertices - 1) / 2) as usize;
        let weights = proptest::collection::vec(proptest::option::of(1..=most), pairs);
        weights.prop_map(move |weights| {
            let pairs = (0..vertices).flat_map(|b| (0..b).map(move |a| (a, b)));
            let edges = pairs.zip(weights);
            (vertices, edges.filter_map(|((a, b), weight)| Some((a, b, weight?))).collect())
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]
    #[test]
    fn no_matching_weighs_more((vertices, edges) in graphs()) {
        let found = matching(vertices as usize, &edges);
        prop_assert_eq!(found.weight, by_force(vertices, &edges, 0));
        prop_assert_eq!(found.bound, found.weight, "the proof of it");
        for (vertex, mate) in found.mates.iter().enumerate() {
            if let Some(mate) = mate {
                prop_assert_eq!(found.mates[*mate], Some(vertex));
            }
        }
    }
}

/// Larger than force can try: the bound is the proof.
#[test]
fn weight_and_bound_are_the_same_in_large_graphs() {
    let mut rng = fastrand::Rng::with_seed(4);
    for most in [1, 5, 1000] {
        let edges: Vec<Edge> = (0..300_u32)
            .flat_map(|b| (0..b).map(move |a| (a, b)))
            .filter(|_| rng.u8(..) < 12)
            .collect::<Vec<_>>()
            .into_iter()
            .map(|(a, b)| (a, b, rng.u32(1..=most)))
            .collect();
        let found = matching(300, &edges);
        assert_eq!(found.weight, found.bound, "{most}");
        assert!(found.weight > 0);
    }
}
