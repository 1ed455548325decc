//! What is allocated beside the pool's cells, and that all of it is freed.
#![cfg(not(wyn_loom))]
#![allow(unsafe_code, reason = "an allocator that counts")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::{runtime, wait_until, watchdog};
use wyn_sched::{JoinHandle, join, scope, spawn, spawn_future};

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: all is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: by contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: by contract.
        unsafe { System.dealloc(at, layout) };
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// One test at a time: the counts are those of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn tasks_branches_and_children_allocate_nothing() {
    if cfg!(feature = "global-alloc") {
        return; // Every cell is an allocation there.
    }
    let (_dog, _alone) = (watchdog(60), alone());
    runtime(1).install(|| {
        let mut handles: Vec<JoinHandle<usize>> = Vec::with_capacity(1000);
        let mut round = || {
            handles.extend((0..1000).map(|i| spawn(move || i)));
            assert_eq!(handles.drain(..).map(|handle| handle.join().unwrap()).sum::<usize>(), 499_500);
            handles.extend((0..1000).map(|i| spawn_future(async move { i })));
            assert_eq!(handles.drain(..).map(|handle| handle.join().unwrap()).sum::<usize>(), 499_500);
            let children = AtomicUsize::new(0);
            scope(|s| {
                for _ in 0..1000 {
                    s.spawn_detached(|_| _ = children.fetch_add(1, Ordering::Relaxed));
                }
            });
            assert_eq!(join(|| children.load(Ordering::Relaxed), || 1), (1000, 1));
        };
        // Until the deque has grown and the pool has cells at hand.
        (0..3).for_each(|_| round());
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        round();
        assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0);
    });
}

/// Larger than any cell, and nothing to drop in it.
type Large = [u8; 5000];

#[test]
fn large_results_that_nobody_takes_are_freed() {
    let (_dog, _alone) = (watchdog(60), alone());
    let runtime = runtime(2);
    let finished = |handle: JoinHandle<Large>| wait_until("finished", || handle.is_finished());
    let round = || {
        finished(runtime.spawn(|| [1; 5000]));
        finished(runtime.spawn_future(async { [1; 5000] }));
        runtime.spawn(|| [1_u8; 5000]).detach();
        runtime.spawn_future(async { [1_u8; 5000] }).detach();
        let captured: Large = [1; 5000];
        let never = runtime.spawn_future(async move {
            std::future::pending::<()>().await;
            captured
        });
        never.cancel();
        assert!(never.join().unwrap_err().is_cancelled());
    };
    (0..50).for_each(|_| round());
    let before = LIVE.load(Ordering::Relaxed);
    (0..200).for_each(|_| round());
    let grown = LIVE.load(Ordering::Relaxed).saturating_sub(before);
    // The last ones may be under way, and a thread may have asked for cells; each kind alone would be 1,000,000.
    assert!(grown < 300_000, "{grown} bytes more");
}
