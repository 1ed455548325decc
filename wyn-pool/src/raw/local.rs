//! The calling thread's caches, and the list of all threads' caches for the statistics.
//!
//! The hot thread-local has no destructor, so that an access is one address computation and no state check. A
//! second one, registered by the first slow path of a thread, has: when the thread exits it flushes the caches and
//! leaves them shut, and from then on every call lands in the slow path and goes straight to the depot.

use super::SizeClass;
use crate::Stats;
use crate::cache::Cache;
use crate::depot::{Depot, Geometry};
use crate::sync::Mutex;
use core::cell::Cell;
use core::ptr::NonNull;

const CLASSES: usize = SizeClass::ALL.len();

const fn depot(class: SizeClass) -> Depot {
    match Geometry::new(class.layout()) {
        Some(geometry) => Depot::new(geometry),
        None => unreachable!(),
    }
}

static DEPOTS: [Depot; CLASSES] =
    [depot(SizeClass::C32), depot(SizeClass::C64), depot(SizeClass::C128), depot(SizeClass::C256)];

/// Every open set of caches.
static THREADS: Mutex<Vec<Caches>> = Mutex::new(Vec::new());

/// A pointer to one thread's caches; in `THREADS` from the thread's first slow path to its exit.
struct Caches(NonNull<[Cache; CLASSES]>);

// SAFETY: other threads use the pointer only for `held` and `range_bytes`, which are made for any thread.
unsafe impl Send for Caches {}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// The thread has not met the pool yet.
    New,
    /// The caches are open and the guard is armed.
    Open,
    /// The thread is exiting: straight to the depot.
    Exiting,
}

struct Local {
    caches: [Cache; CLASSES],
    stage: Cell<Stage>,
}

/// Flushes the caches when the thread exits.
struct Guard;

thread_local! {
    static LOCAL: Local = const {
        Local { caches: [const { Cache::new() }; CLASSES], stage: Cell::new(Stage::New) }
    };
    static GUARD: Guard = const { Guard };
}

#[inline]
pub(super) fn alloc(class: SizeClass) -> Option<NonNull<u8>> {
    LOCAL.with(|local| match local.caches[class as usize].alloc(class.size()) {
        Some(cell) => Some(cell),
        None => alloc_slow(local, class),
    })
}

/// # Safety
/// - As `raw::free`.
#[inline]
pub(super) unsafe fn free(cell: NonNull<u8>, class: SizeClass) {
    LOCAL.with(|local| {
        // SAFETY: the caller's promise.
        if !unsafe { local.caches[class as usize].free(cell) } {
            // SAFETY: the caller's promise; `free` declined, so the cell is still the caller's.
            unsafe { free_slow(local, cell, class) };
        }
    });
}

#[cold]
#[inline(never)]
fn alloc_slow(local: &Local, class: SizeClass) -> Option<NonNull<u8>> {
    let depot = &DEPOTS[class as usize];
    if local.enter() { local.caches[class as usize].refill(depot) } else { depot.alloc_one() }
}

/// # Safety
/// - As `raw::free`.
#[cold]
#[inline(never)]
unsafe fn free_slow(local: &Local, cell: NonNull<u8>, class: SizeClass) {
    let depot = &DEPOTS[class as usize];
    let cache = &local.caches[class as usize];
    if !local.enter() {
        // SAFETY: the caller's promise.
        return unsafe { depot.free_one(cell) };
    }
    cache.make_room(depot);
    // SAFETY: the caller's promise.
    let freed = unsafe { cache.free(cell) };
    debug_assert!(freed, "an open cache with room declines no cell");
}

impl Local {
    /// Opens the caches on the thread's first slow path; false when the thread is exiting.
    fn enter(&self) -> bool {
        if self.stage.get() == Stage::New {
            self.first();
        }
        self.stage.get() == Stage::Open
    }

    fn first(&self) {
        if GUARD.try_with(|_| ()).is_err() {
            self.stage.set(Stage::Exiting);
            return;
        }
        for (cache, depot) in self.caches.iter().zip(&DEPOTS) {
            cache.open(depot);
        }
        THREADS.lock().push(Caches(NonNull::from(&self.caches)));
        self.stage.set(Stage::Open);
    }

    fn exit(&self) {
        self.stage.set(Stage::Exiting);
        let own = NonNull::from(&self.caches);
        // Under the lock, so that the statistics never miss cells on their way to the depot.
        let mut threads = THREADS.lock();
        threads.retain(|caches| caches.0 != own);
        for (cache, depot) in self.caches.iter().zip(&DEPOTS) {
            cache.shut(depot);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        LOCAL.with(Local::exit);
    }
}

pub(super) fn stats(class: SizeClass) -> Stats {
    let depot = &DEPOTS[class as usize];
    let threads = THREADS.lock();
    depot.stats(threads.iter().map(|caches| {
        // SAFETY: caches leave `THREADS`, whose lock we hold, before their thread ends.
        let caches = unsafe { caches.0.as_ref() };
        &caches[class as usize]
    }))
}

pub(super) fn trim(class: SizeClass) -> usize {
    let depot = &DEPOTS[class as usize];
    LOCAL.with(|local| {
        if local.stage.get() == Stage::Open {
            let cache = &local.caches[class as usize];
            cache.shut(depot);
            cache.open(depot);
        }
    });
    depot.trim()
}
