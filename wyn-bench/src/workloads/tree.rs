//! A task that spawns two of itself and awaits both, down to leaves that return 1.

use std::pin::Pin;

use crate::backend::{Awaiting, Blocking};
use crate::meter::Job;

/// The depth of the largest full binary tree with at most `n` nodes.
pub fn depth(n: u64) -> u32 {
    (n + 1).max(2).ilog2() - 1
}

/// The number of leaves.
pub fn expected(n: u64) -> u64 {
    1 << depth(n)
}

/// One operation is one task: every node but the root.
pub(super) fn job(n: u64) -> Job {
    super::job(2 * expected(n) - 2, expected(n))
}

pub(super) fn blocking<B: Blocking>(b: B, depth: u32) -> u64 {
    if depth == 0 {
        return 1;
    }
    let left = b.spawn(move || blocking(b, depth - 1));
    let right = b.spawn(move || blocking(b, depth - 1));
    b.join(right) + b.join(left)
}

/// A recursive future must be boxed, in every such runtime.
pub(super) fn awaiting<B: Awaiting>(b: B, depth: u32) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if depth == 0 {
            return 1;
        }
        let left = b.spawn(awaiting(b, depth - 1));
        let right = b.spawn(awaiting(b, depth - 1));
        b.join(right).await + b.join(left).await
    })
}
