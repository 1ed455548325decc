//! `cargo xtask launch PROGRAM ARGS…`: becomes the program, in a session of its own with priority.
//!
//! Every probe starts through here, so that foreign peers are treated as ours are.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context, Result};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to run, with its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    wyn_bench::os::own_session();
    // What `process` asks for Rust's threads holds for the others too.
    if let Some(bytes) = std::env::var("RUST_MIN_STACK").ok().and_then(|text| text.parse().ok()) {
        wyn_bench::os::stack_limit(bytes);
    }
    let (program, rest) = args.command.split_first().context("no program given")?;
    Err(Command::new(program).args(rest).exec()).with_context(|| format!("cannot start {program}"))
}
