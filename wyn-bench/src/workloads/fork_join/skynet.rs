//! A tree with ten children a node; each leaf returns its index, each node the sum of its children.

use crate::backend::ForkJoin;
use crate::meter::Job;

/// Children of a node.
pub const CHILDREN: usize = 10;

/// The largest power of ten up to `n`.
pub fn leaves(n: u64) -> u64 {
    10_u64.pow(n.max(1).ilog10())
}

/// The sum of all indices.
pub fn expected(n: u64) -> u64 {
    leaves(n) * (leaves(n) - 1) / 2
}

pub(super) fn job(n: u64) -> Job {
    Job { ops: leaves(n), expected: expected(n) }
}

pub(super) fn skynet<B: ForkJoin>(context: &mut B::Context<'_>, first: u64, leaves: u64) -> u64 {
    if leaves == 1 {
        return first;
    }
    let each = leaves / 10;
    B::fan_out(context, 0..CHILDREN, &|context, i| skynet::<B>(context, first + i as u64 * each, each))
}
