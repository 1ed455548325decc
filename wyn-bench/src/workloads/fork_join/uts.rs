//! Unbalanced tree search: trees whose shape only shows while they are walked.
//!
//! Source: S. Olivier et al., "UTS: An Unbalanced Tree Search Benchmark", LCPC 2006. `uts_geo` at depth 10 is
//! its tree T1, `uts_bin` with 2000 children of the root its T3.

use super::{index, inside, sha1::sha1};
use crate::backend::ForkJoin;
use crate::meter::Job;
use crate::record::Line;

/// What the reference limits the children of a node to.
const MOST_CHILDREN: usize = 100;

#[derive(Clone, Copy, Debug)]
pub(super) struct Tree {
    shape: Shape,
    seed: u32,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Four children on average, down to a depth.
    Geometric { depth: u64 },
    /// So many children of the root; each other node has eight or none.
    Binomial { root: usize },
}

/// A node: the random numbers below it follow from these bytes.
type State = [u8; 20];

impl Tree {
    pub(super) fn geometric(depth: u64) -> Tree {
        Tree { shape: Shape::Geometric { depth }, seed: 19 }
    }

    pub(super) fn binomial(root: u64) -> Tree {
        Tree { shape: Shape::Binomial { root: index(root) }, seed: 42 }
    }

    /// What the paper and the reference implementation say of T1 and T3.
    fn published_size(self) -> Option<u64> {
        match self.shape {
            Shape::Geometric { depth: 10 } => Some(4_130_071),
            Shape::Binomial { root: 2000 } => Some(4_112_897),
            _ => None,
        }
    }

    fn root(self) -> State {
        let mut message = [0; 20];
        message[16..].copy_from_slice(&self.seed.to_be_bytes());
        sha1(&message)
    }

    /// How many children a node at that height has.
    fn children(self, state: &State, height: u64) -> usize {
        let random = u32::from_be_bytes([state[16], state[17], state[18], state[19]]) & 0x7fff_ffff;
        let uniform = f64::from(random) / 2_147_483_648.0;
        match self.shape {
            Shape::Binomial { root } if height == 0 => root,
            Shape::Binomial { .. } => {
                if uniform < 0.124_875 {
                    8
                } else {
                    0
                }
            }
            Shape::Geometric { depth } => geometric(uniform, if height < depth { 4.0 } else { 0.0 }),
        }
    }
}

/// The inverse of the geometric distribution with that mean.
fn geometric(uniform: f64, mean: f64) -> usize {
    let children = ((1.0 - uniform).ln() / (1.0 - 1.0 / (1.0 + mean)).ln()).floor();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
    let children = children.clamp(0.0, 100.0) as usize;
    children.min(MOST_CHILDREN)
}

fn child(parent: &State, number: usize) -> State {
    let mut message = [0; 24];
    message[..20].copy_from_slice(parent);
    message[20..].copy_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
    sha1(&message)
}

pub(super) fn measure<B: ForkJoin>(b: B, tree: Tree) -> Line {
    let expected = tree.published_size().unwrap_or_else(|| search_serially(tree, &tree.root(), 0));
    inside(b, Job { ops: expected, expected }, move |context| search::<B>(context, tree, &tree.root(), 0))
}

/// The number of nodes below and with this one.
fn search<B: ForkJoin>(context: &mut B::Context<'_>, tree: Tree, state: &State, height: u64) -> u64 {
    let children = tree.children(state, height);
    let below = |context: &mut B::Context<'_>, i| search::<B>(context, tree, &child(state, i), height + 1);
    1 + B::fan_out(context, 0..children, &below)
}

fn search_serially(tree: Tree, state: &State, height: u64) -> u64 {
    let children = 0..tree.children(state, height);
    1 + children.map(|i| search_serially(tree, &child(state, i), height + 1)).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes of smaller trees; those of T1 and T3 are checked by every full run.
    #[test]
    fn sizes_are_repeatable() {
        let size = |tree: Tree| search_serially(tree, &tree.root(), 0);
        assert_eq!(size(Tree::geometric(5)), 3987);
        assert_eq!(size(Tree::binomial(20)), 6213);
    }
}
