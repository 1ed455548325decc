//! `cargo xtask mutants`: weakens the lock-free code in one place at a time, in a copy, and shows which test dies.
//!
//! The scripts lie beside the tests they question. A mutant that survives is a place that no test sees.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{cmd, test};

/// Crate, script, and how it is run.
const SCRIPTS: [(&str, &str, &str); 6] = [
    ("wyn-pool", "tests/mutants.py", "python3"),
    ("wyn-deque", "tests/mutants.sh", "sh"),
    ("wyn-deque", "tests/split_mutants.sh", "sh"),
    ("wyn-future", "tests/slab_mutants.sh", "sh"),
    ("wyn-sched", "tests/loom_sleep_mutants.sh", "sh"),
    ("wyn-channel", "tests/mutants.sh", "sh"),
];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this crate
    #[arg(value_name = "CRATE")]
    package: Option<String>,
    /// Only mutants of these names, where a script takes names
    #[arg(value_name = "MUTANT")]
    names: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    test::install_nextest()?;
    let mut survivors = Vec::new();
    for (krate, script, shell) in SCRIPTS {
        let path = cmd::root().join(krate).join(script);
        if args.package.as_deref().is_some_and(|wanted| wanted != krate) || !path.is_file() {
            continue;
        }
        let mut command = Command::new(shell);
        command.current_dir(cmd::root()).arg(&path).args(&args.names);
        if cmd::run(&mut command).is_err() {
            survivors.push(format!("{krate}/{script}"));
        }
    }
    if !survivors.is_empty() {
        bail!("mutants survive, or a script fails: {}", survivors.join(", "));
    }
    Ok(())
}
