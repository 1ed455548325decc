//! What was measured on, and what was measured: machine, software, versions.

use std::collections::BTreeMap;
use std::process::Command;

use wyn_bench::os;
use wyn_bench::record::Host;

use super::build::Programs;
use super::plan::Group;
use super::table::is_ours;
use crate::cmd;

/// What publishing changes, record by record: the next is still of the same revision.
const PUBLISHED: [&str; 3] = [":!wyn-bench/records", ":!BENCHMARKS.md", ":!README.md"];

pub(crate) fn host() -> Host {
    let git = |words: &[&str]| cmd::output_of(Command::new("git").current_dir(cmd::root()).args(words));
    Host {
        cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        cpus: os::allowed_cpus().len(),
        memory_mib: field("/proc/meminfo", "MemTotal").and_then(|text| kib(&text)).unwrap_or(0) / 1024,
        kernel: cmd::output_of(Command::new("uname").args(["-s", "-r"])).unwrap_or_default(),
        rustc: cmd::output_of(Command::new("rustc").arg("-V")).unwrap_or_default(),
        revision: git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned()),
        dirty: git(&[&["status", "--porcelain", "--"], &PUBLISHED[..]].concat())
            .is_none_or(|text| !text.is_empty()),
        priority: may_take_priority(),
    }
}

/// The value after the colon of the first line with that name.
fn field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn kib(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Whether sessions can be given priority: autogroups are on, and this process may (`CAP_SYS_NICE`).
fn may_take_priority() -> bool {
    const CAP_SYS_NICE: u32 = 23;
    let capabilities =
        field("/proc/self/status", "CapEff").and_then(|hex| u64::from_str_radix(&hex, 16).ok());
    let may = capabilities.is_some_and(|bits| bits >> CAP_SYS_NICE & 1 == 1);
    may && std::path::Path::new("/proc/self/autogroup").exists()
}

/// The version of each backend: from Cargo.lock, or from the program that holds it.
pub(crate) fn versions(group: Group, backends: &[String], programs: &Programs) -> BTreeMap<String, String> {
    let lock = std::fs::read_to_string(cmd::root().join("Cargo.lock")).unwrap_or_default();
    let of = |backend: &String| {
        let version = programs.foreign_version(backend).or_else(|| version(group, backend, &lock))?;
        Some((backend.clone(), version))
    };
    backends.iter().filter_map(of).collect()
}

fn version(group: Group, backend: &str, lock: &str) -> Option<String> {
    const OWN: &str = env!("CARGO_PKG_VERSION");
    match backend {
        "wyn_tokio" => Some(format!("{OWN} on Tokio {}", locked(lock, "tokio")?)),
        ours if is_ours(ours) => Some(OWN.to_owned()),
        "std" | "threads" => cmd::output_of(Command::new("rustc").arg("-V")),
        "system" => cmd::output_of(Command::new("getconf").arg("GNU_LIBC_VERSION")),
        "jemalloc" => locked(lock, "tikv-jemallocator"),
        "crossbeam" if group == Group::Deque => locked(lock, "crossbeam-deque"),
        "crossbeam" => locked(lock, "crossbeam-channel"),
        "rayon_scope" => locked(lock, "rayon"),
        other => locked(lock, &other.replace('_', "-")),
    }
}

/// The version of a package in Cargo.lock.
fn locked(lock: &str, package: &str) -> Option<String> {
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\""));
    let version = lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::plan::Kind;

    #[test]
    fn every_backend_in_the_probe_has_a_version() {
        let lock = std::fs::read_to_string(cmd::root().join("Cargo.lock")).unwrap();
        for group in Group::ALL {
            for (backend, kind) in group.all_backends() {
                let built_in = matches!(kind, Kind::Probe(_)) || *backend == "std";
                assert!(!built_in || version(group, backend, &lock).is_some(), "{backend}");
            }
        }
        let crossbeam = [Group::Deque, Group::Channels].map(|group| version(group, "crossbeam", &lock));
        assert_eq!(crossbeam, ["crossbeam-deque", "crossbeam-channel"].map(|name| locked(&lock, name)));
    }

    #[test]
    fn versions_come_from_the_lock_file() {
        let lock =
            "[[package]]\nname = \"rayon\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"rayon-core\"\n";
        assert_eq!(locked(lock, "rayon"), Some("1.2.3".to_owned()));
        assert_eq!(locked(lock, "tokio"), None);
    }
}
