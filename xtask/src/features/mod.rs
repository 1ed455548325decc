//! `cargo xtask features`: every combination of features builds without a warning and passes its tests, and shows
//! what it costs.
//!
//! The features are read from the crates' manifests, so that a new one is in the matrix at once. Beside them stands
//! `fences`: `WYN_NO_MEMBARRIER`, under which the barriers between a thief and its victim are symmetric. Which deque is
//! used is no feature: `cargo xtask count` and `bench deque` show both.

mod cost;
mod matrix;
mod shown;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use wyn_bench::features::{KIND, Record, SCHEMA};

use crate::bench::{machine, measure, record_file};
use crate::{cmd, say, table, test};
use matrix::{Extent, Library, Variant};
#[cfg(test)]
pub(crate) use shown::made_up;
pub(crate) use shown::{TITLE, header, key, rows};

/// What the crates read at run time in place of a feature.
const FENCES: (&str, &str) = ("WYN_NO_MEMBARRIER", "1");
/// Test binaries of the scheduler that the pruned form runs; its others wait and sleep for the most part.
const CHOSEN: [&str; 6] = ["basic", "fork", "handle", "panic", "scope", "stats"];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Each feature alone, none and all: clippy for each, and the tests that tell most
    #[arg(long)]
    pruned: bool,
    /// Only what each feature costs, in instructions and nanoseconds
    #[arg(long, conflicts_with = "pruned")]
    cost: bool,
    /// What every set of features costs, not only each feature and all of them: more than twice as long
    #[arg(long, requires = "cost", conflicts_with = "publish")]
    every: bool,
    /// Only build the programs that `--cost` measures
    #[arg(long, requires = "cost", conflicts_with = "publish")]
    build: bool,
    /// Keep the costs in wyn-bench/records, and write BENCHMARKS.md anew
    #[arg(long, requires = "cost")]
    publish: bool,
    /// Measure nothing: show the costs of an earlier record
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pruned", "cost"])]
    from: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(file) = &args.from {
        say::text(shown::terminal(&read(file)?));
        return Ok(());
    }
    let libraries = matrix::libraries()?;
    if !args.cost {
        tests(&libraries, if args.pruned { Extent::Pruned } else { Extent::Full })?;
    }
    if args.pruned {
        return Ok(());
    }
    let extent = if args.every { Extent::Full } else { Extent::Pruned };
    let programs = cost::programs(&libraries, extent)?;
    if args.build {
        return Ok(());
    }
    let record = costs(&programs)?;
    say::text(shown::terminal(&record));
    write(&record, args.publish)
}

/// The part of BENCHMARKS.md.
pub(crate) fn markdown(record: &Value) -> Option<String> {
    serde_json::from_value(record.clone()).ok().map(|record| shown::markdown(&record))
}

fn costs(programs: &[cost::Program]) -> Result<Record> {
    let started = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    let paths = cost::paths(programs)?;
    Ok(Record {
        kind: KIND.to_owned(),
        schema: SCHEMA,
        started: started.as_secs(),
        command: measure::command(),
        host: machine::host(),
        builds: cost::builds(programs, &paths)?,
        paths,
    })
}

fn write(record: &Record, publish: bool) -> Result<()> {
    let file = record_file::place(KIND, publish);
    record_file::write_json(&file, &serde_json::to_string(record)?)?;
    say!("record: {}", file.display());
    if publish { crate::bench::report::write_markdown() } else { Ok(()) }
}

fn read(file: &Path) -> Result<Record> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let record: Record = serde_json::from_str(&text)
        .with_context(|| format!("{} is no record of features", file.display()))?;
    if record.kind != KIND || record.schema != SCHEMA {
        bail!("{} is of another kind or layout", file.display());
    }
    Ok(record)
}

/// What `ci` runs.
pub(crate) fn pruned() -> Result<()> {
    tests(&matrix::libraries()?, Extent::Pruned)
}

fn tests(libraries: &[Library], extent: Extent) -> Result<()> {
    test::install_nextest()?;
    let mut rows = Vec::new();
    for library in libraries {
        for variant in matrix::variants(library, extent) {
            check(&variant, extent).with_context(|| format!("{} with {}", variant.krate, variant.name()))?;
            rows.push(vec![variant.krate.clone(), variant.name(), "ok".to_owned()]);
        }
    }
    say::text(table::drawn(&["crate", "features", "tests"], rows));
    Ok(())
}

/// Clippy, because code that only some features use shows as a warning; then the tests.
fn check(variant: &Variant, extent: Extent) -> Result<()> {
    if !variant.fences {
        let mut command = cmd::cargo(["clippy", "--all-targets"]);
        cmd::run(command.args(variant.selection()).args(["--", "-D", "warnings"]))?;
    }
    let mut command = cmd::cargo(["nextest", "run", "--no-tests=pass"]);
    command.args(variant.selection());
    if extent == Extent::Pruned && variant.krate == "wyn-sched" {
        command.arg("--lib").args(CHOSEN.iter().flat_map(|name| ["--test", name]));
    }
    if variant.fences {
        command.env(FENCES.0, FENCES.1);
    }
    cmd::run(&mut command)
}
