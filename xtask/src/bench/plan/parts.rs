//! The groups of the parts that a scheduler is made of: memory, deques, one-shot results.

use wyn_bench::record::Cell;
use wyn_bench::workloads::{deque, future, pool};

use super::{Kind, Mode};

/// Backends of each group in the order of the tables' rows, with the feature that they need.
pub(super) const POOL: [super::Backend; 5] = [
    ("wyn", Kind::Probe("wyn")),
    ("wyn_box", Kind::Probe("wyn")),
    ("system", Kind::Plain),
    ("mimalloc", Kind::Probe("peer-mimalloc")),
    ("jemalloc", Kind::Probe("peer-jemalloc")),
];
pub(super) const DEQUE: [super::Backend; 4] = [
    ("wyn", Kind::Probe("wyn")),
    ("wyn_fences", Kind::Probe("wyn")),
    ("wyn_chase_lev", Kind::Probe("wyn")),
    ("crossbeam", Kind::Probe("peer-crossbeam")),
];
pub(super) const FUTURE: [super::Backend; 5] = [
    ("wyn", Kind::Probe("wyn")),
    ("wyn_slab", Kind::Probe("wyn")),
    ("oneshot", Kind::Probe("peer-oneshot")),
    ("tokio", Kind::Probe("peer-tokio")),
    ("std", Kind::Plain),
];

/// Slow to compile, for a run that only checks answers.
const NOT_SMOKE: [&str; 3] = ["mimalloc", "jemalloc", "tokio"];

/// Long enough for ten million results that cost a microsecond each.
pub(super) const LIMIT_SECONDS: u64 = 20;

/// Whether a workload belongs to one of these groups.
pub(super) fn has(workload: &str) -> bool {
    pool::has(workload) || deque::has(workload) || future::has(workload)
}

/// Whether a backend is measured if none is named.
pub(super) fn measures(mode: Mode, backend: &str) -> bool {
    mode != Mode::Smoke || !NOT_SMOKE.contains(&backend)
}

/// The cells of one workload; each says itself how many threads there are.
pub(super) fn cells_of(mode: Mode, workload: &str, workers: &[usize]) -> Vec<Cell> {
    let sizes = sizes(mode, workload).iter().map(|&n| (n, 0));
    super::product(workload, &sizes.collect::<Vec<_>>(), &workers[..workers.len().min(1)])
}

fn sizes(mode: Mode, workload: &str) -> &'static [u64] {
    const K: u64 = 1_000;
    const M: u64 = 1_000_000;
    match (mode, workload) {
        (Mode::Smoke, _) => &[5 * K],
        (Mode::Quick, "pool_burst") => &[K, M],
        (Mode::Full, "pool_burst") => &[K, 100 * K, M, 10 * M],
        (Mode::Quick, "future_live") => &[100 * K],
        (Mode::Full, "future_live") => &[100 * K, M],
        (Mode::Quick, "deque_steal" | "deque_both") => &[200 * K],
        (Mode::Full, "deque_steal" | "deque_both") => &[M],
        (Mode::Quick, "future_across") => &[100 * K],
        (Mode::Quick, _) => &[M],
        (Mode::Full, "future_across") => &[M],
        (Mode::Full, _) => &[10 * M],
    }
}

/// Whether threads on two processors are what the figure is about, so that a run on one is another question.
pub(super) fn parallel(workload: &str) -> bool {
    ["pool_across", "deque_both", "future_across"].contains(&workload)
}
