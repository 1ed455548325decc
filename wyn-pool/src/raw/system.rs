//! Stands in for `local.rs` under loom, whose objects cannot live in statics: the system allocator, so that
//! models of the crates above run. The caches and the depot have models of their own in `tests/loom.rs`.

use super::SizeClass;
use crate::Stats;
use core::ptr::NonNull;

pub(super) fn alloc(class: SizeClass) -> Option<NonNull<u8>> {
    // SAFETY: no class has the size zero.
    NonNull::new(unsafe { std::alloc::alloc(class.layout()) })
}

/// # Safety
/// - As `raw::free`.
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
