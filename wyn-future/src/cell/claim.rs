//! The handle claims a cell that nobody has started, to run it itself.
//!
//! Called by runtimes whose queues cannot give up an entry from their middle. Owns the two sides of that race: the
//! runner's start, which finds out whether there is anything left to run, and the handle's wait, which takes over
//! what it would wait for. See [`crate::cell`] for why exactly one of them runs it. Knows nothing of how it is run.

use std::mem;
use std::panic::Location;

use super::{EndWait, Header};
use crate::barrier::Barrier;
use crate::state::{Right, Runs};
use crate::waiter::Waiter;

/// Who runs a cell whose entry has been popped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a cell that is `Mine` must be completed, one that the caller frees leaks otherwise"]
pub enum Begun {
    /// The caller, who then completes it. From now on the handle cannot claim it.
    Mine,
    /// The handle has claimed it. The entry was void, and there is no payload for the caller.
    Void {
        /// Whether the handle has left too: the payload is gone, and the caller frees the memory. If not, the handle
        /// frees it, and the caller must not touch the cell again.
        frees: bool,
    },
}

/// How a wait that may claim ends.
#[derive(Debug)]
#[must_use = "a cell that has been claimed must be run"]
pub enum Waited<R> {
    /// Nobody had started it: the caller runs it. The closure of the wait was not called.
    Claimed(Claim),
    /// It could not be claimed; this is what the closure returned.
    Over(R),
}

/// The right to run a cell that the handle has claimed, and what can no longer be read from its words.
///
/// What runs it leaves the header alone, takes the result out, and ends with
/// [`leave_claimed`](Header::leave_claimed).
#[derive(Debug)]
#[must_use = "a cell that has been claimed must be run"]
pub struct Claim {
    /// What [`Header::entry`] has said.
    pub entry: *mut (),
    /// What [`Header::origin`] has said.
    pub origin: Option<&'static Location<'static>>,
}

impl Header {
    /// Starts it, if the handle has not claimed it: in place of [`start`](Self::start), for whoever has popped the
    /// entry of a cell whose handle may claim it. [`entry`](Self::entry) has to be read before.
    ///
    /// Also before a completion as cancelled: the handle may be running what would be dropped.
    ///
    /// # Panics
    /// With debug assertions, if `runner` is not below [`MAX_RUNNERS`](super::MAX_RUNNERS).
    ///
    /// # Safety
    /// - `this` is a live cell, and the caller has popped its one entry: it does this once, and nobody else starts
    ///   or completes the cell.
    /// - `B` is the barrier of every [`wait_or_claim`](Self::wait_or_claim) for this cell, and it orders what
    ///   [`Barrier`] promises, or both sides run it.
    /// - Before [`Begun::Mine`] the caller does not touch the payload, which may be the handle's.
    /// - After [`Begun::Void`] that does not free, the cell may be gone: `this` dangles.
    #[inline]
    pub unsafe fn begin<B: Barrier>(this: *const Self, runner: usize) -> Begun {
        // SAFETY: live by contract until the last touch of `begin_slow`.
        let cell = unsafe { &*this };
        cell.run.start(runner);
        B::light();
        if cell.handle.idle() {
            // A handle that registers now sees RUNNING.
            return Begun::Mine;
        }
        // SAFETY: the same cell, which has not been left.
        unsafe { Self::begin_slow(this) }
    }

    /// The handle waits, or is going, or has gone, or has claimed it.
    ///
    /// # Safety
    /// As [`begin`](Self::begin), which has stored RUNNING and executed the barrier.
    #[cold]
    #[inline(never)]
    unsafe fn begin_slow(this: *const Self) -> Begun {
        // SAFETY: live: it stays until this side has completed it, or has left it.
        let cell = unsafe { &*this };
        match cell.handle.refuse_claim() {
            Runs::Runner => Begun::Mine,
            // LAST TOUCH: unless the handle has left before, it frees the cell.
            Runs::Handle => Begun::Void { frees: cell.handle.leave_void() },
        }
    }

    /// Claims it if nobody has started it; else does what [`wait`](Self::wait) does.
    ///
    /// Costs a [`Barrier::heavy`] in either case. With a closure that returns at once, it only tries to claim.
    ///
    /// # Safety
    /// - The caller is the handle of this cell; `f` does nothing else as its handle, as for [`wait`](Self::wait).
    /// - Whoever starts this cell does so by [`begin`](Self::begin) with the same `B`, and `B` orders what
    ///   [`Barrier`] promises, or both sides run it.
    /// - After [`Waited::Claimed`] the handle does nothing but run it and
    ///   [`leave_claimed`](Self::leave_claimed).
    pub unsafe fn wait_or_claim<B: Barrier, R>(&self, f: impl FnOnce() -> R) -> Waited<R> {
        self.drop_task_waiter();
        let origin = self.handle.origin();
        let waiter = Waiter::thread(origin);
        self.handle.register(&raw const waiter, Right::Claim);
        // Dropped before the waiter, also if the barrier or `f` panics.
        let end = EndWait { cell: self, origin };
        B::heavy();
        match self.run.unstarted() {
            Some(entry) if self.handle.claim(&raw const waiter) => {
                // The waiter is out of the word, and nobody has read it: only a completer does.
                mem::forget(end);
                // SAFETY: null, or made from a `&'static Location` in `new`.
                Waited::Claimed(Claim { entry, origin: unsafe { origin.as_ref() } })
            }
            _ => Waited::Over(f()),
        }
    }

    /// Ends the handle's use of a cell that it has claimed: says whether the caller frees the memory. If not, whoever
    /// pops the void entry does.
    ///
    /// # Safety
    /// - `this` is a cell that the caller has claimed, and leaves for the first time.
    /// - The payload is gone: it has been run, and the result taken out or dropped.
    /// - After `false` the cell may be gone: `this` dangles.
    #[must_use = "if the cell is the caller's, it leaks unless it is freed"]
    pub unsafe fn leave_claimed(this: *const Self) -> bool {
        // SAFETY: live by contract: the other side does not free it before this one has left.
        let cell = unsafe { &*this };
        // LAST TOUCH: unless the runner has left before, it frees the cell.
        cell.handle.leave_claimed()
    }
}
