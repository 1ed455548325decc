//! `par_for` and `par_for_ranges`: a loop whose iterations may run at the same time, split when somebody is idle and it is worth it.
//!
//! Lazy binary splitting (Tzannes, Caragea, Barua, Vishkin: Lazy binary-splitting, PPoPP 2010): a thread gives away
//! half of what is left of its range when it has nothing else to steal from it, and looks again after every
//! `grain` iterations, or some grains if they are short. Deviations: it does not split while no worker is idle, nor
//! when [`pace`] says that so little is left that help costs more.

mod pace;

use std::ops::Range;

pub(crate) use self::pace::Missed;
use self::pace::{Decision, Pace, Rate};
use crate::context;
use crate::fork::join;

/// Calls `f` with every number of `range`, on several threads if workers are idle, and returns when all are done.
///
/// `grain` is the number of iterations that are worth a few nanoseconds of looking whether somebody is idle; it
/// does not decide how the range is split, and no fewer are given away. One that takes about a microsecond is
/// right; zero counts as one. In a loop that nobody helps with, iterations run in order.
///
/// A loop asks for help when by the pace of its last iterations about two microseconds of work are left, and
/// a hundred if all workers are asleep: shorter ones run on the calling thread alone, unless they follow each
/// other.
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
    par_for_ranges(range, grain, |part| part.for_each(&f));
}

/// [`par_for`] for a body that takes several numbers at once: calls `f` with ranges that together are `range`.
///
/// A body that has something to prepare does so once for each of them, and an inner loop over a slice is compiled
/// as such. `grain` and all else are as with [`par_for`]. The ranges are not empty; how long they are depends on
/// who is idle and on the clock.
///
/// # Panics
/// As [`par_for`].
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// let numbers: Vec<u64> = (0..10_000).collect();
/// let sum = AtomicU64::new(0);
/// wyn_sched::par_for_ranges(0..numbers.len(), 1000, |part| {
///     sum.fetch_add(numbers[part].iter().sum(), Ordering::Relaxed);
/// });
/// assert_eq!(sum.into_inner(), 49_995_000);
/// ```
pub fn par_for_ranges<F>(range: Range<usize>, grain: usize, f: F)
where
    F: Fn(Range<usize>) + Sync,
{
    if range.is_empty() {
        return;
    }
    match context::ambient() {
        Some(_) => split(range, grain.max(1), None, &f),
        None => f(range),
    }
}

/// Runs a range that is not empty.
fn split<F>(mut range: Range<usize>, grain: usize, rate: Option<Rate>, f: &F)
where
    F: Fn(Range<usize>) + Sync,
{
    if range.len() <= grain {
        return f(range);
    }
    let mut pace = Pace::new(range.len(), grain, rate);
    while range.len() > grain {
        // SAFETY: null, or the context that runs this frame.
        let context = unsafe { context::running().as_ref() };
        let idle = context.and_then(|context| context.is_asked().map(|idle| (context, idle)));
        let iterations = match idle.map(|(context, idle)| pace.decide(context, idle, range.len())) {
            Some(Decision::Split) if range.len() / 2 >= grain => {
                let middle = range.start + range.len() / 2;
                let (first, second) = (range.start..middle, middle..range.end);
                let rate = pace.rate();
                join(|| split(first, grain, rate, f), || split(second, grain, rate, f));
                return;
            }
            Some(Decision::Split) => grain,
            Some(Decision::Run(iterations)) => iterations,
            None => pace.stride(range.len()),
        };
        let end = range.start + iterations.min(range.len());
        f(range.start..end);
        range.start = end;
    }
    if !range.is_empty() {
        f(range);
    }
}
