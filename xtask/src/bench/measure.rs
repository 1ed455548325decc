//! A run: what is asked for, what is therefore measured, and the record that comes of it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::ValueEnum as _;
use wyn_bench::record::{Cell, Outcome, Record, SCHEMA};

use super::build::{self, Allocator};
use super::plan::{Group, Mode};
use super::{machine, rounds};

/// Repetitions that a figure worth quoting has.
const REPS: usize = 5;

/// What a user asks for.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// A minute or two of running (the default)
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
    /// Only cells whose `workload/n/grain`, on channels `workload/n/grain/capacity`, matches this expression
    #[arg(long, value_name = "RE")]
    filter: Option<String>,
    /// The global allocator of every Rust backend
    #[arg(long, value_enum, default_value = "system")]
    allocator: Allocator,
    /// Build the probe with every peer, as published records have it: one program for all groups
    #[arg(long)]
    every_peer: bool,
    /// Let the workers be busy together before the cold pass too: then only the memory is cold
    #[arg(long)]
    spread: bool,
    /// Repetitions of each measurement: at least 5 for a figure worth quoting
    #[arg(long, value_name = "N", default_value_t = REPS)]
    reps: usize,
}

impl Options {
    /// Every workload at a tiny size, once.
    pub(crate) fn smoke() -> Options {
        Options {
            quick: false,
            full: false,
            smoke: true,
            backends: Vec::new(),
            workloads: Vec::new(),
            workers: Vec::new(),
            filter: None,
            allocator: Allocator::System,
            every_peer: false,
            spread: false,
            reps: 1,
        }
    }

    /// Whether everything that the mode has is measured, as often as a figure worth quoting needs.
    pub(crate) fn is_whole(&self) -> bool {
        let named = [&self.backends, &self.workloads].iter().any(|names| !names.is_empty());
        !self.smoke
            && !named
            && self.workers.is_empty()
            && self.filter.is_none()
            && !self.spread
            && self.reps >= REPS
    }

    fn mode(&self) -> Mode {
        match (self.full, self.smoke) {
            (true, _) => Mode::Full,
            (_, true) => Mode::Smoke,
            _ => Mode::Quick,
        }
    }

    fn backends(&self, group: Group) -> Result<Vec<String>> {
        if self.backends.is_empty() {
            return Ok(group.backends(self.mode()).into_iter().map(str::to_owned).collect());
        }
        for name in &self.backends {
            group.kind(name)?;
        }
        let all = group.all_backends().iter();
        let named = all.filter(|(name, _)| self.backends.iter().any(|wanted| wanted == name));
        Ok(named.map(|(name, _)| (*name).to_owned()).collect())
    }

    fn cells(&self, group: Group) -> Result<Vec<Cell>> {
        let mode = self.mode();
        let workers = if self.workers.is_empty() { group.workers(mode) } else { self.workers.clone() };
        let mut cells = group.cells(mode, &self.workloads, &workers)?;
        if let Some(filter) = &self.filter {
            let filter = regex_lite::Regex::new(filter).context("--filter is no regular expression")?;
            let all: Vec<String> = cells.iter().map(path).collect();
            cells.retain(|cell| filter.is_match(&path(cell)));
            if cells.is_empty() {
                bail!("nothing to measure: --filter leaves none of {}", all.join(", "));
            }
        }
        if cells.is_empty() {
            bail!("nothing to measure: no cell is left");
        }
        Ok(cells)
    }

    /// What a run of these options measures.
    pub(crate) fn job(&self, group: Group) -> Result<Job> {
        Ok(Job {
            group,
            mode: self.mode(),
            backends: self.backends(group)?,
            cells: self.cells(group)?,
            allocator: self.allocator,
            every_peer: self.every_peer,
            spread: self.spread,
            reps: self.reps.max(1),
        })
    }
}

/// What `--filter` looks at: `spawn_await/100000/0`, `mpmc/2000/0/unbounded`
fn path(cell: &Cell) -> String {
    let capacity = cell.capacity.map(|capacity| format!("/{capacity}")).unwrap_or_default();
    format!("{}/{}/{}{capacity}", cell.workload, cell.n, cell.grain_ns)
}

/// What a run measures.
pub(crate) struct Job {
    pub(crate) group: Group,
    pub(crate) mode: Mode,
    pub(crate) backends: Vec<String>,
    pub(crate) cells: Vec<Cell>,
    pub(crate) allocator: Allocator,
    /// Whether the probe holds every peer, measured or not.
    pub(crate) every_peer: bool,
    pub(crate) spread: bool,
    pub(crate) reps: usize,
}

impl Job {
    /// The same run again: the cells of a record on the backends that it has figures of.
    pub(crate) fn again(record: &Record) -> Result<Job> {
        let group = Group::named(&record.group);
        let mode = Mode::named(&record.mode);
        let allocator = Allocator::from_str(&record.allocator, false).ok();
        let (mut backends, mut cells, mut reps) = (Vec::new(), Vec::new(), 1);
        for entry in &record.entries {
            let Outcome::Measured(samples) = &entry.outcome else { continue };
            reps = reps.max(samples.len());
            if !backends.contains(&entry.backend) {
                backends.push(entry.backend.clone());
            }
            if !cells.contains(&entry.cell) {
                cells.push(entry.cell.clone());
            }
        }
        if cells.is_empty() {
            bail!("the record has no figure to compare with");
        }
        Ok(Job {
            group: group.with_context(|| format!("no group is called {}", record.group))?,
            mode: mode.with_context(|| format!("no mode is called {}", record.mode))?,
            allocator: allocator.with_context(|| format!("no allocator is called {}", record.allocator))?,
            backends,
            cells,
            every_peer: false,
            spread: record.spread,
            reps,
        })
    }

    /// What `run` begins with, so that it needs no time later.
    pub(crate) fn build(&self) -> Result<()> {
        let programs = build::programs(self)?;
        for backend in &self.backends {
            match programs.of(backend) {
                Ok(program) => say!("{backend}: {}", program.display()),
                Err(how) => say!("{backend}: not installed; {how}"),
            }
        }
        Ok(())
    }

    pub(crate) fn run(&self) -> Result<Record> {
        let programs = build::programs(self)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
        let start = Instant::now();
        let entries = rounds::all(&programs, &self.backends, &self.cells, self.reps)?;
        note!("measured in {:.0} s", start.elapsed().as_secs_f64());
        Ok(Record {
            schema: SCHEMA,
            group: self.group.name().to_owned(),
            mode: self.mode.name().to_owned(),
            spread: self.spread,
            started: now.as_secs(),
            command: command(),
            host: machine::host(),
            allocator: self.allocator.name().to_owned(),
            versions: machine::versions(self.group, &self.backends, &programs),
            entries,
        })
    }
}

/// This program's command line, as it is typed.
pub(crate) fn command() -> String {
    let words = std::env::args().skip(1).map(|word| {
        let plain = word.chars().all(|c| c.is_alphanumeric() || "-_=,./".contains(c));
        if plain && !word.is_empty() { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
    });
    ["cargo", "xtask"].map(str::to_owned).into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

/// A wrong answer or a crash fails the command; a peer that hangs is a result.
pub(crate) fn failures(record: &Record) -> Result<()> {
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

/// What `ci` runs: every workload of every group at a tiny size, once, to check the answers.
pub(crate) fn smoke() -> Result<()> {
    for group in Group::ALL {
        let record = Options::smoke().job(group)?.run()?;
        let right = |outcome: &Outcome| matches!(outcome, Outcome::Measured(samples) if !samples.is_empty());
        let checked = record.entries.iter().filter(|entry| right(&entry.outcome)).count();
        note!("bench smoke: {} {checked} answers checked", group.name());
        if checked == 0 {
            bail!("the smoke run measured nothing");
        }
        failures(&record)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::made_up::{entry, record};
    use wyn_bench::record::Entry;

    #[test]
    fn a_filter_sees_capacities_and_names_what_there_is() {
        let left = |filter: &str| {
            Options { filter: Some(filter.to_owned()), ..Options::smoke() }.cells(Group::Channels)
        };
        assert_eq!(left("^mpmc/.*/unbounded$").unwrap().len(), 1);
        let error = left("nothing").unwrap_err().to_string();
        assert!(error.contains("mpmc/2000/0/unbounded"), "{error}");
    }

    #[test]
    fn a_part_of_a_run_is_known_as_one() {
        let whole = || Options { smoke: false, reps: REPS, ..Options::smoke() };
        assert!(whole().is_whole());
        assert!(!Options { filter: Some("seq".to_owned()), ..whole() }.is_whole());
        assert!(!Options { backends: vec!["wyn".to_owned()], ..whole() }.is_whole());
        assert!(!Options { reps: 1, ..whole() }.is_whole());
        assert!(!Options { smoke: true, ..whole() }.is_whole());
    }

    #[test]
    fn a_record_says_how_to_run_it_again() {
        let mut record = record(vec![entry("wyn", 10_000, 1.0), entry("rayon", 10_000, 2.0)]);
        let gone = Outcome::Missing("get it there".to_owned());
        record.entries.push(Entry { outcome: gone, ..entry("go", 10_000, 2.0) });
        let job = Job::again(&record).unwrap();
        assert_eq!((job.group, job.reps, job.cells.len()), (Group::Spawn, 5, 1));
        assert_eq!(job.backends, ["wyn", "rayon"]);
        record.entries.clear();
        assert!(Job::again(&record).is_err());
    }
}
