//! The only file of this crate that names atomics, cells, locks and parking.
//!
//! `std` in every ordinary build; [loom](https://docs.rs/loom) under `--cfg wyn_loom`, where each access
//! becomes a point at which the model may switch threads.

#[cfg(not(wyn_loom))]
mod imp {
    pub(crate) use std::hint::spin_loop;
    pub(crate) use std::sync::atomic::{AtomicPtr, Ordering, fence};
    pub(crate) use std::sync::{Mutex, MutexGuard};
    pub(crate) use std::thread::{Thread, current, park, park_timeout, yield_now};

    /// Sets bits of the address; returns the previous pointer.
    #[inline]
    pub(crate) fn fetch_or(p: &AtomicPtr<()>, bits: usize, order: Ordering) -> *mut () {
        // Ordering: chosen, and explained, at the call site.
        p.fetch_or(bits, order)
    }

    /// A memory cell that hands out raw pointers, as loom's does.
    #[derive(Debug)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }
        #[inline]
        pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }
        #[inline]
        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}

#[cfg(wyn_loom)]
mod imp {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::atomic::{AtomicPtr, Ordering, fence};
    pub(crate) use loom::sync::{Mutex, MutexGuard};
    pub(crate) use loom::thread::{Thread, current, park, yield_now};

    /// Sets bits of the address; returns the previous pointer. (loom's `AtomicPtr` has no `fetch_or`.)
    pub(crate) fn fetch_or(p: &AtomicPtr<()>, bits: usize, order: Ordering) -> *mut () {
        // Ordering: chosen at the call site; a failed exchange publishes and reads nothing that is used.
        p.fetch_update(order, Ordering::Relaxed, |v| Some(v.map_addr(|a| a | bits)))
            .unwrap_or_else(|v| v)
    }

    /// loom has no clock: a timed park is a yield that always reports its time as up.
    pub(crate) fn park_timeout(_: std::time::Duration) {
        yield_now();
    }
}

pub(crate) use imp::*;

/// Waits for another thread that is a few instructions away, giving up the processor if it is not.
pub(crate) fn spin_until(mut ready: impl FnMut() -> bool) {
    let mut rounds = 0_u32;
    while !ready() {
        rounds += 1;
        if rounds > 64 || cfg!(wyn_loom) {
            yield_now();
        } else {
            spin_loop();
        }
    }
}
