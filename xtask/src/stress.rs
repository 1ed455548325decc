//! `cargo xtask stress`: the seeded stress tests, optimised, on all cores and then on one; with `--programs`, random
//! programs only.

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
    /// Only random programs of tasks that wait for each other, so many of them
    #[arg(long, value_name = "N", conflicts_with_all = ["soak", "package"])]
    programs: Option<u64>,
}

/// The test that runs random programs, by the name that nextest knows.
const RANDOM_PROGRAMS: [&str; 6] =
    ["--package", "wyn-sched", "--test", "random_programs", "-E", "test(=stress_random_programs)"];

pub(crate) fn run(args: &Args) -> Result<()> {
    test::install_nextest()?;
    let scope = match args.programs {
        Some(_) => RANDOM_PROGRAMS.map(str::to_owned).to_vec(),
        None => test::scope(&args.package),
    };
    let count = args.programs.map(|programs| ("WYN_PROGRAMS", programs.to_string()));
    let words = ["nextest", "run", "--release", "--profile", "stress", "--no-tests=pass"];
    if args.soak {
        return cmd::run(cmd::cargo(words).args(["--run-ignored", "only"]).args(&scope));
    }
    cmd::run(cmd::cargo(words).args(&scope).envs(count.clone()))?;
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
        .args(&scope)
        .envs(count);
    cmd::run(&mut pinned)
}
