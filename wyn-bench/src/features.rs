//! The record of `cargo xtask features --cost`: what each feature adds to the fast paths.

use serde::{Deserialize, Serialize};

use crate::record::Host;

/// What the record says it is.
pub const KIND: &str = "features";
/// The layout that this version writes.
pub const SCHEMA: u32 = 1;

/// What each path costs, built with each set of features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`KIND`].
    pub kind: String,
    /// The layout of this file.
    pub schema: u32,
    /// Seconds since 1970 when the measurement began.
    pub started: u64,
    /// The command that made it.
    pub command: String,
    /// The machine and its software.
    pub host: Host,
    /// The paths, in the order of every build's costs.
    pub paths: Vec<String>,
    /// The builds, the default first.
    pub builds: Vec<Build>,
}

/// One set of features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Build {
    /// `default`, or how it differs from that: `+stats`.
    pub name: String,
    /// What each path costs.
    pub costs: Vec<Cost>,
}

/// One path under one build, per operation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Counted by callgrind; `None` where that is not installed.
    pub instructions: Option<f64>,
    /// The least of several runs.
    pub ns: f64,
}
