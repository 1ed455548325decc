//! The record of what features cost as a table: for the terminal, the documents and the page.

use wyn_bench::features::{Cost, Record};

use crate::bench::record_file::origin;
use crate::table;

/// Differences below these are not shown.
const INSTRUCTIONS: f64 = 0.5;
const NANOSECONDS_SHARE: f64 = 0.05;
/// What the figures are.
pub(crate) const TITLE: &str =
    "instructions and ns per operation; of each change, the difference to the default";

/// What `=` stands for.
pub(crate) fn key() -> String {
    let share = 100.0 * NANOSECONDS_SHARE;
    format!("`=`: less than {INSTRUCTIONS} instructions and {share:.0} % of the time")
}

pub(super) fn terminal(record: &Record) -> String {
    let header = header(record);
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    format!("{TITLE}\n{}{}; times need a quiet machine\n", table::drawn(&header, rows(record)), key())
}

/// The part of BENCHMARKS.md.
pub(crate) fn markdown(record: &Record) -> String {
    let header = header(record);
    let command = format!("`{}`", record.command);
    let mut text = format!(
        "{}, {}: {TITLE}.\n\n| {} |\n|---|{}\n",
        origin(&command, &record.host),
        record.host.rustc,
        header.join(" | "),
        "---:|".repeat(header.len() - 1)
    );
    for row in rows(record) {
        text += &format!("| {} |\n", row.join(" | "));
    }
    format!("{text}\n{}\n", key())
}

/// `path`, then the builds.
pub(crate) fn header(record: &Record) -> Vec<String> {
    std::iter::once("path").chain(record.builds.iter().map(|build| &*build.name)).map(str::to_owned).collect()
}

/// A line for each path: the default in full, then what each change adds to it.
pub(crate) fn rows(record: &Record) -> Vec<Vec<String>> {
    let Some((default, changes)) = record.builds.split_first() else { return Vec::new() };
    let row = |(index, path): (usize, &String)| {
        let default = default.costs.get(index)?;
        let changes =
            changes.iter().map(|build| build.costs.get(index).map(|cost| difference(*cost, *default)));
        let known = [path.clone(), full(*default)].into_iter().map(Some).chain(changes);
        known.collect::<Option<Vec<String>>>()
    };
    record.paths.iter().enumerate().filter_map(row).collect()
}

fn full(cost: Cost) -> String {
    let instructions = cost.instructions.map_or("-".to_owned(), |count| format!("{count:.1}"));
    format!("{instructions}, {:.1} ns", cost.ns)
}

fn difference(cost: Cost, default: Cost) -> String {
    let more = cost.ns - default.ns;
    let mut parts = Vec::new();
    if let (Some(count), Some(before)) = (cost.instructions, default.instructions)
        && (count - before).abs() >= INSTRUCTIONS
    {
        parts.push(format!("{:+.1}", count - before));
    }
    if more.abs() >= NANOSECONDS_SHARE * default.ns {
        parts.push(format!("{more:+.1} ns"));
    }
    if parts.is_empty() { "=".to_owned() } else { parts.join(", ") }
}

/// A record made up for tests.
#[cfg(test)]
pub(crate) fn made_up() -> Record {
    use wyn_bench::features::{Build, KIND, SCHEMA};
    let build = |name: &str, instructions: f64, ns: f64| Build {
        name: name.to_owned(),
        costs: vec![Cost { instructions: Some(instructions), ns }],
    };
    Record {
        kind: KIND.to_owned(),
        schema: SCHEMA,
        started: 0,
        command: "cargo xtask features --cost".to_owned(),
        host: wyn_bench::record::Host::default(),
        paths: vec!["sched/join".to_owned()],
        builds: vec![build("default", 52.0, 2.0), build("+stats", 52.0, 2.0), build("fences", 53.0, 8.0)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(instructions: f64, ns: f64) -> Cost {
        Cost { instructions: Some(instructions), ns }
    }

    #[test]
    fn only_differences_are_shown() {
        let default = cost(100.0, 10.0);
        assert_eq!(difference(cost(100.4, 10.4), default), "=");
        assert_eq!(difference(cost(112.0, 10.4), default), "+12.0");
        assert_eq!(difference(cost(90.0, 8.0), default), "-10.0, -2.0 ns");
        assert_eq!(difference(Cost { instructions: None, ns: 20.0 }, default), "+10.0 ns");
    }

    #[test]
    fn the_default_is_shown_in_full() {
        assert_eq!(rows(&made_up()), [["sched/join", "52.0, 2.0 ns", "=", "+1.0, +6.0 ns"]]);
        let text = markdown(&made_up());
        assert!(
            text.contains("| path | default | +stats | fences |\n|---|---:|---:|---:|\n| sched/join |"),
            "{text}"
        );
    }
}
