//! The only file that names atomics and locks: std in normal builds, loom under `cfg(wyn_loom)`.
//!
//! Everybody in the crate takes `Mutex`, `Atomic*` and `fence` from here, so that the models in `tests/loom.rs`
//! run the code that ships. Under `cfg(wyn_chaos)` taking a lock yields at random, which widens the windows the
//! stress tests look for.

#[cfg(wyn_loom)]
pub(crate) use loom::sync::{
    MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, fence},
};
#[cfg(not(wyn_loom))]
pub(crate) use std::sync::{
    MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, fence},
};

/// A lock without poisoning: no code of the user ever runs under it.
pub(crate) struct Mutex<T>(Inner<T>);

#[cfg(wyn_loom)]
type Inner<T> = loom::sync::Mutex<T>;
#[cfg(not(wyn_loom))]
type Inner<T> = std::sync::Mutex<T>;

impl<T> Mutex<T> {
    #[cfg(not(wyn_loom))]
    pub(crate) const fn new(value: T) -> Self {
        Self(Inner::new(value))
    }

    #[cfg(wyn_loom)]
    pub(crate) fn new(value: T) -> Self {
        Self(Inner::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        chaos();
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Gives other threads a chance at a random moment; nothing without `cfg(wyn_chaos)`.
#[inline(always)] // An empty function in every normal build.
fn chaos() {
    #[cfg(all(wyn_chaos, not(wyn_loom)))]
    {
        use std::hash::{BuildHasher, RandomState};
        if RandomState::new().hash_one(0) % 4 == 0 {
            std::thread::yield_now();
        }
    }
}

/// A static that loom makes anew for each execution.
macro_rules! global {
    ($name:ident: $type:ty = $init:expr) => {
        #[cfg(not(wyn_loom))]
        static $name: $type = $init;
        #[cfg(wyn_loom)]
        loom::lazy_static! { static ref $name: $type = $init; }
    };
}

/// A thread-local, without a lazy state where std can do so.
macro_rules! local {
    ($name:ident: $type:ty = $init:expr) => {
        #[cfg(not(wyn_loom))]
        std::thread_local! { static $name: $type = const { $init } }
        #[cfg(wyn_loom)]
        loom::thread_local! { static $name: $type = $init }
    };
}

pub(crate) use {global, local};
