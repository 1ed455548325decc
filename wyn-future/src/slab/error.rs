//! Why the slab refuses a key.

use std::error::Error;
use std::fmt;

/// Why a [`Slab`](crate::Slab) has nothing to give, or nothing to do, for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlabError {
    /// The entry is gone (taken or closed), or the key never named one.
    Stale,
    /// The entry has no result yet; after a timed wait: it still had none when the time was up.
    Pending,
    /// The entry has its result, or was abandoned, already.
    Completed,
    /// The entry was [abandoned](crate::Slab::abandon): it will never have a result.
    Dropped,
}

impl fmt::Display for SlabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stale => "the key names no open entry",
            Self::Pending => "the result is not there yet",
            Self::Completed => "the entry is complete already",
            Self::Dropped => "the entry was abandoned without a result",
        })
    }
}

impl Error for SlabError {}

/// A result that [`Slab::complete`](crate::Slab::complete) could not deliver, handed back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CompleteError<T> {
    /// The undelivered result.
    pub value: T,
    /// [`Stale`](SlabError::Stale) or [`Completed`](SlabError::Completed).
    pub error: SlabError,
}

impl<T> CompleteError<T> {
    /// The undelivered result.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> fmt::Debug for CompleteError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompleteError").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for CompleteError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> Error for CompleteError<T> {}
