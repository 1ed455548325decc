//! `JoinHandle`: the one who may take a task's result.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use wyn_future::cell::{Header, Outcome};
use wyn_pool::raw::{self, SizeClass};

use crate::barrier::Asymmetric;
use crate::departure;
use crate::error::JoinError;
use crate::future;
use crate::join::{self, Done, Terms};
use crate::task::{self, TaskRef};

/// The size class of the cell, in the low bits of a handle's pointer.
const CLASS_BITS: usize = 3;
/// Beside it: the cell is that of a future, whose header this points to.
const FUTURE: usize = 4;
const TAGS: usize = CLASS_BITS | FUTURE;
const CLASSES: [SizeClass; 4] = [SizeClass::C32, SizeClass::C64, SizeClass::C128, SizeClass::C256];

/// The right to the result of a spawned task, be it a closure or a future. Eight bytes.
///
/// [`join`](Self::join) waits for it, and runs it if nobody has started it. `.await` works in any executor. Dropping the handle
/// detaches the task: it still runs, its result is dropped.
///
/// Dropping the handle of the task spawned last costs a few nanoseconds. If the task may be under way, it takes
/// a barrier on every processor, about a microsecond; results without a destructor share one among 64. Where
/// no result is wanted, [`spawn_detached`](crate::spawn_detached) costs nothing.
///
/// ```
/// let handle = wyn_sched::spawn(|| 6 * 7);
/// assert_eq!(handle.join()?, 42);
/// # Ok::<(), wyn_sched::JoinError>(())
/// ```
#[must_use = "dropping a handle detaches its task; `spawn_detached` does so at no cost"]
pub struct JoinHandle<T> {
    /// The header, with tags in the low bits: of a closure the class of its cell, which begins with the header.
    /// `None` once the result is taken.
    tagged: Option<NonNull<Header>>,
    _result: PhantomData<T>,
}

static_assertions::assert_eq_size!(JoinHandle<u64>, usize);
static_assertions::assert_impl_all!(JoinHandle<u64>: Send, Sync, Unpin);
static_assertions::assert_not_impl_any!(JoinHandle<*const u8>: Send);

// SAFETY: the result moves to the thread of the handle: `T: Send`. The rest is atomics.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: a shared handle gives only `is_finished`, which reads atomics.
unsafe impl<T: Send> Sync for JoinHandle<T> {}
impl<T> Unpin for JoinHandle<T> {}
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    #[inline]
    pub(crate) fn new(task: TaskRef, class: SizeClass) -> Self {
        let tagged = task.header().map_addr(|a| a | class as usize);
        Self { tagged: Some(tagged), _result: PhantomData }
    }

    pub(crate) fn of_future(header: NonNull<Header>) -> Self {
        Self { tagged: Some(header.map_addr(|a| a | FUTURE)), _result: PhantomData }
    }

    /// Waits for the task and takes its result.
    ///
    /// If nobody has started the task, this thread runs it here and now, as a call. Otherwise it parks until the result is there,
    /// and on a worker another takes its place. No other task is run meanwhile, so a lock or a borrow may be held across
    /// `join` as across the `join` of a thread. A thread from outside of
    /// the runtime first gives the workers a millisecond to start a task that lies elsewhere. Where the process has several
    /// runtimes, only a task in the thread's own queue is run here.
    ///
    /// # Errors
    /// [`JoinError`] if the task panicked, or was cancelled by a shutdown; or if waiting for it was part of a
    /// [deadlock](crate::Deadlocks::fail), and the task runs on.
    ///
    /// # Panics
    /// If the handle was polled to completion as a future before.
    #[inline]
    pub fn join(mut self) -> Result<T, JoinError> {
        let cell = self.cell();
        // SAFETY: the handle keeps the cell alive.
        let outcome = match unsafe { cell.as_ref() }.left() {
            Some(outcome) => outcome,
            // SAFETY: this is the handle of the cell, and it is given up below.
            None => match unsafe { join::join_now(cell) } {
                Some(outcome) => outcome,
                None => return self.join_below(Terms::CLOSURE),
            },
        };
        // SAFETY: the task is complete and nobody else looks at the cell.
        unsafe { self.take(outcome) }
    }

    /// For a task that is not the newest of this thread: it may lie further below.
    #[inline(never)]
    fn join_below(mut self, terms: Terms) -> Result<T, JoinError> {
        // SAFETY: this is the handle of the cell.
        match unsafe { join::join_own(self.cell()) } {
            // SAFETY: the task is complete and nobody else looks at the cell.
            Some(outcome) => unsafe { self.take(outcome) },
            None => self.join_later(terms),
        }
    }

    #[cold]
    #[inline(never)]
    fn join_later(mut self, terms: Terms) -> Result<T, JoinError> {
        let cell = self.cell();
        let is_future = self.tagged.is_some_and(is_future);
        if is_future {
            future::run_if_own(cell);
        }
        let terms = if is_future { Terms { may_claim: false, ..terms } } else { terms };
        // SAFETY: this is the handle of the cell, which is a spawned closure's where `terms` say that it may be claimed.
        match unsafe { join::join_later(cell, terms) }?
            .expect("a wait without a deadline ends with an outcome")
        {
            // SAFETY: the task is complete and nobody else looks at the cell.
            Done::Whole(outcome) => unsafe { self.take(outcome) },
            // SAFETY: claimed and run by this wait.
            Done::Claimed(outcome, origin) => unsafe { self.take_claimed(outcome, origin) },
        }
    }

    /// Takes the result of a task that this thread has claimed and run.
    ///
    /// # Safety
    /// As the names say; the payload is as the outcome says.
    unsafe fn take_claimed(
        &mut self,
        outcome: Outcome,
        origin: Option<&'static Location<'static>>,
    ) -> Result<T, JoinError> {
        let tagged = self.tagged.take().expect("the result was taken before");
        let cell = untagged(tagged);
        let result = if outcome == Outcome::Value {
            // SAFETY: the payload is ours, and a result.
            Ok(unsafe { task::take_value(cell) })
        } else {
            // SAFETY: the payload is ours, and a panic's: it was run.
            Err(JoinError::panic(unsafe { task::take_panic(cell) }, origin))
        };
        // LAST TOUCH: whoever takes the void entry from its queue may free the cell.
        // SAFETY: claimed, and its payload is gone.
        if unsafe { Header::leave_claimed(cell.as_ptr()) } {
            // SAFETY: the entry has been taken from its queue: the cell is ours, and came from this class.
            unsafe { raw::free(cell.cast(), class_of(tagged)) };
        }
        result
    }

    /// Takes the result if it is there.
    ///
    /// # Errors
    /// Gives the handle back if the task is not finished.
    ///
    /// # Panics
    /// If the handle was polled to completion as a future before.
    pub fn try_join(mut self) -> Result<Result<T, JoinError>, Self> {
        // SAFETY: the handle keeps the cell alive.
        match unsafe { self.cell().as_ref() }.left() {
            // SAFETY: the completer has left.
            Some(outcome) => Ok(unsafe { self.take(outcome) }),
            None => Err(self),
        }
    }

    /// Waits at most this long. Does not run the task, which might take longer: this thread parks, and on a worker another
    /// takes its place.
    ///
    /// # Errors
    /// Gives the handle back if the task is not finished in time.
    ///
    /// # Panics
    /// If the handle was polled to completion as a future before.
    pub fn join_timeout(mut self, timeout: Duration) -> Result<Result<T, JoinError>, Self> {
        // A deadline the clock cannot express is no deadline.
        let deadline = Instant::now().checked_add(timeout);
        // SAFETY: this is the handle of the cell.
        match unsafe { join::join_later(self.cell(), Terms { deadline, ..Terms::OTHER }) } {
            // SAFETY: the task is complete and nobody else looks at the cell.
            Ok(Some(Done::Whole(outcome) | Done::Claimed(outcome, _))) => Ok(unsafe { self.take(outcome) }),
            Ok(None) => Err(self),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Whether [`join`](Self::join) would return at once.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        // SAFETY: the handle keeps the cell alive.
        self.tagged.is_none_or(|tagged| unsafe { untagged(tagged).as_ref() }.left().is_some())
    }

    /// Asks the task of a [future](crate::spawn_future) to end without a result: the future is dropped, by a worker, as
    /// soon as nobody polls it, and not polled again. [`join`](Self::join) waits for that and says that the task was
    /// [cancelled](JoinError::is_cancelled), unless the future is done before.
    ///
    /// A closure runs to its end: this does nothing to it. Does not wait, and may be called again.
    ///
    /// ```
    /// let never = wyn_sched::spawn_future(std::future::pending::<()>());
    /// never.cancel();
    /// assert!(never.join().unwrap_err().is_cancelled());
    /// ```
    pub fn cancel(&self) {
        if let Some(tagged) = self.tagged.filter(|&tagged| is_future(tagged)) {
            // SAFETY: the handle keeps the cell alive.
            unsafe { future::cancel(untagged(tagged)) };
        }
    }

    /// Lets the task run on by itself, as dropping the handle does.
    pub fn detach(self) {
        drop(self);
    }

    /// The same as [`join`](Self::join), for code that comes from a runtime whose `join` runs other tasks.
    ///
    /// # Errors
    /// As [`join`](Self::join).
    ///
    /// # Panics
    /// If the handle was polled to completion as a future before.
    pub fn join_blocking(self) -> Result<T, JoinError> {
        self.join()
    }

    /// [`join`](Self::join) for the child of a scope, whose cell knows its scope and is not claimed.
    #[inline]
    pub(crate) fn join_child(mut self) -> Result<T, JoinError> {
        let cell = self.cell();
        // SAFETY: the handle keeps the cell alive.
        let left = unsafe { cell.as_ref() }.left();
        // SAFETY: this is the handle of the cell.
        match left.or_else(|| unsafe { join::join_now(cell) }) {
            // SAFETY: the task is complete and nobody else looks at the cell.
            Some(outcome) => unsafe { self.take(outcome) },
            None => self.join_below(Terms::OTHER),
        }
    }

    /// [`join`](Self::join) for a task that borrows from the caller: no deadlock ends the wait.
    pub(crate) fn join_anyway(self) -> Result<T, JoinError> {
        self.join_later(Terms::BORROWING)
    }

    fn cell(&self) -> NonNull<Header> {
        untagged(self.tagged.expect("the result was taken before"))
    }

    /// Takes the result and frees the cell.
    ///
    /// # Safety
    /// The completer has left (or the task was run inline) with this outcome, and nothing was taken yet.
    // Always: as a call of its own it makes a join 15 % longer (`sched/spawn_join` of `cargo xtask count`).
    #[inline(always)]
    unsafe fn take(&mut self, outcome: Outcome) -> Result<T, JoinError> {
        let tagged = self.tagged.take().expect("the result was taken before");
        let cell = untagged(tagged);
        let result = match outcome {
            // SAFETY: the payload is ours, and a result.
            Outcome::Value => Ok(unsafe { task::take_value(cell) }),
            // SAFETY: passed on, and the handle has been given up.
            _ => return unsafe { take_other(tagged, outcome) },
        };
        // SAFETY: the handle's last use of the cell.
        unsafe { free(tagged) };
        result
    }
}

/// The rest of [`JoinHandle::take`]: for a closure without a result, and for a future.
///
/// # Safety
/// As there; the handle is gone.
#[cold]
#[inline(never)]
unsafe fn take_other<T>(tagged: NonNull<Header>, outcome: Outcome) -> Result<T, JoinError> {
    let cell = untagged(tagged);
    if is_future(tagged) {
        // SAFETY: complete, and the handle's last use of it.
        return unsafe { future::take(cell) };
    }
    // SAFETY: the payload is ours, and not a result.
    let error = unsafe { failure(cell, outcome) };
    // SAFETY: the handle's last use of the cell.
    unsafe { free(tagged) };
    Err(error)
}

/// # Safety
/// As [`JoinHandle::take`].
#[cold]
unsafe fn failure(cell: NonNull<Header>, outcome: Outcome) -> JoinError {
    // SAFETY: the cell is ours.
    let header = unsafe { cell.as_ref() };
    // SAFETY: as above.
    let origin = unsafe { header.origin() };
    if outcome == Outcome::Panic {
        // SAFETY: the payload is ours, and a panic's.
        JoinError::panic(unsafe { task::take_panic(cell) }, origin)
    } else {
        JoinError::cancelled(origin)
    }
}

/// Gives the cell of a finished task back to the pool.
///
/// # Safety
/// The handle owns the cell, whose payload is gone.
#[inline]
pub(crate) unsafe fn free(tagged: NonNull<Header>) {
    let cell = untagged(tagged);
    // SAFETY: owned by contract.
    let header = unsafe { cell.as_ref() };
    // SAFETY: the handle's side, and the cell is freed next.
    unsafe { header.finish() };
    // SAFETY: the cell came from this class.
    unsafe { raw::free(cell.cast(), class_of(tagged)) };
}

#[inline]
fn class_of(tagged: NonNull<Header>) -> SizeClass {
    CLASSES[tagged.addr().get() & CLASS_BITS]
}

pub(crate) fn is_future(tagged: NonNull<Header>) -> bool {
    tagged.addr().get() & FUTURE != 0
}

#[inline]
pub(crate) fn untagged(tagged: NonNull<Header>) -> NonNull<Header> {
    let cell = tagged.as_ptr().map_addr(|a| a & !TAGS);
    // SAFETY: headers are aligned to 8 at least and not null, so the address without its low bits is not null.
    unsafe { NonNull::new_unchecked(cell) }
}

/// Resolves to the result. Does not run the task: an executor's thread is not kept from its own work.
///
/// # Panics
/// If polled after it resolved.
impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let cell = self.cell();
        // SAFETY: the handle keeps the cell alive.
        let header = unsafe { cell.as_ref() };
        // SAFETY: this is the handle of the cell.
        if !unsafe { header.poll::<Asymmetric>(cx) } {
            return Poll::Pending;
        }
        let outcome = header.left().expect("a ready task has an outcome");
        // SAFETY: the completer has left.
        Poll::Ready(unsafe { self.take(outcome) })
    }
}

impl<T> Drop for JoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(tagged) = self.tagged {
            departure::abandon::<T>(tagged);
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}
