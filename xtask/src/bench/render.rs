//! Draws tables: for the terminal, and as Markdown.

use std::fmt::Write as _;
use std::ops::Range;

use wyn_bench::record::Record;

use super::plan::Group;
use super::stats;
use super::table::{Row, Shown, Standing, Table};

/// The head, then every table; one that is wider than this goes on below itself.
pub(crate) fn terminal(record: &Record, tables: &[Table], width: Option<usize>) -> String {
    let mut text = head(record).join("\n") + "\n";
    for table in tables {
        let _ = write!(text, "\n{}\n", table.title);
        for columns in parts(table, width.unwrap_or(usize::MAX)) {
            let shown = |all: &[String]| {
                std::iter::once(all[0].clone()).chain(all[columns.clone()].iter().cloned()).collect()
            };
            let header: Vec<String> = shown(&table.header);
            let header: Vec<&str> = header.iter().map(String::as_str).collect();
            text += &crate::table::drawn(&header, table.rows.iter().map(|row| shown(&line(row))));
        }
        text.extend(table.notes.iter().map(|note| format!("  {note}\n")));
    }
    text + "\n*: the best of its column (serial calls are a floor, not a peer); ≈: within the noise of it\n"
}

fn line(row: &Row) -> Vec<String> {
    std::iter::once(row.name.clone()).chain(row.cells.iter().map(marked)).collect()
}

/// Which columns stand side by side, the first beside all of them.
fn parts(table: &Table, width: usize) -> Vec<Range<usize>> {
    let lines: Vec<Vec<String>> = table.rows.iter().map(line).chain([table.header.clone()]).collect();
    // A space on each side, and the place of the line between two columns.
    let wide = |column: usize| 3 + lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let mut parts = Vec::new();
    let (mut start, mut used) = (1, wide(0));
    for column in 1..table.header.len() {
        if used + wide(column) > width && column > start {
            parts.push(start..column);
            (start, used) = (column, wide(0));
        }
        used += wide(column);
    }
    parts.push(start..table.header.len());
    parts
}

fn marked(cell: &Shown) -> String {
    match cell.standing {
        Standing::Best => format!("{} *", cell.text),
        Standing::Level => format!("{} ≈", cell.text),
        Standing::Behind => format!("{}  ", cell.text),
    }
}

/// What the figures are and what they were measured on.
pub(crate) fn head(record: &Record) -> Vec<String> {
    let host = &record.host;
    let versions = record.versions.iter().map(|(name, version)| format!("{name} {version}"));
    let dirty = if host.dirty { ", work tree changed" } else { "" };
    let priority =
        if host.priority { "own sessions with priority" } else { "no session priority (not root)" };
    vec![
        what(record).to_owned(),
        format!("{}, {} CPUs, {} MiB, {}", host.cpu, host.cpus, host.memory_mib, host.kernel),
        format!("{}, revision {}{dirty}, {priority}", host.rustc, host.revision),
        format!("allocator of the Rust backends: {}; mode: {}", record.allocator, record.mode),
        round_trips(record),
        match record.command.as_str() {
            "" => "command: not recorded".to_owned(),
            command => format!("command: `{command}`"),
        },
        versions.collect::<Vec<_>>().join(", "),
    ]
}

fn what(record: &Record) -> &'static str {
    match Group::named(&record.group).unwrap_or_default() {
        Group::Spawn => {
            "ns per task, median ± median absolute deviation; warm, and cold = first run in a fresh process"
        }
        Group::ForkJoin => {
            "ns per join, leaf, node, number or loop as each title says; median ± median absolute deviation"
        }
        Group::Channels => {
            "ns per message of eight bytes, or as the title says, by capacity; median ± median absolute deviation"
        }
        Group::Pool | Group::Deque | Group::Future => {
            "ns per cell, item or result; median ± median absolute deviation; cold = first pass in a fresh process"
        }
    }
}

/// Between which limits one cache line's round trip moved during the run.
fn round_trips(record: &Record) -> String {
    let known = stats::round_trips(record);
    if known.is_empty() {
        return "round trip of a cache line between two CPUs: unknown".to_owned();
    }
    let (least, most) =
        known.iter().fold((f64::MAX, 0.0_f64), |(least, most), ns| (least.min(*ns), most.max(*ns)));
    format!("round trip of a cache line between two CPUs: {least:.0} to {most:.0} ns during the run")
}

pub(crate) fn markdown(record: &Record, tables: &[Table]) -> String {
    let mut text: String = head(record).iter().map(|line| format!("- {line}\n")).collect();
    for table in tables {
        let rule = "|---|".to_owned() + &"---:|".repeat(table.header.len().saturating_sub(1));
        let _ = write!(text, "\n**{}**\n\n| {} |\n{rule}\n", table.title, table.header.join(" | "));
        for row in &table.rows {
            let cells: Vec<String> = row.cells.iter().map(bold).collect();
            let _ = writeln!(text, "| {} | {} |", row.name, cells.join(" | "));
        }
        if !table.notes.is_empty() {
            text.push('\n');
        }
        for note in &table.notes {
            let _ = writeln!(text, "- {note}");
        }
    }
    text
}

fn bold(cell: &Shown) -> String {
    match cell.standing {
        Standing::Best => format!("**{}**", cell.text),
        Standing::Level => format!("{} ≈", cell.text),
        Standing::Behind => cell.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::made_up::{entry, record};
    use crate::bench::table::tables;

    #[test]
    fn a_wide_table_goes_on_below_itself() {
        let sizes = [10_000, 100_000, 1_000_000];
        let record =
            record(sizes.iter().flat_map(|&n| [entry("wyn", n, 10.0), entry("go", n, 20.0)]).collect());
        let tables = tables(&record);
        let whole = terminal(&record, &tables, None);
        assert_eq!(whole.matches("wyn to the best other").count(), 1);
        let narrow = terminal(&record, &tables, Some(72));
        assert!(narrow.matches("wyn to the best other").count() > 1);
        let table =
            |text: &str| text.lines().filter(|line| line.starts_with('─')).map(|l| l.chars().count()).max();
        assert!(table(&narrow) <= Some(72), "{narrow}");
        for label in ["10K", "100K", "1M"] {
            assert!(narrow.contains(label));
        }
        // One column is drawn however wide it is.
        assert!(!terminal(&record, &tables, Some(1)).is_empty());
    }

    #[test]
    fn markdown_marks_the_best() {
        let record = record(vec![entry("wyn", 10_000, 10.0), entry("go", 10_000, 20.0)]);
        let text = markdown(&record, &tables(&record));
        assert!(text.contains("| wyn | **10.0 ±0.1** |") && text.contains("| go | 20.0 ±0.2 |"), "{text}");
        assert!(text.contains("command: `cargo xtask bench`"));
    }
}
