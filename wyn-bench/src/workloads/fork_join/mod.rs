//! The fork-join workloads: each source once, generic over the backend.
//!
//! [`measure`] runs a [`Cell`] and returns its line. All of them run inside the runtime but those that say so.

mod children;
mod fib;
mod isolated;
mod long_leaf;
mod lopsided;
mod matmul;
mod nqueens;
mod regions;
mod sha1;
mod skynet;
mod sort;
mod uts;

use std::time::{Duration, Instant};

use crate::backend::ForkJoin;
use crate::meter::{self, Job, Pass, timed};
use crate::record::{Cell, Line};

pub mod answers {
    //! The right answers, for backends that bring their own form of a workload.
    pub use super::fib::{expected as fib, joins as fib_joins};
    pub use super::skynet::{CHILDREN as SKYNET_CHILDREN, expected as skynet, leaves as skynet_leaves};
}

/// Every workload's name, and what it measures.
pub const WORKLOADS: [(&str, &str); 16] = [
    ("fib", "two calls of itself joined, down to fib(1): ns per join, body included"),
    ("fib_once", "one short fib after a pause: ns per join"),
    ("skynet", "a tree of ten children a node, down to N leaves: ns per leaf"),
    ("nqueens", "all placements of N queens, every valid next one forked: ns per placement"),
    ("matmul", "N x N times N x N by quadrants: ns per multiply-add"),
    ("uts_geo", "unbalanced tree search, geometric, depth N: ns per node"),
    ("uts_bin", "unbalanced tree search, binomial, N children of the root: ns per node"),
    ("quicksort", "N numbers, the two parts joined: ns per number"),
    ("mergesort", "N numbers, halves joined, merges forked too: ns per number"),
    ("lopsided", "a step of 10 ns joined with the rest of the chain: ns per step"),
    ("lopsided_l", "the rest of the chain joined with a step of 10 ns: ns per step"),
    ("par_for", "a parallel loop of so much work in all, from main: ns per loop"),
    ("par_for_in", "the same from inside a worker"),
    ("children", "ten children on one scope: ns per child"),
    ("isolated_join", "joins of two such branches by one worker, the others asleep"),
    ("long_leaf", "64 children waiting behind a leaf of 10 ms: until all have started"),
];

/// Whether a workload belongs to this group.
pub fn has(workload: &str) -> bool {
    WORKLOADS.iter().any(|(name, _)| *name == workload)
}

/// Runs a cell on a backend.
pub fn measure<B: ForkJoin>(cell: &Cell) -> Line {
    if cell.workers == 0 {
        return Line::Unsupported("somebody has to compute".to_owned());
    }
    let (b, n) = (B::start(cell.workers), cell.n);
    match cell.workload.as_str() {
        "fib" => inside(b, fib::job(n), move |c| fib::often::<B>(c, n)),
        "fib_once" => inside_once(b, fib::once(n), move |c| fib::fib::<B>(c, n)),
        "skynet" => inside(b, skynet::job(n), move |c| skynet::skynet::<B>(c, 0, skynet::leaves(n))),
        "nqueens" => nqueens::measure(b, n),
        "matmul" => matmul::measure(b, n),
        "uts_geo" => uts::measure(b, uts::Tree::geometric(n)),
        "uts_bin" => uts::measure(b, uts::Tree::binomial(n)),
        "quicksort" => sort::measure(b, n, sort::quicksort::<B>),
        "mergesort" => sort::measure(b, n, sort::mergesort::<B>),
        "lopsided" => inside(b, lopsided::job(n), move |c| lopsided::right::<B>(c, n)),
        "lopsided_l" => inside(b, lopsided::job(n), move |c| lopsided::left::<B>(c, n)),
        "par_for" => regions::from_main(b, cell),
        "par_for_in" => regions::from_worker(b, cell),
        "children" => children::measure(b, n),
        "isolated_join" => isolated::measure(b, cell),
        "long_leaf" => long_leaf::measure(b, n),
        other => Line::Unsupported(format!("no fork-join workload is called {other}")),
    }
}

/// Measures `body` on a worker, with as many warm passes as throughput workloads get.
fn inside<B: ForkJoin>(
    b: B,
    job: Job,
    body: impl Fn(&mut B::Context<'_>) -> u64 + Copy + Send + Sync,
) -> Line {
    meter::passes(|| joint_work(b), job, meter::WARM_PASSES, || b.install(|c| timed(|| body(c))))
}

/// The same for regions so short that a few passes tell little.
fn inside_once<B: ForkJoin>(
    b: B,
    job: Job,
    body: impl Fn(&mut B::Context<'_>) -> u64 + Copy + Send + Sync,
) -> Line {
    meter::passes(|| joint_work(b), job, 41, || b.install(|c| timed(|| body(c))))
}

/// Measures a pass that times itself, because it has something to prepare or to check off the clock.
fn prepared<B: ForkJoin>(b: B, job: Job, pass: impl FnMut() -> Pass) -> Line {
    meter::passes(|| joint_work(b), job, meter::WARM_PASSES, pass)
}

/// Keeps every worker busy for a while, by leaves that are long enough for all kinds of sharing to notice.
fn joint_work<B: ForkJoin>(b: B) {
    const LEAF_STEPS: u64 = 15_000;
    b.install(|context| {
        let end = Instant::now() + meter::JOINT_WORK;
        while Instant::now() < end {
            std::hint::black_box(B::fan_out(context, 0..64, &|_, i| churn(wide(i), LEAF_STEPS) & 1));
        }
    });
}

/// So many steps of a generator from `seed` on: a chain that no compiler folds, bound by latency.
///
/// Also in `peers/cpp`, so that all do the same work.
pub fn churn(seed: u64, steps: u64) -> u64 {
    (0..steps).fold(seed.wrapping_add(0x9e37_79b9_7f4a_7c15), |x, _| {
        let x = x ^ x << 13;
        let x = x ^ x >> 7;
        x ^ x << 17
    })
}

/// Steps of [`churn`] that take about so many nanoseconds on the machine of the records. A fixed number, not
/// a calibrated one: every backend does exactly the same work.
fn steps(ns: u64) -> u64 {
    ns * 3 / 5
}

/// The same for work of some tens of nanoseconds, which a processor overlaps with the next.
fn short_steps(ns: u64) -> u64 {
    ns * 4 / 3
}

/// Long enough for the workers of every backend to have gone to sleep.
fn until_asleep() {
    std::thread::sleep(Duration::from_millis(3));
}

fn nanoseconds(wall: Duration) -> f64 {
    wall.as_secs_f64() * 1e9
}

/// `u64` from an index.
fn wide(index: usize) -> u64 {
    index as u64
}

/// An index from a size that was asked for on the command line.
fn index(n: u64) -> usize {
    usize::try_from(n).expect("sizes fit into memory")
}
