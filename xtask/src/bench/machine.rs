//! What was measured on, and what was measured: machine, software, versions.

use std::collections::BTreeMap;
use std::process::Command;

use wyn_bench::os;
use wyn_bench::record::Host;

use super::build::Programs;
use crate::cmd;

pub(crate) fn host() -> Host {
    let git = |words: &[&str]| cmd::output_of(Command::new("git").current_dir(cmd::root()).args(words));
    Host {
        cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        cpus: os::allowed_cpus().len(),
        memory_mib: field("/proc/meminfo", "MemTotal").and_then(|text| kib(&text)).unwrap_or(0) / 1024,
        kernel: cmd::output_of(Command::new("uname").args(["-s", "-r"])).unwrap_or_default(),
        rustc: cmd::output_of(Command::new("rustc").arg("-V")).unwrap_or_default(),
        revision: git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned()),
        dirty: git(&["status", "--porcelain"]).is_none_or(|text| !text.is_empty()),
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
pub(crate) fn versions(backends: &[String], programs: &Programs) -> BTreeMap<String, String> {
    let lock = std::fs::read_to_string(cmd::root().join("Cargo.lock")).unwrap_or_default();
    backends
        .iter()
        .filter_map(|backend| Some((backend.clone(), version(backend, &lock, programs)?)))
        .collect()
}

fn version(backend: &str, lock: &str, programs: &Programs) -> Option<String> {
    match backend {
        "wyn" => Some(env!("CARGO_PKG_VERSION").to_owned()),
        "std" => cmd::output_of(Command::new("rustc").arg("-V")),
        "crossbeam" => locked(lock, "crossbeam-channel"),
        "rayon_scope" => locked(lock, "rayon"),
        "wyn_tokio" => Some(format!("{} on Tokio {}", env!("CARGO_PKG_VERSION"), locked(lock, "tokio")?)),
        _ => programs.foreign_version(backend).or_else(|| locked(lock, &backend.replace('_', "-"))),
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

    #[test]
    fn versions_come_from_the_lock_file() {
        let lock =
            "[[package]]\nname = \"rayon\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"rayon-core\"\n";
        assert_eq!(locked(lock, "rayon"), Some("1.2.3".to_owned()));
        assert_eq!(locked(lock, "tokio"), None);
    }
}
