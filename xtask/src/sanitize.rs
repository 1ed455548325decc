//! `cargo xtask asan | tsan | chaos`: the libraries' tests under a checker, each in its own target directory.
//!
//! `RUSTC_BOOTSTRAP=1` lets the stable compiler take the `-Z` flags; std itself is not rebuilt, so the
//! thread sanitizer does not see into std's locks, and it does not model fences at all: read its reports
//! with that in mind (`xtask/tsan.supp` names what is known to be noise).

use anyhow::{Result, bail};

use crate::{cmd, test};

/// The crates whose tasks or cells live in `wyn_pool::raw`, unless this feature is on.
const IN_CELLS: [&str; 2] = ["wyn-pool", "wyn-sched"];
const NO_CELLS: &str = "global-alloc";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this crate (may be given several times); without it every library
    #[arg(short, long = "package", value_name = "CRATE")]
    package: Vec<String>,
    /// Also the tests named `stress_*`
    #[arg(long)]
    stress: bool,
}

impl Args {
    fn packages(&self) -> Vec<String> {
        match self.package.as_slice() {
            [] => cmd::LIBRARIES.iter().map(|&name| name.to_owned()).collect(),
            named => named.to_vec(),
        }
    }
}

/// One checker: its compiler flags and the variables its runtime reads.
struct Checker {
    name: &'static str,
    rustflags: &'static str,
    variables: Vec<(&'static str, String)>,
    /// Build for an explicit target, so that build scripts and proc macros stay plain.
    explicit_target: bool,
    /// Leaves out tests that cannot pass under it.
    filter: Option<&'static str>,
}

pub(crate) fn asan(args: &Args) -> Result<()> {
    let options = "detect_stack_use_after_return=1".to_owned();
    let suppressions = cmd::root().join("xtask").join("lsan.supp");
    let leaks = format!("suppressions={}", suppressions.display());
    let checker = Checker {
        name: "asan",
        rustflags: "-Zsanitizer=address --cfg wyn_chaos",
        variables: vec![
            ("RUSTC_BOOTSTRAP", "1".to_owned()),
            ("ASAN_OPTIONS", options),
            ("LSAN_OPTIONS", leaks),
        ],
        explicit_target: true,
        // Its frames are many times larger, it reserves terabytes, and it is right about what is forgotten.
        filter: Some(
            "not (binary(depth) | test(/hundred_thousand|address_space|forgotten|payload_that_panics/))",
        ),
    };
    let packages = args.packages();
    run(args, &packages, &[], &checker)?;
    // A cell that a cache keeps for the next task is no freed memory to it, so once more without the caches.
    let in_cells: Vec<String> =
        packages.into_iter().filter(|name| IN_CELLS.contains(&name.as_str())).collect();
    if in_cells.is_empty() {
        return Ok(());
    }
    run(args, &in_cells, &["--features", NO_CELLS], &checker)
}

pub(crate) fn tsan(args: &Args) -> Result<()> {
    let suppressions = cmd::root().join("xtask").join("tsan.supp");
    let options = format!("halt_on_error=1 enable_adaptive_delay=1 suppressions={}", suppressions.display());
    run(
        args,
        &args.packages(),
        &[],
        &Checker {
            name: "tsan",
            rustflags: "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer",
            variables: vec![("RUSTC_BOOTSTRAP", "1".to_owned()), ("TSAN_OPTIONS", options)],
            explicit_target: true,
            filter: None,
        },
    )
}

pub(crate) fn chaos(args: &Args) -> Result<()> {
    run(
        args,
        &args.packages(),
        &[],
        &Checker {
            name: "chaos",
            rustflags: "--cfg wyn_chaos",
            variables: vec![],
            explicit_target: false,
            filter: None,
        },
    )
}

fn run(args: &Args, packages: &[String], features: &[&str], checker: &Checker) -> Result<()> {
    test::install_nextest()?;
    let mut command =
        cmd::cargo(["nextest", "run", "--cargo-profile", "loom", "--no-tests=pass", "--no-fail-fast"]);
    command.args(["--profile", if args.stress { "ci" } else { "default" }]).args(test::scope(packages));
    command.args(features);
    if checker.explicit_target {
        let Some(host) = host() else { bail!("rustc -vV names no host") };
        command.args(["--target", &host]);
    }
    if let Some(filter) = checker.filter {
        command.args(["-E", filter]);
    }
    command.env("RUSTFLAGS", checker.rustflags).env("CARGO_TARGET_DIR", cmd::target_dir().join(checker.name));
    for (name, value) in &checker.variables {
        command.env(name, value);
    }
    cmd::run(&mut command)
}

/// The triple rustc builds for by default.
fn host() -> Option<String> {
    let text = cmd::output_of(std::process::Command::new("rustc").arg("-vV"))?;
    text.lines().find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
}
