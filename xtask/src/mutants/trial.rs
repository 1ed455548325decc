//! Builds the tests that should catch a flaw, and runs each in a process of its own, bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::lab::Lab;
use super::list::{Flaw, List};
use super::verdict::{End, Outcome};
use crate::cmd;

/// The name of the unit tests among the targets.
const LIB: &str = "lib";
/// Enough to see that a model holds without a flaw: `cargo xtask loom` explores it whole.
const CONTROL_SECONDS: u64 = 10;

/// The tests of one crate in the lab.
pub(super) struct Trial<'a> {
    pub(super) lab: &'a Lab,
    pub(super) list: &'a List,
}

/// The program of each target.
type Programs = BTreeMap<String, PathBuf>;

impl Trial<'_> {
    /// What becomes of the tests when nothing is planted.
    pub(super) fn control(&self, tests: &BTreeSet<&String>) -> Result<Outcome> {
        self.run(tests, CONTROL_SECONDS)
    }

    /// What becomes of the flaw's tests when it is planted.
    pub(super) fn of(&self, flaw: &Flaw) -> Result<Outcome> {
        let krate = &self.list.krate;
        let files = flaw.planted(&self.lab.workspace().join(krate))?;
        self.lab.with(krate, &files, || self.run(&flaw.tests.iter().collect(), self.list.seconds))
    }

    fn run(&self, tests: &BTreeSet<&String>, explore: u64) -> Result<Outcome> {
        let targets: BTreeSet<&str> = tests.iter().map(|test| target_of(test)).collect();
        let (models, others): (Vec<&str>, Vec<&str>) = targets.into_iter().partition(|name| is_model(name));
        let mut programs = Programs::new();
        for (kind, names) in [("loom", models), ("plain", others)] {
            if names.is_empty() {
                continue;
            }
            match self.build(kind, &names)? {
                Ok(built) => programs.extend(built),
                Err(error) => return Ok(Outcome::NotBuilt(error)),
            }
        }
        let mut ends = Vec::new();
        for test in tests {
            ends.push(self.end_of(&programs, test, explore)?);
        }
        Ok(Outcome::Ran(ends))
    }

    /// The programs of these targets, or the compiler's first error.
    fn build(&self, kind: &str, targets: &[&str]) -> Result<Result<Programs, String>> {
        let mut command = cmd::cargo(["test", "--no-run", "--quiet", "--package", &self.list.krate]);
        command.arg("--message-format=json-render-diagnostics").current_dir(self.lab.workspace());
        for &target in targets {
            if target == LIB {
                command.arg("--lib")
            } else {
                command.args(["--test", target])
            };
        }
        command.env("CARGO_TARGET_DIR", self.lab.target_dir(kind)).env("RUSTFLAGS", "-Awarnings");
        // Nobody looks at a backtrace, and each flaw is a build.
        command.env("CARGO_PROFILE_DEV_DEBUG", "false").env("CARGO_PROFILE_RELEASE_DEBUG", "false");
        if kind == "loom" {
            command.args(["--profile", "loom"]).env("RUSTFLAGS", "--cfg wyn_loom -Awarnings");
        }
        let output = command.output().context("cargo does not start")?;
        if output.status.success() {
            return Ok(Ok(programs(&String::from_utf8_lossy(&output.stdout))));
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        let first = errors.lines().find(|line| line.starts_with("error"));
        Ok(Err(first.unwrap_or("cargo fails").to_owned()))
    }

    /// What becomes of one test or, if it is a whole target, of the first in it that does not pass.
    fn end_of(&self, programs: &Programs, test: &str, explore: u64) -> Result<(String, End)> {
        let target = target_of(test);
        let program = programs.get(target).with_context(|| format!("no program for {target}"))?;
        let all = tests_in(program)?;
        let Some((_, name)) = test.split_once("::") else {
            for name in all {
                let end = self.end_of_one(program, &name, is_model(target), explore)?;
                if end != End::Passed {
                    return Ok((format!("{target}::{name}"), end));
                }
            }
            return Ok((test.to_owned(), End::Passed));
        };
        if !all.iter().any(|other| other == name) {
            bail!("{} names {test}, which does not exist", self.list.path());
        }
        Ok((test.to_owned(), self.end_of_one(program, name, is_model(target), explore)?))
    }

    fn end_of_one(&self, program: &Path, name: &str, is_model: bool, explore: u64) -> Result<End> {
        let log = self.lab.log();
        let out = File::create(&log)?;
        let mut command = Command::new(program);
        command.args([name, "--exact"]).current_dir(self.lab.workspace().join(&self.list.krate));
        command.envs(&self.list.env).env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::null()).stderr(out.try_clone()?).stdout(out);
        let mut limit = self.list.seconds;
        if is_model {
            // As `cargo xtask loom` explores them; the clock is looked at after every so many executions.
            command.env("LOOM_MAX_PREEMPTIONS", "3").env("LOOM_CHECKPOINT_INTERVAL", "100");
            command.env("LOOM_MAX_DURATION", explore.to_string());
            limit *= 2;
        }
        ended(&mut command, Duration::from_secs(limit), &log)
    }
}

/// `loom` of `loom::a_model`.
fn target_of(test: &str) -> &str {
    test.split_once("::").map_or(test, |(target, _)| target)
}

fn is_model(target: &str) -> bool {
    target.starts_with("loom")
}

/// The test programs in what cargo says, by target.
pub(super) fn programs(messages: &str) -> Programs {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = |message: Value| {
        let path = PathBuf::from(message["executable"].as_str()?);
        let target = &message["target"];
        let is_test = target["kind"].as_array()?.iter().any(|kind| kind == "test");
        let name = if is_test { target["name"].as_str()? } else { LIB };
        Some((name.to_owned(), path))
    };
    messages.filter_map(program).collect()
}

/// The tests that a program knows.
fn tests_in(program: &Path) -> Result<Vec<String>> {
    let shown = cmd::output_of(Command::new(program).arg("--list"))
        .with_context(|| format!("{} lists no tests", program.display()))?;
    Ok(shown.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

/// Waits for the process, which prints to `log`, but no longer than the limit.
pub(super) fn ended(command: &mut Command, limit: Duration, log: &Path) -> Result<End> {
    let mut child = command.spawn().context("no process")?;
    let Some(status) = cmd::wait_at_most(&mut child, limit, Duration::from_millis(5))? else {
        return Ok(End::TimedOut);
    };
    if status.success() {
        return Ok(End::Passed);
    }
    let said = fs::read(log)?;
    let reason = reason_in(&String::from_utf8_lossy(&said)).unwrap_or_else(|| status.to_string());
    Ok(End::Failed(reason))
}

/// The message of the first panic.
fn reason_in(said: &str) -> Option<String> {
    let mut lines = said.lines();
    lines.find(|line| line.contains("panicked at"))?;
    lines.map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}
