//! The commands of this workspace: one file per command, dispatched here.
//!
//! `cargo xtask help` lists them; `.ci/run` is `cargo xtask ci` and nothing else.

#![deny(clippy::print_stdout, clippy::print_stderr)]

// First: the modules below use its macros.
#[macro_use]
mod say;

mod allocators;
mod bench;
mod ci;
mod cmd;
mod count;
mod features;
mod loom;
mod mutants;
mod publish;
mod sanitize;
mod simulate;
mod stress;
mod table;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "The commands of this workspace",
    disable_help_subcommand = false
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure Wyn beside its peers: every answer checked, every measurement a process of its own
    Bench(Box<bench::Args>),
    /// Compare allocators, and Wyn with and without its own memory for tasks
    Allocators(allocators::Args),
    /// Make every published record anew, or only build what that needs
    Publish(publish::Args),
    /// Run every test: nextest for the workspace (installed if missing), then the doctests
    Test(test::Args),
    /// Check what the compiler cannot: SAFETY and Ordering comments, file sizes, where atomics are named
    Tidy,
    /// Run the loom models: every interleaving of the small protocols
    Loom(loom::Args),
    /// Run the seeded stress tests, on all cores and on one
    Stress(stress::Args),
    /// Run the tests under AddressSanitizer and LeakSanitizer
    Asan(sanitize::Args),
    /// Run the tests under ThreadSanitizer
    Tsan(sanitize::Args),
    /// Run the tests with random yields around every atomic operation
    Chaos(sanitize::Args),
    /// Count the instructions, locks and fences of the fast paths under callgrind, against their limits
    Count(count::Args),
    /// Try the combinations of features: clippy, tests, and what each costs
    Features(features::Args),
    /// Weaken the lock-free code in one place at a time, and show which test dies
    Mutants(mutants::Args),
    /// Predict speed-up on more processors than there are here, from costs measured here
    Simulate(simulate::Args),
    /// Everything that must pass before a change lands
    Ci(ci::Args),
    /// Start a program in a session of its own with the machine's attention (used by `bench`)
    #[command(hide = true)]
    Launch(bench::launch::Args),
}

/// How `bench baseline check` ends where Wyn has become slower.
const REGRESSED: u8 = 3;

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note!("error: {error:#}");
            if error.is::<bench::Regressed>() { ExitCode::from(REGRESSED) } else { ExitCode::FAILURE }
        }
    }
}

fn dispatch() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Bench(args) => bench::run(&args),
        Command::Allocators(args) => allocators::run(&args),
        Command::Publish(args) => publish::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Tidy => tidy::run(),
        Command::Loom(args) => loom::run(&args),
        Command::Stress(args) => stress::run(&args),
        Command::Asan(args) => sanitize::asan(&args),
        Command::Tsan(args) => sanitize::tsan(&args),
        Command::Chaos(args) => sanitize::chaos(&args),
        Command::Count(args) => count::run(&args),
        Command::Features(args) => features::run(&args),
        Command::Mutants(args) => mutants::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Ci(args) => ci::run(&args),
        Command::Launch(args) => bench::launch::run(&args),
    }
}
