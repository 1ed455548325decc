//! `join_all`: any number of closures of one kind.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::job::Job;
use super::{FnContext, give_up, retrieve};
use crate::context::{self, Context};

/// Runs all closures, at the same time as far as workers are idle, and returns their results in order.
///
/// The first is run at once by the calling thread, the others wait on its stack like the second branch of
/// [`join`](crate::join); those that nobody has taken are called in their order.
///
/// # Panics
/// With the panic of the first closure that panicked, in their order. None of them is running any more by then;
/// some may never have been run.
///
/// # Locks
/// As with [`join`](crate::join).
///
/// ```
/// let lengths = wyn_sched::join_all(["fork", "and", "join"].map(|word| move || word.len()));
/// assert_eq!(lengths, [4, 3, 4]);
/// ```
pub fn join_all<F, R, const N: usize>(closures: [F; N]) -> [R; N]
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    match context::ambient() {
        // SAFETY: it stays while this frame does.
        Some(context) => fork_all(unsafe { context.as_ref() }, closures),
        None => closures.map(|closure| closure()),
    }
}

fn fork_all<F, R, const N: usize>(context: &Context, closures: [F; N]) -> [R; N]
where
    F: FnOnce() -> R,
{
    let parent = context.node();
    let jobs = closures.map(|closure| Job::new(move |_: FnContext| closure(), parent));
    let base = context.deque().position();
    // The last is the oldest, so that thieves and this thread come from two ends. The first is not pushed.
    let position = |index: usize| base.wrapping_add(N - 1 - index);
    jobs.iter().skip(1).rev().for_each(|job| _ = context.push_branch(job.task()));
    let mut results = [const { None }; N];
    let mut begun = 0;
    let all = catch_unwind(AssertUnwindSafe(|| {
        for (index, job) in jobs.iter().enumerate() {
            begun = index + 1;
            let is_here = index == 0 || (job.is_ready() && context.deque().take_back(position(index)));
            results[index] = Some(if is_here {
                // SAFETY: never pushed, or taken back: nobody else can run it.
                let closure = unsafe { job.take_closure() };
                closure(FnContext::new(false))
            } else {
                retrieve(context, job, position(index))
            });
        }
    }));
    if let Err(panic) = all {
        jobs.iter().enumerate().skip(begun).for_each(|(index, job)| give_up(context, job, position(index)));
        resume_unwind(panic);
    }
    results.map(|result| result.expect("every closure has been run"))
}
