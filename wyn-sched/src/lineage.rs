//! What fork-join work was forked from: the chain that tells whether a piece of work lies below a wait.
//!
//! Each branch of `join` and each scope holds a [`Node`], which points to the node of the code that made it. A thread that
//! waits for a branch, or for the children of a scope, may run a piece of work only if its chain leads through what the
//! thread waits for: then the wait would have needed it anyway, as a call would have. Work beside that, a sibling's or a
//! stranger's, may need a lock that the waiting code holds, or a message that it has yet to send.
//!
//! A node lies in the frame that waits for the work below it, so whoever may run a piece of work finds its whole chain in
//! place. The chain ends at a spawned task, which belongs to nobody's wait. A branch that is called where it was forked
//! adds no link: what it forks hangs on the node of the code around it, which nobody waits for before the branch has ended.

use std::ptr;

/// One link of a chain.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Node {
    /// Null at the end of the chain; else alive as long as this node.
    parent: *const Node,
}

impl Node {
    /// For work that is made by code of this node.
    #[inline(always)]
    pub(crate) fn below(parent: *const Node) -> Self {
        Self { parent }
    }

    /// Whether a chain leads through `target`. Compares addresses: `target` is not followed.
    ///
    /// # Safety
    /// `first` is null, or the node of a piece of work that the caller has the right to run.
    #[cold]
    pub(crate) unsafe fn leads_to(first: *const Node, target: *const Node) -> bool {
        let mut at = first;
        while !at.is_null() {
            if ptr::eq(at, target) {
                return true;
            }
            // SAFETY: the work has not ended, so neither has what it was forked from: the frames of the chain wait.
            at = unsafe { &*at }.parent;
        }
        false
    }
}
