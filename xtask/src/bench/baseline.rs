//! `cargo xtask bench baseline`: is Wyn slower than it was when the baseline was saved?
//!
//! `check` measures the baseline's own cells again, interleaved on the same backends, allocator and number of
//! repetitions. What is worse than the threshold and the noise is measured a second time, and is a regression only
//! if it is so again. The other backends are the control: if they moved as well, the machine did.

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use wyn_bench::record::Record;

use super::cmp::{self, Change};
use super::measure::{Job, Options, failures};
use super::noise::geometric_mean;
use super::plan::Group;
use super::record_file;
use super::table::{OURS, factor};
use crate::table::with_words;
use crate::{cmd, say};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Measure, and keep the record to compare with
    Save(Save),
    /// Measure the same again; ends with code 3 if Wyn is worse beyond the noise and the threshold
    Check(Check),
}

#[derive(clap::Args)]
struct Save {
    /// A name, kept under target/bench/baselines, or a path that ends with .json
    #[arg(default_value = "default")]
    name: String,
    /// What to measure
    #[arg(long, value_enum, default_value_t)]
    group: Group,
    /// Measure nothing: keep this record
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

#[derive(clap::Args)]
struct Check {
    /// The name or path it was saved as
    #[arg(default_value = "default")]
    name: String,
    /// How much worse is still no regression: 10%, or 0.1
    #[arg(long, default_value = "10%", value_parser = share)]
    threshold: f64,
    /// Measure nothing: judge this record
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

/// Wyn is worse than its baseline.
#[derive(Debug)]
pub(crate) struct Regressed(usize);

impl Display for Regressed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} regressions beyond the noise and the threshold", self.0)
    }
}

impl std::error::Error for Regressed {}

pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Save(save) => run_save(save),
        Command::Check(check) => run_check(check),
    }
}

fn run_save(args: &Save) -> Result<()> {
    let record = match &args.from {
        Some(file) => record_file::read(file)?,
        None => args.options.job(args.group)?.run()?,
    };
    failures(&record)?;
    let file = file(&args.name);
    record_file::write(&file, &record)?;
    say!("baseline: {}", file.display());
    Ok(())
}

fn run_check(args: &Check) -> Result<()> {
    let saved = file(&args.name);
    let baseline =
        record_file::read(&saved).context("there is no such baseline: `cargo xtask bench baseline save`")?;
    let record = match &args.from {
        Some(file) => record_file::read(file)?,
        None => Job::again(&baseline)?.run()?,
    };
    failures(&record)?;
    for warning in cmp::differences(&baseline, &record) {
        say!("warning: {warning}");
    }
    let first = cmp::changes(&baseline, &record)?;
    let mut worse: Vec<&Change> = regressions(&first, args.threshold);
    let again = if worse.is_empty() || args.from.is_some() {
        None
    } else {
        Some(repeat(&baseline, &record, &worse)?)
    };
    if let Some(again) = &again {
        let second = cmp::changes(&baseline, again)?;
        let still = regressions(&second, args.threshold);
        worse.retain(|change| still.iter().any(|other| other.row == change.row));
    }
    say::text(verdict(&first, &worse, args.threshold));
    if worse.is_empty() { Ok(()) } else { Err(anyhow!(Regressed(worse.len()))) }
}

/// Wyn's changes for the worse, beyond the noise and the threshold.
fn regressions(changes: &[Change], threshold: f64) -> Vec<&Change> {
    let worse = |change: &&Change| change.ratio.is_change() && change.ratio.value > 1.0 + threshold;
    changes.iter().filter(|change| change.backend == OURS).filter(worse).collect()
}

/// Measures the cells again in which something got worse.
fn repeat(baseline: &Record, record: &Record, worse: &[&Change]) -> Result<Record> {
    say!("{} rows look worse: measured once more", worse.len());
    let mut job = Job::again(baseline)?;
    let rows = super::rows::rows(record, &[super::column::Role::Main, super::column::Role::Side]);
    let suspects = rows.iter().filter(|row| worse.iter().any(|change| change.row == row.name()));
    let workloads: Vec<&str> = suspects.map(|row| row.workload).collect();
    job.cells.retain(|cell| workloads.contains(&cell.workload.as_str()));
    let again = job.run()?;
    failures(&again)?;
    Ok(again)
}

fn verdict(changes: &[Change], worse: &[&Change], threshold: f64) -> String {
    let header = ["backend", "row", "before", "after", "after / before", "noise", ""];
    let lines = worse.iter().map(|change| cmp::line(change));
    let mut text = if worse.is_empty() { String::new() } else { with_words(&header, 2, lines) };
    let main = |ours: bool| {
        let chosen = changes.iter().filter(move |change| change.main && (change.backend == OURS) == ours);
        geometric_mean(chosen.map(|change| change.ratio.value)).map_or_else(|| "-".to_owned(), factor)
    };
    let unknown =
        changes.iter().filter(|change| change.backend == OURS && change.ratio.noise.is_none()).count();
    text += &format!("wyn after / before, geometric mean of the main figures: {}", main(true));
    text += &format!("; the other backends, as a control: {}\n", main(false));
    if unknown > 0 {
        text += &format!("{unknown} figures cannot be judged: fewer than 3 repetitions\n");
    }
    text + &format!("{} regressions beyond the noise and {:.0} %\n", worse.len(), threshold * 100.0)
}

/// Where a baseline of that name lies.
fn file(name: &str) -> PathBuf {
    if name.contains('/') || name.ends_with(".json") {
        return PathBuf::from(name);
    }
    cmd::target_dir().join("bench/baselines").join(format!("{name}.json"))
}

/// `10%` or `0.1` as a share.
fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.trim().strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 0.01),
        None => (text.trim(), 1.0),
    };
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value * unit),
        _ => Err("a share such as 10% or 0.1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::made_up::{entry, record};

    fn at(wyn: f64, rayon: f64) -> Record {
        record(vec![entry(OURS, 10_000, wyn), entry("rayon", 10_000, rayon)])
    }

    /// Saves one record as a file of this test's own, and checks another against it.
    fn check(test: &str, before: &Record, after: &Record, threshold: f64) -> Result<()> {
        let dir = std::env::temp_dir().join(format!("wyn-baseline-{test}-{}", std::process::id()));
        let path = |name: &str| dir.join(name);
        record_file::write(&path("new.json"), after).unwrap();
        record_file::write(&path("old.json"), before).unwrap();
        let name = path("baseline.json").to_string_lossy().into_owned();
        let save = Save {
            name: name.clone(),
            group: Group::Spawn,
            from: Some(path("old.json")),
            options: Options::smoke(),
        };
        run_save(&save).unwrap();
        let result = run_check(&Check { name, threshold, from: Some(path("new.json")) });
        std::fs::remove_dir_all(&dir).unwrap();
        result
    }

    #[test]
    fn a_regression_is_an_error_of_its_own_kind() {
        let error = check("worse", &at(10.0, 50.0), &at(13.0, 50.0), 0.1).unwrap_err();
        assert!(error.is::<Regressed>(), "{error}");
    }

    #[test]
    fn a_threshold_a_gain_and_a_peers_loss_are_none() {
        assert!(check("threshold", &at(10.0, 50.0), &at(13.0, 50.0), 0.5).is_ok());
        assert!(check("gain", &at(10.0, 50.0), &at(5.0, 50.0), 0.1).is_ok());
        assert!(check("peer", &at(10.0, 50.0), &at(10.0, 90.0), 0.1).is_ok());
    }

    #[test]
    fn a_baseline_that_is_not_there_is_an_error_of_another_kind() {
        let check = Check { name: "/nowhere/at-all.json".to_owned(), threshold: 0.1, from: None };
        let error = run_check(&check).unwrap_err();
        assert!(!error.is::<Regressed>() && error.to_string().contains("baseline save"), "{error}");
    }

    #[test]
    fn shares() {
        assert_eq!((share("10%"), share("0.25"), share(" 5 % ")), (Ok(0.1), Ok(0.25), Ok(0.05)));
        assert!(share("much").is_err() && share("-1%").is_err() && share("NaN").is_err());
    }

    #[test]
    fn names_and_paths() {
        assert!(file("before").ends_with("bench/baselines/before.json"));
        assert_eq!(file("somewhere/x"), PathBuf::from("somewhere/x"));
        assert_eq!(file("x.json"), PathBuf::from("x.json"));
    }
}
