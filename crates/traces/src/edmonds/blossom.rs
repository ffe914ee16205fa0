//! The nodes of the trees: vertices, and blossoms of them.
//!
//! Knows which node contains which. Must not know prices, or how trees grow.

/// A vertex, or a blossom; vertices come first.
pub(super) type Node = usize;

/// An odd cycle that has become one node.
#[derive(Debug, Default)]
pub(super) struct Blossom {
    /// Around the cycle; the first contains the base, the only vertex that isn't matched within.
    pub(super) children: Vec<Node>,
    /// From each child to the next, from the last to the first: the ends in the one and in the other.
    pub(super) links: Vec<(usize, usize)>,
    /// Twice the charge, as prices are.
    pub(super) charge: i64,
}

/// Who is in whom.
#[derive(Debug)]
pub(super) struct Nodes {
    vertices: usize,
    blossoms: Vec<Option<Blossom>>,
    unused: Vec<Node>,
    /// Of each node, the blossom it is a child of.
    parent: Vec<Option<Node>>,
    /// Of each vertex, the node that isn't in any other.
    pub(super) top: Vec<Node>,
    /// Of each node, the vertex whose mate is outside.
    pub(super) base: Vec<usize>,
}

impl Nodes {
    pub(super) fn new(vertices: usize) -> Self {
        Self {
            vertices,
            blossoms: Vec::new(),
            unused: Vec::new(),
            parent: vec![None; vertices],
            top: (0..vertices).collect(),
            base: (0..vertices).collect(),
        }
    }

    /// One more than the largest node.
    pub(super) fn len(&self) -> usize {
        self.parent.len()
    }

    pub(super) fn blossom(&self, node: Node) -> Option<&Blossom> {
        self.blossoms.get(node.checked_sub(self.vertices)?)?.as_ref()
    }

    pub(super) fn blossom_mut(&mut self, node: Node) -> Option<&mut Blossom> {
        self.blossoms.get_mut(node.checked_sub(self.vertices)?)?.as_mut()
    }

    /// All blossoms, those within others too.
    pub(super) fn blossoms(&self) -> impl Iterator<Item = (Node, &Blossom)> {
        let all = self.blossoms.iter().enumerate();
        all.filter_map(|(index, blossom)| Some((index + self.vertices, blossom.as_ref()?)))
    }

    pub(super) fn is_top(&self, node: Node) -> bool {
        self.parent[node].is_none()
    }

    /// Makes nodes that are in no other one a blossom.
    pub(super) fn enclose(&mut self, blossom: Blossom) -> Node {
        let node = self.unused.pop().unwrap_or_else(|| {
            self.blossoms.push(None);
            self.parent.push(None);
            self.base.push(0);
            self.len() - 1
        });
        self.base[node] = self.base[blossom.children[0]];
        for child in &blossom.children {
            self.parent[*child] = Some(node);
        }
        self.blossoms[node - self.vertices] = Some(blossom);
        self.set_top(node);
        node
    }

    /// Takes a blossom apart that is in no other one.
    pub(super) fn disclose(&mut self, node: Node) -> Blossom {
        let blossom = self.blossoms[node - self.vertices].take().unwrap_or_default();
        self.unused.push(node);
        for child in &blossom.children {
            self.parent[*child] = None;
            self.set_top(*child);
        }
        blossom
    }

    fn set_top(&mut self, node: Node) {
        for vertex in self.within(node) {
            self.top[vertex] = node;
        }
    }

    /// All vertices in a node.
    pub(super) fn within(&self, node: Node) -> Vec<usize> {
        let (mut found, mut open) = (Vec::new(), vec![node]);
        while let Some(node) = open.pop() {
            match self.blossom(node) {
                Some(blossom) => open.extend(&blossom.children),
                None => found.push(node),
            }
        }
        found
    }

    /// The child of a blossom that a vertex is in, by its place in the cycle.
    pub(super) fn place(&self, blossom: Node, vertex: usize) -> usize {
        let mut child = vertex;
        while let Some(parent) = self.parent[child].filter(|parent| *parent != blossom) {
            child = parent;
        }
        let children = self.blossom(blossom).map_or(&[][..], |blossom| &blossom.children);
        children.iter().position(|node| *node == child).unwrap_or_default()
    }

    /// Matches the vertices of a node so that this one is the base.
    pub(super) fn rebase(&mut self, node: Node, vertex: usize, mates: &mut [Option<usize>]) {
        let Some(blossom) = self.blossom(node) else { return };
        let child = self.place(node, vertex);
        let pairs = blossom.way(child).skip(1).step_by(2).collect::<Vec<_>>();
        let within = blossom.children[child];
        for (near, far) in pairs {
            for (from, to) in [(near, far), (far, near)] {
                let place = self.place(node, from);
                let inner = self.blossom(node).map_or(from, |blossom| blossom.children[place]);
                self.rebase(inner, from, mates);
                mates[from] = Some(to);
            }
        }
        self.rebase(within, vertex, mates);
        if let Some(blossom) = self.blossom_mut(node) {
            blossom.children.rotate_left(child);
            blossom.links.rotate_left(child);
        }
        self.base[node] = vertex;
    }
}

impl Blossom {
    /// The links from this child to the first, along the half of the cycle that begins with a matched one
    /// (an even number); the first end is the one nearer to where it begins.
    pub(super) fn way(&self, child: usize) -> impl Iterator<Item = (usize, usize)> {
        // From the base on, every second link is matched: that from the first child to the second isn't.
        let forward = (!child.is_multiple_of(2)).then(|| self.links[child..].iter().copied());
        let back = child
            .is_multiple_of(2)
            .then(|| self.links[..child].iter().rev().map(|(from, to)| (*to, *from)));
        forward.into_iter().flatten().chain(back.into_iter().flatten())
    }
}
