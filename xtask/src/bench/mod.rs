//! `cargo xtask bench`: Wyn beside its peers, every answer checked, every measurement a process of its own.
//!
//! | file | what |
//! |---|---|
//! | `plan` | the groups: backends, workloads, sizes |
//! | `measure`, `rounds`, `progress` | a run: what is asked for, interleaved repetitions, how long yet |
//! | `build`, `cpp` | the probe with the features it needs, the peers in C, C++ and Go |
//! | `launch`, `process` | one measurement: a session of its own, a time limit, one line of JSON |
//! | `machine`, `record_file` | what it was measured on; the files |
//! | `stats`, `noise` | medians, their spread, and which differences are noise |
//! | `column`, `table`, `render` | a workload's table, in the terminal and as Markdown |
//! | `report` | the page, and the generated parts of BENCHMARKS.md and README.md |
//! | `rows`, `cmp`, `rank`, `baseline` | records compared with each other and backends over all rows |

mod baseline;
pub(crate) mod build;
mod cmp;
mod column;
mod cpp;
pub(crate) mod launch;
pub(crate) mod machine;
pub(crate) mod measure;
pub(crate) mod noise;
pub(crate) mod plan;
pub(crate) mod process;
pub(crate) mod progress;
mod rank;
pub(crate) mod record_file;
mod render;
pub(crate) mod report;
mod rounds;
mod rows;
pub(crate) mod stats;
mod table;

use std::path::PathBuf;

use anyhow::{Result, bail};
use wyn_bench::record::Record;

pub(crate) use self::baseline::Regressed;
pub(crate) use self::measure::smoke;
use self::measure::{Options, failures};
use self::plan::Group;
use crate::{cmd, say};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// What to compare
    #[arg(value_enum, default_value_t)]
    group: Group,
    #[command(flatten)]
    options: Options,
    /// Where to write the record; `target/bench/` without it
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Publish the record, with `--from` an earlier one: keep it in wyn-bench/records, under this name if one is
    /// given, and write the generated parts of BENCHMARKS.md and README.md anew
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    publish: Option<String>,
    /// Measure nothing: show the tables of an earlier record
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Measure nothing: only build the programs, and say what is not installed
    #[arg(long, conflicts_with_all = ["from", "publish", "json"])]
    build: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    /// What changed between two records, beyond the noise
    Cmp(cmp::Args),
    /// The backends over all rows of a record
    Rank(rank::Args),
    /// Keep a record, and tell later whether Wyn has become slower
    Baseline(baseline::Args),
    /// Draw records as one page that needs nothing else, or write the tables of the documents anew
    Report(report::Args),
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.command {
        None => bench(args),
        Some(Command::Cmp(args)) => cmp::run(args),
        Some(Command::Rank(args)) => rank::run(args),
        Some(Command::Baseline(args)) => baseline::run(args),
        Some(Command::Report(args)) => report::run(args),
    }
}

fn bench(args: &Args) -> Result<()> {
    if args.build {
        return args.options.job(args.group)?.build();
    }
    if args.from.is_none() && args.publish.as_deref() == Some("") && !args.options.is_whole() {
        bail!("part of a run would take the place of the whole one's record: name it by --publish=NAME");
    }
    let record = match &args.from {
        Some(file) => record_file::read(file)?,
        None => args.options.job(args.group)?.run()?,
    };
    let tables = table::tables(&record);
    say::text(render::terminal(&record, &tables, width()));
    if args.from.is_none() {
        let file = args.json.clone().unwrap_or_else(|| target_file(&record));
        record_file::write(&file, &record)?;
        say!("record: {}", file.display());
    }
    failures(&record)?;
    if let Some(name) = &args.publish {
        let name = if name.is_empty() { published_name(&record) } else { name.clone() };
        let file = record_file::directory().join(format!("{name}.json"));
        record_file::write(&file, &record)?;
        say!("published: {}", file.display());
        report::write_markdown()?;
    }
    Ok(())
}

/// Of the terminal, if one shows what is printed.
fn width() -> Option<usize> {
    let terminal = console::Term::stdout();
    terminal.is_term().then(|| usize::from(terminal.size().1))
}

/// What the names of a record's group begin with.
fn prefix(record: &Record) -> &'static str {
    Group::named(&record.group).unwrap_or_default().prefix()
}

/// `fork-join-full-system`
fn published_name(record: &Record) -> String {
    format!("{}{}-{}", prefix(record), record.mode, record.allocator)
}

fn target_file(record: &Record) -> PathBuf {
    cmd::target_dir().join("bench").join(format!("{}-{}.json", published_name(record), record.started))
}
