//! The generated parts of BENCHMARKS.md and README.md, from the published records and from nothing else.
//!
//! | marker | in | what |
//! |---|---|---|
//! | `figures` | README.md | a few rows of every group, wins and losses |
//! | `summary` | BENCHMARKS.md | each record: its command, its machine, Wyn over all its rows |
//! | `losses` | BENCHMARKS.md | every row that Wyn loses |
//! | `allocators` | BENCHMARKS.md | allocators beside each other, and which to choose |
//! | `features` | BENCHMARKS.md | what each feature adds to the fast paths |
//! | `prediction` | BENCHMARKS.md | what a simulation says of more processors |
//! | `tables` | BENCHMARKS.md | the tables of each record |

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use wyn_bench::features::KIND as FEATURES;
use wyn_bench::record::Record;
use wyn_bench::simulate::record::KIND as SIMULATION;

use super::source::{Kind, Source, sources};
use super::verdict::{Stand, stands};
use crate::bench::{rank, record_file, render, table};
use crate::{allocators, cmd, features, simulate};

/// The rows of README.md: what a reader calls it, the workload, and its rows, of which the first that a record has
/// is shown.
const FIGURES: [(&str, &str, &[&str]); 12] = [
    ("spawn 100,000 tasks and await them, per task", "spawn_await", &["100K"]),
    ("the same as the first thing that a process does", "spawn_await", &["100K cold"]),
    ("1000 tasks that each spawn and await others, per task", "nested", &["1M", "100K"]),
    ("spawn one task inside another and await it", "seq_in", &["40K"]),
    ("memory of a task that waits to run", "pending", &["1M memory per task", "100K memory per task"]),
    ("tasks of 650 ns of work on two workers, per task", "grain", &["650 ns"]),
    ("from a spawn onto sleeping workers until the task runs", "wake", &["p50"]),
    ("a join of two calls, two workers, per join (fib)", "fib", &["39, 2 workers", "33, 2 workers"]),
    ("sorting by forked merges, per number", "mergesort", &["10M", "10M, 2 workers", "1M"]),
    ("until 64 branches behind a leaf of 10 ms are stolen", "long_leaf", &["joins"]),
    ("a message, 4 senders to 4 receivers, room for 100", "mpmc", &["capacity 100"]),
    ("a message there and another back, room for one", "ping_pong", &["capacity 1"]),
];

/// A generated part: in which file, between which markers, and what stands there.
struct Part {
    file: &'static str,
    marker: &'static str,
    text: String,
}

fn parts(sources: &[Source]) -> Vec<Part> {
    let stands = stands(sources);
    let part = |file, marker, text| Part { file, marker, text };
    vec![
        part("README.md", "figures", figures(&stands, sources)),
        part("BENCHMARKS.md", "summary", summary(sources)),
        part("BENCHMARKS.md", "losses", losses(&stands)),
        part("BENCHMARKS.md", "allocators", named(sources, allocators::KIND, allocators::markdown)),
        part("BENCHMARKS.md", "features", named(sources, FEATURES, features::markdown)),
        part("BENCHMARKS.md", "prediction", named(sources, SIMULATION, simulate::markdown)),
        part("BENCHMARKS.md", "tables", tables(sources)),
    ]
}

/// Writes every part anew.
pub(crate) fn write() -> Result<()> {
    for part in parts(&sources(&[])?) {
        let file = cmd::root().join(part.file);
        let old = read(&file)?;
        let new = between_markers(&old, part.marker, &part.text).with_context(|| no_marker(&part))?;
        if new != old {
            std::fs::write(&file, new).with_context(|| format!("{} cannot be written", file.display()))?;
            say!("written: {}, {}", part.file, part.marker);
        }
    }
    Ok(())
}

/// The parts that differ from what the published records yield.
pub(crate) fn stale() -> Result<Vec<String>> {
    let mut stale = Vec::new();
    for part in parts(&sources(&[])?) {
        let old = read(&cmd::root().join(part.file))?;
        match between_markers(&old, part.marker, &part.text) {
            Some(new) if new == old => {}
            Some(_) => stale.push(format!(
                "{}: what stands between the markers of `{}` is not what the records yield: \
                 `cargo xtask bench report --markdown`",
                part.file, part.marker
            )),
            None => stale.push(no_marker(&part)),
        }
    }
    Ok(stale)
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

fn no_marker(part: &Part) -> String {
    format!("{}: no markers for `{}`", part.file, part.marker)
}

/// The text with another between `<!-- BEGIN name -->` and `<!-- END name -->`.
fn between_markers(old: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- BEGIN {name} -->"), format!("<!-- END {name} -->"));
    let (before, rest) = old.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{text}{end}{after}"))
}

fn figures(stands: &[Stand], sources: &[Source]) -> String {
    let found = FIGURES.iter().filter_map(|(words, workload, rows)| {
        let named = |row: &&str| stands.iter().find(|stand| stand.row == format!("{workload} {row}"));
        Some((*words, rows.iter().find_map(named)?))
    });
    let chosen: Vec<(&str, &Stand)> = found.collect();
    let mut text = "| | Wyn | best other | Wyn is |\n|---|---:|---:|---:|\n".to_owned();
    for (words, stand) in &chosen {
        let Stand { ours, theirs, other, .. } = stand;
        let _ = writeln!(text, "| {words} | {ours} | {theirs} {other} | {} |", standing(stand));
    }
    text += "\nMedians; ≈: no difference beyond the noise. The rows, by their names in BENCHMARKS.md, are from:\n\n";
    for source in sources {
        let own = chosen.iter().filter(|(_, stand)| stand.record == source.name);
        let rows: Vec<&str> = own.map(|(_, stand)| stand.row.as_str()).collect();
        if let (false, Some(record)) = (rows.is_empty(), source.run()) {
            let _ = writeln!(text, "- {}: {}", rows.join("; "), origin(record));
        }
    }
    text
}

fn standing(stand: &Stand) -> String {
    match stand.lead.noise {
        Some(_) if !stand.lead.is_change() => "≈".to_owned(),
        _ => stand.words(),
    }
}

/// What made a record, and on what.
fn origin(record: &Record) -> String {
    let command = match record.command.as_str() {
        "" => format!("{} run, command not recorded", record.mode),
        command => format!("`{command}`"),
    };
    record_file::origin(&format!("{command}, {} allocator", record.allocator), &record.host)
}

fn summary(sources: &[Source]) -> String {
    let mut text =
        "| record | Wyn to the best | first | within 5 % | rows | made by |\n|---|---:|---:|---:|---:|---|\n"
            .to_owned();
    for source in sources {
        let Some(record) = source.run() else { continue };
        let (mean, first, level, rows) = match rank::ranking(record, false).own {
            Some((own, rows)) => {
                (table::factor(own.mean), own.first.to_string(), own.level.to_string(), rows)
            }
            None => ("-".to_owned(), "-".to_owned(), "-".to_owned(), 0),
        };
        let file = format!("[{0}](wyn-bench/records/{0}.json)", source.name);
        let _ = writeln!(text, "| {file} | {mean} | {first} | {level} | {rows} | {} |", origin(record));
    }
    text
}

fn losses(stands: &[Stand]) -> String {
    let mut lost: Vec<&Stand> = stands.iter().filter(|stand| stand.is_loss()).collect();
    lost.sort_by(|a, b| a.lead.value.total_cmp(&b.lead.value));
    let mut text =
        "| row | Wyn | best other | Wyn is | noise | record |\n|---|---:|---:|---:|---:|---|\n".to_owned();
    for stand in lost {
        let Stand { row, ours, theirs, other, record, .. } = stand;
        let (words, noise) = (stand.words(), stand.lead.spread());
        let _ = writeln!(text, "| {row} | {ours} | {theirs} {other} | {words} | {noise} | {record} |");
    }
    text
}

/// The records of a kind that is no run of `bench`, each as its own command writes it.
fn named(sources: &[Source], kind: &str, markdown: impl Fn(&Value) -> Option<String>) -> String {
    let of_kind = sources.iter().filter(|source| matches!(&source.kind, Kind::Named(name) if name == kind));
    let texts: Vec<String> = of_kind.filter_map(|source| markdown(&source.json)).collect();
    if texts.is_empty() {
        return format!("No record: `cargo xtask publish --only {kind}` makes one.\n");
    }
    texts.join("\n")
}

fn tables(sources: &[Source]) -> String {
    let mut text = String::new();
    for source in sources {
        let Some(record) = source.run() else { continue };
        let _ = write!(text, "\n### {}\n\n`{}.json`\n\n", capitalized(&source.title()), source.name);
        text += &render::markdown(record, &table::tables(record));
    }
    text.trim_start().to_owned()
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::made_up_source;
    use super::*;
    use crate::bench::rows::made_up::{entry, record};

    fn made() -> Vec<Source> {
        let sizes = [(100_000, 30.0), (1_000_000, 5.0)];
        let entries =
            sizes.iter().flat_map(|&(n, ns)| [entry("wyn", n, 10.0), entry("rayon", n, ns)]).collect();
        vec![made_up_source("quick-system", record(entries))]
    }

    #[test]
    fn text_goes_between_its_markers() {
        let old = "a\n<!-- BEGIN x -->\nold\n<!-- END x -->\nb\n";
        let new = between_markers(old, "x", "new\n").unwrap();
        assert_eq!(new, "a\n<!-- BEGIN x -->\nnew\n<!-- END x -->\nb\n");
        assert_eq!(between_markers(&new, "x", "new\n").as_deref(), Some(&*new));
        assert_eq!(between_markers(old, "y", "new"), None);
    }

    #[test]
    fn wins_and_losses_are_told_with_their_origin() {
        let sources = made();
        let stands = stands(&sources);
        let text = figures(&stands, &sources);
        assert!(text.contains("await them, per task | 10.0 ns | 30.0 ns rayon | 3.0x faster |"), "{text}");
        assert!(text.contains("`cargo xtask bench`, system allocator"), "{text}");
        assert!(losses(&stands).contains("| spawn_await 1M | 10.0 ns | 5.00 ns rayon | 2.0x slower |"));
    }

    #[test]
    fn each_record_has_its_section_and_only_a_record_has_one() {
        let text = tables(&made());
        assert_eq!(text.matches("### ").count(), 1);
        assert!(
            text.contains("### Spawn, quick run, system allocator: spawn_await")
                && text.contains("**10.0 ±0.1**"),
            "{text}"
        );
        assert_eq!(summary(&made()).lines().count(), 3);
    }

    #[test]
    fn what_is_published_is_what_the_records_yield() {
        assert_eq!(stale().unwrap(), Vec::<String>::new());
    }
}
