//! rayon's structured form: `scope` with a slot per task. It has no handle and awaits all or nothing, so
//! only the workloads are here that await everything they spawned.

use std::sync::atomic::{AtomicU64, Ordering};

use ::rayon::{Scope, ThreadPool};

use super::no_such_notion;
use super::rayon::Rayon;
use crate::backend::Backend;
use crate::meter::{self, Job, Pass, timed};
use crate::record::{Cell, Line};
use crate::workloads::{Work, answers};

pub(super) fn run(cell: &Cell) -> Line {
    let n = cell.n;
    match cell.workload.as_str() {
        "spawn_await" => measure(cell, flat(n), |pool| timed(|| all(n, Some(pool)))),
        "spawn_await_in" => measure(cell, flat(n), |pool| pool.install(|| timed(|| all(n, None)))),
        "seq" => measure(cell, flat(n), |pool| timed(|| batches::<1>(n, Some(pool)))),
        "seq_in" => measure(cell, flat(n), |pool| pool.install(|| timed(|| batches::<1>(n, None)))),
        "batch8" => measure(cell, flat(n / 8 * 8), |pool| timed(|| batches::<8>(n, Some(pool)))),
        "batch8_in" => {
            measure(cell, flat(n / 8 * 8), |pool| pool.install(|| timed(|| batches::<8>(n, None))))
        }
        "nested" => {
            let inner = n / answers::OUTER;
            let job = Job { ops: answers::OUTER * (inner + 1), expected: answers::nested(n) };
            measure(cell, job, |pool| pool.install(|| timed(|| nested(inner))))
        }
        "tree" => {
            let depth = answers::tree_depth(n);
            let job = Job { ops: 2 * answers::tree(n) - 2, expected: answers::tree(n) };
            measure(cell, job, |pool| pool.install(|| timed(|| tree(depth))))
        }
        "grain" => grain(cell),
        _ => no_such_notion("a scope has no handle"),
    }
}

fn flat(n: u64) -> Job {
    Job { ops: n, expected: answers::spawn_await(n) }
}

fn measure(cell: &Cell, job: Job, pass: impl Fn(&ThreadPool) -> Pass) -> Line {
    let rayon = Rayon::start(cell.workers);
    meter::throughput(rayon, cell.workers, job, || pass(rayon.0))
}

/// A task per slot, which writes its index; on the calling thread's pool or, from main, on this one.
fn fill(slots: &[AtomicU64], first: u64, main: Option<&ThreadPool>) -> u64 {
    match main {
        Some(pool) => pool.in_place_scope(|scope| spawn_into(scope, slots, first)),
        None => ::rayon::scope(|scope| spawn_into(scope, slots, first)),
    }
    slots.iter().map(|slot| slot.load(Ordering::Relaxed)).sum()
}

fn spawn_into<'scope>(scope: &Scope<'scope>, slots: &'scope [AtomicU64], first: u64) {
    for (slot, i) in slots.iter().zip(first..) {
        scope.spawn(move |_| slot.store(i, Ordering::Relaxed));
    }
}

fn slots(n: u64) -> Vec<AtomicU64> {
    (0..n).map(|_| AtomicU64::new(0)).collect()
}

fn all(n: u64, main: Option<&ThreadPool>) -> u64 {
    fill(&slots(n), 0, main)
}

fn batches<const BATCH: usize>(n: u64, main: Option<&ThreadPool>) -> u64 {
    let slots: [AtomicU64; BATCH] = std::array::from_fn(|_| AtomicU64::new(0));
    (0..n / BATCH as u64).map(|batch| fill(&slots, batch * BATCH as u64, main)).sum()
}

fn nested(inner: u64) -> u64 {
    let outer = slots(answers::OUTER);
    ::rayon::scope(|scope| {
        for slot in &outer {
            scope.spawn(move |_| slot.store(all(inner, None), Ordering::Relaxed));
        }
    });
    outer.into_iter().map(AtomicU64::into_inner).sum()
}

fn tree(depth: u32) -> u64 {
    if depth == 0 {
        return 1;
    }
    let (left, right) = (AtomicU64::new(0), AtomicU64::new(0));
    ::rayon::scope(|scope| {
        scope.spawn(|_| left.store(tree(depth - 1), Ordering::Relaxed));
        scope.spawn(|_| right.store(tree(depth - 1), Ordering::Relaxed));
    });
    left.into_inner() + right.into_inner()
}

fn grain(cell: &Cell) -> Line {
    let (work, n) = (Work::calibrated(cell.grain_ns), cell.n);
    answers::beside_serial(work, n, |job| {
        measure(cell, job, |pool| {
            timed(|| {
                let slots = slots(n);
                pool.in_place_scope(|scope| {
                    for (slot, i) in slots.iter().zip(0..) {
                        scope.spawn(move |_| slot.store(work.run(i), Ordering::Relaxed));
                    }
                });
                slots.into_iter().map(AtomicU64::into_inner).fold(0, u64::wrapping_add)
            })
        })
    })
}
