//! The depot: what the caches of one kind of cell share. One lock, held for one exchange of a whole list.
//!
//! Owns every block of the pool, the lists of free cells no thread keeps, and the ranges of cells never handed
//! out. Caches come here once per list of `batch` cells; an exchange links and unlinks one list and neither walks
//! it nor allocates. Nothing is ever popped by compare-and-swap, so there is no ABA to guard against.
//!
//! Invariant: a free cell belongs to one list or one range, and that to one cache or to the depot.

use crate::cell::{FreeCell, List, MIN_CELL_ALIGN, MIN_CELL_BYTES, Range};
use crate::os::{Block, HUGE_BYTES, PAGE_BYTES};
use crate::sync::{AtomicUsize, Mutex, MutexGuard, Ordering, const_unless_loom};
use core::alloc::Layout;
use core::ptr::{self, NonNull};

/// Cells per exchange with the depot, where cells are small.
pub(crate) const BATCH_CELLS: usize = if cfg!(wyn_loom) { 2 } else { 128 };

/// Cells per chunk, where cells are small.
pub(crate) const CHUNK_CELLS: usize = if cfg!(wyn_loom) { 4 } else { 4096 };

/// No batch and no chunk of large cells is larger than this, unless one cell is.
const BATCH_BYTES_MAX: usize = 64 << 10;
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// From this many bytes on, new blocks are [`HUGE_BYTES`] large and ask for huge pages: `pool_cost` shows 5 ns for
/// the first touch of a cell of 32 there and 13 ns elsewhere. The unused rest of the newest block then is at most a
/// quarter of the whole, and less as the pool grows.
const HUGE_FROM_BYTES: usize = 8 << 20;

/// Elsewhere pages are asked for in steps of an eighth of the whole, so that little is resident ahead of need, but
/// within these bounds: below the lower the call costs more than the faults it saves.
const POPULATE_BYTES_MIN: usize = 16 << 10;
const POPULATE_BYTES_MAX: usize = 64 << 10;

/// Size, alignment and grouping of the cells of one pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    /// Bytes from one cell to the next; a multiple of `align`.
    pub(crate) cell: usize,
    pub(crate) align: usize,
    /// Cells in a full list.
    pub(crate) batch: usize,
    /// Bytes of a chunk: what a cache takes at a time.
    pub(crate) chunk: usize,
}

impl Geometry {
    /// The grouping for cells of `layout`; `None` when not even one such cell fits the address space.
    pub(crate) const fn new(layout: Layout) -> Option<Self> {
        let align = if layout.align() < MIN_CELL_ALIGN { MIN_CELL_ALIGN } else { layout.align() };
        let bytes = if layout.size() < MIN_CELL_BYTES { MIN_CELL_BYTES } else { layout.size() };
        let Some(cell) = bytes.checked_next_multiple_of(align) else { return None };
        if cell > isize::MAX as usize - PAGE_BYTES - align {
            return None;
        }
        let batch = clamp(BATCH_BYTES_MAX / cell, BATCH_CELLS);
        let chunk = cell * clamp(CHUNK_BYTES_MAX / cell, CHUNK_CELLS);
        Some(Self { cell, align, batch, chunk })
    }

    fn block_layout(&self, bytes_so_far: usize) -> Option<Layout> {
        let huge = bytes_so_far >= HUGE_FROM_BYTES && self.align <= HUGE_BYTES && self.chunk <= HUGE_BYTES;
        let (bytes, align) = if huge { (HUGE_BYTES, HUGE_BYTES) } else { (self.chunk, self.align) };
        Layout::from_size_align(bytes, align.max(PAGE_BYTES)).ok()
    }
}

/// `n`, but at least 1 and at most `most`.
const fn clamp(n: usize, most: usize) -> usize {
    if n == 0 {
        1
    } else if n > most {
        most
    } else {
        n
    }
}

/// The shared part of one pool. Aligned so that the depots of two pools share no pair of cache lines.
#[repr(align(128))]
pub(crate) struct Depot {
    pub(crate) geometry: Geometry,
    /// Whether a list is to be had: written under the lock, read without it as a hint that saves the lock.
    /// | site | ordering | why |
    /// |---|---|---|
    /// | `Depot::lock` users, store | Relaxed | a hint; the lists themselves are published by the lock |
    /// | `Depot::may_have_list`, load | Relaxed | a stale answer costs a look or a fresh chunk, nothing else |
    hint: AtomicUsize,
    state: Mutex<State>,
}

/// What the lock guards.
pub(crate) struct State {
    /// Full lists, chained through the `link` word of their head cells.
    pub(crate) full: *mut FreeCell,
    pub(crate) full_lists: usize,
    /// Single cells brought by exiting threads and by threads without a cache; fewer than a batch.
    pub(crate) loose: List,
    /// Ranges exiting threads left, chained: `next` is the next range, `link` the end of this one.
    pub(crate) ranges: *mut FreeCell,
    /// The newest block's part that no cache has taken yet.
    pub(crate) fresh: Range,
    /// Bytes in `ranges` and `fresh`.
    pub(crate) range_bytes: usize,
    pub(crate) blocks: Vec<Block>,
    pub(crate) bytes: usize,
    pub(crate) cells: usize,
}

// SAFETY: the pointers lead to free cells, which belong to the state; they are tied to no thread.
unsafe impl Send for State {}

impl State {
    pub(crate) const fn new() -> Self {
        Self {
            full: ptr::null_mut(),
            full_lists: 0,
            loose: List::EMPTY,
            ranges: ptr::null_mut(),
            fresh: Range::EMPTY,
            range_bytes: 0,
            blocks: Vec::new(),
            bytes: 0,
            cells: 0,
        }
    }

    /// Free cells in lists of the depot.
    pub(crate) fn listed(&self, geometry: &Geometry) -> usize {
        self.full_lists * geometry.batch + self.loose.len
    }

    /// Adds a list of exactly `batch` cells.
    ///
    /// # Safety
    /// - `head` leads a list of `batch` free cells of this pool that nobody else holds.
    pub(crate) unsafe fn push_full(&mut self, head: *mut FreeCell) {
        // SAFETY: the head cell is free and now the depot's.
        unsafe { (*head).link = self.full };
        self.full = head;
        self.full_lists += 1;
    }

    /// Adds one cell.
    ///
    /// # Safety
    /// - `cell` is a free cell of this pool that nobody else holds.
    pub(crate) unsafe fn push_loose(&mut self, cell: *mut FreeCell, geometry: &Geometry) {
        // SAFETY: the caller's promise.
        unsafe { self.loose.push(cell) };
        if self.loose.len == geometry.batch {
            let list = self.loose.take();
            // SAFETY: the loose list just reached exactly `batch` cells, all the depot's own.
            unsafe { self.push_full(list.head) };
        }
    }

    /// Adds a range.
    ///
    /// # Safety
    /// - The cells of `range` are cells of this pool that nobody else holds.
    pub(crate) unsafe fn push_range(&mut self, range: Range) {
        if range.is_empty() {
            return;
        }
        let cell: *mut FreeCell = range.start.cast();
        // SAFETY: a range that is not empty starts with a whole cell, which is the depot's by the caller's promise.
        unsafe { cell.write(FreeCell { next: self.ranges, link: range.end.cast() }) };
        self.ranges = cell;
        self.range_bytes += range.bytes();
    }

    /// Takes a full list, or the loose one when there is none.
    pub(crate) fn pop_list(&mut self, geometry: &Geometry) -> Option<List> {
        if let Some(head) = NonNull::new(self.full) {
            // SAFETY: `full` leads a list whose head cell had its link written by `push_full`.
            self.full = unsafe { (*head.as_ptr()).link };
            self.full_lists -= 1;
            return Some(List { head: head.as_ptr(), len: geometry.batch });
        }
        (self.loose.len > 0).then(|| self.loose.take())
    }

    /// Takes at most a chunk of cells never handed out, from a new block if need be.
    pub(crate) fn pop_range(&mut self, geometry: &Geometry) -> Option<Range> {
        let range = if let Some(cell) = NonNull::new(self.ranges) {
            // SAFETY: the first cell of a kept range holds the words `push_range` wrote.
            let FreeCell { next, link } = unsafe { cell.as_ptr().read() };
            self.ranges = next;
            Range { start: cell.as_ptr().cast(), end: link.cast() }
        } else {
            if self.fresh.is_empty() {
                self.grow(geometry)?;
            }
            self.fresh.split_front(geometry.chunk)
        };
        self.range_bytes -= range.bytes();
        Some(range)
    }

    /// How many bytes a cache should have backed by pages at a time; 0 where pages are huge anyway.
    pub(crate) fn populate_step(&self) -> usize {
        if self.bytes > HUGE_FROM_BYTES {
            0
        } else {
            (self.bytes / 8).clamp(POPULATE_BYTES_MIN, POPULATE_BYTES_MAX)
        }
    }

    /// Gets a new block into `fresh`.
    #[cold]
    fn grow(&mut self, geometry: &Geometry) -> Option<()> {
        self.blocks.try_reserve(1).ok()?;
        let block = Block::acquire(geometry.block_layout(self.bytes)?)?;
        let cells = block.bytes() / geometry.cell;
        if block.bytes() == HUGE_BYTES && block.start().as_ptr().addr().is_multiple_of(HUGE_BYTES) {
            block.advise_huge();
        }
        let start = block.start().as_ptr();
        self.fresh = Range { start, end: start.wrapping_add(cells * geometry.cell) };
        self.range_bytes += self.fresh.bytes();
        self.bytes += block.bytes();
        self.cells += cells;
        self.blocks.push(block);
        Some(())
    }
}

impl Depot {
    const_unless_loom! {
        pub(crate) fn new(geometry: Geometry) -> Self {
            Self { geometry, hint: AtomicUsize::new(0), state: Mutex::new(State::new()) }
        }
    }

    /// Runs `f` on the state under the lock.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut State, &Geometry) -> R) -> R {
        let mut state: MutexGuard<'_, State> = self.state.lock();
        let result = f(&mut state, &self.geometry);
        // Ordering: Relaxed, publishes nothing: whoever acts on the hint takes the lock before touching a list.
        self.hint.store(state.full_lists + usize::from(state.loose.len > 0), Ordering::Relaxed);
        result
    }

    /// Whether taking the lock for a list is worth it.
    pub(crate) fn may_have_list(&self) -> bool {
        // Ordering: Relaxed, a hint only; see the table at the field.
        self.hint.load(Ordering::Relaxed) != 0
    }

    /// One cell straight from the depot, for a thread without a cache.
    pub(crate) fn alloc_one(&self) -> Option<NonNull<u8>> {
        self.with(|state, geometry| {
            if state.loose.len == 0 {
                state.loose = state.pop_list(geometry).unwrap_or(List::EMPTY);
            }
            if let Some(cell) = state.loose.pop() {
                return Some(cell.cast());
            }
            let mut range = state.pop_range(geometry)?;
            let cell = range.split_front(geometry.cell);
            // SAFETY: the rest of the range was just taken from the depot and is not handed out.
            unsafe { state.push_range(range) };
            NonNull::new(cell.start)
        })
    }

    /// Gives one cell straight to the depot, for a thread without a cache.
    ///
    /// # Safety
    /// - `cell` is a live cell of this pool; the caller gives up the only pointer to it.
    pub(crate) unsafe fn free_one(&self, cell: NonNull<u8>) {
        // SAFETY: the caller's promise.
        self.with(|state, geometry| unsafe { state.push_loose(cell.as_ptr().cast(), geometry) });
    }
}
