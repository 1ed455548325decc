//! Every interleaving of a branch of `join` at its smallest: `wyn_deque::split` and `wyn_future::cell::Header` as they
//! are, around them the steps of `src/fork`.
//!
//! | claim | who breaks it |
//! |---|---|
//! | a branch is run once, by its frame or by a thief | `planted_frame_runs_what_was_stolen` |
//! | the frame reads the result after it was written | `planted_result_after_completion` |
//! | the frame lasts until the thief's last touch | `planted_touch_after_completion`, `planted_frame_does_not_wait` |
//!
//! A frame stays in memory when it ends; its end is a write to all of it, so that a touch that is not ordered before
//! is a race that loom reports. Run by `cargo xtask loom wyn-sched`.
#![cfg(wyn_loom)]

use std::mem::ManuallyDrop;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use wyn_deque::split::{Stealer, Worker};
use wyn_future::Fences;
use wyn_future::cell::{Header, Outcome};

const CLOSURE: u64 = 1;
const RESULT: u64 = 42;

/// What a model does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// The thief writes the result when it has completed the header.
    LateResult,
    /// The thief looks at the frame once more.
    LateTouch,
    /// The frame ends though the branch was stolen.
    NoWait,
    /// The frame runs the branch though it was stolen.
    RunTwice,
}

/// A frame of `join`: `Job`, in memory that outlives the model.
struct Frame {
    header: ManuallyDrop<Header>,
    /// The closure, then its result.
    payload: UnsafeCell<u64>,
}

/// The right to run a branch: `TaskRef`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Right(*mut Frame);

// SAFETY: that its uses are ordered is what the models check.
unsafe impl Send for Right {}

impl Right {
    fn new() -> Self {
        static ENTRY: u64 = 0;
        Self(Box::into_raw(Box::new(Frame {
            header: ManuallyDrop::new(Header::new((&raw const ENTRY).cast_mut().cast(), None)),
            payload: UnsafeCell::new(CLOSURE),
        })))
    }

    fn header(&self) -> &Header {
        // SAFETY: the memory lives until `forget`.
        unsafe { &(*self.0).header }
    }

    fn payload(&self) -> &UnsafeCell<u64> {
        // SAFETY: as `header`.
        unsafe { &(*self.0).payload }
    }

    /// Moves the closure out and runs it.
    fn run(&self, runs: &AtomicUsize) {
        // SAFETY: whoever has the right may do so.
        self.payload().with_mut(|payload| assert_eq!(unsafe { *payload }, CLOSURE, "run already"));
        runs.fetch_add(1, Ordering::Relaxed);
    }

    fn write_result(&self) {
        // SAFETY: the payload is the runner's until it completes the header.
        self.payload().with_mut(|payload| unsafe { *payload = RESULT });
    }

    /// `Job::enter`, on a thief.
    fn enter(self, runs: &AtomicUsize, flaw: Flaw) {
        self.header().start(1);
        self.run(runs);
        if flaw != Flaw::LateResult {
            self.write_result();
        }
        // SAFETY: completed once; the frame waits.
        let _ = unsafe { Header::complete::<Fences>(self.header(), Outcome::Value) };
        match flaw {
            Flaw::LateResult => self.write_result(),
            Flaw::LateTouch => self.payload().with(|_| ()),
            _ => {}
        }
    }

    /// `fork::wait::is_ours` and what `join` does then, up to the end of the frame.
    fn join(self, deque: &Worker<Right, wyn_deque::split::Fences>, runs: &AtomicUsize, flaw: Flaw) {
        let popped = deque.pop();
        assert!(popped.is_none_or(|right| right == self), "the newest is the own one, or it is gone");
        if popped.is_some() || flaw == Flaw::RunTwice {
            self.run(runs);
        } else if flaw != Flaw::NoWait {
            // SAFETY: the frame is the only one that waits.
            assert!(unsafe { self.header().park::<Fences>(None) });
            assert_eq!(self.header().await_left(), Outcome::Value);
            // SAFETY: the header says `Left`.
            self.payload().with(|payload| assert_eq!(unsafe { *payload }, RESULT));
        }
        self.end();
    }

    /// The end of the frame.
    fn end(self) {
        self.payload().with_mut(|_| ());
        // SAFETY: once; later accesses find the watched memory of a dropped header.
        unsafe { ManuallyDrop::drop(&mut (*self.0).header) };
    }

    fn forget(self) {
        // SAFETY: all threads have ended, and `end` has dropped the header.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

type Thieves = Stealer<Right, wyn_deque::split::Fences>;

/// One frame inside another, as many as `depth`, and so many thieves that each try once.
fn model(preemptions: usize, depth: usize, thieves: usize, flaw: Flaw) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.check(move || {
        let runs = Arc::new(AtomicUsize::new(0));
        let deque = Worker::starting_at(2, usize::MAX);
        let thief = |stealer: Thieves| {
            let runs = Arc::clone(&runs);
            thread::spawn(move || {
                if let Some(right) = stealer.steal().success() {
                    right.enter(&runs, flaw);
                }
            })
        };
        let mut all: Vec<_> = (0..thieves).map(|_| thief(deque.stealer())).collect();
        let frames: Vec<Right> = (0..depth).map(|_| Right::new()).collect();
        let owner = {
            let (runs, frames) = (Arc::clone(&runs), frames.clone());
            thread::spawn(move || {
                frames.iter().for_each(|frame| deque.push(*frame));
                frames.iter().rev().for_each(|frame| frame.join(&deque, &runs, flaw));
            })
        };
        all.push(owner);
        all.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(runs.load(Ordering::Relaxed), depth, "each branch is run once");
        frames.into_iter().for_each(Right::forget);
    });
}

#[test]
fn a_branch_is_run_once_and_its_frame_outlives_it() {
    model(3, 1, 1, Flaw::None);
}

#[test]
fn two_frames_and_a_thief() {
    model(2, 2, 1, Flaw::None);
}

#[test]
fn a_frame_and_two_thieves() {
    model(1, 1, 2, Flaw::None);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn planted_result_after_completion() {
    model(3, 1, 1, Flaw::LateResult);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn planted_touch_after_completion() {
    model(3, 1, 1, Flaw::LateTouch);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn planted_frame_does_not_wait() {
    model(3, 1, 1, Flaw::NoWait);
}

#[test]
#[should_panic(expected = "run already")]
fn planted_frame_runs_what_was_stolen() {
    model(3, 1, 1, Flaw::RunTwice);
}
