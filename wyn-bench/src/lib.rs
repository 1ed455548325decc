#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

pub mod backend;
pub mod backends;
pub mod features;
pub mod meter;
#[allow(unsafe_code, reason = "the calls std does not wrap: setsid, getrusage, affinity")]
pub mod os;
pub mod record;
pub mod simulate;
pub mod workloads;
