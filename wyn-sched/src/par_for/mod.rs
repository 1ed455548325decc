//! `par_for`: a loop whose iterations may run at the same time, split when somebody is idle and it is worth it.
//!
//! Lazy binary splitting (Tzannes, Caragea, Barua, Vishkin: Lazy binary-splitting, PPoPP 2010): a thread gives away
//! half of what is left of its range when it has nothing else to steal from it, and looks again after every
//! `grain` iterations. Deviations: it does not split while no worker is idle, nor when [`pace`] says that so
//! little is left that help costs more.

mod pace;

use std::ops::Range;

pub(crate) use self::pace::Missed;
use self::pace::{Decision, Pace, Rate};
use crate::context;
use crate::fork::join;

/// The most grains between two looks.
const MOST_GRAINS: usize = 16;

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
    match context::ambient() {
        Some(_) => split(range, grain.max(1), None, &f),
        None => range.for_each(f),
    }
}

fn split<F>(mut range: Range<usize>, grain: usize, rate: Option<Rate>, f: &F)
where
    F: Fn(usize) + Sync,
{
    if range.len() <= grain {
        return range.for_each(f);
    }
    let mut pace = Pace::new(range.len(), rate);
    while range.len() > grain {
        let mut iterations = grain;
        // SAFETY: null, or the context that runs this frame.
        if let Some(context) = unsafe { context::running().as_ref() }
            && let Some(idle) = context.is_asked()
        {
            match pace.decide(context, idle, range.len(), grain) {
                Decision::Split if range.len() / 2 >= grain => {
                    let middle = range.start + range.len() / 2;
                    let (first, second) = (range.start..middle, middle..range.end);
                    let rate = pace.rate();
                    join(|| split(first, grain, rate, f), || split(second, grain, rate, f));
                    return;
                }
                Decision::Split => {}
                Decision::Run(more) => iterations = more.clamp(grain, grain.saturating_mul(MOST_GRAINS)),
            }
        }
        let end = range.start + iterations.min(range.len());
        (range.start..end).for_each(f);
        range.start = end;
    }
    range.for_each(f);
}
