//! What is measured: the groups, and of each its backends, its workloads, and the sizes of each mode.

mod channels;
mod fork_join;
mod parts;
mod spawn;

use anyhow::{Result, bail};
use wyn_bench::record::Cell;
use wyn_bench::workloads;

/// What is compared: runtimes of tasks, of joins, channels, or the parts that a scheduler is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Group {
    /// Tasks with handles
    #[default]
    Spawn,
    /// Computations that fork and join
    ForkJoin,
    /// Messages between threads and between tasks
    Channels,
    /// Memory for small values
    Pool,
    /// Work-stealing deques
    Deque,
    /// One-shot results
    Future,
}

/// Which program holds a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The Rust probe, built with this feature.
    Probe(&'static str),
    /// The Rust probe, whatever its features.
    Plain,
    C,
    Go,
    Cpp(&'static super::cpp::Library),
}

/// A backend's name and where it is.
type Backend = (&'static str, Kind);
/// A workload's name and what it measures.
type Workload = (&'static str, &'static str);

/// How much is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Smoke,
    Quick,
    Full,
}

impl Mode {
    pub(crate) fn named(name: &str) -> Option<Mode> {
        [Mode::Smoke, Mode::Quick, Mode::Full].into_iter().find(|mode| mode.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Mode::Smoke => "smoke",
            Mode::Quick => "quick",
            Mode::Full => "full",
        }
    }
}

impl Group {
    pub(crate) const ALL: [Group; 6] =
        [Group::Spawn, Group::ForkJoin, Group::Channels, Group::Pool, Group::Deque, Group::Future];

    /// What a record's group and its files are called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Group::Spawn => "spawn",
            Group::ForkJoin => "fork-join",
            Group::Channels => "channels",
            Group::Pool => "pool",
            Group::Deque => "deque",
            Group::Future => "future",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Group> {
        Group::ALL.into_iter().find(|group| group.name() == name)
    }

    /// The marker in BENCHMARKS.md and the beginning of a record's file name.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Group::Spawn => "",
            Group::ForkJoin => "fork-join-",
            Group::Channels => "channels-",
            Group::Pool => "pool-",
            Group::Deque => "deque-",
            Group::Future => "future-",
        }
    }

    /// Every backend in the order of the tables' rows.
    pub(crate) fn all_backends(self) -> &'static [Backend] {
        match self {
            Group::Spawn => &spawn::BACKENDS,
            Group::ForkJoin => &fork_join::BACKENDS,
            Group::Channels => &channels::BACKENDS,
            Group::Pool => &parts::POOL,
            Group::Deque => &parts::DEQUE,
            Group::Future => &parts::FUTURE,
        }
    }

    /// Every workload in the order of the tables.
    pub(crate) fn all_workloads(self) -> &'static [Workload] {
        match self {
            Group::Spawn => &workloads::WORKLOADS,
            Group::ForkJoin => &workloads::fork_join::WORKLOADS,
            Group::Channels => &workloads::channels::WORKLOADS,
            Group::Pool => &workloads::pool::WORKLOADS,
            Group::Deque => &workloads::deque::WORKLOADS,
            Group::Future => &workloads::future::WORKLOADS,
        }
    }

    /// Backends that are measured if none is named.
    pub(crate) fn backends(self, mode: Mode) -> Vec<&'static str> {
        let measured = |name: &&str| match self {
            Group::Spawn => spawn::measures(mode, name),
            Group::ForkJoin => fork_join::measures(mode, name),
            Group::Channels => channels::measures(mode, name),
            Group::Pool | Group::Deque | Group::Future => parts::measures(mode, name),
        };
        self.all_backends().iter().map(|(name, _)| *name).filter(measured).collect()
    }

    /// Workers of each backend if none are named.
    pub(crate) fn workers(self, mode: Mode) -> Vec<usize> {
        let many = wyn_bench::os::allowed_cpus().len().max(2);
        match (self, mode) {
            (Group::ForkJoin, Mode::Full) => vec![1, many],
            (Group::Channels, _) => vec![channels::SIDES],
            _ => vec![many],
        }
    }

    /// Workloads that are measured if none is named.
    fn workloads(self, mode: Mode) -> Vec<&'static str> {
        let measured = |name: &&str| match self {
            Group::Spawn => spawn::has(mode, name),
            Group::ForkJoin => fork_join::has(mode, name),
            Group::Channels | Group::Pool | Group::Deque | Group::Future => true,
        };
        self.all_workloads().iter().map(|(name, _)| *name).filter(measured).collect()
    }

    /// The kind of a backend; an error that lists them all if there is none of that name.
    pub(crate) fn kind(self, backend: &str) -> Result<Kind> {
        let all = self.all_backends();
        match all.iter().find(|(name, _)| *name == backend) {
            Some((_, kind)) => Ok(*kind),
            None => bail!("no backend is called {backend}; there are {}", names(all.iter().map(|b| b.0))),
        }
    }

    /// The cells to measure: of the workloads named, or of the mode's own.
    pub(crate) fn cells(self, mode: Mode, workloads: &[String], workers: &[usize]) -> Result<Vec<Cell>> {
        let known = || self.all_workloads().iter().map(|(name, _)| *name);
        if let Some(unknown) =
            workloads.iter().find(|name| *name != "all" && !known().any(|k| k == name.as_str()))
        {
            bail!("no workload is called {unknown}; there are {}", names(known()));
        }
        let chosen: Vec<&str> = if workloads.iter().any(|name| name == "all") {
            self.workloads(Mode::Full)
        } else if workloads.is_empty() {
            self.workloads(mode)
        } else {
            known().filter(|name| workloads.iter().any(|wanted| wanted == name)).collect()
        };
        let cells_of = |workload| match self {
            Group::Spawn => spawn::cells_of(mode, workload, workers),
            Group::ForkJoin => fork_join::cells_of(mode, workload, workers),
            Group::Channels => channels::cells_of(mode, workload, workers),
            Group::Pool | Group::Deque | Group::Future => parts::cells_of(mode, workload, workers),
        };
        Ok(chosen.into_iter().flat_map(cells_of).collect())
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// A cell for each of the sizes and each number of workers.
fn product(workload: &str, points: &[(u64, u64)], workers: &[usize]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for &(n, grain_ns) in points {
        for &workers in workers {
            cells.push(Cell { workload: workload.to_owned(), n, grain_ns, workers, capacity: None });
        }
    }
    cells
}

/// How long one process may take.
pub(crate) fn limit_seconds(cell: &Cell) -> u64 {
    if workloads::fork_join::has(&cell.workload) {
        fork_join::limit_seconds(cell)
    } else if workloads::channels::has(&cell.workload) {
        channels::limit_seconds(cell)
    } else if parts::has(&cell.workload) {
        parts::LIMIT_SECONDS
    } else {
        spawn::limit_seconds(cell)
    }
}

/// Whether all workers are meant to be busy, so that a small CPU share means a disturbed run.
pub(crate) fn busy(workload: &str) -> bool {
    spawn::busy(workload) || fork_join::busy(workload)
}

/// Whether a run on about one processor answers another question than the figure asks.
pub(crate) fn parallel(workload: &str) -> bool {
    busy(workload) || channels::parallel(workload) || parts::parallel(workload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_cells() {
        for group in Group::ALL {
            for mode in [Mode::Smoke, Mode::Quick, Mode::Full] {
                assert!(!group.cells(mode, &[], &[2]).unwrap().is_empty());
                assert!(!group.backends(mode).is_empty());
            }
        }
    }

    #[test]
    fn full_measures_everything() {
        for group in Group::ALL {
            let cells = group.cells(Mode::Full, &[], &[1, 2]).unwrap();
            for (workload, _) in group.all_workloads().iter().filter(|(name, _)| *name != "round_trip") {
                assert!(cells.iter().any(|cell| cell.workload == *workload), "{workload}");
            }
        }
    }

    #[test]
    fn a_workload_belongs_to_one_group() {
        let mut names: Vec<&str> =
            Group::ALL.iter().flat_map(|group| group.all_workloads()).map(|(name, _)| *name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn unknown_names_are_refused() {
        for group in Group::ALL {
            assert!(group.cells(Mode::Quick, &["nonsense".to_owned()], &[2]).is_err());
            assert!(group.kind("nonsense").is_err());
            assert_eq!(Group::named(group.name()), Some(group));
        }
        assert_eq!(Group::named("nonsense"), None);
    }
}
