//! What a pool holds: counted in the depot, estimated from the caches.

use crate::cache::Cache;
use crate::depot::Depot;
use core::iter::Sum;

/// A snapshot of a pool, or of several together. See the function that returned it for how exact it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Cells in use.
    pub live: usize,
    /// Free cells that have been in use before: in caches and in the depot.
    pub cached: usize,
    /// Chunks of memory held; a block of huge pages counts as one.
    pub chunks: usize,
    /// Bytes of address space held. What is resident may be less: cells never handed out have no pages yet.
    pub bytes: usize,
}

impl Sum for Stats {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            live: sum.live + one.live,
            cached: sum.cached + one.cached,
            chunks: sum.chunks + one.chunks,
            bytes: sum.bytes + one.bytes,
        })
    }
}

impl Depot {
    /// The snapshot, given the caches that are in use.
    pub(crate) fn stats<'a>(&self, caches: impl Iterator<Item = &'a Cache>) -> Stats {
        self.with(|state, geometry| {
            let (mut held, mut range_bytes) = (0, state.range_bytes);
            for cache in caches {
                held += cache.held();
                range_bytes += cache.range_bytes();
            }
            let cached = state.listed(geometry) + held;
            let untouched = range_bytes / geometry.cell;
            Stats {
                live: state.cells.saturating_sub(cached + untouched),
                cached,
                chunks: state.blocks.len(),
                bytes: state.bytes,
            }
        })
    }
}
