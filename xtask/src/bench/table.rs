//! From entries to tables: a row per backend, a column per size and figure, the best of each marked.

use std::collections::BTreeSet;

use wyn_bench::record::{Entry, Outcome, Record};

use super::column::{Better, Column, columns};
use super::noise::Ratio;
use super::plan::Group;
use super::stats::{self, Figure};

/// The backend that the others are compared with.
pub(crate) const OURS: &str = "wyn";
/// A floor, not a peer: never the best.
pub(crate) const FLOOR: &str = "serial";

/// One workload's table, ready to be drawn.
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// What the marks in the cells mean, and why cells are empty.
    pub(crate) notes: Vec<String>,
}

pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) cells: Vec<Shown>,
}

/// One cell as text, and how it stands in its column.
#[derive(Clone, Default)]
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) standing: Standing,
}

/// How a figure stands beside the best of its column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    Best,
    /// Within the noise of the best.
    Level,
    #[default]
    Behind,
}

/// The tables of a record, in the order of the workloads.
pub(crate) fn tables(record: &Record) -> Vec<Table> {
    let of = |name: &str| record.entries.iter().filter(|e| e.cell.workload == name).collect::<Vec<_>>();
    let group = Group::named(&record.group).unwrap_or_default();
    let named = group.all_workloads().iter().map(|&(name, what)| (name, what, of(name)));
    named.filter(|(_, _, entries)| !entries.is_empty()).map(|(name, what, e)| table(name, what, &e)).collect()
}

/// One workload's table.
pub(crate) fn table(name: &str, what: &str, entries: &[&Entry]) -> Table {
    let columns = columns(name, entries);
    let mut backends: Vec<&str> = Vec::new();
    for entry in entries {
        if !backends.contains(&entry.backend.as_str()) {
            backends.push(&entry.backend);
        }
    }
    let figures: Vec<Vec<Option<Figure>>> =
        backends.iter().map(|backend| columns.iter().map(|c| c.figure(backend, entries)).collect()).collect();
    let best: Vec<Option<usize>> =
        (0..columns.len()).map(|column| best_row(&columns[column], &backends, &figures, column)).collect();
    let mut notes = Notes::default();
    let mut rows = Vec::new();
    for (index, backend) in backends.iter().enumerate() {
        notes.explain(backend, entries);
        if figures[index].iter().all(Option::is_none) {
            continue;
        }
        let cells = columns.iter().enumerate().map(|(column, c)| {
            let figure = figures[index][column];
            let standing = match best[column] {
                _ if *backend == FLOOR => Standing::Behind,
                Some(row) if row == index => Standing::Best,
                row => level(figure, row.and_then(|row| figures[row][column])),
            };
            Shown { text: notes.shown(c, backend, entries, figure), standing }
        });
        rows.push(Row { name: (*backend).to_owned(), cells: cells.collect() });
    }
    rows.extend(lead(&columns, &backends, &figures));
    let header = std::iter::once(name.to_owned()).chain(columns.iter().map(|c| c.label.clone())).collect();
    Table { title: format!("{name}: {what}"), header, rows, notes: notes.lines() }
}

/// Whether a figure differs from the best by noise only.
fn level(figure: Option<Figure>, best: Option<Figure>) -> Standing {
    let ratio = figure.zip(best).and_then(|(figure, best)| Ratio::of(figure, best));
    match ratio {
        Some(ratio) if ratio.noise.is_some() && !ratio.is_change() => Standing::Level,
        _ => Standing::Behind,
    }
}

/// The row with the best figure of a column, floors left out.
fn best_row(
    column: &Column,
    backends: &[&str],
    figures: &[Vec<Option<Figure>>],
    index: usize,
) -> Option<usize> {
    let better = column.better?;
    let peers = backends.iter().enumerate().filter(|(_, name)| **name != FLOOR);
    let values = peers.filter_map(|(row, _)| Some((row, figures[row][index]?.median)));
    values.reduce(|best, next| if better.is(next.1, best.1) { next } else { best }).map(|(row, _)| row)
}

/// The last row: how far ahead of the best other backend ours is.
fn lead(columns: &[Column], backends: &[&str], figures: &[Vec<Option<Figure>>]) -> Option<Row> {
    let ours = backends.iter().position(|name| *name == OURS)?;
    let mut cells = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let mut others = figures.to_vec();
        for (row, _) in backends.iter().enumerate().filter(|(_, name)| is_ours(name)) {
            others[row][index] = None;
        }
        let text = best_row(column, backends, &others, index).and_then(|row| {
            let (mine, best) = (figures[ours][index]?, others[row][index]?);
            let lower = column.better? == Better::Lower;
            let ratio = if lower { Ratio::of(best, mine)? } else { Ratio::of(mine, best)? };
            let about = if ratio.noise.is_some() && !ratio.is_change() { "≈ " } else { "" };
            Some(format!("{about}{} {}", factor(ratio.value), backends[row]))
        });
        cells.push(Shown { text: text.unwrap_or_default(), ..Shown::default() });
    }
    let any = cells.iter().any(|cell| !cell.text.is_empty());
    any.then(|| Row { name: "wyn to the best other".to_owned(), cells })
}

/// Whether a backend is Wyn in one of its forms, such as `wyn_box`.
pub(crate) fn is_ours(backend: &str) -> bool {
    backend.strip_prefix(OURS).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Explanations below a table, each once.
#[derive(Default)]
struct Notes {
    reasons: Vec<String>,
    marks: BTreeSet<&'static str>,
}

impl Notes {
    /// Why a backend has empty cells.
    fn explain(&mut self, backend: &str, entries: &[&Entry]) {
        for entry in entries.iter().filter(|entry| entry.backend == backend) {
            let reason = match &entry.outcome {
                Outcome::Measured(_) if entry.hung > 0 => format!("{backend}: {} runs hung", entry.hung),
                Outcome::Measured(_) => continue,
                Outcome::Unsupported(why) => format!("{backend}: no such notion ({why})"),
                Outcome::Missing(how) => format!("{backend}: not installed; {how}"),
                Outcome::Hung(seconds) => format!("{backend}: hung (no answer within {seconds} s)"),
                Outcome::Failed(what) => format!("{backend}: failed ({what})"),
            };
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
    }

    fn shown(
        &mut self,
        column: &Column,
        backend: &str,
        entries: &[&Entry],
        figure: Option<Figure>,
    ) -> String {
        let entry = column.entry(backend, entries);
        let Some(figure) = figure else {
            return match entry.map(|entry| &entry.outcome) {
                Some(Outcome::Hung(_)) => "hung".to_owned(),
                Some(Outcome::Failed(_)) => "failed".to_owned(),
                _ => "-".to_owned(),
            };
        };
        let one_core = column.timed && backend != FLOOR && entry.is_some_and(stats::one_core);
        if one_core {
            self.marks.insert("': ran on about one core, so contention between two is not in the figure");
        }
        number(figure) + if one_core { "'" } else { "" }
    }

    fn lines(self) -> Vec<String> {
        self.marks.into_iter().map(str::to_owned).chain(self.reasons).collect()
    }
}

/// `2.8x`, and below 1 as exactly as above it.
pub(crate) fn factor(value: f64) -> String {
    match value {
        value if value >= 9.95 => format!("{value:.0}x"),
        value if value >= 1.995 => format!("{value:.1}x"),
        value if value >= 0.0995 => format!("{value:.2}x"),
        value => format!("{value:.3}x"),
    }
}

/// As many digits as a value deserves.
fn digits(value: f64) -> usize {
    match value.abs() {
        value if value < 10.0 => 2,
        value if value < 100.0 => 1,
        _ => 0,
    }
}

/// A value without its spread.
pub(crate) fn value(value: f64) -> String {
    grouped(value, digits(value))
}

/// A value in the unit that makes it short: `97.4 µs`.
pub(crate) fn with_unit(amount: f64, unit: &str) -> String {
    let (amount, unit) = match unit {
        "ns" if amount >= 1e6 => (amount / 1e6, "ms"),
        "ns" if amount >= 1e4 => (amount / 1e3, "µs"),
        "µs" if amount >= 1e4 => (amount / 1e3, "ms"),
        "KiB" if amount >= 1e4 => (amount / 1024.0, "MiB"),
        _ => (amount, unit),
    };
    format!("{} {unit}", value(amount)).trim_end().to_owned()
}

/// A median with as many digits as it deserves, and its spread.
pub(crate) fn number(figure: Figure) -> String {
    let digits = digits(figure.median);
    let spread =
        if figure.mad == 0.0 { String::new() } else { format!(" ±{}", grouped(figure.mad, digits)) };
    grouped(figure.median, digits) + &spread
}

/// A number with commas between its thousands.
fn grouped(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use wyn_bench::record::{Cell, Figures, Sample};

    fn entry(backend: &str, outcome: Outcome) -> Entry {
        let cell = Cell { workload: "seq".to_owned(), n: 4000, grain_ns: 0, workers: 2, capacity: None };
        Entry { backend: backend.to_owned(), cell, outcome, hung: 0 }
    }

    fn measured(backend: &str, ns: f64) -> Entry {
        let figures = Figures::from([("ns".to_owned(), ns), ("cpu".to_owned(), 2.0)]);
        entry(backend, Outcome::Measured(vec![Sample { figures, ..Sample::default() }; 5]))
    }

    #[test]
    fn the_best_is_marked_and_floors_are_not() {
        let entries = [
            measured("wyn", 5.0),
            measured("tokio", 200.0),
            measured("rayon", 60.0),
            measured("serial", 0.5),
        ];
        let entries: Vec<&Entry> = entries.iter().collect();
        let table = table("seq", "what", &entries);
        let best =
            table.rows.iter().filter(|row| row.cells[0].standing == Standing::Best).map(|row| &*row.name);
        assert_eq!(best.collect::<Vec<_>>(), ["wyn"]);
        assert_eq!(table.rows.last().unwrap().cells[0].text, "12x rayon");
    }

    #[test]
    fn another_form_of_ours_is_no_other() {
        let entries = [measured("wyn", 5.0), measured("wyn_box", 6.0), measured("system", 20.0)];
        let entries: Vec<&Entry> = entries.iter().collect();
        assert!(table("seq", "what", &entries).rows.last().unwrap().cells[0].text.ends_with(" system"));
    }

    #[test]
    fn a_loss_shows_as_one() {
        let entries = [measured("wyn", 50.0), measured("rayon", 25.0)];
        let entries: Vec<&Entry> = entries.iter().collect();
        assert_eq!(table("seq", "what", &entries).rows.last().unwrap().cells[0].text, "0.50x rayon");
    }

    #[test]
    fn a_difference_within_the_noise_is_no_lead() {
        let entries = [measured("wyn", 50.0), measured("rayon", 50.2), measured("tokio", 80.0)];
        let entries: Vec<&Entry> = entries.iter().collect();
        let table = table("seq", "what", &entries);
        let standings: Vec<Standing> = table.rows.iter().map(|row| row.cells[0].standing).collect();
        assert_eq!(standings[..3], [Standing::Best, Standing::Level, Standing::Behind]);
        assert_eq!(table.rows.last().unwrap().cells[0].text, "≈ 1.00x rayon");
    }

    #[test]
    fn who_cannot_is_explained() {
        let entries = [
            measured("wyn", 5.0),
            entry("go", Outcome::Missing("get it there".to_owned())),
            entry("forte", Outcome::Hung(20)),
            entry("c", Outcome::Unsupported("no nesting".to_owned())),
        ];
        let entries: Vec<&Entry> = entries.iter().collect();
        let notes = table("seq", "what", &entries).notes.join("\n");
        assert!(notes.contains("go: not installed; get it there"));
        assert!(notes.contains("forte: hung"));
        assert!(notes.contains("c: no such notion (no nesting)"));
    }

    #[test]
    fn numbers() {
        assert_eq!(number(Figure { median: 5.678, mad: 0.1, count: 5 }), "5.68 ±0.10");
        assert_eq!(number(Figure { median: 56.78, mad: 0.0, count: 5 }), "56.8");
        assert_eq!(number(Figure { median: 1_234_567.0, mad: 1000.0, count: 5 }), "1,234,567 ±1,000");
        assert_eq!(grouped(-123.0, 0), "-123");
        assert_eq!(
            (with_unit(97_445.0, "ns"), with_unit(9.0, "")),
            ("97.4 µs".to_owned(), "9.00".to_owned())
        );
    }
}
