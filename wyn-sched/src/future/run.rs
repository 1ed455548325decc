//! What a worker does with a future's task: polls it, and suspends or completes it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll};

use wyn_future::cell::{Header, Outcome, Owner};

use super::cell::{self, Cell};
use super::state::{End, Start};
use super::waker;
use crate::barrier::Asymmetric;
use crate::context;
use crate::deadlock::site::Site;
use crate::task::{self, Op, TaskRef};

/// A future that knows where it was spawned, if anybody is to know.
struct Body<F> {
    site: Site,
    future: F,
}

/// The task of a future, in no queue yet.
pub(super) fn create<F: Future>(future: F, origin: &'static Location<'static>) -> NonNull<Cell> {
    let body = Body { site: Site::new(origin), future };
    cell::create::<_, F::Output>(body, enter::<F>, origin)
}

/// The entry of a future's task. What it returns means nothing to who runs a task from a queue.
///
/// # Safety
/// As [`TaskRef::enter`]; the cell was made by [`create`] with this type.
unsafe fn enter<F: Future>(task: TaskRef, op: Op, _runner: usize) -> Outcome {
    debug_assert!(op != Op::Inline, "a handle finds its header in no queue");
    let cell = cell::of_task(task);
    // SAFETY: what is in a queue is alive.
    let start = unsafe { cell.as_ref() }.state.start();
    // SAFETY: running, by the line above.
    let polled = (op == Op::Run && start == Start::Poll).then(|| unsafe { poll::<F>(cell) });
    let outcome = match polled {
        Some(Some(outcome)) => outcome,
        // SAFETY: running, and the future is there.
        Some(None) if unsafe { suspend(cell) } => return Outcome::Cancelled,
        // SAFETY: running, and the future is there; it was cancelled, or the runtime has ended.
        None | Some(None) => unsafe { discard::<F>(cell) },
    };
    // SAFETY: running, and the future is not there any more.
    unsafe { complete::<F::Output>(cell, outcome) };
    outcome
}

/// Polls once. If there is an outcome, the future is gone and the payload is as it says.
///
/// # Safety
/// The caller is running the task, whose future is there.
unsafe fn poll<F: Future>(cell: NonNull<Cell>) -> Option<Outcome> {
    let waker = waker::borrowed(cell);
    // SAFETY: the payload is the runner's.
    let body = unsafe { cell::at::<Body<F>>(cell) };
    let polled = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: nobody else has it while this thread runs it.
        let body = unsafe { &mut *body };
        let _inside = body.site.enter();
        #[cfg(feature = "channel")]
        let _budget = crate::channels::budget();
        // SAFETY: it stays in the cell, or in its box, until it is dropped there.
        let future = unsafe { Pin::new_unchecked(&mut body.future) };
        future.poll(&mut Context::from_waker(&waker))
    }));
    match polled {
        Ok(Poll::Pending) => None,
        // SAFETY: as above; it is not polled again.
        Ok(Poll::Ready(value)) => Some(unsafe { finish::<F>(cell, value) }),
        Err(panic) => {
            // SAFETY: as above.
            task::contain(|| unsafe { cell::drop_in_place::<Body<F>>(cell) });
            // SAFETY: the future is gone.
            unsafe { cell::put_panic(cell, panic) };
            Some(Outcome::Panic)
        }
    }
}

/// Drops a future that is done, and puts the result into its place; a panic of the drop is the result then.
///
/// # Safety
/// As [`poll`].
unsafe fn finish<F: Future>(cell: NonNull<Cell>, value: F::Output) -> Outcome {
    // SAFETY: by contract.
    match catch_unwind(AssertUnwindSafe(|| unsafe { cell::drop_in_place::<Body<F>>(cell) })) {
        Ok(()) => {
            // SAFETY: the class has room for the result; the future is gone.
            unsafe { cell::put(cell, value) };
            Outcome::Value
        }
        Err(panic) => {
            task::contain(|| drop(value));
            // SAFETY: the future is gone.
            unsafe { cell::put_panic(cell, panic) };
            Outcome::Panic
        }
    }
}

/// Drops a future that will not be polled any more.
///
/// # Safety
/// As [`poll`].
unsafe fn discard<F: Future>(cell: NonNull<Cell>) -> Outcome {
    // SAFETY: by contract.
    task::contain(|| unsafe { cell::drop_in_place::<Body<F>>(cell) });
    Outcome::Cancelled
}

/// Gives the task to whoever wakes it, and puts it into a queue if somebody has. `false` if the runtime has ended, and
/// the task is still the caller's.
///
/// # Safety
/// The caller is running the task, whose future is there.
unsafe fn suspend(cell: NonNull<Cell>) -> bool {
    // SAFETY: alive until `end`.
    let front = unsafe { cell.as_ref() };
    // SAFETY: the runner's.
    let is_known = !unsafe { front.home.get().read() }.is_null();
    // SAFETY: passed on.
    if !is_known && !unsafe { settle_down(cell, front) } {
        return false;
    }
    match front.state.end() {
        // LAST TOUCH was the end.
        End::Suspended => {}
        End::Again => context::with_running(|context| context.give_way(cell::woken(cell))),
    }
    true
}

/// Before it is suspended for the first time: the runtime gets to know it.
///
/// # Safety
/// As [`suspend`].
#[cold]
unsafe fn settle_down(cell: NonNull<Cell>, front: &Cell) -> bool {
    let mut is_home = false;
    context::with_running(|context| {
        let Some(place) = context.shared.suspended.add(cell, context.id) else { return };
        // SAFETY: the runner's.
        unsafe { front.place.get().write(place) };
        // SAFETY: the runner's.
        unsafe { front.home.get().write(Arc::into_raw(Arc::clone(&context.shared))) };
        is_home = true;
    });
    is_home
}

/// Hands the result to the handle.
///
/// # Safety
/// The caller is running the task, whose payload is as `outcome` says, of a result `T`. The cell may be gone afterwards.
unsafe fn complete<T>(cell: NonNull<Cell>, outcome: Outcome) {
    // SAFETY: alive: the result's share is not given up before the header is completed.
    let front = unsafe { cell.as_ref() };
    // SAFETY: the runner's.
    let home = unsafe { front.home.get().read() };
    if !home.is_null() {
        // SAFETY: the count that `settle_down` took.
        let home = unsafe { Arc::from_raw(home) };
        // SAFETY: the runner's.
        home.suspended.remove(unsafe { front.place.get().read() });
    }
    front.state.complete(outcome);
    let header = cell::result_of(cell).as_ptr();
    // SAFETY: live, and completed once: nobody runs the task again.
    if let Owner::Mine(_) = unsafe { Header::complete::<Asymmetric>(header, Outcome::Cancelled) } {
        // SAFETY: the handle has gone.
        unsafe { cell::drop_result::<T>(cell, outcome) };
        // SAFETY: the result's share, and there is no result any more.
        unsafe { cell::release(cell) };
    }
}
