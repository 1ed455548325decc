//! The table: a row for each workload and backend, time, memory and page faults under each allocator.

use std::fmt::Write as _;

use wyn_bench::record::Entry;

use super::advice::{self, Choice};
use super::plan::{ALLOCATORS, WORKLOADS};
use super::{Record, Run};
use crate::bench::build::Allocator;
use crate::bench::noise::Ratio;
use crate::bench::record_file::origin;
use crate::bench::stats::{self, Figure};
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
    pub(super) fn figures(&self, name: &str) -> Vec<(Allocator, Figure)> {
        let figure =
            |(allocator, entry): &(Allocator, &Entry)| Some((*allocator, stats::figure(entry, name)?));
        self.entries.iter().filter_map(figure).collect()
    }

    pub(super) fn figure(&self, name: &str, allocator: Allocator) -> Option<Figure> {
        self.figures(name).into_iter().find(|(other, _)| *other == allocator).map(|(_, figure)| figure)
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
        "{}, {} CPUs, {} MiB, {}\n{}, revision {}{dirty}\n{}\n{WHAT}\n\n",
        host.cpu, host.cpus, host.memory_mib, host.kernel, host.rustc, host.revision, record.command,
    )
}

/// What the figures are.
const WHAT: &str = "medians: ns per task, child, number or message; peak memory and page faults of the whole process; \
                    `no cells`: Wyn's tasks live in the allocator as well (feature global-alloc)";
/// What the marks are.
const MARKS: &str = "*: the least of its three; ≈: no more than that, but for noise";

pub(super) fn table(runs: &[Run]) -> String {
    let header = header();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let choices =
        advice::choices(runs).into_iter().map(|choice| vec![choice.what, choice.time, choice.memory]);
    let gains: String = advice::gains(runs).iter().map(|line| format!("{line}\n")).collect();
    format!(
        "{}{MARKS}\n\n{}{gains}",
        table::with_words(&header, 2, rows(runs, " *")),
        table::with_words(&CHOICES, CHOICES.len(), choices),
    )
}

/// The columns of the choices.
pub(crate) const CHOICES: [&str; 3] = ["for", "fastest", "least memory"];

/// The part of BENCHMARKS.md.
pub(super) fn markdown(record: &Record) -> String {
    let header = header();
    let command = format!("`{}`", record.command);
    let mut text = format!(
        "{}\n\n| {} |\n{}\n",
        origin(&command, &record.host),
        CHOICES.join(" | "),
        "|---".repeat(CHOICES.len()) + "|"
    );
    for Choice { what, time, memory } in advice::choices(&record.runs) {
        let _ = writeln!(text, "| {what} | {time} | {memory} |");
    }
    text.push('\n');
    for line in advice::gains(&record.runs) {
        let _ = writeln!(text, "- {line}");
    }
    let _ = write!(text, "\n| {} |\n|---|---|{}\n", header.join(" | "), "---:|".repeat(header.len() - 2));
    for row in rows(&record.runs, " *") {
        let _ = writeln!(text, "| {} |", row.join(" | ").replace(" *", "\\*"));
    }
    let _ = writeln!(text, "\n{}; {}", WHAT, MARKS.replace('*', "\\*"));
    text
}

fn header() -> Vec<String> {
    let mut header = vec!["workload".to_owned(), "backend".to_owned()];
    for what in ["ns", "MiB", "faults"] {
        header.extend(ALLOCATORS.iter().map(|allocator| format!("{what}: {}", allocator.name())));
    }
    header
}

/// A line of the table for each workload and backend, the least of three marked.
fn rows(runs: &[Run], least: &str) -> Vec<Vec<String>> {
    let row = |line: &Line| {
        let mut row = vec![line.workload.clone(), line.who()];
        row.extend(marked(line, "ns", least, |ns| format!("{ns:.1}")));
        row.extend(marked(line, "peak_kib", least, |kib| format!("{:.1}", kib / 1024.0)));
        row.extend(marked(line, "minor_faults", least, |faults| format!("{faults:.0}")));
        row
    };
    lines(runs).iter().map(row).collect()
}

fn marked(line: &Line<'_>, name: &str, mark: &str, show: impl Fn(f64) -> String) -> Vec<String> {
    let all = line.figures(name).into_iter().map(|(_, figure)| figure);
    let least = all.reduce(|a, b| if b.median < a.median { b } else { a });
    let one = |allocator| {
        let Some((figure, least)) = line.figure(name, allocator).zip(least) else { return "-".to_owned() };
        let ratio = Ratio::of(figure, least);
        let is_level = ratio.is_some_and(|ratio| ratio.noise.is_some() && !ratio.is_change());
        let mark = match figure.median <= least.median {
            true => mark,
            false if is_level => " ≈",
            false => "",
        };
        show(figure.median) + mark
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
        assert_eq!(found[0].figure("ns", Allocator::Mimalloc).map(|figure| figure.median), Some(4.0));
        assert_eq!(found[1].figure("ns", Allocator::Mimalloc), None);
        let shown = table(&runs);
        for words in ["4.0 *", "5.0 ", "50.0 *", "mimalloc (system 1.25x)"] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
    }
}
