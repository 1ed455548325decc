//! The only file of this crate that names atomics, locks and parking.
//!
//! `std` in every ordinary build; [loom](https://docs.rs/loom) under `--cfg wyn_loom`, in which only what the
//! models in `tests/` include is built.

#[cfg(not(wyn_loom))]
mod imp {
    pub(crate) use std::hint::spin_loop;
    pub(crate) use std::sync::atomic::{
        AtomicBool, AtomicIsize, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence,
        fence,
    };
    pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use std::thread::{Thread, current, park, park_timeout, yield_now};
}

#[cfg(wyn_loom)]
mod imp {
    pub(crate) use loom::sync::atomic::{AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
    pub(crate) use loom::sync::{Mutex, MutexGuard};
    pub(crate) use loom::thread::{Thread, current};
}

pub(crate) use imp::*;

/// Locks, whatever panicked while it was held: every structure behind these locks is valid at each step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
