//! A branch of `join`: a closure on the stack of the thread that forks, which any thread may run.
//!
//! | who | may touch the closure and the result |
//! |---|---|
//! | the frame of `join` | until the job is pushed; again once it has popped it |
//! | whoever got the job from a queue | from then until `Header::complete` |
//! | the frame of `join` | once the header says `Left` |
//!
//! The frame does not end before one of the last two rows but the middle one is true: whatever runs the job finds
//! it in place, and what the closure borrows is there as long. The models are in `tests/loom_join.rs`.

use std::any::Any;
use std::cell::UnsafeCell;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;

use wyn_future::cell::{Header, Outcome, Phase};

use super::FnContext;
use crate::barrier::Asymmetric;
use crate::lineage::Node;
use crate::task::{BRANCH, Entry, Op, TaskRef};

/// First the closure, then what became of it. All start at its address.
#[repr(C)]
union Payload<F, R> {
    closure: ManuallyDrop<F>,
    _result: ManuallyDrop<R>,
    _panic: ManuallyDrop<Box<dyn Any + Send>>,
}

/// A closure that waits on the stack.
#[repr(C)]
pub(super) struct Job<F, R> {
    header: Header,
    /// Right behind the header, where [`TaskRef::node`] looks for it.
    node: Node,
    payload: UnsafeCell<Payload<F, R>>,
}

impl<F, R> Job<F, R>
where
    F: FnOnce(FnContext) -> R,
{
    #[inline(always)]
    pub(super) fn new(closure: F, parent: *const Node) -> Self {
        let entry: Entry = Self::enter;
        Self {
            header: Header::new(entry as *mut (), None),
            node: Node::below(parent),
            payload: UnsafeCell::new(Payload { closure: ManuallyDrop::new(closure) }),
        }
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    /// Whether nobody has started it.
    #[inline(always)]
    pub(super) fn is_ready(&self) -> bool {
        self.header.phase() == Phase::Ready
    }

    /// The right to run it elsewhere.
    #[inline(always)]
    pub(super) fn task(&self) -> TaskRef {
        // The pointer is to the whole job, not to the header alone.
        TaskRef::tagged(NonNull::from(self).cast(), BRANCH)
    }

    /// The closure, for the frame of `join`.
    ///
    /// # Safety
    /// The caller has the only right to run it, and gives it up.
    #[inline(always)]
    pub(super) unsafe fn take_closure(&self) -> F {
        // SAFETY: not run yet, and nobody else looks at it.
        unsafe { self.payload.get().cast::<F>().read() }
    }

    /// What became of it, for the frame of `join`: unwinds with the panic of the closure.
    ///
    /// # Safety
    /// The header says `Left`, with this outcome, and nobody has taken the result.
    pub(super) unsafe fn take_result(&self, outcome: Outcome) -> R {
        if outcome == Outcome::Value {
            // SAFETY: the payload is the result.
            return unsafe { self.payload.get().cast::<R>().read() };
        }
        // SAFETY: the payload is that of a panic.
        resume_unwind(unsafe { self.payload.get().cast::<Box<dyn Any + Send>>().read() })
    }

    /// The entry of the task. It is never run for a handle. A runtime that is being shut down runs it too: the
    /// frame of `join` needs the result.
    ///
    /// # Safety
    /// As [`TaskRef::enter`].
    unsafe fn enter(task: TaskRef, _op: Op, runner: usize) -> Outcome {
        let header = task.header();
        // SAFETY: the frame waits for the completion below.
        unsafe { header.as_ref() }.start(runner);
        // SAFETY: as above.
        let payload = unsafe { header.cast::<Self>().as_ref() }.payload.get();
        // SAFETY: the payload is the runner's until the completion, and the right to run it is used up here.
        let closure = unsafe { payload.cast::<F>().read() };
        let outcome = match catch_unwind(AssertUnwindSafe(|| closure(FnContext::new(true)))) {
            Ok(result) => {
                // SAFETY: the closure has been moved out.
                unsafe { payload.cast::<R>().write(result) };
                Outcome::Value
            }
            Err(panic) => {
                // SAFETY: as above.
                unsafe { payload.cast::<Box<dyn Any + Send>>().write(panic) };
                Outcome::Panic
            }
        };
        // LAST TOUCH: the frame ends when it sees the completion.
        // SAFETY: live, and completed once. The frame never gives the job up, so it is the one who frees it.
        let _ = unsafe { Header::complete::<Asymmetric>(header.as_ptr(), outcome) };
        outcome
    }
}
