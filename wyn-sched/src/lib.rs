#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]
// Under loom only the sleep protocol is built, by `tests/loom_sleep.rs`, which includes its files.
#![cfg(not(wyn_loom))]

#[allow(unsafe_code, reason = "calls membarrier")]
mod barrier;
mod builder;
#[allow(unsafe_code, reason = "reads the calling thread's context through a plain pointer")]
mod context;
mod cpus;
mod error;
#[allow(unsafe_code, reason = "takes results out of cells")]
mod handle;
#[allow(unsafe_code, reason = "waits on cells")]
mod join;
mod runtime;
mod search;
#[allow(unsafe_code, reason = "cancels tasks")]
mod shared;
mod sleep;
mod slot;
mod spawn;
#[allow(unsafe_code, reason = "asks for the bounds of the stack")]
mod stack;
mod sync;
#[allow(unsafe_code, reason = "lays out closures and results in cells")]
mod task;
mod worker;

pub use builder::{Builder, MAX_WORKERS};
pub use error::{BuildError, JoinError, ShutdownError};
pub use handle::JoinHandle;
pub use runtime::{Runtime, global};
pub use spawn::{spawn, spawn_detached, yield_now};
