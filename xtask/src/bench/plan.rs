//! What is measured: the backends, the workloads, and the sizes of each mode.

use anyhow::{Result, bail};
use wyn_bench::record::Cell;
use wyn_bench::workloads::WORKLOADS;

/// Every backend in the order of the tables' rows, with the feature that compiles it.
pub(crate) const BACKENDS: [(&str, Kind); 12] = [
    ("wyn", Kind::Probe("wyn")),
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

/// Which program holds a backend.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The Rust probe, built with this feature.
    Probe(&'static str),
    /// The Rust probe, whatever its features.
    Plain,
    C,
    Go,
}

/// How much is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Smoke,
    Quick,
    Full,
}

impl Mode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Mode::Smoke => "smoke",
            Mode::Quick => "quick",
            Mode::Full => "full",
        }
    }

    /// Backends that are measured if none is named.
    pub(crate) fn backends(self) -> Vec<&'static str> {
        let all = BACKENDS.iter().map(|(name, _)| *name);
        match self {
            Mode::Smoke => all.filter(|name| SMOKE_BACKENDS.contains(name)).collect(),
            Mode::Quick => all.filter(|name| !["go_chan", "threads"].contains(name)).collect(),
            Mode::Full => all.collect(),
        }
    }

    /// Workloads that are measured if none is named.
    fn workloads(self) -> Vec<&'static str> {
        let all = WORKLOADS.iter().map(|(name, _)| *name).filter(|name| *name != "round_trip");
        match self {
            Mode::Smoke => all.filter(|name| *name != "idle").collect(),
            Mode::Quick => QUICK_WORKLOADS.to_vec(),
            Mode::Full => all.collect(),
        }
    }
}

/// Cheap to compile, and of every kind: closures, a foreign program, plain calls.
const SMOKE_BACKENDS: [&str; 5] = ["wyn", "rayon", "c", "threads", "serial"];
/// What fits into a minute.
const QUICK_WORKLOADS: [&str; 7] =
    ["spawn_await", "seq", "seq_in", "batch8_in", "nested", "grain", "pending"];

/// The kind of a backend; an error that lists them all if there is none of that name.
pub(crate) fn kind(backend: &str) -> Result<Kind> {
    match BACKENDS.iter().find(|(name, _)| *name == backend) {
        Some((_, kind)) => Ok(*kind),
        None => bail!("no backend is called {backend}; there are {}", names(BACKENDS.iter().map(|b| b.0))),
    }
}

/// The cells to measure: of the workloads named, or of the mode's own.
pub(crate) fn cells(mode: Mode, workloads: &[String], workers: &[usize]) -> Result<Vec<Cell>> {
    let known = || WORKLOADS.iter().map(|(name, _)| *name);
    if let Some(unknown) =
        workloads.iter().find(|name| *name != "all" && !known().any(|k| k == name.as_str()))
    {
        bail!("no workload is called {unknown}; there are {}", names(known()));
    }
    let chosen: Vec<&str> = if workloads.iter().any(|name| name == "all") {
        Mode::Full.workloads()
    } else if workloads.is_empty() {
        mode.workloads()
    } else {
        known().filter(|name| workloads.iter().any(|wanted| wanted == name)).collect()
    };
    Ok(chosen.into_iter().flat_map(|workload| cells_of(mode, workload, workers)).collect())
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// The cells of one workload.
fn cells_of(mode: Mode, workload: &str, workers: &[usize]) -> Vec<Cell> {
    // What the second core adds is seen only beside one worker.
    let mut workers = workers.to_vec();
    if workload == "speedup" {
        workers.insert(0, 1);
        workers.dedup();
    }
    let mut cells = Vec::new();
    for &(n, grain_ns) in points(mode, workload) {
        for &workers in &workers {
            cells.push(Cell { workload: workload.to_owned(), n, grain_ns, workers });
        }
    }
    cells
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
        (Mode::Full, "pending") => &[(10 * K, 0), (100 * K, 0), (M, 0)],
        (Mode::Full, _) => &[(10 * K, 0), (100 * K, 0), (M, 0), (10 * M, 0)],
    }
}

/// How long one process may take: five seconds, ten microseconds for each task, and its work twenty times.
pub(crate) fn limit_seconds(cell: &Cell) -> u64 {
    5 + cell.n / 100_000 + cell.n * cell.grain_ns / 50_000_000
}

/// Whether all workers are meant to be busy, so that a small CPU share means a disturbed run.
pub(crate) fn busy(workload: &str) -> bool {
    ["spawn_await", "spawn_await_in", "spawn_detached", "nested", "tree", "grain", "speedup"]
        .contains(&workload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_cells() {
        for mode in [Mode::Smoke, Mode::Quick, Mode::Full] {
            assert!(!cells(mode, &[], &[2]).unwrap().is_empty());
        }
    }

    #[test]
    fn full_measures_everything_up_to_ten_million() {
        let cells = cells(Mode::Full, &[], &[2]).unwrap();
        for (workload, _) in WORKLOADS.iter().filter(|(name, _)| *name != "round_trip") {
            assert!(cells.iter().any(|cell| cell.workload == *workload), "{workload}");
        }
        assert!(cells.iter().any(|cell| cell.workload == "spawn_await" && cell.n == 10_000_000));
    }

    #[test]
    fn speedup_is_seen_beside_one_worker() {
        let workers = |wanted: &[usize]| {
            let cells = cells(Mode::Quick, &["speedup".to_owned()], wanted).unwrap();
            cells.iter().map(|cell| cell.workers).collect::<Vec<_>>()
        };
        assert_eq!(workers(&[2]), [1, 2]);
        assert_eq!(workers(&[1]), [1]);
    }

    #[test]
    fn unknown_names_are_refused() {
        assert!(cells(Mode::Quick, &["nonsense".to_owned()], &[2]).is_err());
        assert!(kind("nonsense").is_err());
    }
}
