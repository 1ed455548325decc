//! Memory from the operating system: whole blocks, given back whole.
//!
//! On Linux a block is an anonymous mapping, so that its pages cost nothing until touched, `release` really gives
//! them back and the advice calls below work. Elsewhere (and under loom) blocks come from the global allocator
//! and the advice calls do nothing; nothing else in the crate depends on the difference.

use core::alloc::Layout;
use core::ptr::NonNull;

/// The alignment every block has at least; also the size of the page the advice calls assume.
pub(crate) const PAGE_BYTES: usize = 4096;

/// Bytes and alignment of the blocks that are backed by huge pages.
pub(crate) const HUGE_BYTES: usize = 2 << 20;

/// One block of memory; freed by [`Block::release`], never by drop, because only the owner knows when its cells
/// are all home.
#[derive(Debug)]
pub(crate) struct Block {
    ptr: NonNull<u8>,
    layout: Layout,
}

// SAFETY: a block is plain memory; it is tied to no thread.
unsafe impl Send for Block {}

impl Block {
    /// A block of `layout`, or `None` when the system has no more memory.
    pub(crate) fn acquire(layout: Layout) -> Option<Self> {
        debug_assert!(layout.size() > 0 && layout.align() >= PAGE_BYTES);
        imp::acquire(layout).map(|ptr| Self { ptr, layout })
    }

    pub(crate) fn start(&self) -> NonNull<u8> {
        self.ptr
    }

    pub(crate) fn bytes(&self) -> usize {
        self.layout.size()
    }

    /// Gives the block back.
    ///
    /// # Safety
    /// - Nobody holds a pointer into the block that will still be used.
    pub(crate) unsafe fn release(self) {
        // SAFETY: `ptr` and `layout` are those of one successful `acquire`, and `self` is consumed.
        unsafe { imp::release(self.ptr, self.layout) };
    }

    /// Asks for huge pages. Only advice: whether it is taken changes speed, not meaning.
    pub(crate) fn advise_huge(&self) {
        imp::advise_huge(self.ptr, self.layout.size());
    }
}

/// Backs `bytes` from `start` with zeroed pages in one call instead of a fault per page. Only advice.
pub(crate) fn populate(start: *mut u8, bytes: usize) {
    imp::populate(start, bytes);
}

#[cfg(all(target_os = "linux", not(wyn_loom)))]
mod imp {
    use super::{HUGE_BYTES, PAGE_BYTES};
    use core::alloc::Layout;
    use core::ptr::{self, NonNull};

    pub(super) fn acquire(layout: Layout) -> Option<NonNull<u8>> {
        let bytes = layout.size().checked_next_multiple_of(PAGE_BYTES)?;
        if layout.align() <= PAGE_BYTES {
            return map(bytes);
        }
        // The system aligns to pages only: map more, and unmap what lies before and after the aligned part.
        let mapped = bytes.checked_add(layout.align())?;
        let start = map(mapped)?;
        let before = start.as_ptr().align_offset(layout.align());
        let aligned = start.as_ptr().wrapping_add(before);
        let after = mapped - before - bytes;
        // SAFETY: the first `before` bytes are ours and nobody has seen them.
        unsafe { unmap(start.as_ptr(), before) };
        // SAFETY: likewise the `after` bytes behind the aligned part.
        unsafe { unmap(aligned.wrapping_add(bytes), after) };
        NonNull::new(aligned)
    }

    fn map(bytes: usize) -> Option<NonNull<u8>> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new anonymous mapping at an address of the system's choice touches no existing memory.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED { None } else { NonNull::new(start.cast()) }
    }

    /// # Safety
    /// - `bytes` from `start` are a page-aligned part of a mapping of ours (or none) that nobody will use again.
    unsafe fn unmap(start: *mut u8, bytes: usize) {
        if bytes == 0 {
            return;
        }
        // SAFETY: the caller's promise.
        let result = unsafe { libc::munmap(start.cast(), bytes) };
        // It can fail only for want of kernel memory to split a mapping; the pages then stay mapped, unused.
        debug_assert_eq!(result, 0);
    }

    /// # Safety
    /// - `start` and `layout` belong to one `acquire`; the block is not used again.
    pub(super) unsafe fn release(start: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise; the length is rounded as in `acquire`.
        unsafe { unmap(start.as_ptr(), layout.size().next_multiple_of(PAGE_BYTES)) };
    }

    pub(super) fn advise_huge(start: NonNull<u8>, bytes: usize) {
        debug_assert!(start.as_ptr().addr().is_multiple_of(HUGE_BYTES));
        // SAFETY: advice about a mapping of ours; contents are not changed.
        unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
    }

    pub(super) fn populate(start: *mut u8, bytes: usize) {
        // The call wants whole pages; blocks consist of whole pages, so rounding outwards stays inside.
        let before = start.addr() % PAGE_BYTES;
        let start = start.wrapping_sub(before);
        let bytes = (bytes + before).next_multiple_of(PAGE_BYTES);
        // SAFETY: populating a mapping of ours changes no contents; a kernel without the call says EINVAL.
        unsafe { libc::madvise(start.cast(), bytes, libc::MADV_POPULATE_WRITE) };
    }
}

#[cfg(not(all(target_os = "linux", not(wyn_loom))))]
mod imp {
    use core::alloc::Layout;
    use core::ptr::NonNull;

    pub(super) fn acquire(layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the layout's size is not zero (asserted by the caller's only user, `Block::acquire`).
        NonNull::new(unsafe { std::alloc::alloc(layout) })
    }

    /// # Safety
    /// - `start` and `layout` belong to one `acquire`; the block is not used again.
    pub(super) unsafe fn release(start: NonNull<u8>, layout: Layout) {
        if cfg!(wyn_loom) {
            // SAFETY: the block is ours to the end; models that still read it shall see that it is gone.
            unsafe { start.as_ptr().write_bytes(0xDD, layout.size()) };
        }
        // SAFETY: the caller's promise.
        unsafe { std::alloc::dealloc(start.as_ptr(), layout) };
    }

    pub(super) fn advise_huge(_: NonNull<u8>, _: usize) {}

    pub(super) fn populate(_: *mut u8, _: usize) {}
}
