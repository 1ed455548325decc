//! The state word of a future's task: what its bits mean, and every access to it.
//!
//! | bits | name | set by | cleared by | means |
//! |---|---|---|---|---|
//! | 0 | `SCHEDULED` | `new`, `wake`, `cancel` | `start` | the task is in a queue or about to be put there; beside `RUNNING`: it was woken meanwhile |
//! | 1 | `RUNNING` | `start` | `end`, `complete` | one thread has the future to itself |
//! | 2 | `COMPLETE` | `complete` | nobody | the future is gone: whoever wakes has nothing to do |
//! | 3 | `CANCEL` | `cancel` | nobody | the future is to be dropped instead of polled |
//! | 4, 5 | `OUTCOME` | `complete` | nobody | beside `COMPLETE`: what became of it |
//! | 6, 7 | `CLASS` | `new` | nobody | the size class of the cell |
//! | 8.. | count | `new`, `acquire` | `release`, `wake_owned` | wakers, and one for the result |
//!
//! Legal transitions, where *idle* has none of the first three bits:
//!
//! | from | to | by | who may do what is next |
//! |---|---|---|---|
//! | idle | `SCHEDULED` | `wake`, `wake_owned`, `cancel` | the caller puts the task into a queue |
//! | `SCHEDULED` | `RUNNING` | `start` | the caller, which took it from there, has the future |
//! | `RUNNING` | `RUNNING`, `SCHEDULED` | `wake`, `wake_owned`, `cancel` | the runner, when it ends |
//! | `RUNNING` | idle | `end` | whoever wakes it |
//! | `RUNNING`, `SCHEDULED` | `SCHEDULED` | `end` | the runner puts it into a queue |
//! | `RUNNING` | `COMPLETE` | `complete` | nobody: the future has been dropped |
//!
//! `SCHEDULED` beside `COMPLETE` says nothing. The count keeps the cell. The result's share is given up by whoever has
//! taken or dropped the result, so it is there until `COMPLETE` and longer; that is why a task in a queue, and one that
//! runs, need no share of their own.
//!
//! # Orderings
//!
//! | site | ordering | partner | what it carries | model that dies without it |
//! |---|---|---|---|---|
//! | `wake`, `wake_owned`, `cancel` | Release | `start` | what the waker did before it woke | `a_wake_is_never_lost` |
//! | `wake`, `wake_owned`, `cancel` | Acquire | `end` | the cell's home, which the runner wrote | `a_wake_is_never_lost` |
//! | `start` | Acquire | `wake`, `end` | the above, and the future as the last runner left it | `a_wake_is_never_lost` |
//! | `end` | Release | `start`, `wake` | the future, the home | `a_wake_is_never_lost` |
//! | `complete`, alone | Acquire | `release` | what those did who had wakers | `the_last_one_frees` |
//! | `release`, `wake_owned` | Release, Acquire | each other | all that was done to the cell, to who frees it | `the_last_one_frees` |
//! | all others | Relaxed | | nothing: each says why | |

use wyn_future::cell::Outcome;
use wyn_pool::raw::SizeClass;

use crate::sync::{AtomicUsize, Ordering};

const SCHEDULED: usize = 1;
const RUNNING: usize = 1 << 1;
const COMPLETE: usize = 1 << 2;
const CANCEL: usize = 1 << 3;
const OUTCOME_SHIFT: u32 = 4;
const CLASS_SHIFT: u32 = 6;
const SHARE: usize = 1 << 8;

const BUSY: usize = SCHEDULED | RUNNING | COMPLETE;
const CLASSES: [SizeClass; 4] = [SizeClass::C32, SizeClass::C64, SizeClass::C128, SizeClass::C256];

/// The state word of a future's task. See the module.
#[derive(Debug)]
pub(crate) struct State(AtomicUsize);

/// What whoever takes a task from a queue is to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Poll,
    Drop,
}

/// What is left of a task after a poll that was not the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a task that is `Again` is in no queue, and nobody else will put it there"]
pub(crate) enum End {
    /// It belongs to whoever wakes it: the cell may be gone.
    Suspended,
    /// It was woken meanwhile: the caller puts it into a queue.
    Again,
}

/// What a waker that goes is left with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a task that is to be pushed is in no queue; a cell whose last share went leaks"]
pub(crate) enum Woken {
    /// The caller puts the task into a queue.
    Push,
    /// Nothing: the cell may be gone.
    Nothing,
    /// The caller frees the cell.
    Last,
}

impl State {
    /// Of a task that is about to be pushed, with the result's share.
    pub(crate) fn new(class: SizeClass) -> Self {
        Self(AtomicUsize::new(SHARE | (class as usize) << CLASS_SHIFT | SCHEDULED))
    }

    /// Whoever took the task from a queue begins.
    pub(crate) fn start(&self) -> Start {
        // `SCHEDULED` is set and `RUNNING` is not: this turns the one into the other.
        // Ordering: Acquire: pairs with the Release in `end` (the future as the last runner left it) and in `wake`
        // (what it waited for).
        let seen = self.0.fetch_add(RUNNING - SCHEDULED, Ordering::Acquire);
        if seen & CANCEL == 0 { Start::Poll } else { Start::Drop }
    }

    /// The runner has polled, and the future waits.
    pub(crate) fn end(&self) -> End {
        // Ordering: Release: pairs with the Acquire in `start` and `wake`: the future and its home. It needs no
        // Acquire: if the caller goes on, it does so by `start`.
        let seen = self.0.fetch_sub(RUNNING, Ordering::Release);
        if seen & SCHEDULED == 0 { End::Suspended } else { End::Again }
    }

    /// The runner has dropped the future.
    pub(crate) fn complete(&self, outcome: Outcome) {
        let bits = COMPLETE | (outcome as usize) << OUTCOME_SHIFT;
        // Ordering: Acquire: pairs with the Release in `release`: those who had wakers do nothing more to the cell,
        // which whoever reads the result may free by this look alone.
        let seen = self.0.load(Ordering::Acquire);
        if seen / SHARE == 1 {
            // There is no waker and will be none. A `cancel` that comes in between is too late, and is lost.
            // Ordering: Relaxed: the result is published with the header.
            self.0.store(seen - RUNNING + bits, Ordering::Relaxed);
        } else {
            // Ordering: Relaxed: as above; those who read COMPLETE do nothing.
            self.0.fetch_add(bits - RUNNING, Ordering::Relaxed);
        }
    }

    /// What became of the future. For whoever the result belongs to.
    pub(crate) fn outcome(&self) -> Outcome {
        // Ordering: Relaxed: the header, which is completed after this word, says that there is one.
        match self.0.load(Ordering::Relaxed) >> OUTCOME_SHIFT & 3 {
            0 => Outcome::Value,
            1 => Outcome::Panic,
            _ => Outcome::Cancelled,
        }
    }

    /// Wakes the task; whether the caller is to push it.
    #[must_use = "a task that is to be pushed is in no queue"]
    pub(crate) fn wake(&self) -> bool {
        // Also where it is set already, so that the next poll sees what this thread has done.
        // Ordering: AcqRel: Release pairs with the Acquire in `start`; Acquire pairs with the Release in `end`: the
        // caller reads the home.
        self.0.fetch_or(SCHEDULED, Ordering::AcqRel) & BUSY == 0
    }

    /// The same, and gives a share up.
    pub(crate) fn wake_owned(&self) -> Woken {
        // Ordering: Relaxed: a guess that the exchange verifies.
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            let new = (seen | SCHEDULED) - SHARE;
            // Ordering: AcqRel: as in `wake` and in `release`. Relaxed if it fails: another guess.
            match self.0.compare_exchange_weak(seen, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if seen & BUSY == 0 => return Woken::Push,
                Ok(_) if seen / SHARE == 1 => return Woken::Last,
                Ok(_) => return Woken::Nothing,
                Err(now) => seen = now,
            }
        }
    }

    /// Has the future dropped as soon as nobody polls it; whether the caller is to push the task for that.
    #[must_use = "a task that is to be pushed is in no queue"]
    pub(crate) fn cancel(&self) -> bool {
        // Ordering: AcqRel: as in `wake`.
        self.0.fetch_or(SCHEDULED | CANCEL, Ordering::AcqRel) & BUSY == 0
    }

    /// One more waker.
    pub(crate) fn acquire(&self) {
        // Ordering: Relaxed: the caller has a share, which keeps the cell, and passes the new one on by other means.
        if self.0.fetch_add(SHARE, Ordering::Relaxed).cast_signed() < 0 {
            // So many wakers were leaked that the count would begin anew.
            std::process::abort();
        }
    }

    /// Gives a share up; whether it was the last, and the caller frees the cell.
    #[must_use = "a cell whose last share went leaks"]
    pub(crate) fn release(&self) -> bool {
        // Ordering: Acquire: pairs with the Release below: who had the others is done with the cell.
        if self.0.load(Ordering::Acquire) / SHARE == 1 {
            return true;
        }
        // Ordering: AcqRel: Release: what this thread did to the cell happens before it is freed; Acquire: so does what
        // the others did.
        self.0.fetch_sub(SHARE, Ordering::AcqRel) / SHARE == 1
    }

    /// The size class of the cell. For whoever frees it.
    pub(crate) fn class(&self) -> SizeClass {
        // Ordering: Relaxed: never changes.
        CLASSES[self.0.load(Ordering::Relaxed) >> CLASS_SHIFT & 3]
    }
}
