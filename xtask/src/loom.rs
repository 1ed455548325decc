//! `cargo xtask loom`: the models in each crate's `tests/loom*.rs`, one process per model.
//!
//! They need `--cfg wyn_loom` in every crate, hence a target directory of their own.

use anyhow::{Result, bail};

use crate::{cmd, test};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this crate
    #[arg(value_name = "CRATE")]
    package: Option<String>,
    /// How often a thread may lose the processor against its will; `none` explores everything
    #[arg(long, default_value = "3", value_name = "N")]
    preemptions: String,
    /// Leave a model after this many seconds, explored or not
    #[arg(long, value_name = "SECONDS")]
    max_seconds: Option<u64>,
    /// Only models whose name matches this nextest filter expression
    #[arg(short = 'E', long)]
    filter: Option<String>,
}

impl Args {
    /// What `ci` runs: all models but those named `long_*`, each bounded.
    pub(crate) fn quick() -> Args {
        Args {
            package: None,
            preemptions: "3".to_owned(),
            max_seconds: Some(20),
            filter: Some("not test(/long_/)".to_owned()),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    test::install_nextest()?;
    let mut ran = false;
    for krate in cmd::LIBRARIES {
        if args.package.as_deref().is_some_and(|wanted| wanted != krate) {
            continue;
        }
        let targets = cmd::test_targets(krate, "loom");
        if !targets.is_empty() {
            run_crate(args, krate, &targets)?;
            ran = true;
        }
    }
    if !ran {
        bail!("no tests/loom*.rs found in {}", args.package.as_deref().unwrap_or("any crate"));
    }
    Ok(())
}

fn run_crate(args: &Args, krate: &str, targets: &[String]) -> Result<()> {
    let mut command =
        cmd::cargo(["nextest", "run", "--profile", "loom", "--cargo-profile", "loom", "--no-tests=pass"]);
    command.args(["--package", krate]);
    for target in targets {
        command.args(["--test", target]);
    }
    if let Some(filter) = &args.filter {
        command.args(["-E", filter]);
    }
    command.env("RUSTFLAGS", "--cfg wyn_loom").env("CARGO_TARGET_DIR", cmd::target_dir().join("loom"));
    if args.preemptions != "none" {
        command.env("LOOM_MAX_PREEMPTIONS", &args.preemptions);
    }
    if let Some(seconds) = args.max_seconds {
        command.env("LOOM_MAX_DURATION", seconds.to_string());
    }
    cmd::run(&mut command)
}
