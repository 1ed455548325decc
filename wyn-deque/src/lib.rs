#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "a place holds a task or not, as the indices say")]
mod buffer;
#[cfg(all(wyn_chaos, not(wyn_loom)))]
mod chaos;
#[allow(unsafe_code, reason = "a won claim turns a shared place into an owned task")]
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
