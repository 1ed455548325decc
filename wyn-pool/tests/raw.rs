//! Raw size classes: order, alignment, exchange, thread exit, statistics, trim.

use core::alloc::Layout;
use core::ptr::NonNull;
use std::collections::HashSet;
use std::sync::Mutex;
use wyn_pool::raw::{self, SizeClass};

/// The classes are shared by the whole process; tests that count take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> std::sync::MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A cell that may cross threads.
struct Owned(NonNull<u8>, SizeClass);
// SAFETY: raw cells may be freed by any thread.
unsafe impl Send for Owned {}

impl Owned {
    fn new(class: SizeClass) -> Self {
        let cell = raw::alloc(class);
        // SAFETY: the cell is ours and `size` bytes large.
        unsafe { cell.as_ptr().write_bytes(0xA5, class.size()) };
        Self(cell, class)
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the cell came from `alloc` of this class, once.
        unsafe { raw::free(self.0, self.1) };
    }
}

#[test]
#[cfg_attr(feature = "global-alloc", ignore = "there are no caches")]
fn alloc_after_free_returns_the_same_cell() {
    let _turn = turn();
    for class in SizeClass::ALL {
        let first = Owned::new(class);
        let address = first.0;
        drop(first);
        assert_eq!(Owned::new(class).0, address, "{class:?}");
    }
}

#[test]
fn cells_are_aligned_and_apart() {
    let _turn = turn();
    for class in SizeClass::ALL {
        let cells: Vec<_> = (0..10_000).map(|_| Owned::new(class)).collect();
        let mut starts: Vec<_> = cells.iter().map(|cell| cell.0.addr().get()).collect();
        starts.sort_unstable();
        assert!(starts.iter().all(|start| start % class.align() == 0));
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= class.size()));
    }
}

#[test]
fn for_layout_picks_the_smallest_class() {
    let class = |size, align| SizeClass::for_layout(Layout::from_size_align(size, align).unwrap());
    assert_eq!(class(0, 1), Some(SizeClass::C32));
    assert_eq!(class(32, 32), Some(SizeClass::C32));
    assert_eq!(class(33, 8), Some(SizeClass::C64));
    assert_eq!(class(8, 64), Some(SizeClass::C64));
    assert_eq!(class(128, 64), Some(SizeClass::C128));
    assert_eq!(class(129, 1), Some(SizeClass::C256));
    assert_eq!(class(257, 1), None);
    assert_eq!(class(8, 128), None);
}

#[test]
#[cfg_attr(feature = "global-alloc", ignore = "there are no caches")]
fn memory_is_reused_before_more_is_taken() {
    let _turn = turn();
    drop((0..10_000).map(|_| Owned::new(SizeClass::C64)).collect::<Vec<_>>());
    let before = raw::stats_of(SizeClass::C64).bytes;
    for _ in 0..10 {
        drop((0..10_000).map(|_| Owned::new(SizeClass::C64)).collect::<Vec<_>>());
    }
    assert_eq!(raw::stats_of(SizeClass::C64).bytes, before);
}

#[test]
#[cfg_attr(feature = "global-alloc", ignore = "there are no caches")]
fn an_exiting_thread_leaves_its_cells_to_others() {
    let _turn = turn();
    let addresses = || (0..300).map(|_| Owned::new(SizeClass::C128)).collect::<Vec<_>>();
    let theirs: HashSet<_> =
        std::thread::spawn(move || addresses().iter().map(|cell| cell.0.addr()).collect()).join().unwrap();
    let bytes = raw::stats_of(SizeClass::C128).bytes;
    let ours = addresses();
    assert!(ours.iter().filter(|cell| theirs.contains(&cell.0.addr())).count() >= 299);
    assert_eq!(raw::stats_of(SizeClass::C128).bytes, bytes);
}

#[test]
#[cfg_attr(feature = "global-alloc", ignore = "there are no caches")]
fn cells_freed_by_another_thread_come_home() {
    let _turn = turn();
    let live = raw::stats_of(SizeClass::C32).live;
    for _ in 0..20 {
        let cells: Vec<_> = (0..1_000).map(|_| Owned::new(SizeClass::C32)).collect();
        assert_eq!(raw::stats_of(SizeClass::C32).live, live + 1_000);
        std::thread::spawn(move || drop(cells)).join().unwrap();
        assert_eq!(raw::stats_of(SizeClass::C32).live, live);
    }
    assert!(raw::stats_of(SizeClass::C32).bytes < 20 * 1_000 * 32);
}

#[test]
#[cfg_attr(feature = "global-alloc", ignore = "there are no caches")]
fn trim_gives_back_what_is_free_and_only_that() {
    let _turn = turn();
    let class = SizeClass::C256;
    let all: Vec<_> = (0..20_000).map(|_| Owned::new(class)).collect();
    assert!(raw::stats_of(class).bytes >= 20_000 * 256);
    let (kept, freed): (Vec<_>, Vec<_>) = all.into_iter().enumerate().partition(|(i, _)| *i == 9_999);
    drop(freed);
    assert!(raw::trim() >= 15_000 * 256);
    assert_eq!(raw::stats_of(class).live, 1);
    assert_eq!(raw::stats_of(class).chunks, 1, "the chunk of the one live cell stays");
    // SAFETY: the cell is live; `Owned::new` filled it.
    assert_eq!(unsafe { kept[0].1.0.as_ptr().read() }, 0xA5);
    drop((0..20_000).map(|_| Owned::new(class)).collect::<Vec<_>>());
    drop(kept);
    raw::trim();
    assert_eq!(raw::stats_of(class).bytes, 0);
}

thread_local! {
    static LATE: std::cell::RefCell<Vec<Owned>> = const { std::cell::RefCell::new(Vec::new()) };
}

#[test]
fn destructors_of_other_thread_locals_may_use_the_pool() {
    let _turn = turn();
    struct Allocates;
    impl Drop for Allocates {
        fn drop(&mut self) {
            drop((0..500).map(|_| Owned::new(SizeClass::C64)).collect::<Vec<_>>());
        }
    }
    thread_local!(static ALLOCATES: Allocates = const { Allocates });
    let live = raw::stats_of(SizeClass::C64).live;
    for pool_first in [false, true] {
        std::thread::spawn(move || {
            if pool_first {
                drop(Owned::new(SizeClass::C64));
            }
            ALLOCATES.with(|_| ());
            LATE.with_borrow_mut(|late| late.extend((0..300).map(|_| Owned::new(SizeClass::C64))));
        })
        .join()
        .unwrap();
        assert_eq!(raw::stats_of(SizeClass::C64).live, live);
    }
}
