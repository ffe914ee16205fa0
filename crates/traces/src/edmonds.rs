//! Maximum-weight matching on general graphs, exactly: Edmonds' primal-dual method.
//!
//! Knows vertices, edges and weights. Must not know what they stand for.
//!
//! Each vertex has a price, and each blossom (an odd set of vertices that is matched within but for one)
//! a charge; an edge's *slack* is what the prices of its ends exceed its weight by, and never negative.
//! Alternating trees grow from all free vertices along edges without slack. Where two trees meet, the
//! path between their roots is turned over, which makes a pair more; where a tree meets itself, an odd
//! cycle becomes a blossom, and is one node from then on. Where nothing can be done, prices move until
//! something can, or the price of what is free is 0. Then prices and charges sum up to the weight of
//! the matching, and no matching weighs more than that (J. Edmonds, "Maximum matching and a polyhedron
//! with 0,1-vertices", 1965).
//!
//! Two things make it short and quick enough here: weights are small whole numbers, so prices move at
//! most a few thousand times, and looking at all edges each time is affordable; and when two trees are
//! done, only they are taken down, and all others go on growing.

mod blossom;
mod forest;

use forest::Forest;

/// An edge between two different vertices, and its weight, more than 0.
pub type Edge = (u32, u32, u32);

/// A matching of the most weight, and the proof of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// Each vertex' partner.
    pub mates: Vec<Option<usize>>,
    /// The sum of the weights of the edges that were taken.
    pub weight: u64,
    /// The sum of prices and charges, halved: no matching weighs more. It is `weight`.
    pub bound: u64,
    /// Each vertex' price, in halves of the unit of weight: the two of an edge sum up to at least twice
    /// its weight, except within a blossom.
    pub prices: Vec<i64>,
}

/// A matching of the most weight in a graph of so many vertices. At most one edge between any two.
pub fn matching(vertices: usize, edges: &[Edge]) -> Matching {
    let mut forest = Forest::new(vertices, edges);
    while forest.grow() {}
    let weight = edges.iter().filter(|(a, b, _)| forest.mates[*a as usize] == Some(*b as usize));
    Matching {
        weight: weight.map(|(_, _, weight)| u64::from(*weight)).sum(),
        bound: forest.bound(),
        mates: forest.mates,
        prices: forest.prices,
    }
}
