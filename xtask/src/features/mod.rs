//! `cargo xtask features`: every combination of features builds without a warning and passes its tests, and shows
//! what it costs.
//!
//! The features are read from the crates' manifests, so that a new one is in the matrix at once. Beside them stands
//! `fences`: `WYN_NO_MEMBARRIER`, under which the barriers between a thief and its victim are symmetric. Which deque is
//! used is no feature: `cargo xtask count` and `bench deque` show both.

mod cost;
mod matrix;

use anyhow::{Context, Result};

use crate::{cmd, table, test};
use matrix::{Extent, Library, Variant};

/// What the crates read at run time in place of a feature.
const FENCES: (&str, &str) = ("WYN_NO_MEMBARRIER", "1");
/// Test binaries of the scheduler that the pruned form runs; its others wait and sleep for the most part.
const CHOSEN: [&str; 5] = ["basic", "fork", "handle", "panic", "scope"];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Each feature alone, none and all: clippy for each, and the tests that tell most
    #[arg(long)]
    pruned: bool,
    /// Only what each feature costs, in instructions and nanoseconds
    #[arg(long, conflicts_with = "pruned")]
    cost: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let libraries = matrix::libraries()?;
    if !args.cost {
        tests(&libraries, if args.pruned { Extent::Pruned } else { Extent::Full })?;
    }
    if args.pruned { Ok(()) } else { cost::show(&libraries) }
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
    print!("{}", table::drawn(&["crate", "features", "tests"], rows));
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
