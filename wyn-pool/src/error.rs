//! [`AllocError`]: no memory, and the value back.

use core::fmt;

/// The system has no memory left for another chunk of cells. Holds the value that found no room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AllocError<T>(pub(crate) T);

impl<T> AllocError<T> {
    /// The value that found no room.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for AllocError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllocError").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for AllocError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of memory for a pool's chunk")
    }
}

impl<T> std::error::Error for AllocError<T> {}
