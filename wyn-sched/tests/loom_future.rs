//! Every interleaving of a future's task at its smallest: `src/future/state.rs` as it is, around it the steps of
//! `run.rs`, `waker.rs` and `handle.rs`.
//!
//! There is no queue: who would put the task into one runs it. A queue orders more than the word does, and would stand in
//! for it. What the threads share is written without atomics, so that two who run the task at once, a runner that does
//! not see what the last one has left, and a cell that is freed too early are races; a lost wake-up is a thread that waits
//! for ever. `mutants.toml` weakens the word in one place at a time.
#![cfg(wyn_loom)]

#[path = "../src/future/state.rs"]
#[allow(dead_code, reason = "the models use a part of it")]
mod state;
#[path = "../src/sync.rs"]
#[allow(dead_code, unused_imports, reason = "the models use a part of it")]
mod sync;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;
use state::{End, Start, State, Woken};
use wyn_future::cell::Outcome;
use wyn_pool::raw::SizeClass;

/// A cell, and what its future waits for.
struct Task {
    state: State,
    /// Who holds a share looks at it; who frees the cell writes it.
    memory: UnsafeCell<u32>,
    /// How often the future was polled; the runner's. `None` once it was dropped.
    future: UnsafeCell<Option<u32>>,
    /// Written by the runner before the first suspension, read by who schedules it.
    home: UnsafeCell<u32>,
    /// So many events must have come.
    needs: usize,
    events: AtomicUsize,
    /// The header: that the completer has left.
    left: AtomicBool,
}

// SAFETY: that its uses are ordered is what the models check.
unsafe impl Sync for Task {}
// SAFETY: as above.
unsafe impl Send for Task {}

const HOME: u32 = 7;

impl Task {
    /// With this many wakers beside the handle.
    fn new(needs: usize, wakers: usize) -> Arc<Self> {
        let state = State::new(SizeClass::C64);
        (0..wakers).for_each(|_| state.acquire());
        Arc::new(Self {
            state,
            memory: UnsafeCell::new(0),
            future: UnsafeCell::new(Some(0)),
            home: UnsafeCell::new(0),
            needs,
            events: AtomicUsize::new(0),
            left: AtomicBool::new(false),
        })
    }

    fn touch(&self) {
        // SAFETY: whoever has a share may.
        self.memory.with(|memory| assert_eq!(unsafe { *memory }, 0, "freed"));
    }

    fn free(&self) {
        // SAFETY: whoever gives the last share up may.
        self.memory
            .with_mut(|memory| assert_eq!(unsafe { std::mem::replace(&mut *memory, 1) }, 0, "freed twice"));
    }

    /// What a worker does that has taken it from a queue.
    fn run(&self) {
        while self.run_once() {}
    }

    /// Whether it was woken meanwhile.
    fn run_once(&self) -> bool {
        let outcome = match self.state.start() {
            Start::Poll if !self.poll() => {
                // SAFETY: the runner's.
                self.home.with_mut(|home| unsafe { *home = HOME });
                return self.state.end() == End::Again;
            }
            Start::Poll => Outcome::Value,
            Start::Drop => Outcome::Cancelled,
        };
        // SAFETY: the runner's.
        let dropped = self.future.with_mut(|future| unsafe { (*future).take() });
        assert!(dropped.is_some(), "dropped twice");
        self.touch();
        self.state.complete(outcome);
        // Ordering: Release: pairs with the Acquire in `join`, as `Left` of the header does.
        self.left.store(true, Ordering::Release);
        false
    }

    fn poll(&self) -> bool {
        // SAFETY: the runner's.
        self.future.with_mut(|future| *unsafe { (*future).as_mut() }.expect("polled after the drop") += 1);
        // Ordering: Relaxed: what makes it visible is the word.
        self.events.load(Ordering::Relaxed) == self.needs
    }

    fn schedule(&self) {
        // SAFETY: until it is pushed it is the caller's.
        self.home.with(|home| assert_eq!(unsafe { *home }, HOME, "suspended without a home"));
        self.run();
    }

    fn happen(&self) {
        // Ordering: Relaxed: as above.
        self.events.fetch_add(1, Ordering::Relaxed);
        self.touch();
    }

    /// Wakes it, and gives the waker up.
    fn wake_owned(&self) {
        self.happen();
        match self.state.wake_owned() {
            Woken::Push => self.schedule(),
            Woken::Nothing => {}
            Woken::Last => self.free(),
        }
    }

    fn wake_by_ref(&self) {
        self.happen();
        if self.state.wake() {
            self.schedule();
        }
    }

    fn cancel(&self) {
        self.touch();
        if self.state.cancel() {
            self.schedule();
        }
    }

    /// Gives a share up.
    fn release(&self) {
        self.touch();
        if self.state.release() {
            self.free();
        }
    }

    /// What the handle does.
    fn join(&self) -> Outcome {
        // Ordering: Acquire: pairs with the Release in `run_once`.
        while !self.left.load(Ordering::Acquire) {
            thread::yield_now();
        }
        let outcome = self.state.outcome();
        self.release();
        outcome
    }

    fn assert_freed(&self) {
        // SAFETY: all threads have been joined.
        self.memory.with(|memory| assert_eq!(unsafe { *memory }, 1, "leaked"));
        // SAFETY: as above.
        self.future.with(|future| assert_eq!(unsafe { *future }, None, "not dropped"));
    }
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(model);
}

/// Runs the actors, each on a thread of its own, and sees that the cell was freed.
fn act(task: &Arc<Task>, actors: Vec<fn(&Task)>) {
    let threads: Vec<_> = actors
        .into_iter()
        .map(|actor| {
            let task = Arc::clone(task);
            thread::spawn(move || actor(&task))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    task.assert_freed();
}

/// A wake-up before, during, between and after the steps of the first poll. Then the waker takes the result.
#[test]
fn a_wake_is_never_lost() {
    check(|| {
        let woken = |task: &Task| {
            task.wake_owned();
            assert_eq!(task.join(), Outcome::Value);
        };
        act(&Task::new(1, 1), vec![Task::run, woken]);
    });
}

/// The same by a reference, which is dropped afterwards.
#[test]
fn a_wake_by_reference_is_never_lost() {
    check(|| {
        let woken = |task: &Task| {
            task.wake_by_ref();
            task.release();
            assert_eq!(task.join(), Outcome::Value);
        };
        act(&Task::new(1, 1), vec![Task::run, woken]);
    });
}

/// Two who wake at once: one of them runs it, and what both did is seen.
#[test]
fn two_wakes_are_one_run() {
    check(|| {
        let and_takes = |task: &Task| {
            task.wake_by_ref();
            task.release();
            assert_eq!(task.join(), Outcome::Value);
        };
        act(&Task::new(2, 2), vec![Task::run, Task::wake_owned, and_takes]);
    });
}

/// A waker that goes, one that comes too late, and the handle, while the future is done with its first poll.
#[test]
fn the_last_one_frees() {
    check(|| {
        let taken = |task: &Task| assert_eq!(task.join(), Outcome::Value);
        act(&Task::new(0, 1), vec![Task::run, Task::release, taken]);
    });
    check(|| {
        let late = |task: &Task| {
            task.touch();
            // Nobody waits for it.
            match task.state.wake_owned() {
                Woken::Push => panic!("it never waits"),
                Woken::Nothing => {}
                Woken::Last => task.free(),
            }
        };
        let taken = |task: &Task| assert_eq!(task.join(), Outcome::Value);
        act(&Task::new(0, 1), vec![Task::run, late, taken]);
    });
}

/// Its handle cancels it while it is polled, and while somebody wakes it: dropped once, and completed once.
#[test]
fn a_cancel_meets_a_poll_and_a_wake() {
    check(|| {
        let cancels = |task: &Task| {
            task.cancel();
            task.join();
        };
        act(&Task::new(1, 1), vec![Task::run, Task::wake_owned, cancels]);
    });
}

/// One that nobody wakes: only the cancel ends it.
#[test]
fn a_cancel_is_never_lost() {
    check(|| {
        let cancels = |task: &Task| {
            task.cancel();
            assert_eq!(task.join(), Outcome::Cancelled);
        };
        act(&Task::new(1, 0), vec![Task::run, cancels]);
    });
}
