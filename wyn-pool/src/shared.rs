//! What all handles and boxes of one typed pool share: the depot, the caches of all threads, and when to end.
//!
//! The memory lives until the last handle is gone *and* every box is dropped, without a reference count on the hot
//! path. The last handle marks the pool closed. Until a thread sees that, it frees into its cache and looks at
//! nothing afterwards: the store to the cache's count is its last touch. Once closed, a free goes through the lock
//! of the [`Registry`], as does everything else that may end the pool: whoever finds all cells home under that lock
//! releases it, and nobody else can be inside.
//!
//! | event | who looks whether all cells are home |
//! |---|---|
//! | last handle dropped | that thread |
//! | box dropped, pool seen closed | that thread |
//! | box dropped while another thread closes the pool, mark not seen | nobody yet: the next of the rows below |
//! | a pool made, closed or trimmed; a thread that used a pool exits | that thread, for all closed pools |

use crate::Stats;
use crate::cache::Cache;
use crate::depot::{Depot, Geometry};
use crate::slot::{self, BUCKETS, Slot};
use crate::sync::{AtomicBool, AtomicPtr, AtomicUsize, Mutex, Ordering, Witness, fence, global};
use core::ptr::{self, NonNull};

/// One pool's shared part, on the heap; handles and boxes hold pointers to it.
///
/// | word | site | ordering | partner | mutant: model that dies |
/// |---|---|---|---|---|
/// | `closed` | store in `drop_handle` | Relaxed | under the registry's lock, as every decision made upon it | no store: `a_box_dropped_after_the_close_ends_the_pool` |
/// | `closed` | loads in `free`, `free_slow` | Relaxed | only pick the way; a stale no is the third row of the file's table | – |
/// | `handles` | `fetch_add` in `add_handle` | Relaxed | the caller has a handle, so the count cannot reach zero | – |
/// | `handles` | `fetch_sub` in `drop_handle` | Release | the fence in `drop_handle`: all allocations precede the close | Relaxed: `closing_sees_every_allocation` |
/// | `handles` | fence in `drop_handle` | Acquire | see above | none: `closing_sees_every_allocation` |
/// | `buckets` | store in `bucket` | Release | the loads in `cache` and `leave`: the caches are initialised | Relaxed: `a_bucket_is_seen_whole` |
/// | `buckets` | load in `cache` | Acquire | the store in `bucket` | Relaxed: `a_bucket_is_seen_whole` |
/// | `buckets` | load in `leave` | Acquire | the store in `bucket` | Relaxed: `a_bucket_made_by_another_is_left_alone` |
/// | `buckets` | load in `caches` | Relaxed | under the depot's lock, as the store | – |
///
/// Further mutants, of checks instead of orderings, are in `tests/mutants.toml`, with who dies of each.
pub(crate) struct Shared {
    closed: AtomicBool,
    handles: AtomicUsize,
    /// Caches by place; a bucket is null until a thread of it comes. Owned, freed with the pool.
    buckets: [AtomicPtr<Cache>; BUCKETS],
    depot: Depot,
    /// Stands for the memory of the cells and of this struct, which ends with the pool.
    memory: Witness,
}

/// A pointer to a pool's shared part that owns nothing by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
struct SharedPtr(NonNull<Shared>);

// SAFETY: what other threads do with the pointer happens under the registry's lock, on parts made for it.
unsafe impl Send for SharedPtr {}

/// All pools whose memory is held.
struct Registry {
    open: Vec<SharedPtr>,
    closed: Vec<SharedPtr>,
}

global!(REGISTRY: Mutex<Registry> = Mutex::new(Registry { open: Vec::new(), closed: Vec::new() }));

impl Shared {
    /// A new pool with one handle.
    pub(crate) fn create(geometry: Geometry) -> NonNull<Self> {
        let shared = Box::new(Self {
            closed: AtomicBool::new(false),
            handles: AtomicUsize::new(1),
            buckets: core::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
            depot: Depot::new(geometry),
            memory: Witness::new(),
        });
        let shared = NonNull::from(Box::leak(shared));
        let mut registry = REGISTRY.lock();
        registry.sweep();
        registry.open.push(SharedPtr(shared));
        shared
    }

    /// One more handle.
    pub(crate) fn add_handle(&self) {
        // Ordering: Relaxed, the caller's own handle keeps the count above zero meanwhile.
        let before = self.handles.fetch_add(1, Ordering::Relaxed);
        assert!(before < usize::MAX / 2, "too many handles");
    }

    /// One handle fewer.
    ///
    /// # Safety
    /// - The caller owns a handle and does not use it, nor `shared` on its behalf, afterwards.
    pub(crate) unsafe fn drop_handle(shared: NonNull<Self>) {
        // SAFETY: the caller's handle keeps the pool alive up to here.
        let handles = unsafe { &(*shared.as_ptr()).handles };
        // Ordering: Release, pairs with the fence below in the thread that drops the last handle.
        if handles.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // Ordering: Acquire, pairs with the Release above: all allocations happen before the close.
        fence(Ordering::Acquire);
        let mut registry = REGISTRY.lock();
        registry.open.retain(|other| other.0 != shared);
        registry.closed.push(SharedPtr(shared));
        // SAFETY: only the holder of the registry's lock ends a closed pool, and that is us.
        let closed = unsafe { &(*shared.as_ptr()).closed };
        // Ordering: Relaxed, whoever acts on it takes the registry's lock, which we hold, first.
        closed.store(true, Ordering::Relaxed);
        registry.sweep();
    }

    /// The calling thread's cache, if it has one in this pool.
    #[inline]
    fn cache(&self) -> Option<&Cache> {
        let slot = slot::current();
        // Ordering: Acquire, pairs with the Release in `bucket`: the caches are initialised.
        let caches = self.buckets[slot.bucket as usize % BUCKETS].load(Ordering::Acquire);
        // SAFETY: a bucket that exists has a cache for every slot of its number.
        (!caches.is_null()).then(|| unsafe { &*caches.wrapping_add(slot.index as usize) })
    }

    /// A cell, or `None` when the system has no memory left. The caller has a handle.
    #[inline]
    pub(crate) fn alloc(&self, cell_bytes: usize) -> Option<NonNull<u8>> {
        debug_assert_eq!(cell_bytes, self.depot.geometry.cell);
        match self.cache().and_then(|cache| cache.alloc(cell_bytes)) {
            Some(cell) => Some(cell),
            None => self.alloc_slow(),
        }
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&self) -> Option<NonNull<u8>> {
        match self.open_cache() {
            Some(cache) => cache.refill(&self.depot),
            None => self.depot.alloc_one(),
        }
    }

    /// Gives a cell back.
    ///
    /// # Safety
    /// - `cell` is a live cell of this pool; neither it nor `shared` is used by the caller afterwards.
    #[inline]
    pub(crate) unsafe fn free(shared: NonNull<Self>, cell: NonNull<u8>) {
        // SAFETY: a pool lives while one of its cells is live, and `cell` is until it is counted below.
        let this = unsafe { shared.as_ref() };
        this.memory.shared();
        // Ordering: Relaxed, see the table at `Shared`.
        if !this.closed.load(Ordering::Relaxed)
            && let Some(cache) = this.cache()
            // SAFETY: the caller's promise.
            // LAST TOUCH: when this succeeds another thread may release the pool.
            && unsafe { cache.free(cell) }
        {
            return;
        }
        // SAFETY: the caller's promise; the fast path declined, so the cell is live still.
        unsafe { Self::free_slow(shared, cell) };
    }

    /// # Safety
    /// - As [`Shared::free`].
    #[cold]
    #[inline(never)]
    unsafe fn free_slow(shared: NonNull<Self>, cell: NonNull<u8>) {
        // SAFETY: as in `free`.
        let this = unsafe { shared.as_ref() };
        // Ordering: Relaxed, see the table at `Shared`.
        if !this.closed.load(Ordering::Relaxed)
            && let Some(cache) = this.open_cache()
        {
            cache.make_room(&this.depot);
            // SAFETY: the caller's promise.
            // LAST TOUCH: when this succeeds, as it does with room made, another thread may release the pool.
            let freed = unsafe { cache.free(cell) };
            debug_assert!(freed, "an open cache with room declines no cell");
            return;
        }
        let mut registry = REGISTRY.lock();
        // SAFETY: the caller's promise.
        unsafe { this.depot.free_one(cell) };
        registry.sweep();
    }

    /// The thread's cache, made and opened if need be. `None` when the thread is exiting, or when there is no
    /// memory for its bucket of caches.
    fn open_cache(&self) -> Option<&Cache> {
        let slot = slot::enter()?;
        if self.cache().is_none() {
            self.bucket(slot.bucket as usize)?;
        }
        let cache = self.cache()?;
        if cache.is_shut() {
            cache.open(&self.depot);
        }
        Some(cache)
    }

    /// Makes the bucket unless it exists.
    fn bucket(&self, bucket: usize) -> Option<()> {
        self.depot.with(|_, _| {
            // Ordering: Relaxed, buckets are made only under the depot's lock, which we hold.
            if self.buckets[bucket].load(Ordering::Relaxed).is_null() {
                let mut caches = Vec::new();
                caches.try_reserve_exact(Slot::bucket_len(bucket)).ok()?;
                caches.resize_with(Slot::bucket_len(bucket), Cache::new);
                let caches: *mut [Cache] = Box::into_raw(caches.into_boxed_slice());
                // Ordering: Release, pairs with the Acquire in `cache`: the caches are initialised.
                self.buckets[bucket].store(caches.cast(), Ordering::Release);
            }
            Some(())
        })
    }

    /// All caches there are, of whatever thread: only for what [`Cache`] offers to other threads, and only under
    /// the depot's lock.
    fn caches(&self) -> impl Iterator<Item = &Cache> {
        self.buckets.iter().enumerate().flat_map(|(bucket, caches)| {
            // Ordering: Relaxed, read under the depot's lock, under which `bucket` stores.
            let caches = caches.load(Ordering::Relaxed);
            let len = if caches.is_null() { 0 } else { Slot::bucket_len(bucket) };
            // SAFETY: a bucket that exists has this many caches, which live as long as the pool.
            (0..len).map(move |i| unsafe { &*caches.wrapping_add(i) })
        })
    }

    pub(crate) fn stats(&self) -> Stats {
        self.depot.stats(self.caches())
    }

    pub(crate) fn trim(&self) -> usize {
        if let Some(cache) = self.cache().filter(|cache| !cache.is_shut()) {
            cache.shut(&self.depot);
        }
        REGISTRY.lock().sweep();
        self.depot.trim()
    }
}

impl Registry {
    /// Ends the closed pools all of whose cells are home.
    fn sweep(&mut self) {
        self.closed.retain(|shared| {
            // SAFETY: pools in the registry are alive, and only the holder of its lock, we, ends them.
            let this = unsafe { shared.0.as_ref() };
            // No handle, so no allocation: `live` only falls, and zero is final.
            if this.stats().live > 0 {
                return true;
            }
            // SAFETY: the pointer came from `Box::leak`. No handle is left and no cell is live; the thread that
            // freed the last one touched the pool last when it counted the cell, or holds the lock we hold.
            drop(unsafe { Box::from_raw(shared.0.as_ptr()) });
            false
        });
    }
}

/// Flushes the exiting thread's caches of all pools, so that its place can have a new owner.
pub(crate) fn leave(slot: Slot) {
    let mut registry = REGISTRY.lock();
    for shared in registry.open.iter().chain(&registry.closed) {
        // SAFETY: pools in the registry are alive while we hold its lock.
        let this = unsafe { shared.0.as_ref() };
        // Ordering: Acquire, pairs with the Release in `bucket`: the caches are initialised.
        let caches = this.buckets[slot.bucket as usize].load(Ordering::Acquire);
        if !caches.is_null() {
            // SAFETY: a bucket that exists has a cache for every slot of its number; this one is ours.
            let cache = unsafe { &*caches.wrapping_add(slot.index as usize) };
            if !cache.is_shut() {
                cache.shut(&this.depot);
            }
        }
    }
    registry.sweep();
}

/// How many pools have memory, closed ones included; for the models only.
#[cfg(wyn_loom)]
pub(crate) fn held_pools() -> usize {
    let registry = REGISTRY.lock();
    registry.open.len() + registry.closed.len()
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.memory.exclusive();
        for (bucket, caches) in self.buckets.iter().enumerate() {
            // Ordering: Relaxed, the pool is ours alone.
            let caches = caches.load(Ordering::Relaxed);
            if !caches.is_null() {
                let caches = ptr::slice_from_raw_parts_mut(caches, Slot::bucket_len(bucket));
                // SAFETY: made by `Box::into_raw` in `bucket` with this length, and not freed before.
                drop(unsafe { Box::from_raw(caches) });
            }
        }
        // SAFETY: the pool ends: no cell is live and nobody is left to use it.
        unsafe { self.depot.release_all() };
    }
}
