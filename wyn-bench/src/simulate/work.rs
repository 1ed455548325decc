//! The workloads: trees that fork, flat tasks from one spawner, a loop.

use super::clock::Picos;

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The calls of Fibonacci's numbers by the book: two children each, one smaller than the other.
    Fib,
    /// Ten equal children each.
    Skynet,
    /// Two children each; the first has an eighth of the leaves on average.
    Unbalanced,
    /// Tasks that one thread outside of the workers spawns and then awaits in order.
    FanOut,
    /// The iterations of a parallel loop.
    Loop,
}

impl Shape {
    /// All of them.
    pub const ALL: [Shape; 5] = [Shape::Fib, Shape::Skynet, Shape::Unbalanced, Shape::FanOut, Shape::Loop];

    /// As it is in a record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Shape::Fib => "fib",
            Shape::Skynet => "skynet",
            Shape::Unbalanced => "unbalanced",
            Shape::FanOut => "fan-out",
            Shape::Loop => "par_for",
        }
    }

    /// The shape of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Shape> {
        Shape::ALL.into_iter().find(|shape| shape.name() == name)
    }
}

/// A shape with its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// What is run.
    pub shape: Shape,
    /// Leaves, tasks or iterations.
    pub n: u64,
    /// Work of each.
    pub grain: Picos,
}

/// How much of a loop is run between two looks whether somebody is idle.
pub const CHUNK_NS: u64 = 1000;

impl Workload {
    /// Of about so many leaves: the number that the shape can have.
    #[must_use]
    pub fn about(shape: Shape, n: u64, grain_ns: u64) -> Workload {
        let n = match shape {
            Shape::Fib => (1..).map(fib_leaves).take_while(|leaves| *leaves <= n.max(1)).last().unwrap_or(1),
            Shape::Skynet => 10_u64.pow(n.max(1).ilog10()),
            _ => n,
        };
        Workload { shape, n, grain: grain_ns * 1000 }
    }

    /// Where it begins.
    #[must_use]
    pub fn root(&self) -> Node {
        match self.shape {
            Shape::Fib => {
                Node { leaves: self.n, seed: (1..).find(|k| fib_leaves(*k) >= self.n).unwrap_or(1) }
            }
            _ => Node { leaves: self.n, seed: 1 },
        }
    }

    /// Iterations of a loop between two looks.
    #[must_use]
    pub fn chunk(&self) -> u64 {
        (CHUNK_NS * 1000 / self.grain.max(1)).max(1)
    }

    /// The work of all leaves, in picoseconds.
    #[must_use]
    pub fn work(&self) -> Picos {
        self.n * self.grain
    }

    /// The work that no number of processors avoids.
    #[must_use]
    pub fn longest(&self) -> Picos {
        self.grain.min(self.work())
    }

    /// The children of a node; none for a leaf. The same wherever and whenever it is asked for.
    #[must_use]
    pub fn children(&self, node: Node) -> Children {
        if node.leaves <= 1 {
            return Children::default();
        }
        match self.shape {
            Shape::Fib => Children::two(
                Node { leaves: fib_leaves(node.seed - 1), seed: node.seed - 1 },
                Node { leaves: fib_leaves(node.seed - 2), seed: node.seed - 2 },
            ),
            Shape::Skynet => {
                Children { first: Node { leaves: node.leaves / 10, seed: 1 }, second: None, count: 10 }
            }
            _ => {
                let first = 1 + skewed(node.seed, node.leaves - 1);
                let seed = mix(node.seed);
                Children::two(
                    Node { leaves: first, seed },
                    Node { leaves: node.leaves - first, seed: seed.wrapping_add(1) },
                )
            }
        }
    }
}

/// A part of a workload: so many leaves, and what tells it from others with as many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Leaves below.
    pub leaves: u64,
    /// Which number of Fibonacci, or where random numbers come from.
    pub seed: u64,
}

/// What a node forks into: `count` nodes like the first, or two that differ.
#[derive(Clone, Copy, Debug, Default)]
pub struct Children {
    first: Node,
    second: Option<Node>,
    count: usize,
}

impl Children {
    fn two(first: Node, second: Node) -> Children {
        Children { first, second: Some(second), count: 2 }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, index: usize) -> Node {
        match (index, self.second) {
            (1.., Some(second)) => second,
            _ => self.first,
        }
    }
}

/// Leaves of the tree of calls for the `k`th number.
fn fib_leaves(k: u64) -> u64 {
    let (mut leaves, mut next) = (1, 1);
    for _ in 1..k {
        (leaves, next) = (next, leaves + next);
    }
    next
}

/// A number below `below` that is an eighth of it on average.
fn skewed(seed: u64, below: u64) -> u64 {
    // The seventh power of what is even between 0 and 1 has a mean of one eighth.
    let even = (mix(seed) >> 32) & 0xFFFF;
    let power = (0..6).fold(even, |power, _| (power * even) >> 16);
    (power * below) >> 16
}

/// A step of `splitmix64`: far-off numbers from near ones.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves_below(workload: &Workload, node: Node) -> u64 {
        let children = workload.children(node);
        match children.count() {
            0 => 1,
            count => (0..count).map(|index| leaves_below(workload, children.get(index))).sum(),
        }
    }

    #[test]
    fn trees_have_the_leaves_they_promise() {
        for shape in [Shape::Fib, Shape::Skynet, Shape::Unbalanced] {
            for n in [1, 2, 10, 1000, 12_345] {
                let workload = Workload::about(shape, n, 1);
                assert_eq!(leaves_below(&workload, workload.root()), workload.n, "{shape:?} {n}");
            }
        }
    }

    #[test]
    fn an_unbalanced_tree_leans_to_its_second_children() {
        let share = (0..1000).map(|seed| skewed(seed, 1 << 16)).sum::<u64>() / 1000;
        assert!((1 << 12..1 << 14).contains(&share), "{share}");
    }
}
