//! `cargo xtask count`: instructions of the fast paths, which no noise changes, against limits in the repository.
//!
//! Callgrind counts a program twice, with more and less to do; the difference is what the work costs, and the rest
//! of the program drops out. The limits are in `xtask/fast-paths.txt`.

pub(crate) mod callgrind;
mod limits;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{cmd, say};
use callgrind::Cost;
use limits::Limits;

/// The program whose paths are counted, and where their limits are.
const PROGRAM: &str = "fast_paths";
const LIMITS: &str = "xtask/fast-paths.txt";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write what is counted as the new limits
    #[arg(long)]
    update: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if !cmd::on_path("valgrind") {
        bail!("valgrind is not installed: apt-get install valgrind");
    }
    count(args.update)
}

/// The same, but without valgrind it only says so.
pub(crate) fn run_if_possible() -> Result<()> {
    if cmd::on_path("valgrind") {
        return count(false);
    }
    note!("count: valgrind is not installed; nothing is counted");
    Ok(())
}

fn count(update: bool) -> Result<()> {
    let counted = costs(&build(&["wyn-sched/channel"])?, &[])?;
    let file = cmd::root().join(LIMITS);
    if update {
        std::fs::write(&file, limits::written(&counted))
            .with_context(|| format!("{LIMITS} cannot be written"))?;
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("{LIMITS} cannot be read"))?;
    let limits = Limits::parse(&text).with_context(|| format!("{LIMITS} is not as it should be"))?;
    say::text(limits.table(&counted));
    for hint in limits.loose(&counted) {
        note!("count: {hint}: `cargo xtask count --update` lowers the limit");
    }
    let grown = limits.exceeded(&counted);
    if !grown.is_empty() {
        bail!(
            "{}\nIf that is meant: `cargo xtask count --update`, and say why in the commit",
            grown.join("\n")
        );
    }
    Ok(())
}

/// The program, built as the benchmarks are, with these features of the crates below it.
pub(crate) fn build(features: &[&str]) -> Result<PathBuf> {
    let mut names = vec!["fast-paths"];
    names.extend(features);
    let words = ["build", "--profile", "probe", "--package", "wyn-bench", "--bin", PROGRAM];
    let mut command = cmd::cargo(words);
    command.args(["--no-default-features", "--features", &names.join(",")]);
    cmd::run(&mut command)?;
    Ok(cmd::target_dir().join("probe").join(format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX)))
}

/// The names of the program's paths.
pub(crate) fn paths(program: &Path) -> Result<Vec<String>> {
    let names = cmd::output_of(&mut std::process::Command::new(program));
    let names = names.with_context(|| format!("{} lists no paths", program.display()))?;
    Ok(names.lines().map(str::to_owned).collect())
}

/// What each path costs with these variables set, in the program's order.
pub(crate) fn costs(program: &Path, variables: &[(&str, &str)]) -> Result<Vec<(String, Cost)>> {
    let names = paths(program)?;
    let code = callgrind::Code::of(program)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = names.len().div_ceil(threads).max(1);
    let some = |names: &[String]| -> Result<Vec<Cost>> {
        names.iter().map(|name| callgrind::cost(program, name, variables, &code)).collect()
    };
    let some = &some;
    std::thread::scope(|scope| {
        let running: Vec<_> = names.chunks(share).map(|names| scope.spawn(move || some(names))).collect();
        let mut costs = Vec::new();
        for thread in running {
            costs.extend(thread.join().expect("counting does not panic")?);
        }
        Ok(names.iter().cloned().zip(costs).collect())
    })
}
