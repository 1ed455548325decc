//! The Fibonacci numbers by calls alone: nearly nothing but joins.

use crate::backend::ForkJoin;
use crate::meter::Job;

/// Below so many joins a pass repeats itself: regions of microseconds, back to back.
const LEAST_JOINS: u64 = 1_000_000;

/// The number itself.
pub fn expected(n: u64) -> u64 {
    (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0
}

/// One join per call that does not return its argument.
pub fn joins(n: u64) -> u64 {
    expected(n + 1) - 1
}

fn times(n: u64) -> u64 {
    (LEAST_JOINS / joins(n).max(1)).max(1)
}

pub(super) fn job(n: u64) -> Job {
    Job { ops: times(n) * joins(n), expected: times(n) * expected(n) }
}

pub(super) fn once(n: u64) -> Job {
    Job { ops: joins(n), expected: expected(n) }
}

pub(super) fn often<B: ForkJoin>(context: &mut B::Context<'_>, n: u64) -> u64 {
    (0..times(n)).map(|_| fib::<B>(context, std::hint::black_box(n))).sum()
}

pub(super) fn fib<B: ForkJoin>(context: &mut B::Context<'_>, n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (a, b) = B::join(context, |context| fib::<B>(context, n - 1), |context| fib::<B>(context, n - 2));
    a + b
}
