//! Free cells: what a cell's memory holds while nobody lives in it.
//!
//! A free cell is in exactly one list, or inside exactly one range of cells never yet handed out. The links are
//! kept in the cells themselves, so no free list ever needs memory of its own.

use core::ptr::{self, NonNull};

/// The words a free cell holds. Written only by the owner of the list or range the cell is in: one thread's
/// cache, or whoever holds the depot's lock.
#[repr(C)]
pub(crate) struct FreeCell {
    /// The next cell of the same list.
    pub(crate) next: *mut FreeCell,
    /// In the head cell of a depot's list: the head of the next list. In the first cell of a range: its end.
    pub(crate) link: *mut FreeCell,
}

/// The least size of a cell, and its least alignment.
pub(crate) const MIN_CELL_BYTES: usize = size_of::<FreeCell>();
pub(crate) const MIN_CELL_ALIGN: usize = align_of::<FreeCell>();

/// A counted last-in-first-out list of free cells.
pub(crate) struct List {
    pub(crate) head: *mut FreeCell,
    pub(crate) len: usize,
}

impl List {
    pub(crate) const EMPTY: Self = Self { head: ptr::null_mut(), len: 0 };

    /// Puts a cell in front.
    ///
    /// # Safety
    /// - `cell` is a free cell of the list's pool that is in no list and no range.
    pub(crate) unsafe fn push(&mut self, cell: *mut FreeCell) {
        // SAFETY: the cell is free and ours by the caller's promise; only its own memory is written.
        unsafe { (*cell).next = self.head };
        self.head = cell;
        self.len += 1;
    }

    /// Takes the cell in front.
    pub(crate) fn pop(&mut self) -> Option<NonNull<FreeCell>> {
        let cell = NonNull::new(self.head)?;
        // SAFETY: cells in a list are free and their links were written when they were put in.
        self.head = unsafe { (*cell.as_ptr()).next };
        self.len -= 1;
        Some(cell)
    }

    pub(crate) fn take(&mut self) -> Self {
        core::mem::replace(self, Self::EMPTY)
    }
}

/// Cells never handed out yet: those from `start` up to `end`. Empty when both are equal.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub(crate) start: *mut u8,
    pub(crate) end: *mut u8,
}

impl Range {
    pub(crate) const EMPTY: Self = Self { start: ptr::null_mut(), end: ptr::null_mut() };

    pub(crate) fn bytes(self) -> usize {
        self.end.addr() - self.start.addr()
    }

    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Cuts at most `bytes` off the front.
    pub(crate) fn split_front(&mut self, bytes: usize) -> Self {
        let start = self.start;
        self.start = start.wrapping_add(bytes.min(self.bytes()));
        Self { start, end: self.start }
    }
}
