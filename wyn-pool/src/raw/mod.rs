//! Raw cells in four size classes: the memory of the runtime's tasks.
//!
//! [`alloc`] and [`free`] work on the calling thread's cache of the class: no lock, no locked instruction and no
//! malloc, but for one short lock per 128 cells when the cache runs empty or full. A cell may be freed by any
//! thread; the next `alloc` of that thread returns it first, while its line is hot.
//!
//! A cell is in exactly one of these states:
//!
//! | state | who owns it | leaves it by |
//! |---|---|---|
//! | live | the caller of `alloc` | `free` |
//! | in a magazine | one thread's cache | `alloc` on that thread; exchange of a full list; thread exit |
//! | in a depot list | the depot, under its lock | exchange of a list; `trim` |
//! | in a range, never handed out | one thread's cache, or the depot | `alloc`; thread exit; `trim` |
//!
//! Memory is returned to the system by [`trim`] only. During thread exit, after the caches are flushed, other
//! destructors may still allocate and free: each call then takes the depot's lock.
//!
//! With the feature `global-alloc` none of this exists: each cell is an allocation of the program's global
//! allocator, [`stats`] counts nothing and [`trim`] gives nothing back.
//!
//! ```
//! use core::alloc::Layout;
//! use wyn_pool::raw::{self, SizeClass};
//!
//! let class = SizeClass::for_layout(Layout::new::<[u64; 4]>()).expect("32 bytes fit the smallest class");
//! let cell = raw::alloc(class);
//! // SAFETY: the cell is live, ours and large enough.
//! unsafe { cell.cast::<[u64; 4]>().write([1, 2, 3, 4]) };
//! // SAFETY: the cell came from `alloc` of the same class and is not used again.
//! unsafe { raw::free(cell, class) };
//! ```

mod class;
#[cfg(any(wyn_loom, feature = "global-alloc"))]
mod global;
#[cfg(not(any(wyn_loom, feature = "global-alloc")))]
mod local;

#[cfg(any(wyn_loom, feature = "global-alloc"))]
use global as local;

pub use class::SizeClass;

use crate::Stats;
use core::ptr::NonNull;
use std::alloc::handle_alloc_error;

/// Takes a cell of class `class`. Its contents are unspecified. Never blocks, but for the depot's lock once per
/// 128 cells.
///
/// When the system has no memory left, calls [`handle_alloc_error`].
#[inline]
#[must_use = "the cell is lost unless it is freed"]
pub fn alloc(class: SizeClass) -> NonNull<u8> {
    match try_alloc(class) {
        Some(cell) => cell,
        None => out_of_memory(class),
    }
}

#[cold]
#[inline(never)]
fn out_of_memory(class: SizeClass) -> ! {
    handle_alloc_error(class.layout())
}

/// As [`alloc`], but returns `None` when the system has no memory left.
#[inline]
#[must_use = "the cell is lost unless it is freed"]
pub fn try_alloc(class: SizeClass) -> Option<NonNull<u8>> {
    local::alloc(class)
}

/// Gives a cell back, from any thread.
///
/// # Safety
/// - `cell` came from [`alloc`] or [`try_alloc`] with the same `class` and has not been freed since.
/// - Nobody uses it afterwards.
#[inline]
pub unsafe fn free(cell: NonNull<u8>, class: SizeClass) {
    // SAFETY: the caller's promise, word for word.
    unsafe { local::free(cell, class) };
}

/// Sums over all classes and threads.
///
/// A snapshot: other threads' caches are read while they work, so that numbers may be off by what moved
/// meanwhile. Exact when nobody else allocates or frees. Takes the locks of all depots, one after the other.
#[must_use]
pub fn stats() -> Stats {
    SizeClass::ALL.into_iter().map(local::stats).sum()
}

/// The same for one class.
#[must_use]
pub fn stats_of(class: SizeClass) -> Stats {
    local::stats(class)
}

/// Gives blocks whose cells are all free back to the system; returns how many bytes.
///
/// Counts the free cells of the depots and of the calling thread's caches, which are flushed for it; a block with
/// a cell in another thread's cache stays. Walks every free cell while it holds the lock of the class at hand:
/// call it when the program rests.
pub fn trim() -> usize {
    SizeClass::ALL.into_iter().map(local::trim).sum()
}
