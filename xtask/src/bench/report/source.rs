//! The files that a report is made from: records of bench runs, of other commands, and what nobody knows.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use wyn_bench::record::Record;

use crate::bench::build::Allocator;
use crate::bench::plan::{Group, Mode};
use crate::bench::record_file;

/// One file.
pub(super) struct Source {
    /// The file's name without its ending.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The file as it is.
    pub(super) json: Value,
}

pub(super) enum Kind {
    /// A run of `bench`.
    Run(Box<Record>),
    /// Says itself what it is: `simulation`, `allocators`.
    Named(String),
    /// Cannot be shown, and why.
    Unknown(String),
}

impl Source {
    /// Reads a file; only one that is no JSON is an error.
    pub(super) fn read(file: &Path) -> Result<Source> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let json = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Source { name, kind: kind(&json), json })
    }

    pub(super) fn run(&self) -> Option<&Record> {
        match &self.kind {
            Kind::Run(record) => Some(record),
            _ => None,
        }
    }

    /// `spawn, full run, system allocator`; with the workloads where they are few
    pub(super) fn title(&self) -> String {
        let Some(record) = self.run() else { return self.name.clone() };
        let mut workloads: Vec<&str> = record.entries.iter().map(|entry| &*entry.cell.workload).collect();
        workloads.dedup();
        let named =
            if workloads.len() <= FEW { format!(": {}", workloads.join(", ")) } else { String::new() };
        format!("{}, {} run, {} allocator{named}", record.group, record.mode, record.allocator)
    }
}

/// So many workloads fit into a title.
const FEW: usize = 4;

fn kind(json: &Value) -> Kind {
    if let Some(kind) = json.get("kind").and_then(Value::as_str) {
        return Kind::Named(kind.to_owned());
    }
    match record_file::parse(json) {
        Ok(Some(record)) => Kind::Run(Box::new(record)),
        Ok(None) => Kind::Unknown("a group or kind that this program does not know".to_owned()),
        Err(error) => Kind::Unknown(format!("{error:#}")),
    }
}

/// Reads the files, or all published ones: by group, the fullest first.
pub(super) fn sources(files: &[PathBuf]) -> Result<Vec<Source>> {
    let files = if files.is_empty() { record_file::published()? } else { files.to_vec() };
    let mut sources: Vec<Source> = files.iter().map(|file| Source::read(file)).collect::<Result<_>>()?;
    sources.sort_by_cached_key(order);
    Ok(sources)
}

/// Groups as the command lists them; many cells before few; full before quick; mimalloc first, because glibc's
/// malloc is most of what the allocating runtimes pay.
fn order(source: &Source) -> (usize, bool, bool, usize, String) {
    let Some(record) = source.run() else { return (usize::MAX, false, false, 0, source.name.clone()) };
    let group = Group::ALL.iter().position(|group| group.name() == record.group).unwrap_or(Group::ALL.len());
    let (few, quick) = (record.entries.len() < MANY, record.mode != Mode::Full.name());
    let allocators = [Allocator::Mimalloc, Allocator::System].map(Allocator::name);
    let allocator = allocators.iter().position(|name| *name == record.allocator).unwrap_or(allocators.len());
    (group, few, quick, allocator, source.name.clone())
}

/// A record with fewer entries is about something in particular.
const MANY: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::made_up::{entry, record};
    use serde_json::json;

    #[test]
    fn what_is_not_known_is_kept() {
        assert!(matches!(kind(&json!({"kind": "simulation"})), Kind::Named(name) if name == "simulation"));
        assert!(matches!(kind(&json!({"schema": 77})), Kind::Unknown(why) if why.contains("77")));
        assert!(matches!(kind(&json!("text")), Kind::Unknown(_)));
        let run = serde_json::to_value(record(vec![entry("wyn", 10, 1.0)])).unwrap();
        assert!(matches!(kind(&run), Kind::Run(_)));
    }
}
