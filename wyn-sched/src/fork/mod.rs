//! Fork-join: two closures that may run at the same time, for the price of a call if they do not.
//!
//! `join(a, b)` leaves `b` on its stack as a [`Job`], pushes the right to run it, runs `a`, and takes the right
//! back if no thief has come: a store of the job, a store into the ring and one of its head, a load of the idle
//! word, then a pop (Frigo, Leiserson, Randall: The implementation of the Cilk-5 multithreaded language, PLDI
//! 1998). A thief pays for all else. Deviations from rayon's `join`: the second closure is run with nothing to
//! record, since it is called where it is; a thread outside of any pool forks itself instead of moving to one.

mod all;
mod job;
mod wait;

pub(crate) use wait::wait;

pub use all::join_all;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use job::Job;

use crate::context::{self, Context};
use crate::task::contain;

/// Tells a closure of [`join_context`] where it runs.
#[derive(Debug, Clone, Copy)]
pub struct FnContext {
    migrated: bool,
}

impl FnContext {
    #[inline(always)]
    fn new(migrated: bool) -> Self {
        Self { migrated }
    }

    /// Whether the closure was taken by another thread than the one that called [`join_context`], or by that
    /// one in the middle of another wait.
    #[inline]
    #[must_use]
    pub fn migrated(&self) -> bool {
        self.migrated
    }
}

/// Runs two closures, at the same time if a worker is idle, and returns both results.
///
/// `a` is run at once by the calling thread. `b` can be taken by any thread of the runtime meanwhile; if nobody
/// has, it is called after `a`, at a cost of a few nanoseconds. If somebody has, the calling thread runs what `b` has forked
/// in turn until it is done, and nothing else; with nothing to run it parks, and another worker takes its place. Both may
/// borrow from the caller. The signature is rayon's.
///
/// Inside a task this is the runtime of the task; elsewhere the [global one](crate::global), which starts on the
/// first call. A thread that is outside of every runtime joins in without moving to a worker.
///
/// # Panics
/// With the panic of `a` or of `b`; of `a` if both do. Neither closure is running any more by then. If `a` panics,
/// `b` may never have been run.
///
/// # Locks
/// A lock, or a borrow of a `RefCell` in a thread-local, may be held across `join` as across a call of `a` and of `b`: what runs
/// on this thread meanwhile is `a`, `b`, and what these fork.
///
/// ```
/// fn sum(numbers: &[u64]) -> u64 {
///     if numbers.len() < 1000 {
///         return numbers.iter().sum();
///     }
///     let (left, right) = numbers.split_at(numbers.len() / 2);
///     let (left, right) = wyn_sched::join(|| sum(left), || sum(right));
///     left + right
/// }
/// let numbers: Vec<u64> = (0..10_000).collect();
/// assert_eq!(sum(&numbers), 49_995_000);
/// ```
///
/// What cannot be sent cannot be joined:
///
/// ```compile_fail,E0277
/// let shared = std::rc::Rc::new(1);
/// wyn_sched::join(|| *shared, || *shared);
/// ```
///
/// and two closures cannot both change a variable:
///
/// ```compile_fail,E0499
/// let mut counter = 0;
/// wyn_sched::join(|| counter += 1, || counter += 1);
/// ```
#[inline]
pub fn join<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    join_context(|_| a(), |_| b())
}

/// Like [`join`], and tells each closure whether it has moved to another thread: code that has is worth
/// splitting further.
///
/// # Panics
/// As [`join`].
///
/// ```
/// let (first, second) = wyn_sched::join_context(|here| here.migrated(), |there| there.migrated());
/// assert!(!first);
/// // `second` is true if a worker was faster than this thread.
/// # let _ = second;
/// ```
#[inline]
pub fn join_context<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
where
    A: FnOnce(FnContext) -> RA + Send,
    B: FnOnce(FnContext) -> RB + Send,
    RA: Send,
    RB: Send,
{
    match context::ambient() {
        // SAFETY: it stays while this frame does.
        Some(context) => fork(unsafe { context.as_ref() }, a, b),
        None => (a(FnContext::new(false)), b(FnContext::new(false))),
    }
}

#[inline(always)]
fn fork<A, B, RA, RB>(context: &Context, a: A, b: B) -> (RA, RB)
where
    A: FnOnce(FnContext) -> RA,
    B: FnOnce(FnContext) -> RB,
{
    let job = Job::new(b, context.node());
    let position = context.push_branch(job.task());
    match catch_unwind(AssertUnwindSafe(|| a(FnContext::new(false)))) {
        Ok(result) => {
            let b = if job.is_ready() && context.deque().take_back(position) {
                // SAFETY: taken back: nobody else can run it.
                let b = unsafe { job.take_closure() };
                b(FnContext::new(false))
            } else {
                retrieve(context, &job, position)
            };
            (result, b)
        }
        Err(panic) => abandon(context, &job, position, panic),
    }
}

/// Takes back the right to run a job that was pushed at `position`, out of the middle of the deque if need be: the first branch
/// may have left tasks above it, which are nobody's business here. If another thread has it, waits until it is complete, and
/// says `false`.
fn is_ours<F, R>(context: &Context, job: &Job<F, R>, position: usize) -> bool
where
    F: FnOnce(FnContext) -> R,
{
    if job.is_ready() && context.take_at(position, job.task()) {
        return true;
    }
    if job.header().left().is_none() {
        wait(context, job.header(), job.node());
    }
    false
}

/// Takes a job back that was not the newest task any more: runs it, or waits for who does.
#[cold]
#[inline(never)]
fn retrieve<F, R>(context: &Context, job: &Job<F, R>, position: usize) -> R
where
    F: FnOnce(FnContext) -> R,
{
    if is_ours(context, job, position) {
        // SAFETY: taken out: nobody else can run it.
        let closure = unsafe { job.take_closure() };
        return closure(FnContext::new(false));
    }
    // SAFETY: whoever had it has left, and this is the frame it belongs to.
    unsafe { job.take_result(job.header().await_left()) }
}

/// Ends a join whose first branch has panicked. All of it out of line: `fork` keeps nothing for it in a register.
#[cold]
#[inline(never)]
fn abandon<F, R>(context: &Context, job: &Job<F, R>, position: usize, panic: Box<dyn Any + Send>) -> !
where
    F: FnOnce(FnContext) -> R,
{
    give_up(context, job, position);
    resume_unwind(panic)
}

/// Does away with a job whose other branch has panicked. A panic of its own is dropped.
fn give_up<F, R>(context: &Context, job: &Job<F, R>, position: usize)
where
    F: FnOnce(FnContext) -> R,
{
    contain(|| {
        if is_ours(context, job, position) {
            // SAFETY: taken out: nobody else can run it.
            drop(unsafe { job.take_closure() });
        } else {
            // SAFETY: as in `retrieve`.
            drop(unsafe { job.take_result(job.header().await_left()) });
        }
    });
}
