//! The lock around the few instructions of an operation: one flag, taken by one exchange, left by one store.
//!
//! Nobody allocates much, parks, wakes or runs foreign code while it holds one. Whoever finds it taken pauses,
//! then yields, then naps: the holder may have lost its processor. Models of the channels take loom's mutex in
//! its place; the flag itself has a model of its own in `tests/loom_cells.rs`.
//!
//! | site | ordering | partner | model that dies if it is weakened |
//! |---|---|---|---|
//! | `try_acquire`, exchange | Acquire | the store of `release` | `two_threads_exclude_each_other` |
//! | `release`, store | Release | the exchange of `try_acquire` | `two_threads_exclude_each_other` |

use crate::spin::Spin;
use crate::sync::{AtomicBool, Ordering, needed};

/// The flag alone.
#[derive(Debug)]
pub(crate) struct RawLock {
    taken: AtomicBool,
}

impl RawLock {
    pub(crate) fn new() -> Self {
        Self { taken: AtomicBool::new(false) }
    }

    #[inline]
    pub(crate) fn acquire(&self) {
        if !self.try_acquire() {
            self.contend();
        }
    }

    #[inline]
    pub(crate) fn try_acquire(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `release`: the last holder's writes are visible. Failure
        // is Relaxed: it publishes nothing.
        self.taken
            .compare_exchange(false, true, needed("acquire", Ordering::Acquire), Ordering::Relaxed)
            .is_ok()
    }

    #[cold]
    #[inline(never)]
    fn contend(&self) {
        let mut spin = Spin::new();
        loop {
            spin.lose();
            // Ordering: Relaxed: only a hint when to try; `try_acquire` synchronises.
            if !self.taken.load(Ordering::Relaxed) && self.try_acquire() {
                return;
            }
        }
    }

    /// Only for the holder.
    #[inline]
    pub(crate) fn release(&self) {
        // Ordering: Release pairs with the Acquire in `try_acquire`.
        self.taken.store(false, needed("release", Ordering::Release));
    }
}

#[cfg(not(wyn_loom))]
mod imp {
    use std::cell::UnsafeCell;
    use std::ops::{Deref, DerefMut};

    use super::RawLock;

    /// A value behind a [`RawLock`].
    #[derive(Debug)]
    pub(crate) struct ShortLock<T> {
        lock: RawLock,
        /// Only for the holder of the lock.
        value: UnsafeCell<T>,
    }

    // SAFETY: the lock lets one thread at a time reach the value, which may move between threads.
    unsafe impl<T: Send> Sync for ShortLock<T> {}

    impl<T> ShortLock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self { lock: RawLock::new(), value: UnsafeCell::new(value) }
        }

        #[inline]
        pub(crate) fn lock(&self) -> Guard<'_, T> {
            self.lock.acquire();
            Guard { of: self }
        }
    }

    /// Held until it is dropped.
    #[must_use = "dropping the guard at once unlocks at once"]
    pub(crate) struct Guard<'a, T> {
        of: &'a ShortLock<T>,
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        #[inline]
        fn deref(&self) -> &T {
            // SAFETY: the guard holds the lock.
            unsafe { &*self.of.value.get() }
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        #[inline]
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: the guard holds the lock, and is borrowed alone.
            unsafe { &mut *self.of.value.get() }
        }
    }

    impl<T> Drop for Guard<'_, T> {
        #[inline]
        fn drop(&mut self) {
            self.of.lock.release();
        }
    }
}

#[cfg(wyn_loom)]
mod imp {
    use crate::sync::{Mutex, MutexGuard};

    /// loom's mutex in the place of the flag: fewer steps to explore.
    #[derive(Debug)]
    pub(crate) struct ShortLock<T>(Mutex<T>);

    pub(crate) type Guard<'a, T> = MutexGuard<'a, T>;

    impl<T> ShortLock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }
        pub(crate) fn lock(&self) -> Guard<'_, T> {
            self.0.lock().expect("loom's locks are not poisoned")
        }
    }
}

pub(crate) use imp::{Guard, ShortLock};
