//! Which work belongs together: the fork-join tree that a thread is in.
//!
//! A branch of `join` and a child of a scope belong to the family of the code that made them; a spawned task
//! starts one of its own, and so does a thread outside of tasks. A thread that waits for a branch runs other
//! work of the same family meanwhile, on top of its stack, and no other: what it runs there buries what it is
//! in, and a stranger might wait for that. Inside a family nobody can: branches and children have no handle on
//! what they are part of.

/// Identifies a family while anything of it is unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Family(usize);

impl Family {
    /// Of the code that owns this address for as long as the family lives: a task's cell, a frame's variable.
    #[inline]
    pub(crate) fn of<T>(owned: *const T) -> Self {
        Self(owned.addr())
    }
}
