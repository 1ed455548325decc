//! One thread's cache of one kind of cell: the fast path, without locks and without locked instructions.
//!
//! The magazine pair of Bonwick & Adams 2001 ("Magazines and Vmem", USENIX): `cur` is the list in use, `spare` is
//! a full list or none. Two lists, not one, so that a thread that allocates and frees around the edge of a list
//! does not visit the depot each time. Deviations from the paper: lists are intrusive instead of arrays of
//! pointers, an empty magazine is no object (so nothing is exchanged for it), the size is fixed, and cells never
//! handed out come from a range of the cache's own instead of from a slab layer below the depot.
//!
//! Invariant: `count` = cells in `cur` + cells in `spare`; `spare` holds `batch` cells or none; `limit` = `batch`
//! without a spare, `2 * batch` with one, and 0 while the cache is shut (no thread owns it).

use crate::cell::{FreeCell, Range};
use crate::depot::Depot;
use crate::os;
use crate::sync::{AtomicPtr, AtomicU32, Ordering, Witness, const_unless_loom};
use core::cell::Cell;
use core::ptr::{self, NonNull};

/// What one thread keeps of one pool. Used by its owner only, but for [`Cache::held`] and [`Cache::range_bytes`].
///
/// | word | site | ordering | why | mutant: model that dies |
/// |---|---|---|---|---|
/// | `count` | every store | Release | the Acquire in `held`: the cells counted are no longer in use | Relaxed: `a_closed_pool_ends_with_its_last_box` |
/// | `count` | loads by the owner | Relaxed | only the owner writes it | – |
/// | `count` | load in `held` | Acquire | see above | Relaxed: `a_closed_pool_ends_with_its_last_box` |
/// | `count` | lowered inside the depot's lock when the spare goes | – | who holds the lock counts no cell twice | after it: `closing_counts_no_list_twice` |
/// | `bump`, `end` | all | Relaxed | read by others for statistics only, or when no allocation is left to move them | – |
#[repr(C, align(64))]
pub(crate) struct Cache {
    /// The list in use.
    head: Cell<*mut FreeCell>,
    /// Cells in both lists. Written by the owner, read by anyone.
    count: AtomicU32,
    /// The count at which `cur` is full.
    limit: Cell<u32>,
    /// The next cell never handed out.
    bump: AtomicPtr<u8>,
    /// Where the fast path stops bumping: at most a batch ahead.
    window: Cell<*mut u8>,
    /// Where the range ends.
    end: AtomicPtr<u8>,
    /// Up to here pages have been asked for, and how many bytes to ask for next; 0 for none.
    populated: Cell<*mut u8>,
    populate_step: Cell<usize>,
    /// The full list kept back, or null.
    spare: Cell<*mut FreeCell>,
    /// Stands for the plain fields.
    witness: Witness,
}

// One cache line, so that the caches of two threads share none.
#[cfg(all(target_pointer_width = "64", not(wyn_loom)))]
static_assertions::assert_eq_size!(Cache, [u8; 64]);

impl Cache {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self {
                head: Cell::new(ptr::null_mut()),
                count: AtomicU32::new(0),
                limit: Cell::new(0),
                bump: AtomicPtr::new(ptr::null_mut()),
                window: Cell::new(ptr::null_mut()),
                end: AtomicPtr::new(ptr::null_mut()),
                populated: Cell::new(ptr::null_mut()),
                populate_step: Cell::new(0),
                spare: Cell::new(ptr::null_mut()),
                witness: Witness::new(),
            }
        }
    }

    /// Takes a cell of `bytes` if one is at hand; otherwise [`Cache::refill`] comes next.
    #[inline]
    pub(crate) fn alloc(&self, bytes: usize) -> Option<NonNull<u8>> {
        self.witness.exclusive();
        if let Some(cell) = NonNull::new(self.head.get()) {
            return Some(self.pop(cell));
        }
        // Ordering: Relaxed, only the owner writes it.
        let start = self.bump.load(Ordering::Relaxed);
        if start == self.window.get() {
            return None;
        }
        // Ordering: Relaxed, others read it for statistics only.
        self.bump.store(start.wrapping_add(bytes), Ordering::Relaxed);
        NonNull::new(start)
    }

    #[inline]
    fn pop(&self, cell: NonNull<FreeCell>) -> NonNull<u8> {
        // SAFETY: `cell` heads the owner's list: a free cell whose link was written when it was freed.
        self.head.set(unsafe { (*cell.as_ptr()).next });
        // Ordering: Relaxed, only the owner writes it.
        let count = self.count.load(Ordering::Relaxed);
        // Ordering: Release, as the table at `Cache` says for every store.
        self.count.store(count.wrapping_sub(1), Ordering::Release);
        cell.cast()
    }

    /// Puts a cell back, unless `cur` is full: then returns false and [`Cache::make_room`] comes next.
    ///
    /// # Safety
    /// - `cell` is a live cell of the cache's pool; on true, the caller has given up the only pointer to it.
    #[inline]
    pub(crate) unsafe fn free(&self, cell: NonNull<u8>) -> bool {
        self.witness.exclusive();
        // Ordering: Relaxed, only the owner writes it.
        let count = self.count.load(Ordering::Relaxed);
        if count == self.limit.get() {
            return false;
        }
        let cell: *mut FreeCell = cell.as_ptr().cast();
        // SAFETY: the cell is the caller's to give away, at least as large as `FreeCell` and as aligned.
        unsafe { (*cell).next = self.head.get() };
        self.head.set(cell);
        // Ordering: Release, pairs with the Acquire in `held`: our last use of the cell comes before the count.
        self.count.store(count + 1, Ordering::Release);
        true
    }

    /// Opens the cache for its new owner; until then (and after [`Cache::shut`]) both fast paths decline.
    pub(crate) fn open(&self, depot: &Depot) {
        self.limit.set(batch(depot));
    }

    /// Whether no thread owns the cache.
    pub(crate) fn is_shut(&self) -> bool {
        self.witness.shared();
        self.limit.get() == 0
    }

    /// Gets a cell when the fast path has none: the spare list, a list of the depot, the own range, a new range,
    /// in this order, so that memory is reused before more is touched. `None` when the system has no memory.
    pub(crate) fn refill(&self, depot: &Depot) -> Option<NonNull<u8>> {
        debug_assert!(!self.is_shut() && self.head.get().is_null());
        let spare = self.spare.replace(ptr::null_mut());
        if !spare.is_null() {
            self.limit.set(batch(depot));
            self.head.set(spare);
        } else if depot.may_have_list()
            && let Some(list) = depot.with(|state, geometry| state.pop_list(geometry))
        {
            self.head.set(list.head);
            self.set_count(list.len);
        } else {
            if self.range().is_empty() {
                let (range, step) = depot.with(|state, geometry| {
                    state.pop_range(geometry).map(|range| (range, state.populate_step()))
                })?;
                self.set_range(range);
                self.populate_step.set(step);
            }
            self.open_window(depot);
        }
        self.alloc(depot.geometry.cell)
    }

    /// Lets the fast path bump through the next batch of the range, and has its pages ready.
    fn open_window(&self, depot: &Depot) {
        let range = self.range();
        let ahead = depot.geometry.cell * depot.geometry.batch;
        let window = range.start.wrapping_add(ahead.min(range.bytes()));
        self.window.set(window);
        let populated = self.populated.get();
        if self.populate_step.get() != 0 && window.addr() > populated.addr() {
            let step = self.populate_step.get().max(ahead).min(range.end.addr() - populated.addr());
            os::populate(populated, step);
            self.populated.set(populated.wrapping_add(step));
        }
    }

    /// Makes room when `cur` is full: it becomes the spare, and the spare of before goes to the depot. The cache
    /// is open; nothing to do if it was opened just now.
    pub(crate) fn make_room(&self, depot: &Depot) {
        debug_assert!(!self.is_shut());
        if self.held() < self.limit.get() as usize {
            return;
        }
        let spare = self.spare.replace(self.head.replace(ptr::null_mut()));
        if !spare.is_null() {
            depot.with(|state, _| {
                // SAFETY: a spare list holds exactly `batch` free cells, and the cache just let go of it.
                unsafe { state.push_full(spare) };
                // Inside the lock, so that who holds it never counts these cells twice.
                self.set_count(depot.geometry.batch);
            });
        }
        self.limit.set(2 * batch(depot));
    }

    /// Gives everything to the depot and shuts the cache.
    pub(crate) fn shut(&self, depot: &Depot) {
        self.witness.exclusive();
        depot.with(|state, geometry| {
            let spare = self.spare.replace(ptr::null_mut());
            if !spare.is_null() {
                // SAFETY: a spare list holds exactly `batch` free cells, and the cache just let go of it.
                unsafe { state.push_full(spare) };
            }
            while let Some(cell) = NonNull::new(self.head.get()) {
                let cell = self.pop(cell);
                // SAFETY: the cell just left the cache's list.
                unsafe { state.push_loose(cell.as_ptr().cast(), geometry) };
            }
            // SAFETY: the range is the cache's own and is set to nothing right below.
            unsafe { state.push_range(self.range()) };
            self.set_range(Range::EMPTY);
            self.set_count(0);
        });
        self.limit.set(0);
    }

    /// Cells in the two lists, from any thread: exact when the owner is idle. What it counts is no longer in use.
    pub(crate) fn held(&self) -> usize {
        // Ordering: Acquire, pairs with the Release in `Cache::free`: uses of the counted cells are over.
        self.count.load(Ordering::Acquire) as usize
    }

    /// Bytes of the range, from any thread: exact when the owner is idle.
    pub(crate) fn range_bytes(&self) -> usize {
        let range = self.range();
        range.end.addr().saturating_sub(range.start.addr())
    }

    fn range(&self) -> Range {
        // Ordering: Relaxed, the owner reads its own; others use the difference for statistics only.
        let (start, end) = (self.bump.load(Ordering::Relaxed), self.end.load(Ordering::Relaxed));
        Range { start, end }
    }

    fn set_range(&self, range: Range) {
        // Ordering: Relaxed, as in `range`.
        self.bump.store(range.start, Ordering::Relaxed);
        self.end.store(range.end, Ordering::Relaxed);
        self.window.set(range.start);
        self.populated.set(range.start);
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most two batches")]
    fn set_count(&self, count: usize) {
        // Ordering: Release, as the table at `Cache` says for every store.
        self.count.store(count as u32, Ordering::Release);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "at most BATCH_CELLS")]
fn batch(depot: &Depot) -> u32 {
    depot.geometry.batch as u32
}
