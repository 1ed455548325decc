//! `cargo xtask stress`: the seeded stress tests, optimised, on all cores and then on one.

use anyhow::Result;

use crate::{cmd, test};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this crate (may be given several times)
    #[arg(short, long = "package", value_name = "CRATE")]
    package: Vec<String>,
    /// Only the long tests: 10^8 messages through every kind of channel, or as many as WYN_SOAK says
    #[arg(long)]
    soak: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    test::install_nextest()?;
    let scope = test::scope(&args.package);
    let words = ["nextest", "run", "--release", "--profile", "stress", "--no-tests=pass"];
    if args.soak {
        return cmd::run(cmd::cargo(words).args(["--run-ignored", "only"]).args(&scope));
    }
    cmd::run(cmd::cargo(words).args(&scope))?;
    if !cmd::on_path("taskset") {
        note!("no taskset here: the run on one core is left out");
        return Ok(());
    }
    // One core brings out what two hide: a spinning thread that keeps the one it waits for from running.
    let cargo = cmd::cargo(words);
    let mut pinned = std::process::Command::new("taskset");
    pinned
        .current_dir(cmd::root())
        .args(["-c", "0"])
        .arg(cargo.get_program())
        .args(cargo.get_args())
        .args(&scope);
    cmd::run(&mut pinned)
}
