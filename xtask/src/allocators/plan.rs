//! What is compared: allocators, Wyn with and without its own memory for tasks, and a few telling cells.

use std::collections::BTreeSet;

use wyn_bench::record::{Capacity, Cell};

use crate::bench::build::{self, Allocator};

pub(super) const ALLOCATORS: [Allocator; 3] = [Allocator::System, Allocator::Jemalloc, Allocator::Mimalloc];

/// Where a program's tasks live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    /// The global allocator.
    pub(super) allocator: Allocator,
    /// Whether Wyn's tasks live in wyn-pool's cells.
    pub(super) own_cells: bool,
}

impl Memory {
    pub(super) fn all() -> impl Iterator<Item = Memory> {
        let both = |allocator| [true, false].map(|own_cells| Memory { allocator, own_cells });
        ALLOCATORS.into_iter().flat_map(both)
    }

    /// What the program is built with. Peers do not know Wyn's cells, so that one program has them: that of the
    /// published runs.
    pub(super) fn features(self) -> BTreeSet<&'static str> {
        let mut features =
            if self.own_cells { build::every_peer() } else { BTreeSet::from(["wyn-global-alloc"]) };
        features.extend(self.allocator.feature());
        features
    }

    /// What the program's file is called.
    pub(super) fn program(self) -> String {
        let cells = if self.own_cells { "cells" } else { "no-cells" };
        format!("probe-{}-{cells}", self.allocator.name())
    }
}

/// A kind of work, for which one chooses an allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Tasks,
    ForkJoin,
    Channels,
}

impl Work {
    pub(super) const ALL: [Work; 3] = [Work::Tasks, Work::ForkJoin, Work::Channels];

    pub(super) fn name(self) -> &'static str {
        match self {
            Work::Tasks => "tasks",
            Work::ForkJoin => "fork-join",
            Work::Channels => "channels",
        }
    }

    /// Whether Wyn keeps something of this work in its own cells.
    pub(super) fn in_cells(self) -> bool {
        self != Work::Channels
    }

    pub(super) fn of(workload: &str) -> Option<Work> {
        WORKLOADS.iter().find(|row| row.workload == workload).map(|row| row.work)
    }
}

/// One workload: its sizes, and who is measured in it.
pub(super) struct Row {
    pub(super) work: Work,
    workload: &'static str,
    n: u64,
    small: u64,
    capacity: Option<Capacity>,
    pub(super) backends: &'static [&'static str],
}

/// An allocation for every task in the peers; for every child of a scope; for every message or for a block of them.
pub(super) const WORKLOADS: [Row; 6] = [
    Row {
        work: Work::Tasks,
        workload: "spawn_await",
        n: 100_000,
        small: 2_000,
        capacity: None,
        backends: &["wyn", "tokio", "rayon"],
    },
    Row {
        work: Work::Tasks,
        workload: "nested",
        n: 100_000,
        small: 2_000,
        capacity: None,
        backends: &["wyn", "tokio", "rayon"],
    },
    Row {
        work: Work::ForkJoin,
        workload: "children",
        n: 500_000,
        small: 2_000,
        capacity: None,
        backends: &["wyn", "rayon"],
    },
    Row {
        work: Work::ForkJoin,
        workload: "mergesort",
        n: 1_000_000,
        small: 5_000,
        capacity: None,
        backends: &["wyn", "rayon"],
    },
    Row {
        work: Work::Channels,
        workload: "spsc",
        n: 200_000,
        small: 2_000,
        capacity: Some(Capacity::Unbounded),
        backends: &["wyn", "crossbeam"],
    },
    Row {
        work: Work::Channels,
        workload: "oneshot_across",
        n: 100_000,
        small: 1_000,
        capacity: None,
        backends: &["wyn", "oneshot"],
    },
];

impl Row {
    pub(super) fn cell(&self, smoke: bool) -> Cell {
        Cell {
            workload: self.workload.to_owned(),
            n: if smoke { self.small } else { self.n },
            grain_ns: 0,
            workers: 2,
            capacity: self.capacity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_have_names_of_their_own() {
        let mut names: Vec<String> = Memory::all().map(Memory::program).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 2 * ALLOCATORS.len());
    }

    #[test]
    fn every_kind_of_work_has_a_peer() {
        for work in Work::ALL {
            let rows = WORKLOADS.iter().filter(|row| row.work == work);
            assert!(rows.clone().any(|row| row.backends.len() > 1));
            assert!(rows.clone().all(|row| row.backends.contains(&"wyn")));
        }
        assert_eq!(Work::of("children"), Some(Work::ForkJoin));
        assert_eq!(Work::of("nonsense"), None);
    }
}
