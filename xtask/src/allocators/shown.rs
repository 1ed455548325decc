//! The table: a row for each workload and backend, time, memory and page faults under each allocator.

use wyn_bench::record::Entry;

use super::plan::{ALLOCATORS, WORKLOADS};
use super::{Record, Run};
use crate::bench::build::Allocator;
use crate::bench::stats;
use crate::table;

/// One row's entries, by allocator.
pub(super) struct Line<'a> {
    pub(super) workload: String,
    pub(super) backend: String,
    pub(super) own_cells: bool,
    entries: Vec<(Allocator, &'a Entry)>,
}

impl Line<'_> {
    /// Under each allocator that has it.
    pub(super) fn figures(&self, name: &str) -> Vec<(Allocator, f64)> {
        let figure =
            |(allocator, entry): &(Allocator, &Entry)| Some((*allocator, stats::figure(entry, name)?.median));
        self.entries.iter().filter_map(figure).collect()
    }

    pub(super) fn figure(&self, name: &str, allocator: Allocator) -> Option<f64> {
        self.figures(name).into_iter().find(|(other, _)| *other == allocator).map(|(_, value)| value)
    }

    /// `wyn, no cells`
    pub(super) fn who(&self) -> String {
        if self.own_cells { self.backend.clone() } else { format!("{}, no cells", self.backend) }
    }
}

/// The rows in the order of the plan; Wyn without its cells below Wyn.
pub(super) fn lines(runs: &[Run]) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for row in &WORKLOADS {
        for backend in row.backends {
            for own_cells in [true, false] {
                let workload = row.cell(false).workload;
                let of = |run: &'_ Run| run.memory.own_cells == own_cells;
                let is = |entry: &&Entry| entry.backend == *backend && entry.cell.workload == workload;
                let found = |run| -> Option<(Allocator, &Entry)> {
                    let run: &Run = run;
                    Some((run.memory.allocator, run.entries.iter().find(is)?))
                };
                let entries: Vec<_> = runs.iter().filter(|run| of(run)).filter_map(found).collect();
                if !entries.is_empty() {
                    lines.push(Line { workload, backend: (*backend).to_owned(), own_cells, entries });
                }
            }
        }
    }
    lines
}

pub(super) fn head(record: &Record) -> String {
    let host = &record.host;
    let dirty = if host.dirty { ", work tree changed" } else { "" };
    format!(
        "{}, {} CPUs, {} MiB, {}\n{}, revision {}{dirty}\n{}\n\
         medians: ns per task, child, number or message; peak memory and page faults of the whole process\n\
         `no cells`: Wyn's tasks live in the allocator as well (feature global-alloc)\n\n",
        host.cpu, host.cpus, host.memory_mib, host.kernel, host.rustc, host.revision, record.command,
    )
}

pub(super) fn table(runs: &[Run]) -> String {
    let mut header = vec!["workload".to_owned(), "backend".to_owned()];
    for what in ["ns", "MiB", "faults"] {
        let named = ALLOCATORS.iter().enumerate().map(|(place, allocator)| match place {
            0 => format!("{what}: {}", allocator.name()),
            _ => allocator.name().to_owned(),
        });
        header.extend(named);
    }
    let rows = lines(runs).into_iter().map(|line| {
        let mut row = vec![line.workload.clone(), line.who()];
        row.extend(marked(&line, "ns", |ns| format!("{ns:.1}")));
        row.extend(marked(&line, "peak_kib", |kib| format!("{:.1}", kib / 1024.0)));
        row.extend(marked(&line, "minor_faults", |faults| format!("{faults:.0}")));
        row
    });
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    table::drawn(&header, rows) + "*: the least of its three\n\n"
}

fn marked(line: &Line<'_>, name: &str, show: impl Fn(f64) -> String) -> Vec<String> {
    let least = line.figures(name).into_iter().map(|(_, value)| value).fold(f64::INFINITY, f64::min);
    let one = |allocator| match line.figure(name, allocator) {
        Some(value) if value <= least => show(value) + " *",
        Some(value) => show(value) + "  ",
        None => "-  ".to_owned(),
    };
    ALLOCATORS.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{entry, run};
    use super::*;

    #[test]
    fn a_row_for_each_backend_and_the_least_is_marked() {
        let runs = [
            run(Allocator::System, true, vec![entry("wyn", "nested", 5.0, 2048.0)]),
            run(Allocator::Mimalloc, true, vec![entry("wyn", "nested", 4.0, 4096.0)]),
            run(Allocator::System, false, vec![entry("wyn", "nested", 50.0, 2048.0)]),
        ];
        let found = lines(&runs);
        assert_eq!(found.iter().map(Line::who).collect::<Vec<_>>(), ["wyn", "wyn, no cells"]);
        assert_eq!(found[0].figure("ns", Allocator::Mimalloc), Some(4.0));
        assert_eq!(found[1].figure("ns", Allocator::Mimalloc), None);
        let shown = table(&runs);
        assert!(shown.contains("4.0 *") && shown.contains("5.0  ") && shown.contains("50.0 *"), "{shown}");
    }
}
