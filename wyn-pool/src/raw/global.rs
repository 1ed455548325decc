//! Stands in for `local.rs`: every cell is an allocation of its own, from the global allocator.
//!
//! For the feature `global-alloc`, under which an allocator can be compared and AddressSanitizer sees a use
//! after free; and for loom, whose objects cannot live in statics. The caches and the depot have models of
//! their own in `tests/loom.rs`.

use super::SizeClass;
use crate::Stats;
use core::ptr::NonNull;

#[inline]
pub(super) fn alloc(class: SizeClass) -> Option<NonNull<u8>> {
    // SAFETY: no class has the size zero.
    NonNull::new(unsafe { std::alloc::alloc(class.layout()) })
}

/// # Safety
/// - As `raw::free`.
#[inline]
pub(super) unsafe fn free(cell: NonNull<u8>, class: SizeClass) {
    // SAFETY: the caller's promise; `alloc` used the same layout.
    unsafe { std::alloc::dealloc(cell.as_ptr(), class.layout()) };
}

pub(super) fn stats(_: SizeClass) -> Stats {
    Stats::default()
}

pub(super) fn trim(_: SizeClass) -> usize {
    0
}
