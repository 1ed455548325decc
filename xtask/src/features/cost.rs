//! Measures what each feature costs on the fast paths: instructions, which are exact, and nanoseconds, which are not.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use wyn_bench::features::{Build, Cost};

use super::FENCES;
use super::matrix::{self, Extent, Library, Variant};
use crate::cmd;
use crate::count;

/// How often every path is timed on every program, in turn; the least counts.
const ROUNDS: usize = 3;

/// A program with one set of features.
pub(super) struct Program {
    name: String,
    variant: Variant,
    file: PathBuf,
}

/// The program with each set of features that is measured.
pub(super) fn programs(libraries: &[Library], extent: Extent) -> Result<Vec<Program>> {
    let sched = libraries.iter().find(|library| library.name == "wyn-sched");
    let measured = matrix::measured(sched.context("wyn-sched has no features")?, extent);
    measured.into_iter().map(|(name, variant)| program(name, variant)).collect()
}

/// The program, kept under a name of its own: the next build takes its place.
fn program(name: String, variant: Variant) -> Result<Program> {
    let features: Vec<String> = variant.features.iter().map(|f| format!("wyn-sched/{f}")).collect();
    let features: Vec<&str> = features.iter().map(String::as_str).collect();
    let built = count::build(&features)?;
    let directory = cmd::target_dir().join("bench");
    let words = name.replace('+', "with-").replace('-', "").replace(' ', "_");
    let file = directory.join(format!("fast_paths-{words}"));
    std::fs::create_dir_all(&directory)?;
    std::fs::copy(&built, &file).with_context(|| format!("{} cannot be kept", file.display()))?;
    Ok(Program { name, variant, file })
}

/// What every path costs on every program.
pub(super) fn builds(programs: &[Program], paths: &[String]) -> Result<Vec<Build>> {
    let mut builds: Vec<Build> = programs.iter().map(counted).collect::<Result<_>>()?;
    for round in 0..ROUNDS {
        for (index, path) in paths.iter().enumerate() {
            note!("round {} of {ROUNDS}: {path}", round + 1);
            // Each path and round begins with another program: whoever is first finds the processor at rest.
            let first = (round * programs.len() / ROUNDS + index) % programs.len().max(1);
            for place in (first..programs.len()).chain(0..first) {
                let (program, cost) = (&programs[place], &mut builds[place].costs[index]);
                cost.ns = cost.ns.min(nanoseconds(&program.file, path, variables(&program.variant))?);
            }
        }
    }
    Ok(builds)
}

/// The instructions of every path; no time yet.
fn counted(program: &Program) -> Result<Build> {
    let counted = if cmd::on_path("valgrind") {
        note!("counting: {}", program.name);
        let costs = count::costs(&program.file, variables(&program.variant))?;
        costs.into_iter().map(|(_, cost)| Some(cost.instructions)).collect()
    } else {
        vec![None; count::paths(&program.file)?.len()]
    };
    let costs = counted.into_iter().map(|instructions| Cost { instructions, ns: f64::INFINITY });
    Ok(Build { name: program.name.clone(), costs: costs.collect() })
}

/// The names of the paths, which all programs have alike.
pub(super) fn paths(programs: &[Program]) -> Result<Vec<String>> {
    count::paths(&programs.first().context("no program was built")?.file)
}

fn variables(variant: &Variant) -> &'static [(&'static str, &'static str)] {
    if variant.fences { &[FENCES] } else { &[] }
}

fn nanoseconds(program: &Path, path: &str, variables: &[(&str, &str)]) -> Result<f64> {
    let mut command = Command::new(program);
    command.args(["time", path]).envs(variables.iter().copied());
    let text = cmd::output_of(&mut command).with_context(|| format!("{path} cannot be timed"))?;
    text.parse().with_context(|| format!("{path} took `{text}`"))
}
