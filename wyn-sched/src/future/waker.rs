//! The waker of a task, which is the task itself: a share of its cell.
//!
//! A task that is woken goes to the waking worker's own deque, as its newest; from a thread that is none of its
//! runtime's it goes to the injector. Whoever puts it there holds no share: what is scheduled stays.

use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::cell::{self, Cell};
use super::state::Woken;
use crate::context;
use crate::shared::Shared;
use crate::slot::Role;

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// A waker without a share, for as long as the caller has the cell.
pub(super) fn borrowed(cell: NonNull<Cell>) -> ManuallyDrop<Waker> {
    // SAFETY: the functions of the table keep what `RawWaker` asks for; without a share it is not dropped.
    ManuallyDrop::new(unsafe { Waker::new(cell.as_ptr().cast(), &VTABLE) })
}

/// # Safety
/// `data` is that of a waker.
unsafe fn of(data: *const ()) -> NonNull<Cell> {
    // SAFETY: made from a cell by `borrowed` and `clone`.
    unsafe { NonNull::new_unchecked(data.cast_mut().cast()) }
}

/// # Safety
/// As [`of`]; the waker has a share, or is borrowed.
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: by contract.
    let cell = unsafe { of(data) };
    // SAFETY: alive by the share of the waker, or by that of who lends it.
    unsafe { cell.as_ref() }.state.acquire();
    RawWaker::new(data, &VTABLE)
}

/// # Safety
/// As [`of`]; the waker has a share, which is given up.
unsafe fn wake(data: *const ()) {
    // SAFETY: by contract.
    let cell = unsafe { of(data) };
    // SAFETY: alive by the share that is given up here.
    match unsafe { cell.as_ref() }.state.wake_owned() {
        // SAFETY: scheduled by this call.
        Woken::Push => unsafe { schedule(cell) },
        Woken::Nothing => {}
        // SAFETY: the last share was this one.
        Woken::Last => unsafe { cell::free(cell) },
    }
}

/// # Safety
/// As [`clone`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: by contract.
    let cell = unsafe { of(data) };
    // SAFETY: alive by the share of the waker, or by that of who lends it.
    if unsafe { cell.as_ref() }.state.wake() {
        // SAFETY: scheduled by this call.
        unsafe { schedule(cell) };
    }
}

/// # Safety
/// As [`wake`].
unsafe fn release(data: *const ()) {
    // SAFETY: by contract.
    let cell = unsafe { of(data) };
    // SAFETY: the waker's share; the result's is not meant.
    unsafe { cell::release(cell) };
}

/// Puts a task into a queue that has been suspended before.
///
/// # Safety
/// The caller has set `SCHEDULED` in an idle word, and the task is in no queue yet. The cell may be gone afterwards.
pub(super) unsafe fn schedule(cell: NonNull<Cell>) {
    // SAFETY: alive, since it is not complete.
    let front = unsafe { cell.as_ref() };
    // SAFETY: until the task is pushed nobody else has it; written before the word became idle.
    let home = unsafe { front.home.get().read() };
    let task = cell::woken(cell);
    let is_pushed = context::with_current(|current| {
        let own = current.filter(|own| own.role != Role::Guest && ptr::eq(Arc::as_ptr(&own.shared), home));
        own.map(|own| own.push(task)).is_some()
    });
    if !is_pushed {
        // The task may end, and its runtime, before this thread is done with that.
        // SAFETY: the cell holds a count of it, and the task cannot end before it is pushed.
        let home = unsafe { hold(home) };
        home.inject(task);
    }
}

/// # Safety
/// From `Arc::into_raw`, of one that is alive.
unsafe fn hold(home: *const Shared) -> Arc<Shared> {
    // SAFETY: by contract.
    unsafe { Arc::increment_strong_count(home) };
    // SAFETY: the count taken above is this one's.
    unsafe { Arc::from_raw(home) }
}
