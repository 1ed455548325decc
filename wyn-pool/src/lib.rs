#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "owns a value through a pointer")]
mod boxed;
#[allow(unsafe_code, reason = "links kept inside free cells")]
mod cache;
#[allow(unsafe_code, reason = "links kept inside free cells")]
mod cell;
#[allow(unsafe_code, reason = "links kept inside free cells")]
mod depot;
mod error;
#[allow(unsafe_code, reason = "mmap, munmap, madvise")]
mod os;
#[allow(unsafe_code, reason = "hands cells to boxes")]
mod pool;
#[allow(unsafe_code, reason = "hands out memory; caches are read across threads")]
pub mod raw;
#[allow(unsafe_code, reason = "ends itself when the last cell is home")]
mod shared;
mod slot;
mod stats;
mod sync;
#[allow(unsafe_code, reason = "links kept inside free cells")]
mod trim;

pub use boxed::PoolBox;
pub use error::AllocError;
pub use pool::Pool;
pub use stats::Stats;
