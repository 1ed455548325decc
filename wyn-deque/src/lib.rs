#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "slots hold tasks that may not exist")]
mod buffer;
#[cfg(all(wyn_chaos, not(wyn_loom)))]
mod chaos;
#[allow(unsafe_code, reason = "claims turn shared slots into owned tasks")]
mod chase_lev;
mod injector;
#[allow(unsafe_code, reason = "frees rings that thieves may still read")]
mod reclaim;
pub mod split;
mod steal;
mod sync;

pub use chase_lev::{Stealer, Worker};
pub use injector::Injector;
pub use steal::Steal;
