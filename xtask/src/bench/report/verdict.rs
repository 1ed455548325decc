//! What Wyn is good at and bad at: over all records, the rows it leads and the rows it loses.
//!
//! A row counts once: of two records that have it, the first in the order of the sources speaks. A sweep over numbers
//! of workers is drawn and not counted, because one row of it would be as many. A win or a loss is more than 5 % and
//! more than the noise.

use std::collections::{BTreeMap, BTreeSet};

use wyn_bench::record::{Cell, Record};

use super::source::Source;
use crate::bench::column::Role;
use crate::bench::noise::Ratio;
use crate::bench::plan::{Group, Mode};
use crate::bench::rows::{Row, rows};
use crate::bench::table::{OURS, factor, with_unit};

/// Below this a difference is of no consequence.
const MATTERS: f64 = 1.05;

/// How one row stands.
pub(super) struct Stand {
    pub(super) group: String,
    pub(super) workload: String,
    /// What the workload measures.
    pub(super) what: String,
    /// `spawn_await 100K cold`
    pub(super) row: String,
    pub(super) main: bool,
    unit: &'static str,
    /// With its unit.
    pub(super) ours: String,
    pub(super) other: String,
    pub(super) theirs: String,
    /// How many times better than the other: below 1 is a loss.
    pub(super) lead: Ratio,
    /// The record that says so.
    pub(super) record: String,
}

impl Stand {
    pub(super) fn is_win(&self) -> bool {
        self.lead.is_change() && self.lead.value > MATTERS
    }

    pub(super) fn is_loss(&self) -> bool {
        self.lead.is_change() && self.lead.value < 1.0 / MATTERS
    }

    /// `8.3x faster`, `2.1x larger`
    pub(super) fn words(&self) -> String {
        let (better, worse) = match self.unit {
            "ns" | "µs" => ("faster", "slower"),
            "B" | "KiB" => ("smaller", "larger"),
            _ => ("less", "more"),
        };
        match self.lead.value {
            lead if lead >= 1.0 => format!("{} {better}", factor(lead)),
            lead => format!("{} {worse}", factor(1.0 / lead)),
        }
    }
}

/// Every row of every record that has somebody beside Wyn, each row once.
pub(super) fn stands(sources: &[Source]) -> Vec<Stand> {
    let mut seen = BTreeSet::new();
    let mut stands = Vec::new();
    for source in sources {
        let counts = |record: &&Record| record.mode != Mode::Smoke.name() && !is_sweep(record);
        let Some(record) = source.run().filter(counts) else { continue };
        for row in rows(record, &[Role::Main, Role::Side]) {
            let (cell, figure) = row.key();
            let key = (record.group.clone(), cell.clone(), figure);
            let Some(stand) = stand(source, record, &row) else { continue };
            if seen.insert(key) {
                stands.push(stand);
            }
        }
    }
    stands
}

/// Whether a record is about numbers of workers: one measurement at more than two of them.
fn is_sweep(record: &Record) -> bool {
    let mut workers: BTreeMap<Cell, BTreeSet<usize>> = BTreeMap::new();
    for cell in record.entries.iter().map(|entry| &entry.cell) {
        let measurement = Cell { workers: 0, ..cell.clone() };
        workers.entry(measurement).or_default().insert(cell.workers);
    }
    workers.values().any(|numbers| numbers.len() > 2)
}

fn stand(source: &Source, record: &Record, row: &Row<'_>) -> Option<Stand> {
    let (other, lead) = row.lead(OURS)?;
    let unit = row.column.unit();
    let with_unit = |backend: &str| Some(with_unit(row.figure(backend)?.median, unit));
    Some(Stand {
        group: record.group.clone(),
        workload: row.workload.to_owned(),
        what: what(&record.group, row.workload),
        row: row.name(),
        main: row.column.role() == Role::Main,
        unit,
        ours: with_unit(OURS)?,
        other: other.to_owned(),
        theirs: with_unit(other)?,
        lead,
        record: source.name.clone(),
    })
}

/// What a workload measures, where it is not beside the one that it varies.
fn what(group: &str, workload: &str) -> String {
    let workloads = Group::named(group).unwrap_or_default().all_workloads();
    let Some(place) = workloads.iter().position(|(name, _)| *name == workload) else { return String::new() };
    let words = workloads[place].1;
    let Some(rest) = words.strip_prefix("the same") else { return words.to_owned() };
    let varied =
        workloads[..place].iter().rev().map(|(_, words)| *words).find(|words| !words.starts_with("the same"));
    format!("{}, but{rest}", varied.unwrap_or_default())
}

/// The largest wins, and then the largest losses, one row of a workload each, so that one workload at ten sizes is
/// not ten of them.
pub(super) fn extremes(stands: &[Stand], most: usize) -> (Vec<&Stand>, Vec<&Stand>) {
    let mut sorted: Vec<&Stand> = stands.iter().collect();
    sorted.sort_by(|a, b| b.lead.value.total_cmp(&a.lead.value));
    let wins = of_each_workload(sorted.iter().copied().filter(|stand| stand.main && stand.is_win()), most);
    let losses = of_each_workload(sorted.iter().rev().copied().filter(|stand| stand.is_loss()), most);
    (wins, losses)
}

fn of_each_workload<'a>(sorted: impl Iterator<Item = &'a Stand>, most: usize) -> Vec<&'a Stand> {
    let mut seen = BTreeSet::new();
    sorted.filter(|stand| seen.insert((&stand.group, &stand.workload))).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::super::made_up_source;
    use super::*;
    use crate::bench::rows::made_up::{entry, record};

    #[test]
    fn a_row_counts_once_and_the_first_record_speaks() {
        let one = record(vec![entry("wyn", 10_000, 10.0), entry("rayon", 10_000, 30.0)]);
        let two = record(vec![entry("wyn", 10_000, 10.0), entry("rayon", 10_000, 90.0)]);
        let stands = stands(&[made_up_source("one", one), made_up_source("two", two)]);
        assert_eq!(stands.len(), 1);
        assert_eq!((stands[0].record.as_str(), stands[0].words().as_str()), ("one", "3.0x faster"));
        assert_eq!((stands[0].ours.as_str(), stands[0].theirs.as_str()), ("10.0 ns", "30.0 ns"));
    }

    #[test]
    fn a_sweep_is_not_counted() {
        let with_workers = |workers: usize| {
            [("wyn", 1.0), ("rayon", 2.0)].map(|(name, ns)| {
                let mut entry = entry(name, 10_000, ns);
                entry.cell.workers = workers;
                entry
            })
        };
        let stands_of = |sweep: &[usize]| {
            let entries = sweep.iter().flat_map(|workers| with_workers(*workers)).collect();
            stands(&[made_up_source("sweep", record(entries))]).len()
        };
        assert_eq!((stands_of(&[1, 2]), stands_of(&[1, 2, 8])), (2, 0));
        // Rows with numbers of their own, as those of channels, are none.
        let mut entries: Vec<_> = [1, 2, 8].into_iter().flat_map(with_workers).collect();
        for entry in &mut entries {
            entry.cell.n *= entry.cell.workers as u64;
        }
        assert_eq!(stands(&[made_up_source("several", record(entries))]).len(), 3);
    }

    #[test]
    fn variations_are_told_whole() {
        assert_eq!(
            what("spawn", "seq_in"),
            "spawn one task from main, await it, repeat, but from inside a worker"
        );
        assert_eq!(what("spawn", "nothing"), "");
    }

    #[test]
    fn wins_losses_and_neither() {
        let sizes = [(10_000, 30.0), (100_000, 5.0), (1_000_000, 10.1)];
        let entries =
            sizes.iter().flat_map(|&(n, rayon)| [entry("wyn", n, 10.0), entry("rayon", n, rayon)]).collect();
        let stands = stands(&[made_up_source("one", record(entries))]);
        let (wins, losses) = extremes(&stands, 8);
        assert_eq!(wins.iter().map(|stand| &*stand.row).collect::<Vec<_>>(), ["spawn_await 10K"]);
        assert_eq!(losses.iter().map(|stand| &*stand.row).collect::<Vec<_>>(), ["spawn_await 100K"]);
        assert_eq!(losses[0].words(), "2.0x slower");
    }
}
