//! The fork-join group: computations that split themselves and wait for the parts.

use wyn_bench::record::Cell;

use super::{Kind, Mode};
use crate::bench::cpp;

/// Every backend in the order of the tables' rows, with the feature or the library that it needs.
pub(super) const BACKENDS: [super::Backend; 10] = [
    ("wyn", Kind::Probe("wyn")),
    ("rayon", Kind::Probe("peer-rayon")),
    ("chili", Kind::Probe("peer-chili")),
    ("forte", Kind::Probe("peer-forte")),
    ("tokio", Kind::Probe("peer-tokio")),
    ("libfork", Kind::Cpp(&cpp::LIBFORK)),
    ("toomanycooks", Kind::Cpp(&cpp::TOOMANYCOOKS)),
    ("onetbb", Kind::Cpp(&cpp::ONETBB)),
    ("taskflow", Kind::Cpp(&cpp::TASKFLOW)),
    ("serial", Kind::Plain),
];

/// Cheap to compile.
const SMOKE_BACKENDS: [&str; 3] = ["wyn", "rayon", "serial"];

/// Workloads about what workers do to each other: a single one has nothing to show.
const MANY_WORKERS: [&str; 7] =
    ["fib_once", "lopsided", "lopsided_l", "par_for", "par_for_in", "isolated_join", "long_leaf"];

/// What a quick run leaves out: the slowest, and what another one stands for.
const NOT_QUICK: [&str; 3] = ["tokio", "toomanycooks", "taskflow"];
const NOT_QUICK_WORKLOADS: [&str; 6] =
    ["matmul", "uts_bin", "quicksort", "lopsided", "lopsided_l", "par_for_in"];

/// Whether a backend is measured if none is named.
pub(super) fn measures(mode: Mode, backend: &str) -> bool {
    match mode {
        Mode::Smoke => SMOKE_BACKENDS.contains(&backend),
        Mode::Quick => !NOT_QUICK.contains(&backend),
        Mode::Full => true,
    }
}

/// Whether a workload is measured if none is named.
pub(super) fn has(mode: Mode, workload: &str) -> bool {
    mode != Mode::Quick || !NOT_QUICK_WORKLOADS.contains(&workload)
}

/// The cells of one workload.
pub(super) fn cells_of(mode: Mode, workload: &str, workers: &[usize]) -> Vec<Cell> {
    let mut workers = workers.to_vec();
    if MANY_WORKERS.contains(&workload) && workers.iter().any(|workers| *workers > 1) {
        workers.retain(|workers| *workers > 1);
    }
    if workload == "fib" && mode != Mode::Smoke && !workers.contains(&1) {
        // What a join costs is seen on one worker, what it gains beside that.
        workers.insert(0, 1);
    }
    super::product(workload, points(mode, workload), &workers)
}

/// The sizes of a workload, and nanoseconds of work where that is one of its sizes.
fn points(mode: Mode, workload: &str) -> &'static [(u64, u64)] {
    const K: u64 = 1_000;
    const M: u64 = 1_000_000;
    match (mode, workload) {
        (Mode::Smoke, "fib" | "fib_once") => &[(16, 0)],
        (Mode::Smoke, "nqueens") => &[(7, 0)],
        (Mode::Smoke, "matmul") => &[(128, 0)],
        (Mode::Smoke, "uts_geo") => &[(4, 0)],
        (Mode::Smoke, "uts_bin") => &[(10, 0)],
        (Mode::Smoke, "par_for" | "par_for_in") => &[(20, 10 * K)],
        (Mode::Smoke, "isolated_join") => &[(K, 20)],
        (Mode::Smoke, "long_leaf") => &[(1, 0)],
        (Mode::Smoke, _) => &[(10 * K, 0)],
        (_, "fib_once") => &[(24, 0)],
        (Mode::Quick, "par_for") => &[(20 * K, K), (500, 100 * K)],
        (Mode::Quick, "isolated_join") => &[(100 * K, 20), (40, 50 * K)],
        (_, "par_for" | "par_for_in") => &[(20 * K, K), (5 * K, 10 * K), (500, 100 * K), (50, M)],
        (_, "isolated_join") => &[(100 * K, 20), (40, 50 * K), (20, M)],
        (_, "long_leaf") => &[(20, 0)],
        (_, "children") => &[(M, 0)],
        (_, "lopsided" | "lopsided_l") => &[(M, 0)],
        (Mode::Quick, "fib") => &[(24, 0), (33, 0)],
        (Mode::Quick, "nqueens") => &[(12, 0)],
        (Mode::Quick, "matmul") => &[(512, 0)],
        (Mode::Quick, "uts_geo") => &[(8, 0)],
        (Mode::Quick, "uts_bin") => &[(200, 0)],
        (Mode::Quick, _) => &[(M, 0)],
        (Mode::Full, "fib") => &[(24, 0), (39, 0), (40, 0)],
        (Mode::Full, "nqueens") => &[(12, 0), (13, 0)],
        (Mode::Full, "matmul") => &[(1024, 0)],
        (Mode::Full, "uts_geo") => &[(10, 0)],
        (Mode::Full, "uts_bin") => &[(2 * K, 0)],
        (Mode::Full, "skynet") => &[(M, 0), (10 * M, 0)],
        (Mode::Full, _) => &[(10 * M, 0)],
    }
}

/// Ten times what the slowest peer here takes, and five seconds at least.
pub(super) fn limit_seconds(cell: &Cell) -> u64 {
    match cell.workload.as_str() {
        "fib" if cell.n >= 38 => 60,
        _ => 20,
    }
}

/// Whether all workers are meant to be busy, so that a small CPU share means a disturbed run.
pub(super) fn busy(workload: &str) -> bool {
    ["fib", "skynet", "nqueens", "matmul", "uts_geo", "uts_bin", "quicksort", "mergesort"].contains(&workload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_are_measured_on_one_worker_too() {
        let workers = |workload: &str| {
            let cells = cells_of(Mode::Full, workload, &[1, 2]);
            cells.iter().map(|cell| cell.workers).collect::<Vec<_>>()
        };
        assert_eq!(workers("matmul"), [1, 2]);
        assert_eq!(workers("long_leaf"), [2]);
        let quick = cells_of(Mode::Quick, "fib", &[2]);
        assert!(quick.iter().any(|cell| cell.workers == 1));
        assert!(!cells_of(Mode::Full, "long_leaf", &[1]).is_empty());
    }
}
