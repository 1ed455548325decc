//! What each feature costs on the fast paths: instructions, which are exact, and nanoseconds, which are not.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::FENCES;
use super::matrix::{self, Library, Variant};
use crate::count::{self, callgrind};
use crate::{cmd, table};

/// Differences below these are not shown.
const INSTRUCTIONS: f64 = 0.5;
const NANOSECONDS_SHARE: f64 = 0.05;

/// One path under one variant.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cost {
    /// `None` without valgrind.
    instructions: Option<f64>,
    nanoseconds: f64,
}

/// Builds the program with each feature changed, measures it, and prints the differences.
pub(super) fn show(libraries: &[Library]) -> Result<()> {
    let sched = libraries.iter().find(|library| library.name == "wyn-sched");
    let toggles = matrix::toggles(sched.context("wyn-sched has no features")?);
    let mut programs = Vec::new();
    for (name, variant) in &toggles {
        programs.push(program(name, variant)?);
    }
    let paths = count::paths(&programs[0])?;
    let mut columns = Vec::new();
    for ((name, variant), program) in toggles.iter().zip(&programs) {
        columns.push((name.as_str(), costs(program, &paths, variant)?));
    }
    let header: Vec<&str> = std::iter::once("path").chain(columns.iter().map(|column| column.0)).collect();
    println!("instructions and ns per operation; of each change, the difference to the default");
    print!("{}", table::drawn(&header, rows(&paths, &columns)));
    println!(
        "`=`: less than {INSTRUCTIONS} instructions and {:.0} % of the time; times need a quiet machine",
        100.0 * NANOSECONDS_SHARE
    );
    Ok(())
}

/// The program, kept under a name of its own: the next build takes its place.
fn program(name: &str, variant: &Variant) -> Result<PathBuf> {
    let features: Vec<String> = variant.features.iter().map(|f| format!("wyn-sched/{f}")).collect();
    let features: Vec<&str> = features.iter().map(String::as_str).collect();
    let built = count::build(&features)?;
    let kept = cmd::target_dir().join("bench").join(format!("fast_paths{}", name.replace('+', "-with-")));
    std::fs::create_dir_all(kept.parent().expect("it was joined"))?;
    std::fs::copy(&built, &kept).with_context(|| format!("{} cannot be kept", kept.display()))?;
    Ok(kept)
}

fn costs(program: &Path, paths: &[String], variant: &Variant) -> Result<Vec<Cost>> {
    let variables: &[_] = if variant.fences { &[FENCES] } else { &[] };
    let counted = if cmd::on_path("valgrind") { Some(count::costs(program, variables)?) } else { None };
    let of = |(index, path): (usize, &String)| {
        let instructions = counted.as_ref().map(|counted| counted[index].1).map(instructions);
        Ok(Cost { instructions, nanoseconds: nanoseconds(program, path, variables)? })
    };
    paths.iter().enumerate().map(of).collect()
}

fn instructions(cost: callgrind::Cost) -> f64 {
    cost.instructions
}

fn nanoseconds(program: &Path, path: &str, variables: &[(&str, &str)]) -> Result<f64> {
    let mut command = Command::new(program);
    command.args(["time", path]).envs(variables.iter().copied());
    let text = cmd::output_of(&mut command).with_context(|| format!("{path} cannot be timed"))?;
    text.parse().with_context(|| format!("{path} took `{text}`"))
}

/// The default in full, then what each change adds to it.
fn rows(paths: &[String], columns: &[(&str, Vec<Cost>)]) -> Vec<Vec<String>> {
    let Some(((_, default), changes)) = columns.split_first() else { return Vec::new() };
    let row = |(index, path): (usize, &String)| {
        let mut row = vec![path.clone(), full(default[index])];
        row.extend(changes.iter().map(|(_, costs)| difference(costs[index], default[index])));
        row
    };
    paths.iter().enumerate().map(row).collect()
}

fn full(cost: Cost) -> String {
    let instructions = cost.instructions.map_or("-".to_owned(), |count| format!("{count:.1}"));
    format!("{instructions}, {:.1} ns", cost.nanoseconds)
}

fn difference(cost: Cost, default: Cost) -> String {
    let more = cost.nanoseconds - default.nanoseconds;
    let mut parts = Vec::new();
    if let (Some(count), Some(before)) = (cost.instructions, default.instructions)
        && (count - before).abs() >= INSTRUCTIONS
    {
        parts.push(format!("{:+.1}", count - before));
    }
    if more.abs() >= NANOSECONDS_SHARE * default.nanoseconds {
        parts.push(format!("{more:+.1} ns"));
    }
    if parts.is_empty() { "=".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(instructions: f64, nanoseconds: f64) -> Cost {
        Cost { instructions: Some(instructions), nanoseconds }
    }

    #[test]
    fn only_differences_are_shown() {
        let default = cost(100.0, 10.0);
        assert_eq!(difference(cost(100.4, 10.4), default), "=");
        assert_eq!(difference(cost(112.0, 10.4), default), "+12.0");
        assert_eq!(difference(cost(90.0, 8.0), default), "-10.0, -2.0 ns");
        assert_eq!(difference(Cost { instructions: None, nanoseconds: 20.0 }, default), "+10.0 ns");
    }

    #[test]
    fn the_default_is_shown_in_full() {
        let columns = [("default", vec![cost(21.0, 2.0)]), ("fences", vec![cost(22.0, 8.0)])];
        assert_eq!(rows(&["join".to_owned()], &columns), [["join", "21.0, 2.0 ns", "+1.0, +6.0 ns"]]);
    }
}
