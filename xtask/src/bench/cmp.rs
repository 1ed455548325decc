//! `cargo xtask bench cmp A B`: what changed between two records, beyond the noise.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Result, bail};
use wyn_bench::record::Record;

use super::column::Role;
use super::noise::{Ratio, geometric_mean};
use super::record_file;
use super::rows::{Row, rows};
use super::{stats, table};
use crate::say;
use crate::table::with_words;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The record that is compared with
    #[arg(value_name = "A.json")]
    old: PathBuf,
    /// The record that is judged
    #[arg(value_name = "B.json")]
    new: PathBuf,
    /// Show the rows within the noise too
    #[arg(long)]
    all: bool,
}

/// One figure of one cell on one backend, in both records.
pub(crate) struct Change {
    pub(crate) backend: String,
    pub(crate) row: String,
    pub(crate) unit: &'static str,
    pub(crate) main: bool,
    pub(crate) old: f64,
    pub(crate) new: f64,
    /// New over old: above 1 is worse.
    pub(crate) ratio: Ratio,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let (old, new) = (record_file::read(&args.old)?, record_file::read(&args.new)?);
    let changes = changes(&old, &new)?;
    for warning in differences(&old, &new) {
        say!("warning: {warning}");
    }
    say::text(shown(&changes, args.all));
    Ok(())
}

/// Every row and backend that both records have.
pub(crate) fn changes(old: &Record, new: &Record) -> Result<Vec<Change>> {
    if old.group != new.group {
        bail!("the records are of different groups, {} and {}: nothing to compare", old.group, new.group);
    }
    let before = rows(old, &[Role::Main, Role::Side]);
    let mut changes = Vec::new();
    for row in rows(new, &[Role::Main, Role::Side]) {
        let Some(earlier) = before.iter().find(|earlier| earlier.key() == row.key()) else { continue };
        changes.extend(row.figures.iter().filter_map(|(backend, _)| change(backend, earlier, &row)));
    }
    if changes.is_empty() {
        bail!("the records have no cell of one backend in common");
    }
    Ok(changes)
}

fn change(backend: &str, old: &Row<'_>, new: &Row<'_>) -> Option<Change> {
    let (before, after) = (old.figure(backend)?, new.figure(backend)?);
    Some(Change {
        backend: backend.to_owned(),
        row: new.name(),
        unit: new.column.unit(),
        main: new.column.role() == Role::Main,
        old: before.median,
        new: after.median,
        ratio: Ratio::of(after, before)?,
    })
}

/// What else differs between two records, so that a change may not be the program's.
pub(crate) fn differences(old: &Record, new: &Record) -> Vec<String> {
    let (a, b) = (&old.host, &new.host);
    let pairs = [
        ("processors", format!("{} x{}", a.cpu, a.cpus), format!("{} x{}", b.cpu, b.cpus)),
        ("kernels", a.kernel.clone(), b.kernel.clone()),
        ("compilers", a.rustc.clone(), b.rustc.clone()),
        ("session priorities", a.priority.to_string(), b.priority.to_string()),
        ("allocators", old.allocator.clone(), new.allocator.clone()),
        ("modes", old.mode.clone(), new.mode.clone()),
        ("ways to start workers (--spread)", old.spread.to_string(), new.spread.to_string()),
    ];
    let mut differences: Vec<String> = pairs
        .into_iter()
        .filter(|(_, old, new)| old != new)
        .map(|(what, old, new)| format!("different {what}: {old} and {new}"))
        .collect();
    if let Some((a, b)) = round_trip(old).zip(round_trip(new))
        && (a / b).ln().abs() > f64::ln(1.5)
    {
        differences
            .push(format!("a cache line's round trip took {a:.0} ns and {b:.0} ns: the machine moved"));
    }
    differences
}

/// The median round trip of a cache line between two processors.
fn round_trip(record: &Record) -> Option<f64> {
    let mut known = stats::round_trips(record);
    (!known.is_empty()).then(|| wyn_bench::meter::median(&mut known))
}

/// The changes of each backend, the worst first, then a line for each backend.
fn shown(changes: &[Change], all: bool) -> String {
    let mut sorted: Vec<&Change> = changes.iter().filter(|c| all || c.ratio.is_change()).collect();
    sorted.sort_by(|a, b| b.ratio.value.total_cmp(&a.ratio.value));
    let mut text = String::new();
    let header = ["backend", "row", "before", "after", "after / before", "noise", ""];
    for (title, worse) in [("Slower or larger", true), ("Faster or smaller", false)] {
        let mut listed: Vec<&Change> =
            sorted.iter().filter(|change| (change.ratio.value > 1.0) == worse).copied().collect();
        if !worse {
            listed.reverse();
        }
        if listed.is_empty() {
            let _ = writeln!(text, "\n{title}: nothing beyond the noise");
        } else {
            let _ = write!(text, "\n{title}\n{}", with_words(&header, 2, listed.into_iter().map(line)));
        }
    }
    let header = ["backend", "rows", "slower", "faster", "≈", "geometric mean, main figures"];
    let _ = write!(text, "\n{}", with_words(&header, 1, summary(changes)));
    text + "≈: within the noise, 7 median absolute deviations over the root of the repetitions, and 1 %\n"
}

pub(crate) fn line(change: &Change) -> Vec<String> {
    let mark = if change.ratio.is_change() { "" } else { "≈" };
    vec![
        change.backend.clone(),
        change.row.clone(),
        table::with_unit(change.old, change.unit),
        table::with_unit(change.new, change.unit),
        table::factor(change.ratio.value),
        change.ratio.spread(),
        mark.to_owned(),
    ]
}

fn summary(changes: &[Change]) -> Vec<Vec<String>> {
    let mut backends: Vec<&str> = Vec::new();
    for change in changes {
        if !backends.contains(&change.backend.as_str()) {
            backends.push(&change.backend);
        }
    }
    let of = |backend: &str| {
        let own: Vec<&Change> = changes.iter().filter(|change| change.backend == backend).collect();
        let count = |which: &dyn Fn(&Change) -> bool| own.iter().filter(|change| which(change)).count();
        let slower = count(&|change| change.ratio.is_change() && change.ratio.value > 1.0);
        let faster = count(&|change| change.ratio.is_change() && change.ratio.value < 1.0);
        let mean = geometric_mean(own.iter().filter(|change| change.main).map(|change| change.ratio.value));
        let mean = mean.map(table::factor).unwrap_or_default();
        let level = own.len() - slower - faster;
        vec![
            backend.to_owned(),
            own.len().to_string(),
            slower.to_string(),
            faster.to_string(),
            level.to_string(),
            mean,
        ]
    };
    backends.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::made_up::{entry, record};

    #[test]
    fn changes_beyond_the_noise_are_told_from_the_others() {
        let old = record(vec![entry("wyn", 10_000, 10.0), entry("rayon", 10_000, 50.0)]);
        let new = record(vec![entry("wyn", 10_000, 12.0), entry("rayon", 10_000, 50.5)]);
        let changes = changes(&old, &new).unwrap();
        assert_eq!(changes.len(), 2);
        assert!(changes[0].ratio.is_change() && (changes[0].ratio.value - 1.2).abs() < 1e-9);
        assert!(!changes[1].ratio.is_change());
        let text = shown(&changes, false);
        assert!(text.contains("1.20x") && !text.contains("50.5"), "{text}");
        assert!(shown(&changes, true).contains("50.5"));
    }

    #[test]
    fn only_common_rows_are_compared() {
        let old = record(vec![entry("wyn", 10_000, 10.0), entry("go", 10_000, 9.0)]);
        let new = record(vec![entry("wyn", 10_000, 12.0), entry("wyn", 100_000, 12.0)]);
        assert_eq!(changes(&old, &new).unwrap().len(), 1);
        let other = record(vec![entry("tokio", 10_000, 1.0)]);
        assert!(changes(&old, &other).is_err_and(|error| error.to_string().contains("no cell")));
    }

    #[test]
    fn groups_do_not_mix() {
        let old = record(vec![entry("wyn", 10_000, 10.0)]);
        let new = Record { group: "channels".to_owned(), ..old.clone() };
        let error = changes(&old, &new).err().unwrap().to_string();
        assert!(error.contains("spawn") && error.contains("channels"), "{error}");
    }

    #[test]
    fn another_machine_or_allocator_is_a_warning() {
        let old = record(vec![entry("wyn", 10_000, 10.0)]);
        assert!(differences(&old, &old).is_empty());
        let mut new = Record { allocator: "mimalloc".to_owned(), ..old.clone() };
        new.host.cpu = "another".to_owned();
        let text = differences(&old, &new).join("\n");
        assert!(text.contains("allocators: system and mimalloc") && text.contains("processors"), "{text}");
    }
}
