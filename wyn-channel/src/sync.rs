//! The only file of this crate that names atomics, cells, `Arc` and parking.
//!
//! The standard library's in every ordinary build; [loom](https://docs.rs/loom)'s under `--cfg wyn_loom`, so
//! that the algorithms are compiled unchanged into their models. Under `--cfg wyn_chaos` atomics pause at random.
//! Nothing here knows what a channel is.

#[cfg(not(wyn_loom))]
mod imp {
    pub(crate) use std::hint::spin_loop;
    #[cfg(not(wyn_chaos))]
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize};
    pub(crate) use std::sync::atomic::{Ordering, fence};
    pub(crate) use std::sync::{Arc, Mutex, MutexGuard};
    pub(crate) use std::thread::{Thread, current, park, park_timeout, sleep, yield_now};

    #[cfg(wyn_chaos)]
    pub(crate) use crate::chaos::{AtomicBool, AtomicUsize};

    /// `std::cell::UnsafeCell` with loom's interface.
    #[derive(Debug, Default)]
    #[repr(transparent)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        #[inline]
        pub(crate) const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }
        /// Hands out a pointer for reading; no write may overlap the call.
        #[inline]
        pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }
        /// Hands out a pointer for writing; no other access may overlap the call.
        #[inline]
        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }

    /// A full barrier where a SeqCst access stands already: needed by loom only, which takes SeqCst accesses
    /// for AcqRel ones.
    #[inline]
    pub(crate) fn seq_cst_for_models(_site: &str) {}

    /// The ordering of a site that a table names.
    #[inline]
    pub(crate) const fn needed(_site: &str, order: Ordering) -> Ordering {
        order
    }

    /// Whether a model leaves this step out.
    #[inline]
    pub(crate) const fn planted(_step: &str) -> bool {
        false
    }

    /// Memory that is handed from thread to thread by pointer, watched by loom only.
    #[derive(Debug)]
    pub(crate) struct Watched;

    impl Watched {
        #[inline]
        pub(crate) const fn new() -> Self {
            Self
        }
        #[inline]
        pub(crate) fn write(&self) {}
        #[inline]
        pub(crate) fn read(&self) {}
    }
}

#[cfg(wyn_loom)]
mod imp {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
    pub(crate) use loom::sync::{Arc, Mutex, MutexGuard};
    pub(crate) use loom::thread::{Thread, current, park, yield_now};

    pub(crate) fn spin_loop() {
        yield_now();
    }

    /// loom has no clock: a timed park is a yield that always reports its time as up.
    pub(crate) fn park_timeout(_: std::time::Duration) {
        yield_now();
    }

    /// As [`park_timeout`].
    pub(crate) fn sleep(_: std::time::Duration) {
        yield_now();
    }

    pub(crate) fn seq_cst_for_models(site: &str) {
        if !planted(site) {
            // Ordering: SeqCst: what the accesses around each call have by themselves outside loom.
            fence(Ordering::SeqCst);
        }
    }

    /// The ordering of a site, or Relaxed if the site is [`planted`].
    pub(crate) fn needed(site: &str, order: Ordering) -> Ordering {
        // Ordering: whatever the site explains, or what a model wants instead.
        if planted(site) { Ordering::Relaxed } else { order }
    }

    /// Whether `WYN_PLANT` names this site or step, which is then weakened or left out: a model must fail.
    pub(crate) fn planted(step: &str) -> bool {
        static PLANTED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
        PLANTED.get_or_init(|| std::env::var("WYN_PLANT").ok()).as_deref() == Some(step)
    }

    /// Reports a value that is read or written through a pointer without synchronisation as a race.
    #[derive(Debug)]
    pub(crate) struct Watched(UnsafeCell<()>);

    // SAFETY: there is nothing in the cell; loom runs one thread at a time and finds the races.
    unsafe impl Sync for Watched {}

    impl Watched {
        #[track_caller]
        pub(crate) fn new() -> Self {
            Self(UnsafeCell::new(()))
        }
        #[track_caller]
        pub(crate) fn write(&self) {
            self.0.with_mut(|_| ());
        }
        #[track_caller]
        pub(crate) fn read(&self) {
            self.0.with(|_| ());
        }
    }
}

#[allow(unused_imports, reason = "each configuration takes what it needs")]
pub(crate) use imp::*;

/// A value on cache lines of its own (two, for the prefetcher takes them in pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Padded<T>(pub(crate) T);

impl<T> std::ops::Deref for Padded<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

/// The standard library's, for `chaos.rs` to wrap.
#[cfg(all(wyn_chaos, not(wyn_loom)))]
pub(crate) use std::sync::atomic as plain;
