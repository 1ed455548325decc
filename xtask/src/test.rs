//! `cargo xtask test`: nextest for the code, `cargo test --doc` for the documentation.

use anyhow::{Context, Result};

use crate::cmd;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this crate (may be given several times); without it the whole workspace
    #[arg(short, long = "package", value_name = "CRATE")]
    package: Vec<String>,
    /// The nextest profile: default, ci, stress
    #[arg(short = 'P', long, default_value = "default")]
    profile: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    run_with(&args.package, &args.profile)
}

/// The tests of these crates, or of the workspace if none is named.
pub(crate) fn run_with(packages: &[String], profile: &str) -> Result<()> {
    install_nextest()?;
    let scope = scope(packages);
    cmd::run(cmd::cargo(["nextest", "run", "--no-tests=pass", "--profile", profile]).args(&scope))?;
    cmd::run(cmd::cargo(["test", "--doc"]).args(&scope))
}

/// `-p a -p b`, or `--workspace`.
pub(crate) fn scope(packages: &[String]) -> Vec<String> {
    if packages.is_empty() {
        return vec!["--workspace".to_owned()];
    }
    packages.iter().flat_map(|package| ["--package".to_owned(), package.clone()]).collect()
}

/// Installs cargo-nextest from crates.io when there is none.
pub(crate) fn install_nextest() -> Result<()> {
    if cmd::output_of(&mut cmd::cargo(["nextest", "--version"])).is_some() {
        return Ok(());
    }
    note!("cargo-nextest is missing: installing it (once, some minutes)");
    cmd::run(cmd::cargo(["install", "--locked", "cargo-nextest"]).env_remove("CARGO_TARGET_DIR"))
        .context("cargo-nextest could not be installed")
}
