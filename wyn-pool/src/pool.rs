//! [`Pool`]: the handle, and how values get in.

use crate::depot::Geometry;
use crate::error::AllocError;
use crate::shared::Shared;
use crate::{PoolBox, Stats};
use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;

/// A pool of values of one type, made for many short-lived values that often end on another thread.
///
/// `Pool` is a handle: [`clone`](Clone::clone) gives another on the same pool, and each thread that uses one gets a
/// cache of free cells in it. Boxes keep the memory, so that dropping all handles first is fine.
///
/// | a cell is | and owned by | until |
/// |---|---|---|
/// | live | its [`PoolBox`] | the box is dropped |
/// | in a magazine | the cache of the thread that freed it | an `alloc` on that thread; a full list moves on |
/// | in a depot list | the depot, under its lock | a cache takes the list; [`trim`](Pool::trim) |
/// | in a range, never handed out | one thread's cache, or the depot | an `alloc`; [`trim`](Pool::trim) |
///
/// Chunks have 4096 cells, or as many as fit 1 MiB; lists have 128, or as many as fit 64 KiB. A cell is at least 16
/// bytes large, also for types without a size. A thread that exits leaves its cells to the others.
///
/// ```
/// # fn main() -> Result<(), wyn_pool::AllocError<String>> {
/// let pool = wyn_pool::Pool::new();
/// let mut name = pool.alloc(String::from("wyn"));
/// name.push('!');
/// let other = pool.try_alloc(String::from("no panic, no abort"))?;
/// std::thread::spawn(move || drop(other)).join().expect("a box may end on any thread");
/// assert_eq!(name.into_inner(), "wyn!");
/// assert_eq!(pool.stats().live, 0);
/// # Ok(())
/// # }
/// ```
pub struct Pool<T> {
    shared: NonNull<Shared>,
    /// The pool holds no values, only cells.
    _values: PhantomData<fn() -> T>,
}

// SAFETY: a handle reaches no value of `T`; what it shares is made for all threads.
unsafe impl<T> Send for Pool<T> {}
// SAFETY: as above; the caches are used by their owners only, found through a thread-local.
unsafe impl<T> Sync for Pool<T> {}
impl<T> UnwindSafe for Pool<T> {}
impl<T> RefUnwindSafe for Pool<T> {}

impl<T> Pool<T> {
    const GEOMETRY: Geometry = match Geometry::new(Layout::new::<T>()) {
        Some(geometry) => geometry,
        None => panic!("values of this type are too large for a pool"),
    };

    /// An empty pool. Takes no memory for cells yet.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: Shared::create(Self::GEOMETRY), _values: PhantomData }
    }

    /// Puts `value` into a cell.
    ///
    /// When the system has no memory left, calls [`handle_alloc_error`](std::alloc::handle_alloc_error).
    #[inline]
    pub fn alloc(&self, value: T) -> PoolBox<T> {
        match self.cell() {
            Some(cell) => cell.write(value),
            None => out_of_memory(Layout::new::<T>()),
        }
    }

    /// As [`alloc`](Self::alloc), but never aborts.
    ///
    /// # Errors
    /// When the system has no memory left; the value is in the error.
    #[inline]
    pub fn try_alloc(&self, value: T) -> Result<PoolBox<T>, AllocError<T>> {
        match self.cell() {
            Some(cell) => Ok(cell.write(value)),
            None => Err(AllocError(value)),
        }
    }

    /// A cell without a value, for values too large to pass through the stack.
    ///
    /// # Errors
    /// When the system has no memory left.
    #[inline]
    pub fn try_alloc_uninit(&self) -> Result<PoolBox<MaybeUninit<T>>, AllocError<()>> {
        self.cell().ok_or(AllocError(()))
    }

    #[inline]
    fn cell(&self) -> Option<PoolBox<MaybeUninit<T>>> {
        let cell = self.shared().alloc(Self::GEOMETRY.cell)?;
        // SAFETY: the cell is live, ours, and of the size and alignment of `T`, any contents being valid.
        Some(unsafe { PoolBox::from_cell(cell.cast(), self.shared) })
    }

    /// What the pool holds. A snapshot: other threads' caches are read while they work, so that the numbers may be
    /// off by what moved meanwhile; exact when nobody else uses the pool. Takes the pool's lock.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared().stats()
    }

    /// Gives chunks whose cells are all free back to the system; returns how many bytes.
    ///
    /// Counts free cells of the depot and of the calling thread's cache, which is flushed for it; a chunk with a
    /// cell in another thread's cache stays. Walks every free cell under the pool's lock: call it at rest.
    pub fn trim(&self) -> usize {
        self.shared().trim()
    }

    /// Whether both are handles on the same pool.
    #[must_use]
    pub fn same_pool(&self, other: &Self) -> bool {
        self.shared == other.shared
    }

    #[inline]
    fn shared(&self) -> &Shared {
        // SAFETY: a handle keeps the shared part alive.
        unsafe { self.shared.as_ref() }
    }
}

#[cold]
#[inline(never)]
fn out_of_memory(layout: Layout) -> ! {
    std::alloc::handle_alloc_error(layout)
}

impl<T> Clone for Pool<T> {
    fn clone(&self) -> Self {
        self.shared().add_handle();
        Self { shared: self.shared, _values: PhantomData }
    }
}

impl<T> Drop for Pool<T> {
    fn drop(&mut self) {
        // SAFETY: this handle is ours and ends here.
        unsafe { Shared::drop_handle(self.shared) };
    }
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
