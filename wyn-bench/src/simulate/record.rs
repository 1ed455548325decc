//! The record of a simulation, `wyn-bench/records/simulation.json`: what was measured, how well the model repeats
//! what this machine can measure, and what it predicts beyond.
//!
//! ```json
//! { "schema": 1, "kind": "simulation", "command": "cargo xtask simulate --measure", "started": 1795000000,
//!   "host": { "cpu": "…", "cpus": 2, "revision": "…", … },
//!   "costs": { "line": { "ns": 60.1, "mad": 3.0, "source": "measured", "what": "a cache line from …" }, … },
//!   "omissions": ["what the model leaves out, a sentence each", …],
//!   "validation": [{ "workload": "fib", "n": 121393, "grain_ns": 100, "cores": 2, "serial_ns": 1.2e7,
//!                    "measured_ns": 6.9e6, "mad": 1e5, "predicted_ns": 7.1e6, "ratio": 1.03, "note": "" }, …],
//!   "curves": [{ "policy": "wyn", "workload": "fib", "n": 121393, "grain_ns": 100, "sockets": 1,
//!                "work_ns": 1.2e7,
//!                "points": [{ "cores": 64, "ns": 2.1e6, "speedup": 5.9,
//!                             "lost": { "asleep beside work": 0.71, … } }, …],
//!                "knee": { "cores": 8, "cause": "asleep beside work", "share": 0.4 } }, …] }
//! ```
//!
//! All times are of a whole run, in nanoseconds. `speedup` is `work_ns / ns`: against a program that does the tasks'
//! work and nothing else. `lost` divides the processor time that was not work, as shares of all processor time; with
//! the work's share, `speedup / cores`, it adds up to one. A curve's knee is the first point at which half of the
//! processors' time or more is lost, with the largest cause there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::Host;

/// The layout that this version writes.
pub const SCHEMA: u32 = 1;
/// What `kind` says, so that a reader can tell this record from those of `bench`.
pub const KIND: &str = "simulation";

/// One run of `cargo xtask simulate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The layout of this file.
    pub schema: u32,
    /// Always [`KIND`].
    pub kind: String,
    /// The command that made it.
    pub command: String,
    /// Seconds since 1970 when the run began.
    pub started: u64,
    /// Where the costs were measured.
    pub host: Host,
    /// What the model is fed with, by the names of [`Costs`](super::Costs)' fields.
    pub costs: BTreeMap<String, Cost>,
    /// What the model leaves out, a sentence each.
    pub omissions: Vec<String>,
    /// The model beside this machine.
    pub validation: Vec<Check>,
    /// The predictions.
    pub curves: Vec<Curve>,
}

/// The price of one operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// The median.
    pub ns: f64,
    /// The median absolute deviation of the repetitions; 0 for an assumption.
    pub mad: f64,
    /// Whether it was measured.
    pub source: Source,
    /// Of what.
    pub what: String,
}

/// Where a figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// On the host of the record.
    Measured,
    /// This machine cannot show it.
    Assumed,
}

/// A workload on this machine and in the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Its name.
    pub workload: String,
    /// Leaves, tasks or iterations.
    pub n: u64,
    /// Work of each.
    pub grain_ns: u64,
    /// Processors and workers.
    pub cores: usize,
    /// The same work in plain calls.
    pub serial_ns: f64,
    /// The median time of a whole run.
    pub measured_ns: f64,
    /// Median absolute deviation of the runs.
    pub mad: f64,
    /// What the model says.
    pub predicted_ns: f64,
    /// Predicted to measured.
    pub ratio: f64,
    /// Why, where they differ by more than a quarter.
    pub note: String,
}

/// One policy on one workload over the number of processors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// A [`PolicyName`](super::PolicyName).
    pub policy: String,
    /// Its name.
    pub workload: String,
    /// Leaves, tasks or iterations.
    pub n: u64,
    /// Work of each.
    pub grain_ns: u64,
    /// Over how many sockets the processors are spread.
    pub sockets: usize,
    /// All work, and nothing but work.
    pub work_ns: f64,
    /// By rising number of processors.
    pub points: Vec<Point>,
    /// Where it ends to scale, and why; `None` if it does not.
    pub knee: Option<Knee>,
}

/// One run of the simulator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Processors and workers.
    pub cores: usize,
    /// Time of the whole run.
    pub ns: f64,
    /// The work to the time.
    pub speedup: f64,
    /// Shares of the processors' time that were not work, by cause.
    pub lost: BTreeMap<String, f64>,
}

/// Where a curve bends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Knee {
    /// The first point that loses half of the processors' time.
    pub cores: usize,
    /// The largest loss there.
    pub cause: String,
    /// Its share of the processors' time.
    pub share: f64,
}
