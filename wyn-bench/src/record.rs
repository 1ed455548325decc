//! The record of a bench run and the line that a probe prints: both sides use these types.
//!
//! A probe measures one workload on one backend in one process and prints one [`Line`] as JSON.
//! `cargo xtask bench` gathers them into a [`Record`].

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Names and values of one measurement. `ns` is the time of one task.
pub type Figures = BTreeMap<String, f64>;

/// What a probe prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// The answer was right; this is what it took.
    Figures(Figures),
    /// The answer was wrong: what was expected and what came.
    Wrong(String),
    /// The backend has no such notion, and why.
    Unsupported(String),
}

/// One bench run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The layout of this file; raised when a reader of the older one would misread it.
    pub schema: u32,
    /// `spawn`, `fork-join` or `channels`; records without it are of the first.
    #[serde(default = "spawn_group")]
    pub group: String,
    /// `quick`, `full` or `smoke`.
    pub mode: String,
    /// Whether joint work came before the cold pass too: then only the memory was cold.
    #[serde(default)]
    pub spread: bool,
    /// Seconds since 1970 when the run began.
    pub started: u64,
    /// The command that made it; empty in records that do not say.
    #[serde(default)]
    pub command: String,
    /// The machine and its software.
    pub host: Host,
    /// The global allocator of every Rust backend.
    pub allocator: String,
    /// Version of each backend.
    pub versions: BTreeMap<String, String>,
    /// Every measured cell.
    pub entries: Vec<Entry>,
}

fn spawn_group() -> String {
    "spawn".to_owned()
}

/// The layout that this version writes.
pub const SCHEMA: u32 = 1;

/// The machine and its software.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Model of the processor.
    pub cpu: String,
    /// Processors this process may use.
    pub cpus: usize,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Operating system and its version.
    pub kernel: String,
    /// `rustc -V`.
    pub rustc: String,
    /// Commit of the workspace.
    pub revision: String,
    /// Whether the work tree differed from that commit.
    pub dirty: bool,
    /// Whether the measurements' sessions were given priority.
    pub priority: bool,
}

/// One cell of the tables: a workload at one size on one backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Which backend.
    pub backend: String,
    /// What was measured.
    pub cell: Cell,
    /// What came of it.
    pub outcome: Outcome,
    /// How many repetitions did not end in time.
    #[serde(default)]
    pub hung: u32,
}

/// A workload with its sizes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// Name of the workload.
    pub workload: String,
    /// Number of tasks, or of messages.
    pub n: u64,
    /// Nanoseconds of work in each task; 0 in most workloads.
    pub grain_ns: u64,
    /// Workers of the backend; on channels, threads on each side where there are many.
    pub workers: usize,
    /// What a channel holds; `None` where none is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
}

/// How many messages a channel holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capacity {
    /// So many; 0 for a hand-over without a buffer.
    Bounded(u64),
    /// As many as are sent.
    Unbounded,
}

impl Display for Capacity {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Capacity::Bounded(messages) => messages.fmt(f),
            Capacity::Unbounded => f.write_str("unbounded"),
        }
    }
}

impl FromStr for Capacity {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Capacity, ParseIntError> {
        match text {
            "unbounded" => Ok(Capacity::Unbounded),
            number => number.parse().map(Capacity::Bounded),
        }
    }
}

/// What came of the repetitions of one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// One sample per repetition, each with a right answer.
    Measured(Vec<Sample>),
    /// The backend has no such notion, and why.
    Unsupported(String),
    /// Something is not installed, and how to get it.
    Missing(String),
    /// Did not end within this many seconds.
    Hung(u64),
    /// Ended badly or with a wrong answer.
    Failed(String),
}

/// One repetition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Round trip of one cache line between two processors, measured just before; 0 if unknown.
    pub round_trip_ns: f64,
    /// Left out of the median: the process got clearly less CPU than in other repetitions.
    pub dropped: bool,
    /// What the probe measured.
    pub figures: Figures,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_foreign_peers_print() {
        let figures = Line::Figures(Figures::from([("ns".to_owned(), 2.5)]));
        assert_eq!(serde_json::from_str::<Line>(r#"{"figures":{"ns":2.5}}"#).unwrap(), figures);
        let unsupported = Line::Unsupported("no nesting".to_owned());
        assert_eq!(serde_json::from_str::<Line>(r#"{"unsupported":"no nesting"}"#).unwrap(), unsupported);
    }

    #[test]
    fn capacities_are_words() {
        for capacity in [Capacity::Bounded(0), Capacity::Bounded(100), Capacity::Unbounded] {
            assert_eq!(capacity.to_string().parse(), Ok(capacity));
        }
        assert!("-1".parse::<Capacity>().is_err() && "".parse::<Capacity>().is_err());
    }

    #[test]
    fn a_record_survives_its_file() {
        let cell = Cell { workload: "seq".to_owned(), n: 10, grain_ns: 0, workers: 2, capacity: None };
        let outcome = Outcome::Measured(vec![Sample::default()]);
        let record = Record {
            schema: SCHEMA,
            group: "fork-join".to_owned(),
            mode: "quick".to_owned(),
            spread: false,
            started: 1,
            command: "cargo xtask bench fork-join".to_owned(),
            host: Host::default(),
            allocator: "system".to_owned(),
            versions: BTreeMap::new(),
            entries: vec![Entry { backend: "wyn".to_owned(), cell, outcome, hung: 0 }],
        };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    }
}
