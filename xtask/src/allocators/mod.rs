//! `cargo xtask allocators`: which allocator to choose for what, with Wyn's own memory for tasks and without.
//!
//! A program for each combination, built alike; a few cells of each group on the backends that allocate there; the
//! figures in one table, and what follows from them in words.

mod advice;
mod plan;
mod run;
mod shown;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use wyn_bench::record::{Entry, Host};

use crate::bench::build::Allocator;
use crate::bench::{machine, measure, record_file};
use crate::say;
pub(crate) use advice::Choice;
use plan::Memory;
pub(crate) use shown::CHOICES;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Repetitions of each measurement
    #[arg(long, value_name = "N", default_value_t = 5)]
    reps: usize,
    /// Tiny sizes, once: checks answers and ignores times
    #[arg(long)]
    smoke: bool,
    /// Only build the programs
    #[arg(long)]
    build: bool,
    /// Keep the record in wyn-bench/records, and write BENCHMARKS.md anew
    #[arg(long, conflicts_with_all = ["smoke", "build", "from"])]
    publish: bool,
    /// Measure nothing: show the table of an earlier record
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

/// What came of one program.
#[derive(Clone, Debug, PartialEq)]
struct Run {
    memory: Memory,
    entries: Vec<Entry>,
}

/// All of it, and on what.
struct Record {
    started: u64,
    command: String,
    host: Host,
    runs: Vec<Run>,
}

/// The layout of the file.
const SCHEMA: u64 = 1;
pub(crate) const KIND: &str = "allocators";

/// What follows from a record's figures: the choices, and what Wyn's own cells gain.
pub(crate) fn advice_of(record: &Value) -> Result<(Vec<Choice>, Vec<String>)> {
    let runs = Record::of(record)?.runs;
    Ok((advice::choices(&runs), advice::gains(&runs)))
}

/// The part of BENCHMARKS.md.
pub(crate) fn markdown(record: &Value) -> Option<String> {
    Record::of(record).ok().map(|record| shown::markdown(&record))
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.build {
        return run::programs(args.smoke).map(drop);
    }
    let record = match &args.from {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            Record::parse(&text).with_context(|| format!("{} is no record of allocators", file.display()))?
        }
        None => measure(args)?,
    };
    say::text(shown::head(&record));
    say::text(shown::table(&record.runs));
    run::failures(&record.runs)?;
    if args.from.is_none() { write(&record, args.publish) } else { Ok(()) }
}

fn measure(args: &Args) -> Result<Record> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let programs = run::programs(args.smoke)?;
    let runs = run::all(&programs, args.smoke, if args.smoke { 1 } else { args.reps.max(1) })?;
    Ok(Record {
        started: now.context("the clock stands before 1970")?.as_secs(),
        command: measure::command(),
        host: machine::host(),
        runs,
    })
}

fn write(record: &Record, publish: bool) -> Result<()> {
    let name = if publish { KIND.to_owned() } else { format!("{KIND}-{}", record.started) };
    let file = record_file::place(&name, publish);
    record_file::write_json(&file, &record.text())?;
    say!("record: {}", file.display());
    if publish { crate::bench::report::write_markdown() } else { Ok(()) }
}

impl Record {
    fn text(&self) -> String {
        let runs = self.runs.iter().map(|run| {
            json!({
                "allocator": run.memory.allocator.name(),
                "own_cells": run.memory.own_cells,
                "entries": run.entries,
            })
        });
        json!({
            "kind": KIND,
            "schema": SCHEMA,
            "started": self.started,
            "command": self.command,
            "host": self.host,
            "runs": runs.collect::<Vec<_>>(),
        })
        .to_string()
    }

    fn parse(text: &str) -> Result<Record> {
        Record::of(&serde_json::from_str(text)?)
    }

    fn of(value: &Value) -> Result<Record> {
        if value["kind"] != KIND || value["schema"] != SCHEMA {
            bail!("it is of another kind or layout");
        }
        let runs = value["runs"].as_array().context("it has no runs")?;
        Ok(Record {
            started: value["started"].as_u64().unwrap_or(0),
            command: value["command"].as_str().unwrap_or_default().to_owned(),
            host: serde_json::from_value(value["host"].clone())?,
            runs: runs.iter().map(parse_run).collect::<Result<_>>()?,
        })
    }
}

fn parse_run(value: &Value) -> Result<Run> {
    use clap::ValueEnum as _;
    let name = value["allocator"].as_str().context("a run without an allocator")?;
    let allocator = Allocator::from_str(name, false).ok();
    Ok(Run {
        memory: Memory {
            allocator: allocator.with_context(|| format!("no allocator is called {name}"))?,
            own_cells: value["own_cells"].as_bool().context("a run without `own_cells`")?,
        },
        entries: serde_json::from_value(value["entries"].clone())?,
    })
}

#[cfg(test)]
mod made_up {
    //! Runs for the tests.

    use wyn_bench::record::{Cell, Entry, Figures, Outcome, Sample};

    use super::plan::Memory;
    use super::{Allocator, Run};

    pub(super) fn entry(backend: &str, workload: &str, ns: f64, peak_kib: f64) -> Entry {
        let cell = Cell { workload: workload.to_owned(), n: 1000, grain_ns: 0, workers: 2, capacity: None };
        let figures = [("ns", ns), ("peak_kib", peak_kib), ("minor_faults", 500.0)];
        let figures = Figures::from(figures.map(|(name, value)| (name.to_owned(), value)));
        let samples = vec![Sample { figures, ..Sample::default() }; 3];
        Entry { backend: backend.to_owned(), cell, outcome: Outcome::Measured(samples), hung: 0 }
    }

    pub(super) fn run(allocator: Allocator, own_cells: bool, entries: Vec<Entry>) -> Run {
        Run { memory: Memory { allocator, own_cells }, entries }
    }
}

#[cfg(test)]
mod tests {
    use super::made_up::{entry, run};
    use super::*;

    #[test]
    fn a_record_survives_its_file() {
        let runs = vec![
            run(Allocator::System, true, vec![entry("wyn", "seq", 5.0, 1000.0)]),
            run(Allocator::Jemalloc, false, vec![]),
        ];
        let record = Record { started: 7, command: "c".to_owned(), host: Host::default(), runs };
        let read = Record::parse(&record.text()).unwrap();
        assert_eq!((read.started, &*read.command, read.runs), (7, "c", record.runs));
        assert!(Record::parse(r#"{"kind":"other"}"#).is_err());
        assert!(Record::parse("nonsense").is_err());
    }
}
