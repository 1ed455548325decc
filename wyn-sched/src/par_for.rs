//! `par_for`: a loop whose iterations may run at the same time, split when somebody is idle.
//!
//! Lazy binary splitting (Tzannes, Caragea, Barua, Vishkin: Lazy binary-splitting, PPoPP 2010): a thread gives away
//! half of what is left of its range when it has nothing else to steal from it, and looks again after every
//! `grain` iterations. Deviation: it also does not split while no worker is idle.

use std::ops::Range;

use crate::context::{self, Context};
use crate::fork::join;

/// Calls `f` with every number of `range`, on several threads if workers are idle, and returns when all are done.
///
/// `grain` is the number of iterations that are worth a few nanoseconds of looking whether somebody is idle; it
/// does not decide how the range is split, and no fewer are given away. One that takes about a microsecond is
/// right; zero counts as one. In a loop that nobody helps with, iterations run in order.
///
/// # Panics
/// With the first panic of `f`. Some of the other numbers may not have been visited.
///
/// # Locks
/// As with [`join`](crate::join).
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let sum = AtomicUsize::new(0);
/// wyn_sched::par_for(0..1000, 64, |i| {
///     sum.fetch_add(i, Ordering::Relaxed);
/// });
/// assert_eq!(sum.into_inner(), 499_500);
/// ```
pub fn par_for<F>(range: Range<usize>, grain: usize, f: F)
where
    F: Fn(usize) + Sync,
{
    match context::ambient() {
        Some(_) => split(range, grain.max(1), &f),
        None => range.for_each(f),
    }
}

fn split<F>(mut range: Range<usize>, grain: usize, f: &F)
where
    F: Fn(usize) + Sync,
{
    while range.len() > grain {
        if is_wanted() && range.len() / 2 >= grain {
            let middle = range.start + range.len() / 2;
            let (first, second) = (range.start..middle, middle..range.end);
            join(|| split(first, grain, f), || split(second, grain, f));
            return;
        }
        let end = range.start + grain;
        (range.start..end).for_each(f);
        range.start = end;
    }
    range.for_each(f);
}

/// Whether this thread has nothing that could be stolen, and somebody would.
fn is_wanted() -> bool {
    // SAFETY: null, or the context that runs this frame.
    unsafe { context::running().as_ref() }.is_some_and(Context::is_asked)
}
