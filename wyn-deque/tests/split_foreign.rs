//! Foreign code never runs inside the split deque: what others have left with crossbeam-epoch's collector, which
//! runs closures inside anybody's `pin` and `flush`, stays there.
#![cfg(not(wyn_loom))]

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

use wyn_deque::Steal;
use wyn_deque::split::Worker;

type Deque = Rc<Worker<Box<u64>>>;

thread_local! {
    static DEST: RefCell<Option<Deque>> = const { RefCell::new(None) };
    static RAN: Cell<u32> = const { Cell::new(0) };
}

fn filled(capacity: usize, items: u64) -> Worker<Box<u64>> {
    let worker = Worker::with_capacity(capacity);
    (0..items).for_each(|item| worker.push(Box::new(item)));
    worker
}

/// Leaves a closure that pushes so many items to [`DEST`] with the collector.
fn defer_pushes(items: u64) {
    let guard = crossbeam_epoch::pin();
    guard.defer(move || {
        RAN.set(RAN.get() + 1);
        if let Some(dest) = DEST.with_borrow(Clone::clone) {
            (0..items).for_each(|item| dest.push(Box::new(item)));
        }
    });
    guard.flush();
}

/// Steals 64 items to [`DEST`] while the closure is due, or nearly so; all that comes out must be there once.
fn steal_to(victim: &Worker<Box<u64>>, dest: &Deque, expected: usize) {
    let before = RAN.get();
    assert_eq!(victim.stealer().steal_batch(dest, 64), Steal::Success(()));
    assert_eq!(RAN.get(), before, "foreign code ran inside the steal");
    let items: Vec<Box<u64>> = std::iter::from_fn(|| dest.pop()).collect();
    let places: HashSet<*const u64> = items.iter().map(|item| std::ptr::from_ref(&**item)).collect();
    assert_eq!((items.len(), places.len()), (expected, expected));
    DEST.take();
}

/// The destination grows inside the steal.
#[test]
fn growth_runs_no_foreign_code() {
    for flushes in 0..4 {
        let (victim, dest) = (filled(4096, 2000), Rc::new(filled(256, 250)));
        DEST.set(Some(Rc::clone(&dest)));
        defer_pushes(760);
        (0..flushes).for_each(|_| crossbeam_epoch::pin().flush());
        let here = dest.len();
        steal_to(&victim, &dest, here + 64);
    }
}

/// The collector looks for work at each 128th pin of a thread.
#[test]
fn a_steal_runs_no_foreign_code() {
    for pins in 0..140 {
        let (victim, dest) = (filled(4096, 200), Rc::new(filled(256, 190)));
        DEST.set(Some(Rc::clone(&dest)));
        defer_pushes(60);
        (0..pins).for_each(|_| drop(crossbeam_epoch::pin()));
        let here = dest.len();
        steal_to(&victim, &dest, here + 64);
    }
}
