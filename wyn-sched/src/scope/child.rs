//! The cell of a scope's child: header, address of the scope, closure; later the result in the place of the last
//! two.
//!
//! | who | may touch the payload |
//! |---|---|
//! | the spawner | until the child is pushed |
//! | whoever got it from a queue | from then until `Header::complete`; without a handle, until it frees the cell |
//! | the handle | once the header says `Left` |
//!
//! A child runs also when its runtime is shut down: the scope waits for it.

use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::ptr::NonNull;

use wyn_future::cell::{Header, Outcome, Owner};
use wyn_pool::raw::{self, SizeClass};

use super::Scope;
use super::core::Core;
use crate::barrier::Asymmetric;
use crate::task::{self, CHILD, Entry, MAX_ALIGN, MAX_PAYLOAD, Op, TaskRef};

/// Whether a closure lives in a box of its own, since it does not fit into a cell.
const fn is_boxed<F>() -> bool {
    size_of::<F>() + MAX_ALIGN > MAX_PAYLOAD || align_of::<F>() > MAX_ALIGN
}

/// Where the closure, or its box, lies behind the address of the scope.
const fn offset<F>() -> usize {
    let word = size_of::<*const Core>();
    if is_boxed::<F>() || align_of::<F>() <= word { word } else { MAX_ALIGN }
}

const fn class<F, T>() -> SizeClass {
    let size = if is_boxed::<F>() { size_of::<Box<F>>() } else { size_of::<F>() };
    task::class_for::<T>(offset::<F>() + size)
}

/// Makes a child whose handle will take the result.
#[inline]
pub(super) fn create<'scope, F, T>(
    core: &Core,
    f: F,
    origin: &'static Location<'static>,
) -> (TaskRef, SizeClass)
where
    F: FnOnce(&Scope<'scope>) -> T,
{
    let entry: Entry = enter::<F, T>;
    (create_with::<F, T>(core, f, entry, Some(origin)), const { class::<F, T>() })
}

/// Makes a child without a handle.
#[inline]
pub(super) fn create_detached<'scope, F>(core: &Core, f: F) -> TaskRef
where
    F: FnOnce(&Scope<'scope>),
{
    let entry: Entry = enter_detached::<F>;
    create_with::<F, ()>(core, f, entry, None)
}

#[inline]
fn create_with<F, T>(core: &Core, f: F, entry: Entry, origin: Option<&'static Location<'static>>) -> TaskRef {
    let cell = raw::alloc(const { class::<F, T>() }).cast::<Header>();
    let task = TaskRef::tagged(cell, CHILD);
    // SAFETY: a fresh cell of at least a header and the payload.
    unsafe { cell.write(Header::new(entry as *mut (), origin)) };
    // SAFETY: the payload starts with room for this.
    unsafe { task.payload().cast::<*const Core>().write(core) };
    let at = task.payload().wrapping_add(offset::<F>());
    if const { is_boxed::<F>() } {
        // SAFETY: `class` left room for it, aligned.
        unsafe { at.cast::<Box<F>>().write(Box::new(f)) };
    } else {
        // SAFETY: as above.
        unsafe { at.cast::<F>().write(f) };
    }
    task
}

/// Takes the scope and the closure out of the cell.
///
/// # Safety
/// The caller has the only right to run the task, which holds an `F`, and gives it up.
unsafe fn open<F>(task: TaskRef) -> (NonNull<Core>, F) {
    // SAFETY: written by `create_with`, from a reference.
    let core = unsafe { task.payload().cast::<NonNull<Core>>().read() };
    let at = task.payload().wrapping_add(offset::<F>());
    if const { is_boxed::<F>() } {
        // SAFETY: written by `create_with`, and moved out once.
        return (core, *unsafe { at.cast::<Box<F>>().read() });
    }
    // SAFETY: as above.
    (core, unsafe { at.cast::<F>().read() })
}

/// Runs the closure. `None` after a panic, which the scope keeps.
///
/// # Safety
/// The scope waits for this child.
unsafe fn run<'scope, F, T>(core: NonNull<Core>, f: F) -> Option<T>
where
    F: FnOnce(&Scope<'scope>) -> T,
{
    // SAFETY: a scope is its core; it is alive by contract, and `'scope` was the spawner's.
    let scope = unsafe { core.cast::<Scope<'scope>>().as_ref() };
    match catch_unwind(AssertUnwindSafe(|| f(scope))) {
        Ok(value) => Some(value),
        Err(panic) => {
            // SAFETY: as above.
            unsafe { core.as_ref() }.record(panic);
            None
        }
    }
}

/// The entry of a child with a handle. A child that panicked is to its handle as if it were cancelled.
///
/// # Safety
/// As [`TaskRef::enter`]; the cell was made by [`create`] with these types.
unsafe fn enter<'scope, F, T>(task: TaskRef, op: Op, runner: usize) -> Outcome
where
    F: FnOnce(&Scope<'scope>) -> T,
{
    let header = task.header();
    if op != Op::Inline {
        // SAFETY: live until it is completed below.
        unsafe { header.as_ref() }.start(runner);
    }
    // SAFETY: the right to run it is used up here.
    let (core, f) = unsafe { open::<F>(task) };
    // SAFETY: the child is counted until the end of this function.
    let outcome = match unsafe { run::<F, T>(core, f) } {
        Some(value) => {
            // SAFETY: the class has room for the result; scope and closure have been moved out.
            unsafe { task::put(task.payload(), value) };
            Outcome::Value
        }
        None => Outcome::Cancelled,
    };
    if op != Op::Inline {
        // SAFETY: live, and completed once.
        if let Owner::Mine(_) = unsafe { Header::complete::<Asymmetric>(header.as_ptr(), outcome) } {
            // SAFETY: the handle has gone; the payload is as `outcome` says.
            unsafe { task::drop_payload::<T>(header, outcome) };
            // SAFETY: the cell is ours and came from this class.
            unsafe { raw::free(header.cast(), const { class::<F, T>() }) };
        }
    }
    // SAFETY: the scope was alive so far.
    unsafe { Core::end(core.as_ptr()) };
    outcome
}

/// The entry of a child without a handle.
///
/// # Safety
/// As [`enter`], with [`create_detached`].
unsafe fn enter_detached<'scope, F>(task: TaskRef, _op: Op, _runner: usize) -> Outcome
where
    F: FnOnce(&Scope<'scope>),
{
    // SAFETY: the right to run it is used up here.
    let (core, f) = unsafe { open::<F>(task) };
    // The closure is out of the cell, so the cell can go first: a child that spawns gets it back warm.
    // SAFETY: nobody else knows the cell.
    unsafe { raw::free(task.header().cast(), const { class::<F, ()>() }) };
    // SAFETY: the child is counted until the end of this function.
    let ran = unsafe { run::<F, ()>(core, f) };
    // SAFETY: the scope was alive so far.
    unsafe { Core::end(core.as_ptr()) };
    if ran.is_some() { Outcome::Value } else { Outcome::Panic }
}
