//! `cargo xtask ci`: everything that must pass before a change lands, cheapest first.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::{bench, cmd, count, features, loom, test, tidy};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave out the other features, the loom models, the instruction counts and the bench smoke
    #[arg(long)]
    fast: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    step("fmt", || cmd::run(&mut cmd::cargo(["fmt", "--all", "--check"])))?;
    step("tidy", tidy::run)?;
    step("clippy", || cmd::run(&mut cmd::cargo(clippy)))?;
    step("test", || test::run_with(&[], "ci"))?;
    if !args.fast {
        step("features", features::pruned)?;
        step("loom", || loom::run(&loom::Args::quick()))?;
        step("count", count::run_if_possible)?;
        step("bench smoke", bench::smoke)?;
    }
    Ok(())
}

/// Runs one step, and says which it is and how long it took.
fn step(name: &str, body: impl FnOnce() -> Result<()>) -> Result<()> {
    note!("== {name}");
    let start = Instant::now();
    body().with_context(|| format!("ci: {name} failed"))?;
    note!("== {name}: ok, {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}
