//! `cargo xtask bench`: Wyn beside its peers, every answer checked, every measurement a process of its own.
//!
//! | file | what |
//! |---|---|
//! | `plan` | the groups: backends, workloads, sizes |
//! | `build`, `cpp` | the probe with the features it needs, the peers in C, C++ and Go |
//! | `launch`, `process` | one measurement: a session of its own, a time limit, one line of JSON |
//! | `rounds` | interleaved repetitions |
//! | `stats`, `column`, `table`, `render` | medians, then tables |
//! | `machine` | what it was measured on |

mod build;
mod column;
mod cpp;
pub(crate) mod launch;
mod machine;
mod plan;
mod process;
mod render;
mod rounds;
mod stats;
mod table;

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use wyn_bench::record::{Cell, Outcome, Record, SCHEMA};

use self::build::Allocator;
use self::plan::{Group, Mode};
use crate::cmd;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to compare
    #[arg(value_enum, default_value_t)]
    group: Group,
    /// Under a minute of running (the default)
    #[arg(long, conflicts_with_all = ["full", "smoke"])]
    quick: bool,
    /// Everything, up to 10M tasks: what a published record is made with
    #[arg(long, conflicts_with = "smoke")]
    full: bool,
    /// Tiny sizes, once: checks answers and ignores times
    #[arg(long)]
    smoke: bool,
    /// Only these backends
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    backends: Vec<String>,
    /// Only these workloads; `all` for every one
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    workloads: Vec<String>,
    /// Workers of each backend; several for a sweep, as in `--backends wyn --workers 1,2,8,64`
    #[arg(long, value_delimiter = ',', value_name = "NUMBERS")]
    workers: Vec<usize>,
    /// Only cells whose `workload/n/grain` matches this expression
    #[arg(long, value_name = "RE")]
    filter: Option<String>,
    /// The global allocator of every Rust backend
    #[arg(long, value_enum, default_value = "system")]
    allocator: Allocator,
    /// Let the workers be busy together before the cold pass too: then only the memory is cold
    #[arg(long)]
    spread: bool,
    /// Where to write the record; `target/bench/` without it
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Repetitions of each measurement: at least 5 for a figure worth quoting
    #[arg(long, value_name = "N", default_value_t = 5)]
    reps: usize,
    /// Also write the tables into BENCHMARKS.md, between the markers of this mode and allocator
    #[arg(long)]
    markdown: bool,
    /// Measure nothing: show the tables of an earlier record
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

impl Args {
    fn mode(&self) -> Mode {
        match (self.full, self.smoke) {
            (true, _) => Mode::Full,
            (_, true) => Mode::Smoke,
            _ => Mode::Quick,
        }
    }

    fn workers(&self, mode: Mode) -> Vec<usize> {
        if self.workers.is_empty() { self.group.workers(mode) } else { self.workers.clone() }
    }

    fn backends(&self, mode: Mode) -> Result<Vec<String>> {
        if self.backends.is_empty() {
            return Ok(self.group.backends(mode).into_iter().map(str::to_owned).collect());
        }
        for name in &self.backends {
            self.group.kind(name)?;
        }
        let all = self.group.all_backends().iter();
        let named = all.filter(|(name, _)| self.backends.iter().any(|wanted| wanted == name));
        Ok(named.map(|(name, _)| (*name).to_owned()).collect())
    }

    fn cells(&self, mode: Mode) -> Result<Vec<Cell>> {
        let mut cells = self.group.cells(mode, &self.workloads, &self.workers(mode))?;
        if let Some(filter) = &self.filter {
            let filter = regex_lite::Regex::new(filter).context("--filter is no regular expression")?;
            cells.retain(|cell| filter.is_match(&format!("{}/{}/{}", cell.workload, cell.n, cell.grain_ns)));
        }
        if cells.is_empty() {
            bail!("nothing to measure: no cell is left");
        }
        Ok(cells)
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let record = match &args.from {
        Some(file) => read(file)?,
        None => measure(args)?,
    };
    let tables = table::tables(&record);
    print!("{}", render::terminal(&record, &tables));
    if args.from.is_none() {
        write(args, &record)?;
    }
    if args.markdown {
        let name = format!("{}{}-{}", prefix(&record), record.mode, record.allocator);
        render::into_file(&cmd::root().join("BENCHMARKS.md"), &name, &render::markdown(&record, &tables))?;
    }
    failures(&record)
}

/// What `ci` runs: every workload of every group at a tiny size, once, to check the answers.
pub(crate) fn smoke() -> Result<()> {
    for group in Group::ALL {
        let words = ["bench", group.name(), "--smoke", "--reps", "1"];
        let record = measure(&<SmokeCli as clap::Parser>::parse_from(words).args)?;
        let right = |outcome: &Outcome| matches!(outcome, Outcome::Measured(samples) if !samples.is_empty());
        let checked = record.entries.iter().filter(|entry| right(&entry.outcome)).count();
        eprintln!("bench smoke: {} {checked} answers checked", group.name());
        if checked == 0 {
            bail!("the smoke run measured nothing");
        }
        failures(&record)?;
    }
    Ok(())
}

#[derive(clap::Parser)]
struct SmokeCli {
    #[command(flatten)]
    args: Args,
}

fn measure(args: &Args) -> Result<Record> {
    let mode = args.mode();
    let (backends, cells) = (args.backends(mode)?, args.cells(mode)?);
    let programs = build::programs(args.group, mode, &backends, args.allocator, args.spread)?;
    let started = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    let start = Instant::now();
    let entries = rounds::all(&programs, &backends, &cells, args.reps.max(1))?;
    eprintln!("measured in {:.0} s", start.elapsed().as_secs_f64());
    Ok(Record {
        schema: SCHEMA,
        group: args.group.name().to_owned(),
        mode: mode.name().to_owned(),
        spread: args.spread,
        started: started.as_secs(),
        command: command(),
        host: machine::host(),
        allocator: args.allocator.name().to_owned(),
        versions: machine::versions(&backends, &programs),
        entries,
    })
}

/// This program's command line, as it is typed.
fn command() -> String {
    let words = std::env::args().skip(1).map(|word| {
        let plain = word.chars().all(|c| c.is_alphanumeric() || "-_=,./".contains(c));
        if plain && !word.is_empty() { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
    });
    ["cargo", "xtask"].map(str::to_owned).into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

/// What the names of a record's group begin with.
fn prefix(record: &Record) -> &'static str {
    Group::named(&record.group).unwrap_or_default().prefix()
}

fn read(file: &Path) -> Result<Record> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let record: Record =
        serde_json::from_str(&text).with_context(|| format!("{} is no record", file.display()))?;
    if record.schema != SCHEMA {
        bail!("{} has layout {}; this program reads {SCHEMA}", file.display(), record.schema);
    }
    Ok(record)
}

fn write(args: &Args, record: &Record) -> Result<()> {
    let name = format!("{}{}-{}-{}.json", prefix(record), record.mode, record.allocator, record.started);
    let file = args.json.clone().unwrap_or_else(|| cmd::target_dir().join("bench").join(name));
    let text = serde_json::to_string(record).context("the record cannot be written as JSON")?;
    std::fs::write(&file, text + "\n").with_context(|| format!("{} cannot be written", file.display()))?;
    println!("record: {}", file.display());
    Ok(())
}

/// A wrong answer or a crash fails the command; a peer that hangs is a result.
fn failures(record: &Record) -> Result<()> {
    let failed = record.entries.iter().filter_map(|entry| match &entry.outcome {
        Outcome::Failed(what) => {
            Some(format!("{} {} {}: {what}", entry.backend, entry.cell.workload, entry.cell.n))
        }
        Outcome::Hung(seconds) if entry.backend == "wyn" => {
            Some(format!("wyn {} {}: no answer within {seconds} s", entry.cell.workload, entry.cell.n))
        }
        _ => None,
    });
    let failed: Vec<String> = failed.collect();
    if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("\n")) }
}
