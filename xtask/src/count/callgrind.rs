//! What callgrind counts: instructions per operation, and which of them lock the memory or fence it.
//!
//! Callgrind notes how often each address was executed, and objdump says what lies there.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cmd;

/// Rounds of the two runs whose difference counts.
const FEW: u32 = 2;
const MANY: u32 = 12;

/// Per operation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) instructions: f64,
    /// Read-modify-writes that lock a cache line; those of libc are not looked at.
    pub(crate) locked: f64,
    pub(crate) fences: f64,
}

/// Where a program's locked instructions and its fences are.
pub(crate) struct Code {
    locked: HashSet<u64>,
    fences: HashSet<u64>,
}

impl Code {
    pub(crate) fn of(program: &Path) -> Result<Code> {
        let mut command = Command::new("objdump");
        let text = cmd::output_of(command.args(["-d", "--no-show-raw-insn"]).arg(program));
        Ok(Code::parse(&text.context("objdump failed: apt-get install binutils")?))
    }

    fn parse(text: &str) -> Code {
        let mut code = Code { locked: HashSet::new(), fences: HashSet::new() };
        for line in text.lines() {
            let Some((address, instruction)) = line.split_once(":\t") else { continue };
            let Ok(address) = u64::from_str_radix(address.trim(), 16) else { continue };
            match kind(instruction) {
                Kind::Locked => drop(code.locked.insert(address)),
                Kind::Fence => drop(code.fences.insert(address)),
                Kind::Plain => {}
            }
        }
        code
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Locked,
    Fence,
}

/// An exchange with memory locks without saying so; an `or` of nothing to the stack is a fence.
fn kind(instruction: &str) -> Kind {
    let fence = |text: &str| text.starts_with("or") && text.contains("$0x0,") && text.contains("(%rsp)");
    match instruction.strip_prefix("lock ") {
        Some(rest) if fence(rest) => Kind::Fence,
        Some(_) => Kind::Locked,
        None if instruction.starts_with("mfence") => Kind::Fence,
        None if instruction.starts_with("xchg") && instruction.contains('(') => Kind::Locked,
        None => Kind::Plain,
    }
}

/// What one path of the program costs.
pub(crate) fn cost(program: &Path, path: &str, variables: &[(&str, &str)], code: &Code) -> Result<Cost> {
    let few = profile(program, path, variables, FEW)?;
    let many = profile(program, path, variables, MANY)?;
    let per_operation = |count: fn(&Profile, &Code) -> u64| {
        let more = count(&many, code).saturating_sub(count(&few, code));
        float(more) / float(many.operations - few.operations)
    };
    Ok(Cost {
        instructions: per_operation(|profile, _| profile.total),
        locked: per_operation(|profile, code| profile.executed(&code.locked)),
        fences: per_operation(|profile, code| profile.executed(&code.fences)),
    })
}

/// One run of the program.
#[derive(Debug, Default, PartialEq)]
struct Profile {
    total: u64,
    /// How often each address of the program itself was executed.
    executed: HashMap<u64, u64>,
    operations: u64,
}

impl Profile {
    fn executed(&self, addresses: &HashSet<u64>) -> u64 {
        addresses.iter().filter_map(|address| self.executed.get(address)).sum()
    }

    /// Reads callgrind's file, with plain names and positions.
    fn parse(text: &str, program: &str) -> Option<Profile> {
        let mut profile = Profile::default();
        let (mut inside, mut call) = (false, false);
        for line in text.lines() {
            if let Some(object) = line.strip_prefix("ob=") {
                inside = object == program;
            } else if let Some(total) = line.strip_prefix("totals: ") {
                profile.total = total.trim().parse().ok()?;
            } else if line.starts_with("calls=") {
                // The next line is what the called function cost.
                call = true;
            } else if line.starts_with("0x") && !std::mem::take(&mut call) && inside {
                let mut words = line.split(' ');
                let address = u64::from_str_radix(words.next()?.trim_start_matches("0x"), 16).ok()?;
                let count: u64 = words.nth(1)?.parse().ok()?;
                *profile.executed.entry(address).or_default() += count;
            }
        }
        (profile.total > 0).then_some(profile)
    }
}

fn profile(program: &Path, path: &str, variables: &[(&str, &str)], rounds: u32) -> Result<Profile> {
    let file = out_file(path, rounds);
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--dump-instr=yes", "--compress-pos=no", "--compress-strings=no"]);
    command.arg(format!("--callgrind-out-file={}", file.display()));
    command.envs(variables.iter().copied());
    command.arg(program).args(["count", path, &rounds.to_string()]);
    let output = command.output().context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let operations = said.trim().parse();
    let operations = operations.with_context(|| {
        format!("{path} did not run under callgrind:\n{}", String::from_utf8_lossy(&output.stderr))
    })?;
    let text = std::fs::read_to_string(&file).context("callgrind left no file")?;
    std::fs::remove_file(&file).context("callgrind's file cannot be removed")?;
    let profile = Profile::parse(&text, &program.to_string_lossy());
    let profile = profile.with_context(|| format!("callgrind counted nothing in {path}"))?;
    Ok(Profile { operations, ..profile })
}

fn out_file(path: &str, rounds: u32) -> PathBuf {
    let name = format!("callgrind-{}-{}-{rounds}.out", std::process::id(), path.replace('/', "-"));
    cmd::target_dir().join(name)
}

#[allow(clippy::cast_precision_loss, reason = "counts below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_that_lock() {
        assert_eq!(kind("lock cmpxchg %rcx,(%rdi)"), Kind::Locked);
        assert_eq!(kind("xchg   %al,0x10(%rbx)"), Kind::Locked);
        assert_eq!(kind("xchg   %ax,%ax"), Kind::Plain);
        assert_eq!(kind("mov    %rax,(%rsp)"), Kind::Plain);
        assert_eq!(kind("mfence"), Kind::Fence);
        assert_eq!(kind("lock orl $0x0,-0x40(%rsp)"), Kind::Fence);
        assert_eq!(kind("lock orl $0x1,(%rdi)"), Kind::Locked);
    }

    #[test]
    fn addresses_of_a_listing() {
        let text =
            "0000000000001060 <main>:\n    1060:\tlock incq (%rax)\n    1064:\tmfence\n    1067:\tret\n";
        let code = Code::parse(text);
        assert_eq!((code.locked, code.fences), (HashSet::from([0x1060]), HashSet::from([0x1064])));
    }

    #[test]
    fn a_profile_counts_the_program_and_not_its_calls() {
        let text = "ob=/p\nfn=main\n0x10 0 5\n0x12 3 5\ncalls=5 0x99 1\n0x12 3 500\nob=/libc\nfn=f\n0x10 0 7\n\
                    ob=/p\n0x10 0 1\ntotals: 523\n";
        let profile = Profile::parse(text, "/p").unwrap();
        assert_eq!(profile.total, 523);
        assert_eq!(profile.executed, HashMap::from([(0x10, 6), (0x12, 5)]));
        assert_eq!(Profile::parse("nothing\n", "/p"), None);
    }
}
