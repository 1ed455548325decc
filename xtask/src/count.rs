//! `cargo xtask count`: instructions of the fast paths, which no noise changes.
//!
//! Callgrind counts a program twice, with more and less to do; the difference is what the work costs, and the rest
//! of the program drops out.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cmd;

/// Instructions that a join may take which nobody steals, with two calls of `fib` but for their own 13.
const JOIN_INSTRUCTIONS: f64 = 70.0;
const CALL_INSTRUCTIONS: f64 = 13.0;
/// `fib(20)` joins so often.
const JOINS: f64 = 10_945.0;
const FIB: &str = "20";

#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<()> {
    if !cmd::on_path("valgrind") {
        bail!("valgrind is not installed: apt-get install valgrind");
    }
    count()
}

/// The same, but without valgrind it only says so.
pub(crate) fn run_if_possible() -> Result<()> {
    if cmd::on_path("valgrind") {
        return count();
    }
    eprintln!("count: valgrind is not installed; nothing is counted");
    Ok(())
}

fn count() -> Result<()> {
    cmd::run(&mut cmd::cargo(["build", "--release", "-p", "wyn-sched", "--example", "join_cost"]))?;
    let program = cmd::target_dir().join("release/examples/join_cost");
    let (few, many) = (instructions(&program, 2)?, instructions(&program, 12)?);
    let join = (many - few) / 10.0 / JOINS - CALL_INSTRUCTIONS;
    eprintln!("count: a join that nobody steals: {join:.1} instructions");
    if join > JOIN_INSTRUCTIONS {
        bail!("a join takes {join:.1} instructions, {JOIN_INSTRUCTIONS} at most");
    }
    locked_instructions(&program)
}

fn instructions(program: &Path, times: u32) -> Result<f64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    let output = command.arg(FIB).arg(times.to_string()).output().context("cannot start valgrind")?;
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("refs:"));
    let number = line.and_then(|line| line.rsplit(' ').next()).map(|word| word.replace(',', ""));
    let number = number.with_context(|| format!("callgrind counted nothing:\n{text}"))?;
    number.parse().with_context(|| format!("callgrind said `{number}`"))
}

/// Fails if the code of a join holds a locked instruction besides the fence it executes without membarrier.
fn locked_instructions(program: &Path) -> Result<()> {
    if !cmd::on_path("objdump") {
        eprintln!("count: objdump is not installed; the code is not looked at");
        return Ok(());
    }
    let mut command = Command::new("objdump");
    let code = cmd::output_of(command.args(["-d", "--no-show-raw-insn", "-C"]).arg(program));
    let code = code.context("objdump failed")?;
    let start = |line: &&str| line.ends_with(':') && line.contains("join_cost::forked");
    let body: Vec<&str> = code.lines().skip_while(|line| !start(line)).skip(1).collect();
    let body = body.split(|line| line.is_empty()).next().unwrap_or_default();
    if body.is_empty() {
        bail!("the code of the example has no function `forked`");
    }
    let is_locked = |line: &&&str| line.contains("lock ") || line.contains("xchg ");
    // A fence is an `or` of nothing to the stack. What is locked behind a panic is the panic's own.
    let others: Vec<_> = body
        .iter()
        .filter(is_locked)
        .filter(|line| !line.contains("$0x0,") && !line.contains("PANIC"))
        .collect();
    if !others.is_empty() {
        bail!("a join holds locked instructions: {others:#?}");
    }
    eprintln!("count: no locked instruction in it");
    Ok(())
}
