#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]
// Under loom only the sleep protocol is built, by `tests/loom_sleep.rs`, which includes its files.
#![cfg(not(wyn_loom))]

#[allow(unsafe_code, reason = "calls membarrier")]
mod barrier;
mod block;
mod builder;
#[cfg(feature = "channel")]
mod channels;
#[allow(unsafe_code, reason = "reads the calling thread's context through a plain pointer")]
mod context;
#[allow(unsafe_code, reason = "asks for the processors of a thread")]
mod cpus;
mod deadlock;
#[allow(unsafe_code, reason = "drops results in cells")]
mod departure;
mod error;
#[allow(unsafe_code, reason = "hands closures on the stack to other threads")]
mod fork;
#[allow(unsafe_code, reason = "lays out futures and results in cells, which are their own wakers")]
mod future;
#[allow(unsafe_code, reason = "takes results out of cells")]
mod handle;
mod isolate;
#[allow(unsafe_code, reason = "waits on cells")]
mod join;
#[allow(unsafe_code, reason = "follows the chain of waiting frames")]
mod lineage;
mod numbers;
#[allow(unsafe_code, reason = "follows the pointer to the calling thread's context")]
mod par_for;
mod relief;
mod runtime;
#[allow(unsafe_code, reason = "lays out children in cells, and shares the frame of the scope with them")]
mod scope;
mod search;
#[allow(unsafe_code, reason = "cancels tasks")]
mod shared;
mod sleep;
mod slot;
mod slots;
mod spawn;
#[allow(unsafe_code, reason = "asks for the bounds of the stack")]
mod stack;
mod stats;
mod sync;
mod table;
#[allow(unsafe_code, reason = "lays out closures and results in cells")]
mod task;
mod worker;

pub use builder::{Builder, MAX_WORKERS};
pub use deadlock::{Blocked, Bystander, DeadlockError, Deadlocks, WaitsFor, bystander};
pub use error::{BuildError, JoinError, ShutdownError};
pub use fork::{FnContext, join, join_all, join_context};
pub use future::{block_on, spawn_future};
pub use handle::JoinHandle;
pub use isolate::isolate;
pub use par_for::{par_for, par_for_ranges};
pub use runtime::{Runtime, global};
pub use scope::{
    BroadcastContext, Scope, ScopeFifo, ScopedJoinHandle, broadcast, in_place_scope, in_place_scope_fifo,
    scope, scope_fifo,
};
pub use spawn::{current_worker_index, spawn, spawn_detached, worker_count, yield_now};
#[cfg(feature = "stats")]
pub use stats::{Counts, Stats};
