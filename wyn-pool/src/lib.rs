#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "links kept inside free cells")]
mod cache;
#[allow(unsafe_code, reason = "links kept inside free cells")]
mod cell;
#[allow(unsafe_code, reason = "links kept inside free cells")]
mod depot;
#[allow(unsafe_code, reason = "mmap, munmap, madvise")]
mod os;
#[allow(unsafe_code, reason = "hands out memory; caches are read across threads")]
pub mod raw;
mod stats;
mod sync;
#[allow(unsafe_code, reason = "links kept inside free cells")]
mod trim;

pub use stats::Stats;
