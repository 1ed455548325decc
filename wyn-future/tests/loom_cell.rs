//! Every interleaving of the one-shot cell. Run with `cargo xtask loom wyn-future`.
//!
//! A freed cell stays in memory, and freeing it is a write to whatever an access reads: a touch after the free
//! is a race that loom reports. `weakened` runs these models again with one ordering or barrier half missing,
//! and expects each to fail.
#![cfg(wyn_loom)]

#[path = "loom/barriers.rs"]
mod barriers;
#[path = "loom/claim.rs"]
mod claim;
#[path = "loom/weakened.rs"]
mod weakened;

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use barriers::{Halves, Nothing};
use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicBool;
use loom::thread;
use wyn_future::Barrier;
use wyn_future::cell::{Header, Outcome, Owner, Phase};

const VALUE: u64 = 42;

/// A cell and its payload, in a memory block that outlives the model.
struct Block {
    header: ManuallyDrop<Header>,
    payload: UnsafeCell<u64>,
    runs: AtomicUsize,
    frees: AtomicUsize,
}

#[derive(Clone, Copy)]
struct Cell(*mut Block);

// SAFETY: that its uses are ordered is what the models check.
unsafe impl Send for Cell {}

impl Cell {
    fn new() -> Self {
        Self(Box::into_raw(Box::new(Block {
            header: ManuallyDrop::new(Header::new(Self::entry(), None)),
            payload: UnsafeCell::new(0),
            runs: AtomicUsize::new(0),
            frees: AtomicUsize::new(0),
        })))
    }

    fn entry() -> *mut () {
        static ENTRY: u64 = 0;
        (&raw const ENTRY).cast_mut().cast()
    }

    fn header(&self) -> &Header {
        // SAFETY: the block lives until `check`.
        unsafe { &(*self.0).header }
    }

    fn payload(&self) -> &UnsafeCell<u64> {
        // SAFETY: as `header`.
        unsafe { &(*self.0).payload }
    }

    fn runs(&self) -> &AtomicUsize {
        // SAFETY: as `header`.
        unsafe { &(*self.0).runs }
    }

    fn frees(&self) -> &AtomicUsize {
        // SAFETY: as `header`.
        unsafe { &(*self.0).frees }
    }

    /// The completer: says whether the handle had gone, in which case it frees the cell.
    fn complete<B: Barrier>(self) -> bool {
        // SAFETY: the payload is the completer's until it completes.
        self.payload().with_mut(|p| unsafe { *p = VALUE });
        // SAFETY: the only completion of a live cell.
        match unsafe { Header::complete::<B>(self.header(), Outcome::Value) } {
            Owner::Other => false,
            Owner::Mine(outcome) => {
                self.take_and_free(outcome);
                true
            }
        }
    }

    /// What the owner does with a complete cell.
    fn take_and_free(self, outcome: Outcome) {
        assert_eq!(outcome, Outcome::Value, "a stale outcome");
        // SAFETY: the payload is the owner's.
        assert_eq!(self.payload().with(|p| unsafe { *p }), VALUE);
        self.free();
    }

    /// The memory, whose payload is gone.
    fn free(self) {
        assert_eq!(self.frees().fetch_add(1, Ordering::Relaxed), 0, "freed twice");
        self.payload().with_mut(|_| ());
        // SAFETY: freed once; later accesses find the watched memory of a dropped header.
        unsafe { ManuallyDrop::drop(&mut (*self.0).header) };
    }

    /// The handle takes the result of a completer that has left.
    fn take(self) {
        let outcome = self.header().left().expect("the completer has left");
        // SAFETY: it has, and the cell is freed next.
        unsafe { self.header().finish() };
        self.take_and_free(outcome);
    }

    /// The handle goes: says whether it frees the cell.
    fn abandon<B: Barrier>(self) -> bool {
        // SAFETY: the handle of a live cell, given up.
        match unsafe { Header::abandon::<B>(self.header()) } {
            Owner::Other => false,
            Owner::Mine(outcome) => {
                self.take_and_free(outcome);
                true
            }
        }
    }

    /// Waits as a thread does, without a time limit.
    fn park<B: Barrier>(self) {
        // SAFETY: the handle of a live cell.
        assert!(unsafe { self.header().park::<B>(None) });
    }

    /// A wait whose time is up at once; says whether the completer had left in spite of that.
    fn wait_briefly<B: Barrier>(self) -> bool {
        // SAFETY: the handle of a live cell.
        unsafe { self.header().wait::<B, _>(|| ()) };
        self.header().left().is_some()
    }

    fn poll<B: Barrier>(self, flag: &Arc<Flag>) -> bool {
        let waker = Waker::from(flag.clone());
        // SAFETY: the handle of a live cell.
        unsafe { self.header().poll::<B>(&Context::from_waker(&waker)) }
    }

    /// After all threads have ended: freed exactly once. Gives the block back.
    fn check(self) {
        assert_eq!(self.frees().load(Ordering::Relaxed), 1, "not freed");
        self.forget();
    }

    fn forget(self) {
        // SAFETY: all threads have ended; the header was dropped by whoever freed it.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

#[derive(Default)]
struct Flag(AtomicUsize);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Flag {
    fn woken(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// Runs a completer and a handle against each other; gives what they returned.
fn race<C: 'static, H: 'static>(
    cell: Cell,
    completer: impl FnOnce(Cell) -> C + 'static,
    handle: impl FnOnce(Cell) -> H + 'static,
) -> (C, H) {
    let completer = thread::spawn(move || completer(cell));
    let handle = thread::spawn(move || handle(cell));
    (completer.join().unwrap(), handle.join().unwrap())
}

/// The payload is read before it is written, or the cell freed under the completer's last look.
#[test]
fn value_is_visible() {
    loom::model(|| {
        let cell = Cell::new();
        race(cell, Cell::complete::<Nothing>, |cell| {
            while cell.header().left().is_none() {
                thread::yield_now();
            }
            cell.take();
        });
        cell.check();
    });
}

/// The phases a handle sees only go forward.
#[test]
fn phases_only_advance() {
    loom::model(|| {
        let rank = |cell: Cell| match cell.header().phase() {
            Phase::Ready => 0,
            Phase::Running(7) => 1,
            Phase::Done => 2,
            Phase::Left(Outcome::Value) => 3,
            other => panic!("{other:?}"),
        };
        let cell = Cell::new();
        let start = |cell: Cell| {
            cell.header().start(7);
            cell.complete::<Nothing>();
        };
        race(cell, start, move |cell| {
            let (first, second) = (rank(cell), rank(cell));
            assert!(first <= second);
        });
        cell.take();
        cell.check();
    });
}

/// A wake-up lost between the look and the park; the waiter read before it is there, or after its frame ended.
#[test]
fn wait_is_woken() {
    loom::model(|| {
        let cell = Cell::new();
        race(cell, Cell::complete::<Halves>, |cell| {
            cell.park::<Halves>();
            cell.take();
        });
        cell.check();
    });
}

/// Both free the cell, or neither, or one while the other still looks.
#[test]
fn abandon_frees_once() {
    loom::model(|| {
        let cell = Cell::new();
        let (completer, handle) = race(cell, Cell::complete::<Halves>, Cell::abandon::<Halves>);
        assert!(completer != handle);
        cell.check();
    });
}

/// A handle that goes while it holds the right to start the cell: the next holder must see that.
#[test]
fn abandon_unstarted_is_seen() {
    loom::model(|| {
        let cell = Cell::new();
        let queue = loom::sync::Arc::new(AtomicBool::new(false));
        let filled = queue.clone();
        let handle = thread::spawn(move || {
            // SAFETY: the handle of a live cell, which nobody else knows.
            unsafe { Header::abandon_unstarted(cell.header()) };
            filled.store(true, Ordering::Release);
        });
        let runner = thread::spawn(move || {
            while !queue.load(Ordering::Acquire) {
                thread::yield_now();
            }
            let _ = cell.header().entry();
            assert!(cell.complete::<Nothing>());
        });
        handle.join().unwrap();
        runner.join().unwrap();
        cell.check();
    });
}

/// Without barriers a cell may leak, but nobody touches freed memory and nobody frees twice.
#[test]
fn abandon_without_barriers_is_safe() {
    loom::model(|| {
        let cell = Cell::new();
        let (completer, handle) = race(cell, Cell::complete::<Nothing>, Cell::abandon::<Nothing>);
        assert!(!(completer && handle));
        cell.forget();
    });
}

/// A waiter that withdraws while it is being looked at must outlive the look, also without barriers.
#[test]
fn withdrawal_without_barriers_is_safe() {
    loom::model(|| {
        let cell = Cell::new();
        race(cell, Cell::complete::<Nothing>, |cell| cell.wait_briefly::<Nothing>());
        cell.take();
        cell.check();
    });
}

/// The COMPLETER meant for a withdrawn waiter is overwritten by the next: nobody would wake that one.
#[test]
fn second_wait_is_woken() {
    loom::model(|| {
        let cell = Cell::new();
        race(cell, Cell::complete::<Halves>, |cell| {
            if !cell.wait_briefly::<Halves>() {
                cell.park::<Halves>();
            }
            cell.take();
        });
        cell.check();
    });
}

/// As `second_wait_is_woken`, with the waker of a task in place of the second thread.
#[test]
fn poll_after_wait_is_woken() {
    let run = |cell: Cell| {
        let flag = Arc::new(Flag::default());
        let ready = cell.wait_briefly::<Halves>() || cell.poll::<Halves>(&flag);
        (ready, flag)
    };
    model_of_polls(run);
}

/// COMPLETER comes between the withdrawal and GONE: found nobody, leaves on its own.
#[test]
fn abandon_after_wait_frees_once() {
    loom::model(|| {
        let cell = Cell::new();
        let (completer, handle) = race(cell, Cell::complete::<Halves>, |cell| {
            cell.wait_briefly::<Halves>();
            cell.abandon::<Halves>()
        });
        assert!(completer != handle);
        cell.check();
    });
}

/// A waker stored too late for the completer and too early for the handle.
#[test]
fn poll_is_woken() {
    model_of_polls(|cell| {
        let flag = Arc::new(Flag::default());
        (cell.poll::<Halves>(&flag), flag)
    });
}

/// The completer takes the old waker while the new one is put in its place.
#[test]
fn renewed_poll_is_woken() {
    model_of_polls(|cell| {
        let (old, new) = (Arc::new(Flag::default()), Arc::new(Flag::default()));
        let ready = cell.poll::<Halves>(&old) || cell.poll::<Halves>(&new);
        (ready, new)
    });
}

/// A handle that polls and then waits as a thread: the box must go before the stack waiter comes.
#[test]
fn wait_after_poll_is_woken() {
    loom::model(|| {
        let cell = Cell::new();
        let ((), flag) = race(
            cell,
            |cell| {
                cell.complete::<Halves>();
            },
            |cell| {
                let flag = Arc::new(Flag::default());
                if !cell.poll::<Halves>(&flag) {
                    cell.park::<Halves>();
                }
                cell.take();
                flag
            },
        );
        cell.check();
        assert_eq!(Arc::strong_count(&flag), 1, "a waker leaked");
    });
}

/// A future dropped while the completer reads its waker.
#[test]
fn abandon_after_poll_frees_once() {
    loom::model(|| {
        let cell = Cell::new();
        let (completer, (handle, flag)) = race(cell, Cell::complete::<Halves>, |cell| {
            let flag = Arc::new(Flag::default());
            cell.poll::<Halves>(&flag);
            (cell.abandon::<Halves>(), flag)
        });
        assert!(completer != handle);
        cell.check();
        assert_eq!(Arc::strong_count(&flag), 1, "a waker leaked");
    });
}

/// `polls` gives whether its last poll was ready, and the flag of the last waker: if it was not ready, that
/// flag must be set in the end.
fn model_of_polls(polls: impl Fn(Cell) -> (bool, Arc<Flag>) + Copy + Send + Sync + 'static) {
    loom::model(move || {
        let cell = Cell::new();
        let (_, (ready, flag)) = race(cell, Cell::complete::<Halves>, polls);
        assert!(ready || flag.woken(), "a wake-up was lost");
        cell.take();
        cell.check();
        assert_eq!(Arc::strong_count(&flag), 1, "a waker leaked");
    });
}
