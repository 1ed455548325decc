//! A handle that may run the cell itself, against whoever pops its entry.
//!
//! The closure of these cells writes the payload. Run twice, it is a race, or is counted twice. A handle that has
//! claimed the cell leaves it, and the popper of the void entry does, in either order and at any distance: each
//! model that asks `Ends` has seen all of that.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicBool;
use loom::thread;
use wyn_future::cell::{Begun, Header, Outcome, Owner, Phase, Waited};
use wyn_future::{Barrier, Fences};

use crate::barriers::Halves;
use crate::{Cell, Flag, VALUE, race};

/// How one side got out of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The handle: ran it and left first. The popper: found it claimed and left first.
    LeftFirst,
    /// The same, and freed it.
    LeftLast,
    /// The handle: took what the popper had left. The popper: ran it.
    RunByPopper,
    /// The handle: its wait ended before the popper had left.
    Neither,
}
use End::{LeftFirst, LeftLast, Neither, RunByPopper};

/// Which pairs of ends the executions of a model have come to.
#[derive(Default)]
struct Ends(std::sync::Mutex<Vec<(End, End)>>);

impl Ends {
    fn add(&self, popper: End, handle: End) {
        let mut seen = self.0.lock().unwrap();
        if !seen.contains(&(popper, handle)) {
            seen.push((popper, handle));
        }
    }

    /// A model that never gets to one of these proves nothing of it.
    #[track_caller]
    fn are(&self, expected: &[(End, End)]) {
        let seen = self.0.lock().unwrap();
        assert!(expected.iter().all(|end| seen.contains(end)), "never came to all of {expected:?}: {seen:?}");
        assert!(seen.iter().all(|end| expected.contains(end)), "came to others than {expected:?}: {seen:?}");
    }
}

/// Both orders of leaving a claimed cell.
const CLAIMED: [(End, End); 2] = [(LeftFirst, LeftLast), (LeftLast, LeftFirst)];

impl Cell {
    /// Has popped the entry: begins with one barrier and completes with another.
    fn pop<B: Barrier>(self, outcome: Outcome) -> End {
        // SAFETY: a live cell, whose entry is popped once. What the barrier is worth is what the models check.
        match unsafe { Header::begin::<B>(self.header(), 7) } {
            Begun::Mine => {
                self.end(outcome);
                RunByPopper
            }
            Begun::Void { frees: false } => LeftFirst,
            Begun::Void { frees: true } => {
                self.free();
                LeftLast
            }
        }
    }

    /// Completes what has begun, with full fences.
    fn end(self, outcome: Outcome) {
        self.run();
        // SAFETY: the only completion of a live cell.
        let owner = unsafe { Header::complete::<Fences>(self.header(), outcome) };
        assert_eq!(owner, Owner::Other, "the handle is there");
    }

    /// The closure, or its destructor.
    fn run(self) {
        assert_eq!(self.runs().fetch_add(1, Ordering::Relaxed), 0, "run twice");
        // SAFETY: the payload belongs to whoever runs it.
        self.payload().with_mut(|p| unsafe { *p = VALUE });
    }

    /// Claims it and runs it, or else does `f` as a wait.
    fn claim_or<B: Barrier>(self, f: impl FnOnce()) -> End {
        // SAFETY: the handle of a live cell.
        match unsafe { self.header().wait_or_claim::<B, _>(f) } {
            Waited::Over(()) if self.header().left().is_some() => RunByPopper,
            Waited::Over(()) => Neither,
            Waited::Claimed(claim) => {
                assert_eq!(claim.entry, Self::entry(), "the entry of another");
                self.run();
                // SAFETY: the payload belongs to whoever runs it.
                assert_eq!(self.payload().with(|p| unsafe { *p }), VALUE);
                // SAFETY: claimed, and the result has been looked at.
                if unsafe { Header::leave_claimed(self.header()) } {
                    self.free();
                    LeftLast
                } else {
                    LeftFirst
                }
            }
        }
    }

    /// Claims it, or waits for it and takes the result.
    fn join<B: Barrier>(self) -> End {
        self.join_as::<B>(Outcome::Value)
    }

    fn join_as<B: Barrier>(self, expected: Outcome) -> End {
        let parked = || {
            while self.header().left().is_none() {
                if self.header().phase() == Phase::Done {
                    self.header().await_left();
                } else if self.header().left().is_none() {
                    thread::park();
                }
            }
        };
        let end = self.claim_or::<B>(parked);
        if end == RunByPopper {
            self.take_as(expected);
        }
        end
    }

    /// The handle takes what the popper has left.
    fn take_as(self, expected: Outcome) {
        assert_eq!(self.header().left(), Some(expected));
        // SAFETY: the completer has left, and the cell is freed next.
        unsafe { self.header().finish() };
        // SAFETY: the payload is the handle's.
        assert_eq!(self.payload().with(|p| unsafe { *p }), VALUE);
        self.free();
    }

    /// A wait that may claim, and whose time is up at once.
    fn claim_briefly<B: Barrier>(self) -> End {
        self.claim_or::<B>(|| ())
    }

    fn check_run_once(self) {
        assert_eq!(self.runs().load(Ordering::Relaxed), 1, "not run");
        self.check();
    }
}

/// Both run it; nobody does; the handle sleeps for ever; both free it, or neither, or one under the other's eyes.
#[test]
fn claim_meets_begin() {
    let ends = Arc::new(Ends::default());
    let seen = ends.clone();
    loom::model(move || {
        let cell = Cell::new();
        let (popper, handle) = race(cell, |cell| cell.pop::<Halves>(Outcome::Value), Cell::join::<Halves>);
        seen.add(popper, handle);
        cell.check_run_once();
    });
    ends.are(&[&CLAIMED[..], &[(RunByPopper, RunByPopper)]].concat());
}

/// The entry is popped by a shutdown: the closure is dropped while the handle runs it.
#[test]
fn claim_meets_cancel() {
    let ends = Arc::new(Ends::default());
    let seen = ends.clone();
    loom::model(move || {
        let cell = Cell::new();
        let pop = |cell: Cell| cell.pop::<Halves>(Outcome::Cancelled);
        let (popper, handle) = race(cell, pop, |cell| cell.join_as::<Halves>(Outcome::Cancelled));
        seen.add(popper, handle);
        cell.check_run_once();
    });
    ends.are(&[&CLAIMED[..], &[(RunByPopper, RunByPopper)]].concat());
}

/// The runner has begun: its completer finds a waiter that still has the right to claim.
#[test]
fn late_claim_is_woken() {
    loom::model(|| {
        let cell = Cell::new();
        // SAFETY: a live cell, whose entry is popped once.
        assert_eq!(unsafe { Header::begin::<Fences>(cell.header(), 7) }, Begun::Mine);
        let ((), handle) = race(cell, |cell| cell.end(Outcome::Value), Cell::join::<Halves>);
        assert_eq!(handle, RunByPopper);
        cell.check_run_once();
    });
}

/// A withdrawal meets the runner that refuses the claim, and the next wait the runner that has missed it.
#[test]
fn second_claim_meets_begin() {
    let ends = Arc::new(Ends::default());
    let seen = ends.clone();
    loom::model(move || {
        let cell = Cell::new();
        let (popper, handle) = race(
            cell,
            |cell| cell.pop::<Halves>(Outcome::Value),
            |cell| {
                // SAFETY: the handle of a live cell. The first wait may not claim, so that the second may.
                unsafe { cell.header().wait::<Halves, _>(|| ()) };
                cell.join::<Halves>()
            },
        );
        seen.add(popper, handle);
        cell.check_run_once();
    });
    ends.are(&[&CLAIMED[..], &[(RunByPopper, RunByPopper)]].concat());
}

/// The time of a wait is up while the runner refuses its claim: the handle waits again.
#[test]
fn claim_after_claim_is_woken() {
    let ends = Arc::new(Ends::default());
    let seen = ends.clone();
    loom::model(move || {
        let cell = Cell::new();
        let (popper, handle) = race(
            cell,
            |cell| cell.pop::<Halves>(Outcome::Value),
            |cell| match cell.claim_briefly::<Halves>() {
                Neither => {
                    let second = cell.join::<Halves>();
                    assert_eq!(second, RunByPopper, "claimed what had begun");
                    Neither
                }
                RunByPopper => {
                    cell.take();
                    RunByPopper
                }
                claimed => claimed,
            },
        );
        seen.add(popper, handle);
        cell.check_run_once();
    });
    ends.are(&[&CLAIMED[..], &[(RunByPopper, RunByPopper), (RunByPopper, Neither)]].concat());
}

/// The runner refuses a claim while it is withdrawn, and then runs for long: the wait must not take it for a completer.
#[test]
fn a_refused_wait_ends_in_time() {
    loom::model(|| {
        let cell = Cell::new();
        let over = loom::sync::Arc::new(AtomicBool::new(false));
        let told = over.clone();
        let pop = move |cell: Cell| {
            // SAFETY: a live cell, whose entry is popped once.
            match unsafe { Header::begin::<Halves>(cell.header(), 7) } {
                Begun::Mine => {
                    while !told.load(Ordering::Acquire) {
                        thread::yield_now();
                    }
                    cell.end(Outcome::Value);
                }
                Begun::Void { frees: true } => cell.free(),
                Begun::Void { frees: false } => {}
            }
        };
        race(cell, pop, move |cell| {
            let end = cell.claim_briefly::<Halves>();
            over.store(true, Ordering::Release);
            if end == Neither {
                cell.park::<Halves>();
                cell.take();
            }
        });
        cell.check_run_once();
    });
}

/// A handle that could not claim goes away.
#[test]
fn abandon_after_claim_frees_once() {
    loom::model(|| {
        let cell = Cell::new();
        let pop = |cell: Cell| {
            // SAFETY: a live cell, whose entry is popped once.
            match unsafe { Header::begin::<Halves>(cell.header(), 7) } {
                Begun::Mine => cell.complete::<Halves>(),
                Begun::Void { frees } => {
                    if frees {
                        cell.free();
                    }
                    frees
                }
            }
        };
        let (popper, handle) = race(cell, pop, |cell| match cell.claim_briefly::<Halves>() {
            LeftFirst => false,
            LeftLast => true,
            RunByPopper | Neither => cell.abandon::<Halves>(),
        });
        assert!(popper != handle);
        cell.check();
    });
}

/// A runner that meets a handle which is going, or has gone, takes it for one that has claimed.
#[test]
fn abandon_meets_begin() {
    loom::model(|| {
        let cell = Cell::new();
        let pop = |cell: Cell| {
            // SAFETY: a live cell, whose entry is popped once.
            assert_eq!(unsafe { Header::begin::<Halves>(cell.header(), 7) }, Begun::Mine);
            cell.complete::<Halves>()
        };
        let (popper, handle) = race(cell, pop, Cell::abandon::<Halves>);
        assert!(popper != handle);
        cell.check();
    });
}

/// A runner that meets the waker of a task: its box is no stack waiter, and may not claim.
#[test]
fn poll_meets_begin() {
    loom::model(|| {
        let cell = Cell::new();
        let (popper, (ready, flag)) = race(
            cell,
            |cell| cell.pop::<Halves>(Outcome::Value),
            |cell| {
                let flag = Arc::new(Flag::default());
                (cell.poll::<Halves>(&flag), flag)
            },
        );
        assert_eq!(popper, RunByPopper);
        assert!(ready || flag.woken(), "a wake-up was lost");
        cell.take();
        cell.check_run_once();
        assert_eq!(Arc::strong_count(&flag), 1, "a waker leaked");
    });
}

/// The box of a poll gives way to a waiter that claims.
#[test]
fn claim_after_poll_meets_begin() {
    let ends = Arc::new(Ends::default());
    let seen = ends.clone();
    loom::model(move || {
        let cell = Cell::new();
        let (popper, (handle, flag)) = race(
            cell,
            |cell| cell.pop::<Halves>(Outcome::Value),
            |cell| {
                let flag = Arc::new(Flag::default());
                if cell.poll::<Halves>(&flag) {
                    cell.take();
                    return (RunByPopper, flag);
                }
                (cell.join::<Halves>(), flag)
            },
        );
        seen.add(popper, handle);
        cell.check_run_once();
        assert_eq!(Arc::strong_count(&flag), 1, "a waker leaked");
    });
    ends.are(&[&CLAIMED[..], &[(RunByPopper, RunByPopper)]].concat());
}
