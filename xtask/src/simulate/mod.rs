//! `cargo xtask simulate`: what more processors than this machine has would do, as a prediction.
//!
//! The model is `wyn_bench::simulate`; it and what it is fed with are in a program of their own, built for speed.

mod shown;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use wyn_bench::simulate::record::{KIND, Record, SCHEMA};

use crate::bench::{machine, measure, record_file};
use crate::{cmd, say};

/// The part of BENCHMARKS.md.
pub(crate) fn markdown(record: &Value) -> Option<String> {
    serde_json::from_value(record.clone()).ok().map(|record| shown::markdown(&record))
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Measure what the model is fed with, and the workloads on 1 and 2 processors, anew: half a minute on a quiet
    /// machine. Without it, both are those of the published record
    #[arg(long)]
    measure: bool,
    /// Leaves, tasks and iterations of each curve, about
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    tasks: u64,
    /// Keep the record in wyn-bench/records and write BENCHMARKS.md anew
    #[arg(long)]
    publish: bool,
    /// Run nothing: show an earlier record
    #[arg(long, value_name = "FILE", conflicts_with_all = ["measure", "publish"])]
    from: Option<PathBuf>,
    /// Only build the program
    #[arg(long, conflicts_with_all = ["from", "publish"])]
    build: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(file) = &args.from {
        say::text(shown::terminal(&read(file)?));
        return Ok(());
    }
    if args.build {
        return program().map(drop);
    }
    let published = record_file::place(KIND, true);
    let record = simulated(args, &published)?;
    say::text(shown::terminal(&record));
    let file = record_file::place(KIND, args.publish);
    write(&file, &record)?;
    if args.publish { crate::bench::report::write_markdown() } else { Ok(()) }
}

/// Builds the program that holds the model.
fn program() -> Result<PathBuf> {
    cmd::run(&mut cmd::cargo(["build", "--profile", "probe", "-p", "wyn-bench", "--bin", "simulate"]))?;
    Ok(cmd::target_dir().join("probe").join(format!("simulate{}", std::env::consts::EXE_SUFFIX)))
}

/// Runs it.
fn simulated(args: &Args, published: &Path) -> Result<Record> {
    let mut command = Command::new(program()?);
    command.args(["--tasks", &args.tasks.to_string()]).stderr(Stdio::inherit());
    if args.measure {
        command.arg("--measure");
    } else if published.exists() {
        command.arg("--from").arg(published);
    } else {
        bail!("there is no {} whose costs could be taken: --measure", published.display());
    }
    let output = command.output().context("the simulator cannot be started")?;
    if !output.status.success() {
        bail!("the simulator ended with {}", output.status);
    }
    let mut record: Record =
        serde_json::from_slice(&output.stdout).context("the simulator printed no record")?;
    if args.measure {
        record.host = machine::host();
        record.command = measure::command();
        record.started = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    }
    Ok(record)
}

fn read(file: &Path) -> Result<Record> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let record: Record =
        serde_json::from_str(&text).with_context(|| format!("{} is no simulation", file.display()))?;
    if record.kind != KIND || record.schema != SCHEMA {
        bail!("{} is of another kind or layout", file.display());
    }
    Ok(record)
}

fn write(file: &Path, record: &Record) -> Result<()> {
    record_file::write_json(file, &serde_json::to_string(record)?)?;
    say!("record: {}", file.display());
    Ok(())
}
