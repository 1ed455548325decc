//! The only file of this crate that names atomics, cells, locks and `Arc`.
//!
//! It re-exports the standard library's, or loom's under `cfg(wyn_loom)`, under the same names, so
//! that every algorithm of the crate is compiled unchanged into its models. [`UnsafeCell`] has
//! loom's closure interface (`with`, `with_mut`) in both worlds: loom reports a race when two
//! closures that are not ordered by the model touch the same cell. Under `cfg(wyn_chaos)` operations
//! are preceded by random pauses.
//!
//! Nothing here knows what a deque is.

#[cfg(not(wyn_loom))]
mod imp {
    #[cfg(wyn_chaos)]
    pub(crate) use crate::chaos::{AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, fence};
    pub(crate) use std::sync::atomic::Ordering;
    #[cfg(not(wyn_chaos))]
    pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, fence};
    pub(crate) use std::sync::{Arc, Mutex};

    /// `std::cell::UnsafeCell` with loom's interface.
    #[derive(Debug)]
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
            #[cfg(wyn_chaos)]
            crate::chaos::dawdle();
            f(self.0.get())
        }

        /// Hands out a pointer for writing; no other access may overlap the call.
        #[inline]
        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            #[cfg(wyn_chaos)]
            crate::chaos::dawdle();
            f(self.0.get())
        }
    }
}

#[cfg(wyn_loom)]
mod imp {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering, fence};
    pub(crate) use loom::sync::{Arc, Mutex};
}

#[allow(unused_imports, reason = "each module takes what it needs")]
pub(crate) use imp::*;

/// The standard library's, whatever the configuration: for what is to stay invisible to loom, and for
/// `chaos.rs` to wrap.
#[cfg(any(wyn_loom, wyn_chaos))]
pub(crate) use std::sync::atomic as plain;
