//! The handle of a scope's child.

use std::fmt;
use std::marker::PhantomData;

use crate::error::JoinError;
use crate::handle::JoinHandle;

/// The right to the result of a child of a [`Scope`](crate::Scope). Eight bytes.
///
/// Dropping it lets the child run on; the scope waits for it anyway. It may outlive the scope.
///
/// ```
/// let words = ["fork", "and", "join"];
/// let longest = wyn_sched::scope(|scope| {
///     let handles: Vec<_> = words.iter().map(|word| scope.spawn(|_| word.len())).collect();
///     handles.into_iter().map(|handle| handle.join().unwrap()).max()
/// });
/// assert_eq!(longest, Some(4));
/// ```
pub struct ScopedJoinHandle<'scope, T> {
    inner: JoinHandle<T>,
    /// The child may borrow for so long, and so may its result.
    scope: PhantomData<fn(&'scope ()) -> &'scope ()>,
}

impl<T> ScopedJoinHandle<'_, T> {
    #[inline]
    pub(super) fn new(inner: JoinHandle<T>) -> Self {
        Self { inner, scope: PhantomData }
    }

    /// Waits for the child and takes its result, as [`JoinHandle::join`] does.
    ///
    /// # Errors
    /// [`JoinError`] if the child panicked. The panic itself is re-raised by the scope, joined or not; the
    /// error's payload only says so.
    #[inline]
    pub fn join(self) -> Result<T, JoinError> {
        self.inner.join_child().map_err(JoinError::of_child)
    }

    /// Whether [`join`](Self::join) would return at once.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}
