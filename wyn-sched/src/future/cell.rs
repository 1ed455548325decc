//! The cell of a future's task: what stands before the future, and later, in its place, before the result.
//!
//! | who | may touch |
//! |---|---|
//! | the spawner | everything until the task is pushed |
//! | who has set `RUNNING` | the future, home and place |
//! | who has set `SCHEDULED` in an idle word | the home, until the task is pushed |
//! | the handle | the result, once the header says `Left` |
//! | the runner again | the result, if `Header::complete` says that the handle has gone |
//! | anybody with a share | the state |

use std::any::Any;
use std::cell::UnsafeCell;
use std::mem::offset_of;
use std::panic::Location;
use std::ptr::{self, NonNull};

use wyn_future::cell::{Header, Outcome};
use wyn_pool::raw::{self, SizeClass};

use super::state::State;
use crate::context;
use crate::shared::Shared;
use crate::sync::AtomicPtr;
use crate::task::{self, Entry, TaskRef, WOKEN};

/// Futures and results above this are boxed: the largest class less the words in front.
const MAX_PAYLOAD: usize = SizeClass::C256.size() - size_of::<Cell>();
const LEAST_PAYLOAD: usize = size_of::<Box<dyn Any + Send>>();

/// What stands in front.
#[derive(Debug)]
#[repr(C, align(16))]
pub(crate) struct Cell {
    /// The runtime, held by a count: null until the future is suspended for the first time.
    pub(super) home: UnsafeCell<*const Shared>,
    /// Where the runtime keeps it, from then on.
    pub(super) place: UnsafeCell<usize>,
    /// With the state behind it, what a task in a queue points to: it begins like a header.
    entry: AtomicPtr<()>,
    pub(super) state: State,
    /// The handle's. It never says `Value`: to code that knows closures the result is not where it seeks one.
    pub(super) result: Header,
}

static_assertions::const_assert!(offset_of!(Cell, state) - offset_of!(Cell, entry) == size_of::<usize>());
static_assertions::const_assert!(offset_of!(Cell, result).is_multiple_of(16) || size_of::<usize>() < 8);
static_assertions::const_assert!(offset_of!(Cell, entry).is_multiple_of(8));

/// A new task, in no queue yet, and the cell for its handle.
pub(super) fn create<B, T>(body: B, entry: Entry, origin: &'static Location<'static>) -> NonNull<Cell> {
    let class = const { class_of::<B, T>() };
    let cell = raw::alloc(class).cast::<Cell>();
    // A header's entry, for what its handle asks of any task: whether it has been started.
    let result = Header::new(entry as *mut (), Some(origin));
    let front = Cell {
        home: UnsafeCell::new(ptr::null()),
        place: UnsafeCell::new(0),
        entry: AtomicPtr::new(entry as *mut ()),
        state: State::new(class),
        result,
    };
    // SAFETY: a fresh cell of at least this and the payload.
    unsafe { cell.write(front) };
    // SAFETY: `class_of` left room for it; nothing else is there yet.
    unsafe { put(cell, body) };
    cell
}

/// The right to run it, if it was never polled.
pub(super) fn fresh(cell: NonNull<Cell>) -> TaskRef {
    TaskRef::tagged(entry_of(cell), 0)
}

/// The right to run it, if it was woken.
pub(super) fn woken(cell: NonNull<Cell>) -> TaskRef {
    TaskRef::tagged(entry_of(cell), WOKEN)
}

/// What a task in a queue points to. Of a header there is the word that `TaskRef::enter` reads, and another of the same
/// size.
fn entry_of(cell: NonNull<Cell>) -> NonNull<Header> {
    // SAFETY: inside the cell.
    unsafe { cell.byte_add(offset_of!(Cell, entry)) }.cast()
}

/// The cell of a task that [`fresh`] or [`woken`] made.
pub(super) fn of_task(task: TaskRef) -> NonNull<Cell> {
    // SAFETY: where `entry_of` came from.
    unsafe { task.header().byte_sub(offset_of!(Cell, entry)) }.cast()
}

/// The header that the handle waits on.
pub(super) fn result_of(cell: NonNull<Cell>) -> NonNull<Header> {
    // SAFETY: inside the cell.
    unsafe { cell.byte_add(offset_of!(Cell, result)) }.cast()
}

/// The cell of that header.
pub(super) fn of_result(header: NonNull<Header>) -> NonNull<Cell> {
    // SAFETY: where `result_of` came from.
    unsafe { header.byte_sub(offset_of!(Cell, result)) }.cast()
}

/// Gives a share up, and with the last one the cell.
///
/// # Safety
/// - The caller has a share of this cell, and does not touch it again.
/// - The payload is gone if the share is the result's.
pub(super) unsafe fn release(cell: NonNull<Cell>) {
    // SAFETY: alive by the caller's share.
    if unsafe { cell.as_ref() }.state.release() {
        // SAFETY: it was the last.
        unsafe { free(cell) };
    }
}

/// Gives the cell back to the pool.
///
/// # Safety
/// The caller had the last share.
pub(super) unsafe fn free(cell: NonNull<Cell>) {
    // SAFETY: the caller's alone.
    let class = unsafe { cell.as_ref() }.state.class();
    // LAST TOUCH: of the cell.
    // SAFETY: the cell came from this class.
    unsafe { raw::free(cell.cast(), class) };
}

/// Drops a result that nobody will take. A panic of its destructor is contained.
///
/// # Safety
/// The caller owns the payload, and it is a `T` or as `outcome` says.
pub(super) unsafe fn drop_result<T>(cell: NonNull<Cell>, outcome: Outcome) {
    match outcome {
        Outcome::Value => {
            // SAFETY: by contract.
            let value = unsafe { take::<T>(cell) };
            task::contain(|| drop(value));
        }
        Outcome::Panic => {
            // SAFETY: by contract.
            let payload = unsafe { take_panic(cell) };
            // SAFETY: the result's share is the caller's.
            let front = unsafe { cell.as_ref() };
            // SAFETY: as above.
            let origin = unsafe { front.result.origin() };
            context::report_panic(payload, origin);
        }
        Outcome::Cancelled => {}
    }
}

/// # Safety
/// The payload holds what a poll panicked with, which is the caller's.
pub(super) unsafe fn take_panic(cell: NonNull<Cell>) -> Box<dyn Any + Send> {
    // SAFETY: by contract.
    unsafe { payload(cell).cast::<Box<dyn Any + Send>>().read() }
}

/// # Safety
/// The payload is the caller's, and empty.
pub(super) unsafe fn put_panic(cell: NonNull<Cell>, panic: Box<dyn Any + Send>) {
    // SAFETY: every payload area has room for a box of this kind.
    unsafe { payload(cell).cast::<Box<dyn Any + Send>>().write(panic) };
}

/// # Safety
/// The payload is the caller's and empty, with room for a `V`.
pub(super) unsafe fn put<V>(cell: NonNull<Cell>, value: V) {
    if const { boxed::<V>() } {
        // SAFETY: by contract.
        unsafe { payload(cell).cast::<Box<V>>().write(Box::new(value)) };
    } else {
        // SAFETY: by contract.
        unsafe { payload(cell).cast::<V>().write(value) };
    }
}

/// Moves the value out.
///
/// # Safety
/// The payload is the caller's, and a `V`; it is empty afterwards.
pub(super) unsafe fn take<V>(cell: NonNull<Cell>) -> V {
    if const { boxed::<V>() } {
        // SAFETY: by contract.
        *unsafe { payload(cell).cast::<Box<V>>().read() }
    } else {
        // SAFETY: by contract.
        unsafe { payload(cell).cast::<V>().read() }
    }
}

/// Drops the value where it lies, so also one that is pinned.
///
/// # Safety
/// As [`take`].
pub(super) unsafe fn drop_in_place<V>(cell: NonNull<Cell>) {
    if const { boxed::<V>() } {
        // SAFETY: by contract.
        unsafe { payload(cell).cast::<Box<V>>().drop_in_place() };
    } else {
        // SAFETY: by contract.
        unsafe { payload(cell).cast::<V>().drop_in_place() };
    }
}

/// Where the value lies.
///
/// # Safety
/// The payload is the caller's, and a `V`.
pub(super) unsafe fn at<V>(cell: NonNull<Cell>) -> *mut V {
    if const { boxed::<V>() } {
        // SAFETY: by contract.
        let stored = unsafe { &mut *payload(cell).cast::<Box<V>>() };
        &raw mut **stored
    } else {
        payload(cell).cast()
    }
}

fn payload(cell: NonNull<Cell>) -> *mut u8 {
    cell.as_ptr().wrapping_add(1).cast()
}

/// Whether a future or result lives in a box of its own.
pub(crate) const fn boxed<V>() -> bool {
    size_of::<V>() > MAX_PAYLOAD || align_of::<V>() > task::MAX_ALIGN
}

const fn stored_size<V>() -> usize {
    if boxed::<V>() { size_of::<Box<V>>() } else { size_of::<V>() }
}

/// The class for a future in `B`, and later, in its place, the result `T`.
const fn class_of<B, T>() -> SizeClass {
    const fn max(a: usize, b: usize) -> usize {
        if a > b { a } else { b }
    }
    let payload = max(LEAST_PAYLOAD, max(stored_size::<B>(), stored_size::<T>()));
    match std::alloc::Layout::from_size_align(size_of::<Cell>() + payload, task::MAX_ALIGN) {
        Ok(layout) => match SizeClass::for_layout(layout) {
            Some(class) => class,
            None => panic!("larger payloads are boxed"),
        },
        Err(_) => panic!("larger payloads are boxed"),
    }
}
