//! `cargo xtask tidy`: what neither the compiler nor clippy checks.
//!
//! | rule | where |
//! |---|---|
//! | each `unsafe` block, impl, extern block: a `// SAFETY:` comment; each unsafe fn: its obligations | everywhere |
//! | each access that names an ordering: an `// Ordering:` comment | `src/` of the libraries |
//! | only `sync.rs` names atomics | `src/` of the libraries |
//! | a file has at most 450 lines | everywhere |
//! | what stands between markers is what the published records yield | README.md, BENCHMARKS.md |
//! | a crate root with unsafe code below denies it by default | every crate |
//!
//! Safety arguments marked `UNVERIFIED` are counted, not refused; a release has none.

mod lexer;
mod rules;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{bench, cmd};
use lexer::Line;
use rules::Finding;

/// What was seen, so that a check which looked at nothing does not pass for a clean one.
#[derive(Default)]
struct Seen {
    files: usize,
    unverified: usize,
    findings: Vec<String>,
}

pub(crate) fn run() -> Result<()> {
    let mut seen = Seen::default();
    for krate in members()? {
        check_crate(&krate, &mut seen)?;
    }
    seen.findings.extend(bench::report::stale()?);
    if seen.files == 0 {
        bail!("tidy found no source file at all");
    }
    for finding in &seen.findings {
        note!("{finding}");
    }
    note!("tidy: {} files, {} findings, {} UNVERIFIED", seen.files, seen.findings.len(), seen.unverified);
    if !seen.findings.is_empty() {
        bail!("{} findings", seen.findings.len());
    }
    Ok(())
}

/// The directories of the workspace that hold a crate.
fn members() -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(cmd::root()).context("the workspace cannot be listed")?;
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("Cargo.toml").is_file())
        .collect();
    found.sort();
    Ok(found)
}

fn check_crate(krate: &Path, seen: &mut Seen) -> Result<()> {
    let name = krate.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let library = cmd::LIBRARIES.contains(&name.as_str());
    let mut files = Vec::new();
    source_files(krate, &mut files);
    files.sort();
    let mut unsafe_in_src = false;
    for path in &files {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let lines = lexer::lines(&text);
        let place = place(krate, path, library);
        unsafe_in_src |= place != Place::Elsewhere && rules::uses_unsafe(&lines);
        seen.files += 1;
        seen.unverified += rules::unverified(&lines);
        let shown = path.strip_prefix(cmd::root()).unwrap_or(path).display();
        let findings = check_file(&lines, place);
        seen.findings
            .extend(findings.iter().map(|finding| format!("{shown}:{}: {}", finding.line, finding.what)));
    }
    for root in ["src/lib.rs", "src/main.rs"] {
        let Ok(text) = std::fs::read_to_string(krate.join(root)) else { continue };
        if unsafe_in_src && !rules::confines_unsafe(&lexer::lines(&text)) {
            seen.findings.push(format!("{name}/{root}:1: unsafe code below, but no #![deny(unsafe_code)]"));
        }
    }
    Ok(())
}

/// Where a file lies decides which rules it meets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `src/sync.rs` of a library: the one file that names atomics.
    Sync,
    /// Any other file under `src/` of a library.
    Library,
    /// `src/` of a program.
    Program,
    /// Tests, examples, benches.
    Elsewhere,
}

fn place(krate: &Path, path: &Path, library: bool) -> Place {
    let inside = path.strip_prefix(krate).unwrap_or(path);
    match (inside.starts_with("src"), library) {
        (true, true) if inside == Path::new("src/sync.rs") => Place::Sync,
        (true, true) => Place::Library,
        (true, false) => Place::Program,
        (false, _) => Place::Elsewhere,
    }
}

fn check_file(lines: &[Line], place: Place) -> Vec<Finding> {
    let mut findings = rules::safety(lines);
    findings.extend(rules::length(lines));
    if matches!(place, Place::Sync | Place::Library) {
        findings.extend(rules::orderings(lines));
    }
    if place == Place::Library {
        findings.extend(rules::atomics_named(lines));
    }
    findings.sort_by_key(|finding| finding.line);
    findings
}

/// Every `.rs` file below, build output left out.
fn source_files(dir: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            source_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}
