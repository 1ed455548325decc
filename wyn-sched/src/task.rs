//! A task: a one-shot header, then the closure and later, in its place, the result.
//!
//! Cells come from `wyn_pool::raw`, 32 bytes for closures and results of up to 16 bytes. What does not fit
//! the largest class, or needs more than 16-byte alignment, is boxed and the cell holds the box. The
//! entry function in the header is all the type information there is: it knows the closure and the result,
//! the handle knows the result, and the class travels in the low bits of the handle's pointer.
//!
//! | who | may touch the payload |
//! |---|---|
//! | the spawner | until the task is pushed |
//! | whoever got the task from a queue, unless its handle has claimed it | from then until `Header::complete` |
//! | a handle that has claimed it while it was in a queue | from then until `Header::leave_claimed` |
//! | the handle | once the header says `Left` |
//! | the runner again | if `Header::complete` says the cell is its own |

use std::alloc::Layout;
use std::any::Any;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use wyn_future::cell::{Begun, Header, Outcome, Owner};
use wyn_pool::raw::{self, SizeClass};

use crate::barrier::Asymmetric;
use crate::context;
use crate::deadlock::site::Site;
use crate::lineage::Node;
use crate::stats;

/// What every payload area holds at least: a boxed panic payload is two words.
const LEAST_PAYLOAD: usize = size_of::<Box<dyn Any + Send>>();
/// Payloads start right behind the header, so this is what they may ask for.
pub(crate) const MAX_ALIGN: usize = 16;
/// Closures and results above this are boxed: the largest class less the header.
pub(crate) const MAX_PAYLOAD: usize = SizeClass::C256.size() - size_of::<Header>();

static_assertions::assert_eq_size!(TaskRef, usize);
static_assertions::const_assert!(size_of::<Header>() == 2 * size_of::<usize>());
static_assertions::const_assert!(align_of::<Header>() <= MAX_ALIGN);

/// What an entry function is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// Run it and complete the cell.
    Run,
    /// Run it for the handle, which calls and takes the payload next: leave the header alone.
    Inline,
    /// Drop the closure and complete the cell as cancelled.
    Cancel,
}

pub(crate) type Entry = unsafe fn(TaskRef, Op, usize) -> Outcome;

/// A task in a queue: the right to run it, once.
///
/// The low bits of the address say where its [`Node`] is:
///
/// | tag | made by | its node |
/// |---|---|---|
/// | 0 | `spawn` | none |
/// | [`BRANCH`] | `join` | the first thing in its payload |
/// | [`CHILD`] | a scope | the scope's: what the first word of its payload points to |
/// | [`WOKEN`] | a waker, of a future that was suspended | none |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct TaskRef(NonNull<Header>);

/// The tag of a branch of `join`.
pub(crate) const BRANCH: usize = 1;
/// The tag of a scope's child.
pub(crate) const CHILD: usize = 2;
/// The tag of a future that was woken.
pub(crate) const WOKEN: usize = 4;
const TAGS: usize = 7;
static_assertions::const_assert!(align_of::<Header>() > TAGS);

// SAFETY: closures and results are `Send` (`spawn` asks for it), and the header is made of atomics.
unsafe impl Send for TaskRef {}

impl TaskRef {
    /// The task of this header, with a tag of the table.
    #[inline]
    pub(crate) fn tagged(header: NonNull<Header>, tag: usize) -> Self {
        Self(header.map_addr(|address| address | tag))
    }

    #[inline]
    pub(crate) fn header(self) -> NonNull<Header> {
        let header = self.0.as_ptr().map_addr(|address| address & !TAGS);
        // SAFETY: headers are aligned and not null, so the address without its low bits is not null.
        unsafe { NonNull::new_unchecked(header) }
    }

    /// Its place in the fork-join work it belongs to; null if it belongs to none. For whoever holds the right to run it.
    #[inline]
    pub(crate) fn node(self) -> *const Node {
        match self.0.addr().get() & TAGS {
            BRANCH => self.payload().cast_const().cast(),
            // SAFETY: the task is alive, and its payload starts with a pointer to its scope, which starts with a node.
            CHILD => unsafe { self.payload().cast::<*const Node>().read() },
            _ => ptr::null(),
        }
    }

    /// Whether a wait for the work of this node has to wait for this task too. For whoever holds the right to run it.
    #[inline]
    pub(crate) fn is_below(self, node: *const Node) -> bool {
        let own = self.node();
        // SAFETY: the node of a piece of work that the caller may run.
        ptr::eq(own, node) || unsafe { Node::leads_to(own, node) }
    }

    /// Does `op`.
    ///
    /// # Safety
    /// The caller took this task from a queue, or keeps it from ever being in one, and gives it up now.
    #[inline]
    pub(crate) unsafe fn enter(self, op: Op, runner: usize) -> Outcome {
        // SAFETY: whoever holds the right to run a task holds a live cell.
        let entry = unsafe { self.header().as_ref() }.entry();
        // SAFETY: the header was made by `create` from an `Entry` of the right types.
        let entry = unsafe { std::mem::transmute::<*mut (), Entry>(entry) };
        if op == Op::Inline {
            stats::inlined();
        }
        // SAFETY: passed on to the caller.
        unsafe { entry(self, op, runner) }
    }

    /// Runs a closure whose cell the caller has claimed, for its handle; the right to run it was never taken from a queue.
    ///
    /// # Safety
    /// The caller has claimed the cell, and `entry` is what the claim gave.
    pub(crate) unsafe fn enter_claimed(cell: NonNull<Header>, entry: *mut (), runner: usize) -> Outcome {
        // SAFETY: the header was made by `create` from an `Entry` of the right types.
        let entry = unsafe { std::mem::transmute::<*mut (), Entry>(entry) };
        stats::inlined();
        // SAFETY: passed on to the caller.
        unsafe { entry(Self(cell), Op::Inline, runner) }
    }

    /// Whether it is a branch of `join`.
    #[inline]
    pub(crate) fn is_branch(self) -> bool {
        self.0.addr().get() & TAGS == BRANCH
    }

    /// Whether it is a future that was woken.
    #[inline]
    pub(crate) fn is_woken(self) -> bool {
        self.0.addr().get() & TAGS == WOKEN
    }

    /// Where the payload lies.
    pub(crate) fn payload(self) -> *mut u8 {
        self.header().as_ptr().wrapping_add(1).cast()
    }
}

/// Stands in a deque where a task was taken out of the middle. Running it does nothing.
pub(crate) fn hole() -> TaskRef {
    static HOLE: OnceLock<Header> = OnceLock::new();
    let entry: Entry = enter_hole;
    TaskRef(NonNull::from(HOLE.get_or_init(|| Header::new(entry as *mut (), None))))
}

/// The entry of a hole.
///
/// # Safety
/// None.
unsafe fn enter_hole(_task: TaskRef, _op: Op, _runner: usize) -> Outcome {
    Outcome::Value
}

/// Makes the task of a closure whose handle will take the result.
#[inline]
pub(crate) fn create<F, T>(f: F, origin: &'static Location<'static>) -> (TaskRef, SizeClass)
where
    F: FnOnce() -> T,
{
    create_entered(noted(f, origin), origin)
}

#[inline]
fn create_entered<F, T>(f: F, origin: &'static Location<'static>) -> (TaskRef, SizeClass)
where
    F: FnOnce() -> T,
{
    create_with::<F, T>(f, enter::<F, T>, origin)
}

/// The closure, which knows where it was spawned, if anybody is to know.
#[inline]
fn noted<T>(f: impl FnOnce() -> T, origin: &'static Location<'static>) -> impl FnOnce() -> T {
    let site = Site::new(origin);
    move || {
        let _inside = site.enter();
        f()
    }
}

/// Makes the task of a closure without a handle.
#[inline]
pub(crate) fn create_detached<F: FnOnce()>(f: F, origin: &'static Location<'static>) -> TaskRef {
    create_detached_entered(noted(f, origin), origin)
}

#[inline]
fn create_detached_entered<F: FnOnce()>(f: F, origin: &'static Location<'static>) -> TaskRef {
    create_with::<F, ()>(f, enter_detached::<F>, origin).0
}

#[inline]
fn create_with<F, T>(f: F, entry: Entry, origin: &'static Location<'static>) -> (TaskRef, SizeClass) {
    let class = const { class_of::<F, T>() };
    let cell = raw::alloc(class).cast::<Header>();
    let task = TaskRef(cell);
    // SAFETY: a fresh cell of at least a header and the payload.
    unsafe { cell.write(Header::new(entry as *mut (), Some(origin))) };
    // SAFETY: `class_of` left room for it; nothing else is there yet.
    unsafe { put(task.payload(), f) };
    (task, class)
}

/// The entry of a task with a handle.
///
/// # Safety
/// As [`TaskRef::enter`]; the cell holds an `F`.
unsafe fn enter<F: FnOnce() -> T, T>(task: TaskRef, op: Op, runner: usize) -> Outcome {
    if op == Op::Inline {
        // SAFETY: the cell holds an `F`, run here and nowhere else.
        return unsafe { run_payload::<F, T>(task) };
    }
    // SAFETY: out of its queue, and begun once.
    if let Begun::Void { frees } = unsafe { Header::begin::<Asymmetric>(task.header().as_ptr(), runner) } {
        if frees {
            // SAFETY: the cell is ours and came from this class; its payload is gone.
            unsafe { raw::free(task.header().cast(), const { class_of::<F, T>() }) };
        }
        return Outcome::Value;
    }
    let outcome = match op {
        // SAFETY: the cell holds an `F`, run or dropped here and nowhere else.
        Op::Run | Op::Inline => unsafe { run_payload::<F, T>(task) },
        Op::Cancel => {
            // SAFETY: the cell holds an `F`, moved out once.
            let f = unsafe { get::<F>(task.payload()) };
            contain(|| drop(f));
            Outcome::Cancelled
        }
    };
    // SAFETY: live, and completed once: the right to run it is used up here.
    if let Owner::Mine(_) = unsafe { Header::complete::<Asymmetric>(task.header().as_ptr(), outcome) } {
        // SAFETY: the handle has gone; the payload is as `outcome` says.
        unsafe { drop_payload::<T>(task.header(), outcome) };
        // SAFETY: the cell is ours and came from this class.
        unsafe { raw::free(task.header().cast(), const { class_of::<F, T>() }) };
    }
    outcome
}

/// The entry of a task without a handle: the cell is the runner's from the start.
///
/// # Safety
/// As [`enter`].
unsafe fn enter_detached<F: FnOnce()>(task: TaskRef, op: Op, _runner: usize) -> Outcome {
    // SAFETY: the cell holds an `F`, moved out once.
    let f = unsafe { get::<F>(task.payload()) };
    // SAFETY: live until freed below.
    let header = unsafe { task.header().as_ref() };
    // SAFETY: it has no handle.
    let origin = unsafe { header.origin() };
    // The closure is out of the cell, so the cell can go first: a task that spawns gets it back warm.
    // SAFETY: nobody else knows the cell.
    unsafe { raw::free(task.header().cast(), const { class_of::<F, ()>() }) };
    if op == Op::Cancel {
        contain(|| drop(f));
        return Outcome::Cancelled;
    }
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(()) => Outcome::Value,
        Err(payload) => {
            context::report_panic(payload, origin);
            Outcome::Panic
        }
    }
}

/// Runs the closure and puts the result, or what it panicked with, in its place.
///
/// If the closure panics, or the drop of what it captured does, the cell holds nothing but the payload of
/// the panic afterwards.
///
/// # Safety
/// The cell holds an `F` that nobody else runs or drops.
#[inline]
unsafe fn run_payload<F: FnOnce() -> T, T>(task: TaskRef) -> Outcome {
    // SAFETY: by contract.
    let f = unsafe { get::<F>(task.payload()) };
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(value) => {
            // SAFETY: the class has room for the result; the closure has been moved out.
            unsafe { put(task.payload(), value) };
            Outcome::Value
        }
        Err(payload) => {
            // SAFETY: every payload area has room for a box of this kind.
            unsafe { task.payload().cast::<Box<dyn Any + Send>>().write(payload) };
            Outcome::Panic
        }
    }
}

/// Takes a result out of its cell.
///
/// # Safety
/// The caller owns the payload, and it is a `T`.
#[inline]
pub(crate) unsafe fn take_value<T>(cell: NonNull<Header>) -> T {
    // SAFETY: by contract.
    unsafe { get(TaskRef(cell).payload()) }
}

/// Takes what a task panicked with out of its cell.
///
/// # Safety
/// The caller owns the payload, and the outcome is [`Outcome::Panic`].
pub(crate) unsafe fn take_panic(cell: NonNull<Header>) -> Box<dyn Any + Send> {
    // SAFETY: by contract.
    unsafe { TaskRef(cell).payload().cast::<Box<dyn Any + Send>>().read() }
}

/// Drops a payload that nobody will take. A panic of its destructor is contained.
///
/// # Safety
/// The caller owns the payload, and it is as `outcome` says.
pub(crate) unsafe fn drop_payload<T>(cell: NonNull<Header>, outcome: Outcome) {
    match outcome {
        Outcome::Value => {
            // SAFETY: by contract.
            let value = unsafe { take_value::<T>(cell) };
            contain(|| drop(value));
        }
        Outcome::Panic => {
            // SAFETY: by contract.
            let payload = unsafe { take_panic(cell) };
            // SAFETY: the cell is the caller's.
            let header = unsafe { cell.as_ref() };
            // SAFETY: as above.
            let origin = unsafe { header.origin() };
            context::report_panic(payload, origin);
        }
        Outcome::Cancelled => {}
    }
}

/// Runs foreign code whose panic must go nowhere: the panic hook has spoken of it. What a payload panics with when
/// it is dropped is leaked.
pub(crate) fn contain(f: impl FnOnce()) {
    let dropped =
        catch_unwind(AssertUnwindSafe(f)).or_else(|payload| catch_unwind(AssertUnwindSafe(|| drop(payload))));
    if let Err(payload) = dropped {
        std::mem::forget(payload);
    }
}

/// Whether a closure or result lives in a box of its own.
pub(crate) const fn boxed<V>() -> bool {
    size_of::<V>() > MAX_PAYLOAD || align_of::<V>() > MAX_ALIGN
}

const fn stored_size<V>() -> usize {
    if boxed::<V>() { size_of::<Box<V>>() } else { size_of::<V>() }
}

/// The class for a closure `F` with result `T`.
const fn class_of<F, T>() -> SizeClass {
    class_for::<T>(stored_size::<F>())
}

/// The class for so many bytes, and later, in their place, the result `T`.
pub(crate) const fn class_for<T>(bytes: usize) -> SizeClass {
    let mut payload = LEAST_PAYLOAD;
    if bytes > payload {
        payload = bytes;
    }
    if stored_size::<T>() > payload {
        payload = stored_size::<T>();
    }
    match Layout::from_size_align(size_of::<Header>() + payload, MAX_ALIGN) {
        Ok(layout) => match SizeClass::for_layout(layout) {
            Some(class) => class,
            None => panic!("larger payloads are boxed"),
        },
        Err(_) => panic!("larger payloads are boxed"),
    }
}

/// # Safety
/// `at` has room for a stored `V`, aligned to 16.
#[inline]
pub(crate) unsafe fn put<V>(at: *mut u8, value: V) {
    if const { boxed::<V>() } {
        // SAFETY: by contract.
        unsafe { at.cast::<Box<V>>().write(Box::new(value)) };
    } else {
        // SAFETY: by contract.
        unsafe { at.cast::<V>().write(value) };
    }
}

/// # Safety
/// `at` holds a stored `V`, which is moved out: it is not there afterwards.
#[inline]
unsafe fn get<V>(at: *mut u8) -> V {
    if const { boxed::<V>() } {
        // SAFETY: by contract.
        *unsafe { at.cast::<Box<V>>().read() }
    } else {
        // SAFETY: by contract.
        unsafe { at.cast::<V>().read() }
    }
}
