//! `cargo xtask publish`: every published record anew, in one go, on a machine that does nothing else.
//!
//! Each record is made by a command of its own, which the record names, so that anybody can repeat one alone. A
//! command that fails does not end the others; they are named when all have run.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::bench::record_file;
use crate::{cmd, say};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The long form of every group, up to 10M tasks
    #[arg(long)]
    full: bool,
    /// Only these records, by the names that `--list` shows
    #[arg(long, value_delimiter = ',', value_name = "RECORDS")]
    only: Vec<String>,
    /// Only build what the commands need: the builds take longer than the measurements, and need no quiet machine
    #[arg(long)]
    build: bool,
    /// Only list the records and the commands that make them
    #[arg(long, conflicts_with = "build")]
    list: bool,
}

/// A published record.
struct Step {
    /// Its file in wyn-bench/records, without the ending.
    record: &'static str,
    extent: Extent,
    /// The command that makes it.
    words: &'static str,
    /// How long that takes where everything is built; on two processors.
    about_seconds: u64,
}

/// In which form a record is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Quick,
    Full,
    Both,
}

const fn step(record: &'static str, extent: Extent, words: &'static str, about_seconds: u64) -> Step {
    Step { record, extent, words, about_seconds }
}

/// In the order in which they are made.
const STEPS: [Step; 22] = {
    use Extent::{Both, Full, Quick};
    [
        step("quick-system", Quick, "bench spawn --every-peer --publish", 80),
        step("quick-mimalloc", Quick, "bench spawn --every-peer --allocator mimalloc --publish", 80),
        step("full-system", Full, "bench spawn --every-peer --full --publish", 1200),
        step("full-mimalloc", Full, "bench spawn --every-peer --full --allocator mimalloc --publish", 1200),
        step(
            "single-workloads-system",
            Quick,
            "bench spawn --every-peer --full --workloads grain,speedup,wake,idle --publish=single-workloads-system",
            250,
        ),
        step(
            "sizes-system",
            Quick,
            "bench spawn --every-peer --full --workloads spawn_await,pending --publish=sizes-system",
            300,
        ),
        step(
            "workers-system",
            Both,
            "bench spawn --every-peer --backends wyn,rayon,tokio,async_executor --workloads spawn_await --filter /100000/ \
             --workers 1,2,4,8,16,32,64 --publish=workers-system",
            30,
        ),
        step("fork-join-quick-system", Quick, "bench fork-join --every-peer --publish", 130),
        step(
            "fork-join-more-system",
            Quick,
            "bench fork-join --every-peer --workloads matmul,uts_bin,quicksort,lopsided,lopsided_l,par_for_in \
             --publish=fork-join-more-system",
            150,
        ),
        step(
            "fork-join-sizes-system",
            Quick,
            "bench fork-join --every-peer --full --reps 3 --backends wyn,rayon,chili,forte,libfork,toomanycooks,onetbb,taskflow \
             --workloads fib,skynet,nqueens --filter /(39|40|13|10000000)/ --publish=fork-join-sizes-system",
            700,
        ),
        step("fork-join-full-system", Full, "bench fork-join --every-peer --full --publish", 2400),
        step("channels-quick-system", Quick, "bench channels --every-peer --publish", 170),
        step("channels-full-system", Full, "bench channels --every-peer --full --publish", 1500),
        step("pool-quick-system", Quick, "bench pool --every-peer --publish", 10),
        step("pool-full-system", Full, "bench pool --every-peer --full --publish", 60),
        step("deque-quick-system", Quick, "bench deque --every-peer --publish", 25),
        step("deque-full-system", Full, "bench deque --every-peer --full --publish", 100),
        step("future-quick-system", Quick, "bench future --every-peer --publish", 10),
        step("future-full-system", Full, "bench future --every-peer --full --publish", 60),
        step("allocators", Both, "allocators --publish", 60),
        step("features", Both, "features --cost --publish", 180),
        step("simulation", Both, "simulate --measure --publish", 90),
    ]
};

pub(crate) fn run(args: &Args) -> Result<()> {
    let steps = chosen(args)?;
    if args.list {
        say::text(list(&steps));
        return Ok(());
    }
    let mut failed = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        note!("== {} of {}: {}", index + 1, steps.len(), step.record);
        let start = Instant::now();
        let done = perform(step, args.build);
        let how = if done.is_ok() { "ok" } else { "failed" };
        note!("== {}: {how}, {:.0} s", step.record, start.elapsed().as_secs_f64());
        failed.extend(done.err().map(|error| format!("{}: {error:#}", step.record)));
    }
    for other in others(&record_file::published()?) {
        note!("{other} is published, but made by no command of these: repeat it or remove it");
    }
    if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("\n")) }
}

fn chosen(args: &Args) -> Result<Vec<&'static Step>> {
    let wanted = if args.full { Extent::Full } else { Extent::Quick };
    if args.only.is_empty() {
        return Ok(STEPS.iter().filter(|step| [wanted, Extent::Both].contains(&step.extent)).collect());
    }
    let named = |name: &String| {
        let found = STEPS.iter().find(|step| step.record == name);
        found.with_context(|| format!("no record is called {name}: `cargo xtask publish --list`"))
    };
    args.only.iter().map(named).collect()
}

/// Runs a step's command as its own process: the record names what was typed.
fn perform(step: &Step, build: bool) -> Result<()> {
    let mut command = Command::new(cmd::this_program()?);
    command.args(step.words.split(' ').filter(|word| !build || !word.starts_with("--publish")));
    if build {
        command.arg("--build");
    }
    cmd::run(&mut command)
}

fn list(steps: &[&Step]) -> String {
    let line = |step: &&Step| {
        format!("{}, about {} s\n    cargo xtask {}\n", step.record, step.about_seconds, step.words)
    };
    let lines: String = steps.iter().map(line).collect();
    let total: u64 = steps.iter().map(|step| step.about_seconds).sum();
    format!("{lines}all of them: about {} min on two processors, builds left out\n", total.div_ceil(60))
}

/// Published records that no step makes.
fn others(published: &[PathBuf]) -> Vec<String> {
    let names = published.iter().filter_map(|file| file.file_stem()?.to_str());
    names.filter(|name| !STEPS.iter().any(|step| step.record == *name)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::Cli;

    fn args(full: bool, only: &[&str]) -> Args {
        let only = only.iter().map(|name| (*name).to_owned()).collect();
        Args { full, only, build: false, list: false }
    }

    #[test]
    fn every_command_is_one() {
        for step in &STEPS {
            let typed = |more: Option<&'static str>| {
                let words =
                    step.words.split(' ').filter(|word| more.is_none() || !word.starts_with("--publish"));
                Cli::try_parse_from(["xtask"].into_iter().chain(words).chain(more))
            };
            for more in [None, Some("--build")] {
                assert!(typed(more).is_ok(), "{}: {:?}", step.record, typed(more).err());
            }
        }
    }

    #[test]
    fn records_are_made_once_in_each_form() {
        for full in [false, true] {
            let steps = chosen(&args(full, &[])).unwrap();
            let mut names: Vec<&str> = steps.iter().map(|step| step.record).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), steps.len());
            assert!(names.contains(&"simulation") && names.contains(&"workers-system"));
            assert_eq!(names.contains(&"full-mimalloc"), full);
        }
        assert_eq!(chosen(&args(false, &["full-system"])).unwrap().len(), 1);
        assert!(chosen(&args(false, &["nonsense"])).is_err());
    }

    #[test]
    fn a_record_that_nothing_makes_is_named() {
        let files = ["records/quick-system.json", "records/odd.json"].map(PathBuf::from);
        assert_eq!(others(&files), ["odd"]);
    }

    #[test]
    fn the_list_shows_what_to_type() {
        let text = list(&chosen(&args(false, &["features"])).unwrap());
        assert!(
            text.contains("cargo xtask features --cost --publish") && text.contains("about 3 min"),
            "{text}"
        );
    }
}
