//! Draws tables: for the terminal, and as Markdown.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table as Drawn, TableStyle};
use wyn_bench::record::Record;

use super::plan::Group;
use super::table::{Shown, Standing, Table};

/// Rules above, below and under the header; none between rows.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// The head, then every table.
pub(crate) fn terminal(record: &Record, tables: &[Table]) -> String {
    let mut text = head(record).join("\n") + "\n";
    for table in tables {
        let mut drawn = Drawn::new();
        drawn.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled);
        drawn.set_header(table.header.clone());
        for row in &table.rows {
            let cells = row.cells.iter().map(marked);
            drawn.add_row(std::iter::once(row.name.clone()).chain(cells).collect::<Vec<_>>());
        }
        for column in drawn.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let notes: String = table.notes.iter().map(|note| format!("  {note}\n")).collect();
        let _ = write!(text, "\n{}\n{drawn}\n{notes}", table.title);
    }
    text + "\n*: the best of its column (serial calls are a floor, not a peer); ≈: within the noise of it\n"
}

fn marked(cell: &Shown) -> String {
    match cell.standing {
        Standing::Best => format!("{} *", cell.text),
        Standing::Level => format!("{} ≈", cell.text),
        Standing::Behind => format!("{}  ", cell.text),
    }
}

/// Lines under a header, the first `left` columns to the left and the others to the right.
pub(crate) fn grid<const N: usize>(header: &[&str; N], lines: &[[String; N]], left: usize) -> String {
    let mut drawn = Drawn::new();
    drawn.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled);
    drawn.set_header(header.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>());
    for line in lines {
        drawn.add_row(line.to_vec());
    }
    for column in drawn.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    drawn.to_string()
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
    let samples = record.entries.iter().flat_map(|entry| match &entry.outcome {
        wyn_bench::record::Outcome::Measured(samples) => samples.as_slice(),
        _ => &[],
    });
    let known = samples.map(|sample| sample.round_trip_ns).filter(|ns| *ns > 0.0);
    let (least, most) = known.fold((f64::MAX, 0.0_f64), |(least, most), ns| (least.min(ns), most.max(ns)));
    if most == 0.0 {
        return "round trip of a cache line between two CPUs: unknown".to_owned();
    }
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
