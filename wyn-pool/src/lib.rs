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

/// What the models need beside the public interface.
#[cfg(wyn_loom)]
#[doc(hidden)]
pub mod model {
    /// Forgets the pools of the execution before; the first thing a model does.
    pub fn begin() {
        crate::sync::EXECUTION.set(crate::sync::EXECUTION.get() + 1);
    }

    /// Does now what the exit of the calling thread does to its caches.
    pub fn exit_thread() {
        crate::slot::exit();
    }

    /// How many pools have memory, those without a handle included.
    pub fn held_pools() -> usize {
        crate::shared::held_pools()
    }
}
