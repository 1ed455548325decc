//! A record as comparable rows: one figure of one cell, with its value on every backend.

use wyn_bench::record::{Cell, Entry, Record};

use super::column::{Column, Role, columns};
use super::noise::Ratio;
use super::plan::Group;
use super::stats::Figure;
use super::table::{FLOOR, is_ours};

/// One line of a comparison. In every row that is not derived, less is better.
pub(crate) struct Row<'a> {
    pub(crate) workload: &'a str,
    pub(crate) column: Column,
    /// In the order of the record.
    pub(crate) figures: Vec<(&'a str, Figure)>,
}

impl<'a> Row<'a> {
    /// `spawn_await 100K cold`, `mpmc capacity 100`
    pub(crate) fn name(&self) -> String {
        let capacity = if self.column.cell.capacity.is_some() { "capacity " } else { "" };
        let name = format!("{} {capacity}{}", self.workload, self.column.name);
        name.trim_end().to_owned()
    }

    /// What makes two rows of two records the same.
    pub(crate) fn key(&self) -> (&Cell, &'static str) {
        (&self.column.cell, self.column.figure_name())
    }

    pub(crate) fn figure(&self, backend: &str) -> Option<Figure> {
        self.figures.iter().find(|(name, _)| *name == backend).map(|(_, figure)| *figure)
    }

    /// The best backend of those that may count; a floor never does.
    pub(crate) fn best(&self, may: impl Fn(&str) -> bool) -> Option<(&'a str, Figure)> {
        let counted = self.figures.iter().filter(|(name, _)| *name != FLOOR && may(name));
        counted.copied().reduce(|best, next| if next.1.median < best.1.median { next } else { best })
    }

    /// The best other backend, and how many times better than it this one is; below 1 for a loss. Another form of
    /// Wyn is no other to Wyn.
    pub(crate) fn lead(&self, backend: &str) -> Option<(&'a str, Ratio)> {
        let (other, theirs) = self.best(|name| name != backend && !(is_ours(name) && is_ours(backend)))?;
        Some((other, Ratio::of(theirs, self.figure(backend)?)?))
    }
}

/// The rows of a record whose columns have one of these roles, in the order of its tables.
pub(crate) fn rows<'a>(record: &'a Record, roles: &[Role]) -> Vec<Row<'a>> {
    let group = Group::named(&record.group).unwrap_or_default();
    let mut rows = Vec::new();
    for (workload, _) in group.all_workloads() {
        let entries: Vec<&Entry> = record.entries.iter().filter(|e| e.cell.workload == *workload).collect();
        if entries.is_empty() {
            continue;
        }
        for column in columns(workload, &entries).into_iter().filter(|c| roles.contains(&c.role())) {
            let mut figures: Vec<(&str, Figure)> = Vec::new();
            for entry in entries.iter().filter(|entry| entry.cell == column.cell) {
                let figure = column.figure(&entry.backend, &entries);
                figures.extend(figure.map(|figure| (entry.backend.as_str(), figure)));
            }
            rows.push(Row { workload, column, figures });
        }
    }
    rows
}

/// Records made up for tests.
#[cfg(test)]
pub(crate) mod made_up {
    use wyn_bench::record::{Cell, Entry, Figures, Host, Outcome, Record, SCHEMA, Sample};

    /// A backend's five repetitions of `spawn_await` at a size, a percent apart.
    pub(crate) fn entry(backend: &str, n: u64, ns: f64) -> Entry {
        let sample = |ns: f64| {
            let figures = Figures::from([("ns".to_owned(), ns), ("cpu".to_owned(), 2.0)]);
            Sample { figures, ..Sample::default() }
        };
        let samples = [0.98, 0.99, 1.0, 1.01, 1.02].map(|factor| sample(ns * factor)).to_vec();
        let cell = Cell { workload: "spawn_await".to_owned(), n, grain_ns: 0, workers: 2, capacity: None };
        Entry { backend: backend.to_owned(), cell, outcome: Outcome::Measured(samples), hung: 0 }
    }

    pub(crate) fn record(entries: Vec<Entry>) -> Record {
        Record {
            schema: SCHEMA,
            group: "spawn".to_owned(),
            mode: "quick".to_owned(),
            spread: false,
            started: 1_795_000_000,
            command: "cargo xtask bench".to_owned(),
            host: Host { cpu: "a processor".to_owned(), cpus: 2, ..Host::default() },
            allocator: "system".to_owned(),
            versions: [("wyn".to_owned(), "0.1.0".to_owned())].into(),
            entries,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_knows_its_best_and_its_lead() {
        let entries = [("wyn", 10.0), ("rayon", 30.0), ("tokio", 40.0), (FLOOR, 1.0)];
        let record = made_up::record(entries.map(|(name, ns)| made_up::entry(name, 10_000, ns)).to_vec());
        let rows = rows(&record, &[Role::Main]);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].name(), "spawn_await 10K");
        assert_eq!(rows[0].best(|_| true).unwrap().0, "wyn");
        let (other, ratio) = rows[0].lead("wyn").unwrap();
        assert_eq!((other, ratio.value), ("rayon", 3.0));
        let (other, ratio) = rows[0].lead("tokio").unwrap();
        assert_eq!((other, ratio.value), ("wyn", 0.25));
    }

    #[test]
    fn another_form_of_ours_is_no_other() {
        let entries = [("wyn", 10.0), ("wyn_box", 5.0), ("rayon", 30.0)];
        let record = made_up::record(entries.map(|(name, ns)| made_up::entry(name, 10_000, ns)).to_vec());
        let row = &rows(&record, &[Role::Main])[0];
        let leads = ["wyn", "wyn_box", "rayon"].map(|name| row.lead(name).unwrap());
        assert_eq!(leads.map(|(other, _)| other), ["rayon", "rayon", "wyn_box"]);
        assert_eq!(leads[0].1.value, 3.0);
    }
}
