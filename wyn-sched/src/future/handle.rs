//! What a handle does with a future's task, where that is not what it does with a closure's.

use std::ptr::NonNull;
use std::rc::Rc;

use wyn_future::cell::{Header, Outcome};

use super::{cell, waker};
use crate::context::{self, Helping};
use crate::error::JoinError;
use crate::slot::Role;

/// Takes the result, and gives the result's share up.
///
/// # Safety
/// `header` is that of a future's task with the result `T`, complete; the caller is its handle, for the last time.
pub(crate) unsafe fn take<T>(header: NonNull<Header>) -> Result<T, JoinError> {
    let cell = cell::of_result(header);
    // SAFETY: alive by the result's share.
    let front = unsafe { cell.as_ref() };
    // SAFETY: the handle's.
    let origin = unsafe { front.result.origin() };
    let result = match front.state.outcome() {
        // SAFETY: the payload is the handle's, and a result.
        Outcome::Value => Ok(unsafe { cell::take::<T>(cell) }),
        // SAFETY: the payload is the handle's, and a panic's.
        Outcome::Panic => Err(JoinError::panic(unsafe { cell::take_panic(cell) }, origin)),
        Outcome::Cancelled => Err(JoinError::cancelled(origin)),
    };
    // SAFETY: the handle's side, and given up below.
    unsafe { front.result.finish() };
    // SAFETY: the result's share; the result has been taken.
    unsafe { cell::release(cell) };
    result
}

/// Drops a result that its handle does not want, and gives the result's share up.
///
/// # Safety
/// As [`take`]. For a result without a destructor that is not boxed, `T` may be anything.
pub(crate) unsafe fn settle<T>(header: NonNull<Header>) {
    let cell = cell::of_result(header);
    // SAFETY: alive by the result's share.
    let front = unsafe { cell.as_ref() };
    // SAFETY: the payload is the handle's.
    unsafe { cell::drop_result::<T>(cell, front.state.outcome()) };
    // SAFETY: the handle's side, and given up below.
    unsafe { front.result.finish() };
    // SAFETY: the result's share; the result is gone.
    unsafe { cell::release(cell) };
}

/// Polls the task of a future if it lies in the calling thread's own deque, for its handle, which waits for it next.
pub(crate) fn run_if_own(header: NonNull<Header>) {
    let Some(context) = context::current().filter(|context| context.has_stack()) else { return };
    // What the future spawns goes to its own runtime, which does not end meanwhile.
    let _helping = (context.role == Role::Guest).then(|| Helping::begin(Rc::clone(&context)));
    if let Some(task) = context.take_own(cell::fresh(cell::of_result(header)).header()) {
        context.run(task);
    }
}

/// Has the future dropped at the next occasion.
///
/// # Safety
/// `header` is that of a future's task whose handle the caller has.
pub(crate) unsafe fn cancel(header: NonNull<Header>) {
    let cell = cell::of_result(header);
    // SAFETY: alive by the result's share.
    if unsafe { cell.as_ref() }.state.cancel() {
        // SAFETY: scheduled by this call.
        unsafe { waker::schedule(cell) };
    }
}
