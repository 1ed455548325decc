//! Record files: where they lie, how they are read and written, and what else lies beside them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use wyn_bench::record::{Host, Record, SCHEMA};

use super::plan::Group;
use crate::cmd;

/// Where the records of published figures lie.
pub(crate) fn directory() -> PathBuf {
    cmd::root().join("wyn-bench/records")
}

/// The JSON files among them, by name.
pub(crate) fn published() -> Result<Vec<PathBuf>> {
    let dir = directory();
    let entries = std::fs::read_dir(&dir).with_context(|| format!("{} cannot be listed", dir.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Ok(files)
}

pub(crate) fn read(file: &Path) -> Result<Record> {
    match read_if_known(file)? {
        Some(record) => Ok(record),
        None => bail!("{} is no record of a bench run", file.display()),
    }
}

/// `None` for JSON that says it is of another kind, or of a group that this program does not know.
pub(crate) fn read_if_known(file: &Path) -> Result<Option<Record>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let value: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))?;
    parse(&value).with_context(|| format!("{} is no record", file.display()))
}

/// The record in a JSON value, unless it says that it is something else.
pub(crate) fn parse(value: &Value) -> Result<Option<Record>> {
    if value.get("kind").is_some() {
        return Ok(None);
    }
    let schema = value.get("schema").and_then(Value::as_u64).context("it does not name its layout")?;
    if schema != u64::from(SCHEMA) {
        bail!("it has layout {schema}; this program reads {SCHEMA}");
    }
    let record: Record = serde_json::from_value(value.clone())?;
    Ok(Group::named(&record.group).map(|_| record))
}

pub(crate) fn write(file: &Path, record: &Record) -> Result<()> {
    let json = serde_json::to_string(record).context("the record cannot be written as JSON")?;
    write_json(file, &json)
}

/// A record of any kind, and the directory that it lies in.
pub(crate) fn write_json(file: &Path, json: &str) -> Result<()> {
    if let Some(dir) = file.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    }
    std::fs::write(file, format!("{json}\n")).with_context(|| format!("{} cannot be written", file.display()))
}

/// Where a record of another command goes: beside the published ones, or where it is only kept for now.
pub(crate) fn place(name: &str, publish: bool) -> PathBuf {
    let dir = if publish { directory() } else { cmd::target_dir().join("bench") };
    dir.join(format!("{name}.json"))
}

/// What made a record, and on what: `cargo xtask …, revision 123456789abc, AMD EPYC, 2 CPUs`
pub(crate) fn origin(command: &str, host: &Host) -> String {
    let changed = if host.dirty { " and changes" } else { "" };
    format!("{command}, revision {}{changed}, {}, {} CPUs", host.revision, host.cpu, host.cpus)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::made_up;
    use serde_json::json;

    #[test]
    fn other_kinds_are_no_records_and_no_errors() {
        assert!(parse(&json!({"kind": "simulation", "schema": 9})).unwrap().is_none());
        assert!(parse(&json!({"schema": SCHEMA + 1})).is_err());
        assert!(parse(&json!([1, 2])).is_err());
        let record = made_up::record(Vec::new());
        let mut value = serde_json::to_value(&record).unwrap();
        assert_eq!(parse(&value).unwrap(), Some(record));
        value["group"] = json!("a group of next year");
        assert!(parse(&value).unwrap().is_none());
    }

    #[test]
    fn a_record_that_names_no_command_is_read() {
        let mut value = serde_json::to_value(made_up::record(Vec::new())).unwrap();
        value.as_object_mut().unwrap().remove("command");
        assert_eq!(parse(&value).unwrap().unwrap().command, "");
    }
}
