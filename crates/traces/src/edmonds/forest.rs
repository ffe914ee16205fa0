//! Alternating trees, and the prices that let them grow.
//!
//! Knows nodes, edges without slack, and who is matched. Must not know how blossoms are kept.

use super::Edge;
use super::blossom::{Blossom, Node, Nodes};

/// What a node is in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// In none.
    Outside,
    /// At an even distance from the root: it looks for edges.
    Outer,
    /// At an odd distance: it was reached by one.
    Inner,
}

pub(super) struct Forest<'a> {
    edges: &'a [Edge],
    nodes: Nodes,
    pub(super) mates: Vec<Option<usize>>,
    /// Twice the price of each vertex.
    pub(super) prices: Vec<i64>,
    // Of each node that isn't within another:
    role: Vec<Role>,
    /// The edge that leads to it from its parent: its end there, and its end here.
    from: Vec<Option<(usize, usize)>>,
    root: Vec<Node>,
}

impl<'a> Forest<'a> {
    pub(super) fn new(vertices: usize, edges: &'a [Edge]) -> Self {
        let most = edges.iter().map(|(_, _, weight)| *weight).max().unwrap_or_default();
        Self {
            edges,
            nodes: Nodes::new(vertices),
            mates: vec![None; vertices],
            prices: vec![i64::from(most); vertices],
            role: vec![Role::Outer; vertices],
            from: vec![None; vertices],
            root: (0..vertices).collect(),
        }
    }

    /// Half of all prices and charges: what no matching exceeds.
    pub(super) fn bound(&self) -> u64 {
        let charges = self.nodes.blossoms().map(|(node, blossom)| {
            let pairs = (self.nodes.within(node).len() / 2) as i64;
            blossom.charge * pairs
        });
        let sum = self.prices.iter().sum::<i64>() + charges.sum::<i64>();
        (sum / 2) as u64
    }

    /// Does all that can be done at these prices, or moves them; false when all is done.
    pub(super) fn grow(&mut self) -> bool {
        let mut acted = false;
        // By how much the prices can fall before an edge has no slack left.
        let mut least = i64::MAX;
        let edges = self.edges;
        for (a, b, weight) in edges.iter().copied() {
            let (a, b) = (a as usize, b as usize);
            let [top_a, top_b] = [self.nodes.top[a], self.nodes.top[b]];
            let roles = (self.role[top_a], self.role[top_b]);
            let (outer, other, both) = match roles {
                (Role::Outer, Role::Outer) if top_a != top_b => (a, b, true),
                (Role::Outer, Role::Outside) => (a, b, false),
                (Role::Outside, Role::Outer) => (b, a, false),
                _ => continue,
            };
            let slack = self.prices[a] + self.prices[b] - 2 * i64::from(weight);
            if slack > 0 {
                least = least.min(if both { slack / 2 } else { slack });
                continue;
            }
            acted = true;
            match both {
                true => self.meet(outer, other),
                false => self.reach(outer, other),
            }
        }
        acted |= self.expand();
        acted || self.reprice(least)
    }

    /// A tree reaches a node outside, and with it that one's mate.
    fn reach(&mut self, outer: usize, other: usize) {
        let root = self.root[self.nodes.top[outer]];
        let node = self.nodes.top[other];
        self.enter(node, Role::Inner, Some((outer, other)), root);
        let base = self.nodes.base[node];
        // Whoever is outside is matched: all free ones are roots.
        if let Some(mate) = self.mates[base] {
            self.enter(self.nodes.top[mate], Role::Outer, Some((base, mate)), root);
        }
    }

    fn enter(&mut self, node: Node, role: Role, from: Option<(usize, usize)>, root: Node) {
        self.role[node] = role;
        self.from[node] = from;
        self.root[node] = root;
    }

    /// Two outer nodes are beside each other: of two trees, or of one.
    fn meet(&mut self, a: usize, b: usize) {
        let roots = [a, b].map(|vertex| self.root[self.nodes.top[vertex]]);
        if roots[0] == roots[1] {
            return self.shrink(a, b);
        }
        self.turn(a, b);
        self.turn(b, a);
        for node in 0..self.nodes.len() {
            if self.nodes.is_top(node) && roots.contains(&self.root[node]) {
                self.role[node] = Role::Outside;
            }
        }
    }

    /// Matches a vertex of an outer node with another, and all on the way to its root anew.
    fn turn(&mut self, mut vertex: usize, mut partner: usize) {
        loop {
            let outer = self.nodes.top[vertex];
            self.nodes.rebase(outer, vertex, &mut self.mates);
            self.mates[vertex] = Some(partner);
            let Some((mate, _)) = self.from[outer] else { return };
            let inner = self.nodes.top[mate];
            let Some((above, below)) = self.from[inner] else { return };
            self.nodes.rebase(inner, below, &mut self.mates);
            self.mates[below] = Some(above);
            (vertex, partner) = (above, below);
        }
    }

    /// The nodes from the one of this vertex up to the root.
    fn path(&self, vertex: usize) -> Vec<Node> {
        let mut path = vec![self.nodes.top[vertex]];
        while let Some((above, _)) = path.last().and_then(|node| self.from[*node]) {
            path.push(self.nodes.top[above]);
        }
        path
    }

    /// The cycle that an edge within a tree closes becomes a blossom.
    fn shrink(&mut self, a: usize, b: usize) {
        let [mut left, mut right] = [self.path(a), self.path(b)];
        let shared = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
        let meeting = left[left.len() - shared];
        left.truncate(left.len() - shared);
        right.truncate(right.len() - shared);
        let down = left.iter().rev().filter_map(|node| self.from[*node]);
        let up =
            right.iter().filter_map(|node| self.from[*node]).map(|(above, below)| (below, above));
        let links = down.chain([(a, b)]).chain(up).collect();
        let children = [meeting].into_iter().chain(left.iter().rev().chain(&right).copied());
        let blossom = Blossom { children: children.collect(), links, charge: 0 };
        let node = self.nodes.enclose(blossom);
        self.make_room();
        self.enter(node, Role::Outer, self.from[meeting], self.root[meeting]);
    }

    /// There may be a node more.
    fn make_room(&mut self) {
        let nodes = self.nodes.len();
        self.role.resize(nodes, Role::Outside);
        self.from.resize(nodes, None);
        self.root.resize(nodes, 0);
    }

    /// Takes apart all inner blossoms that have no charge left.
    fn expand(&mut self) -> bool {
        let spent = |(node, blossom): (Node, &Blossom)| {
            let inner = self.nodes.is_top(node) && self.role[node] == Role::Inner;
            (inner && blossom.charge == 0).then_some(node)
        };
        let spent: Vec<_> = self.nodes.blossoms().filter_map(spent).collect();
        for node in &spent {
            self.take_apart(*node);
        }
        !spent.is_empty()
    }

    /// The tree goes on through half of the cycle; the rest of it is outside.
    fn take_apart(&mut self, node: Node) {
        let (from, root) = (self.from[node], self.root[node]);
        let Some((_, entry)) = from else { return };
        let child = self.nodes.place(node, entry);
        let blossom = self.nodes.disclose(node);
        for child in &blossom.children {
            self.role[*child] = Role::Outside;
        }
        self.role[node] = Role::Outside;
        self.enter(blossom.children[child], Role::Inner, from, root);
        let roles = [Role::Outer, Role::Inner].into_iter().cycle();
        for ((above, below), role) in blossom.way(child).zip(roles) {
            self.enter(self.nodes.top[below], role, Some((above, below)), root);
        }
    }

    /// Outer prices fall, inner ones rise; false if what is free is worth nothing any more.
    fn reprice(&mut self, least: i64) -> bool {
        let free = (0..self.mates.len()).filter(|vertex| self.mates[*vertex].is_none());
        // All free ones have one price, and none is lower.
        let Some(price) = free.map(|vertex| self.prices[vertex]).min() else { return false };
        let inner = |(node, blossom): (Node, &Blossom)| {
            let inner = self.nodes.is_top(node) && self.role[node] == Role::Inner;
            inner.then_some(blossom.charge / 2)
        };
        let spent = self.nodes.blossoms().filter_map(inner).min();
        let fall = least.min(price).min(spent.unwrap_or(i64::MAX));
        for vertex in 0..self.prices.len() {
            self.prices[vertex] -= fall * self.sign(self.nodes.top[vertex]);
        }
        for node in self.mates.len()..self.nodes.len() {
            let rise = 2 * fall * self.sign(node);
            if let Some(blossom) = self.nodes.blossom_mut(node) {
                blossom.charge += rise;
            }
        }
        fall < price
    }

    /// 1 for an outer node, -1 for an inner one; 0 for all others, those within others too.
    fn sign(&self, node: Node) -> i64 {
        match self.role[node] {
            _ if !self.nodes.is_top(node) => 0,
            Role::Outside => 0,
            Role::Outer => 1,
            Role::Inner => -1,
        }
    }
}
