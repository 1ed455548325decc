//! The spawn group: tasks with handles, or with nothing.

use wyn_bench::record::Cell;

use super::{Kind, Mode};

/// Every backend in the order of the tables' rows, with the feature that compiles it.
pub(super) const BACKENDS: [super::Backend; 13] = [
    ("wyn", Kind::Probe("wyn")),
    ("wyn_async", Kind::Probe("wyn")),
    ("go", Kind::Go),
    ("go_chan", Kind::Go),
    ("tokio", Kind::Probe("peer-tokio")),
    ("rayon", Kind::Probe("peer-rayon")),
    ("rayon_scope", Kind::Probe("peer-rayon")),
    ("async_executor", Kind::Probe("peer-async-executor")),
    ("smolscale", Kind::Probe("peer-smolscale")),
    ("forte", Kind::Probe("peer-forte")),
    ("c", Kind::C),
    ("threads", Kind::Plain),
    ("serial", Kind::Plain),
];

/// Cheap to compile, and of every kind: closures, a foreign program, plain calls.
const SMOKE_BACKENDS: [&str; 5] = ["wyn", "rayon", "c", "threads", "serial"];
/// What fits into a minute.
const QUICK_WORKLOADS: [&str; 7] =
    ["spawn_await", "seq", "seq_in", "batch8_in", "nested", "grain", "pending"];

/// Whether a backend is measured if none is named.
pub(super) fn measures(mode: Mode, backend: &str) -> bool {
    match mode {
        Mode::Smoke => SMOKE_BACKENDS.contains(&backend),
        Mode::Quick => !["go_chan", "threads"].contains(&backend),
        Mode::Full => true,
    }
}

/// Whether a workload is measured if none is named.
pub(super) fn has(mode: Mode, workload: &str) -> bool {
    match mode {
        Mode::Smoke => !["idle", "round_trip"].contains(&workload),
        Mode::Quick => QUICK_WORKLOADS.contains(&workload),
        Mode::Full => workload != "round_trip",
    }
}

/// The cells of one workload.
pub(super) fn cells_of(mode: Mode, workload: &str, workers: &[usize]) -> Vec<Cell> {
    // What the second core adds is seen only beside one worker.
    let mut workers = workers.to_vec();
    if workload == "speedup" {
        workers.insert(0, 1);
        workers.dedup();
    }
    super::product(workload, points(mode, workload), &workers)
}

/// The sizes of a workload: number of tasks, and nanoseconds of work in each.
fn points(mode: Mode, workload: &str) -> &'static [(u64, u64)] {
    const K: u64 = 1_000;
    const M: u64 = 1_000_000;
    match (mode, workload) {
        (Mode::Smoke, "grain" | "speedup") => &[(2 * K, 200)],
        (Mode::Smoke, "wake") => &[(5, 0)],
        (Mode::Smoke, _) => &[(2 * K, 0)],
        (Mode::Quick, "seq") => &[(2 * K, 0)],
        (_, "seq" | "batch8") => &[(8 * K, 0)],
        (_, "seq_in" | "batch8_in") => &[(40 * K, 0)],
        (_, "wake") => &[(100, 0)],
        (_, "speedup") => &[(K, 20_000)],
        (_, "idle") => &[(100 * K, 0)],
        (_, "tree") => &[(128 * K, 0)],
        (Mode::Quick, "spawn_await") => &[(10 * K, 0), (100 * K, 0), (M, 0)],
        (Mode::Quick, "grain") => &[(50 * K, 200)],
        (Mode::Quick, _) => &[(100 * K, 0)],
        (Mode::Full, "grain") => &[(50 * K, 0), (50 * K, 65), (50 * K, 200), (50 * K, 650), (50 * K, 2000)],
        (Mode::Full, "nested") => &[(100 * K, 0), (M, 0)],
        (Mode::Full, "pending") => &[(K, 0), (10 * K, 0), (100 * K, 0), (M, 0)],
        (Mode::Full, "spawn_await") => &[(K, 0), (10 * K, 0), (100 * K, 0), (M, 0), (10 * M, 0)],
        (Mode::Full, _) => &[(10 * K, 0), (100 * K, 0), (M, 0), (10 * M, 0)],
    }
}

/// How long one process may take: five seconds, ten microseconds for each task, and its work twenty times.
pub(super) fn limit_seconds(cell: &Cell) -> u64 {
    5 + cell.n / 100_000 + cell.n * cell.grain_ns / 50_000_000
}

/// Whether all workers are meant to be busy, so that a small CPU share means a disturbed run.
pub(super) fn busy(workload: &str) -> bool {
    ["spawn_await", "spawn_await_in", "spawn_detached", "nested", "tree", "grain", "speedup"]
        .contains(&workload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_goes_up_to_ten_million() {
        let cells = cells_of(Mode::Full, "spawn_await", &[2]);
        assert!(cells.iter().any(|cell| cell.n == 10_000_000));
    }

    #[test]
    fn speedup_is_seen_beside_one_worker() {
        let workers = |wanted: &[usize]| {
            let cells = cells_of(Mode::Quick, "speedup", wanted);
            cells.iter().map(|cell| cell.workers).collect::<Vec<_>>()
        };
        assert_eq!(workers(&[2]), [1, 2]);
        assert_eq!(workers(&[1]), [1]);
    }
}
