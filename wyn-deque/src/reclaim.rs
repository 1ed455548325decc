//! When a retired ring may be freed: crossbeam-epoch, or under loom a stub that never frees early.
//!
//! [`Reclaimer`] belongs to one deque. Thieves hold a [`Guard`] from before they load the ring
//! pointer until after their last access to the ring; the owner retires a ring after it has
//! unlinked it. Knows nothing of indices.
//!
//! The loom stub keeps every retired ring until the deque dies and calls [`Mortal::kill`] at the
//! first moment at which epoch reclamation could free it: when all guards that existed at its
//! retirement are gone. A ring used after that fails the model instead of reading freed memory. The
//! stub's own bookkeeping is invisible to loom, so it adds no happens-before edge that could hide a
//! missing ordering; the fences it executes are the ones crossbeam-epoch has.

pub(crate) use imp::{Guard, Liveness, Reclaimer};

/// A retired object that can be told that its time is over; only loom's stub ever says so.
pub(crate) trait Mortal {
    /// Every later use must panic.
    #[cfg_attr(not(wyn_loom), allow(dead_code, reason = "called by loom's stub only"))]
    fn kill(&self);
}

#[cfg(not(wyn_loom))]
mod imp {
    use std::marker::PhantomData;

    use crate::sync::{Ordering, fence};

    /// Keeps alive what was not retired when it was taken.
    pub(crate) struct Guard<'a, R> {
        _epoch: crossbeam_epoch::Guard,
        _reclaimer: PhantomData<&'a Reclaimer<R>>,
    }

    /// A ring of at least this many bytes is handed to the collector at once.
    const FLUSH_BYTES: usize = 1 << 10;

    /// Nothing to remember: the real collector frees by itself.
    #[derive(Clone, Copy)]
    pub(crate) struct Liveness;

    impl Liveness {
        pub(crate) const fn new() -> Self {
            Self
        }

        #[inline]
        pub(crate) const fn check(self) {}

        pub(crate) const fn kill(self) {}
    }

    /// Frees retired boxes of `R` through the default collector of crossbeam-epoch.
    pub(crate) struct Reclaimer<R>(PhantomData<fn(R)>);

    impl<R> Reclaimer<R> {
        pub(crate) fn new() -> Self {
            Self(PhantomData)
        }

        /// Protects what is loaded from here on, and is a full fence between what precedes and what
        /// follows.
        ///
        /// The outermost `pin` of a thread ends in a `SeqCst` fence (on x86 in a locked
        /// compare-exchange and a compiler fence, which is the same to the machine).
        /// crossbeam-deque 0.8 takes its steal fence from there too, so crossbeam-epoch 0.9 cannot
        /// drop it without breaking its own sibling; taking it saves one of three locked
        /// instructions of a steal. A nested `pin` has no fence.
        #[inline]
        pub(crate) fn pin_fenced(&self) -> Guard<'_, R> {
            if crossbeam_epoch::is_pinned() {
                // Ordering: stands for the fence that a nested `pin` does not execute.
                fence(Ordering::SeqCst);
            }
            Guard { _epoch: crossbeam_epoch::pin(), _reclaimer: PhantomData }
        }

        /// Frees `retired` when no guard of this moment is left.
        ///
        /// # Safety
        ///
        /// - `retired` came from `Box::into_raw` and is given away: retired once, unlinked before.
        /// - Whoever still uses it holds a [`Guard`] that it took before it found the pointer.
        /// - Dropping an `R` runs no destructor of a user's type, so any thread may do it at any
        ///   time, also after lifetimes named in `R` have ended.
        pub(crate) unsafe fn retire(&self, retired: *mut R, bytes: usize) {
            let guard = crossbeam_epoch::pin();
            // SAFETY: the box belongs to this closure alone from here on, and the caller vouches
            // that it may run on any thread at any later time. It runs when every guard that may
            // have found the pointer is gone.
            let free = move || drop(unsafe { Box::from_raw(retired) });
            // SAFETY: as above; `free` owns all it touches.
            unsafe { guard.defer_unchecked(free) };
            if bytes >= FLUSH_BYTES {
                guard.flush();
            }
        }
    }
}

#[cfg(wyn_loom)]
mod imp {
    use std::collections::BTreeSet;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::Mortal;
    use crate::sync::plain::{AtomicBool, Ordering as Invisible};
    use crate::sync::{Ordering, fence};

    /// Alive until the stub decides that epoch reclamation could have freed the object. Leaks its
    /// byte, so that it can be asked after any mistake.
    #[derive(Clone, Copy)]
    pub(crate) struct Liveness(&'static AtomicBool);

    impl Liveness {
        pub(crate) fn new() -> Self {
            Self(Box::leak(Box::new(AtomicBool::new(true))))
        }

        pub(crate) fn check(self) {
            // Ordering: Relaxed; loom runs its threads one at a time, on one thread.
            assert!(self.0.load(Invisible::Relaxed), "a ring was used after it could be freed");
        }

        pub(crate) fn kill(self) {
            // Ordering: as in `check`.
            self.0.store(false, Invisible::Relaxed);
        }
    }

    struct Retired<R> {
        object: *mut R,
        /// Guards that existed at the retirement and still do.
        readers: BTreeSet<usize>,
    }

    struct State<R> {
        next_guard: usize,
        guards: BTreeSet<usize>,
        retired: Vec<Retired<R>>,
    }

    /// The quarantine of one deque.
    pub(crate) struct Reclaimer<R: Mortal>(Mutex<State<R>>);

    // SAFETY: the pointers are owned boxes, touched only under the mutex or by the last owner, and
    // freeing them runs no user code (contract of `retire`).
    unsafe impl<R: Mortal> Send for Reclaimer<R> {}
    // SAFETY: as for `Send`; all shared access goes through the mutex.
    unsafe impl<R: Mortal> Sync for Reclaimer<R> {}

    impl<R: Mortal> Reclaimer<R> {
        pub(crate) fn new() -> Self {
            Self(Mutex::new(State { next_guard: 0, guards: BTreeSet::new(), retired: Vec::new() }))
        }

        fn state(&self) -> MutexGuard<'_, State<R>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn pin_fenced(&self) -> Guard<'_, R> {
            let id = {
                let mut state = self.state();
                state.next_guard += 1;
                let id = state.next_guard;
                state.guards.insert(id);
                id
            };
            // Ordering: the fence at the end of crossbeam-epoch's `pin`.
            fence(Ordering::SeqCst);
            Guard { reclaimer: self, id }
        }

        /// # Safety
        ///
        /// As for the real one.
        pub(crate) unsafe fn retire(&self, retired: *mut R, _bytes: usize) {
            // Ordering: crossbeam-epoch fences between the unlinking and the reading of the epoch
            // that the garbage is tagged with; whoever pins after it sees the object unlinked.
            fence(Ordering::SeqCst);
            let mut state = self.state();
            let readers = state.guards.clone();
            state.retired.push(Retired { object: retired, readers });
            state.bury();
        }
    }

    impl<R: Mortal> State<R> {
        fn bury(&self) {
            for retired in self.retired.iter().filter(|r| r.readers.is_empty()) {
                // SAFETY: owned by the quarantine and freed only when that is dropped.
                unsafe { &*retired.object }.kill();
            }
        }
    }

    impl<R: Mortal> Drop for Reclaimer<R> {
        fn drop(&mut self) {
            for retired in self.state().retired.drain(..) {
                // SAFETY: came from `Box::into_raw` (contract of `retire`), and nobody is left.
                drop(unsafe { Box::from_raw(retired.object) });
            }
        }
    }

    /// Keeps alive what was not retired when it was taken.
    pub(crate) struct Guard<'a, R: Mortal> {
        reclaimer: &'a Reclaimer<R>,
        id: usize,
    }

    impl<R: Mortal> Drop for Guard<'_, R> {
        fn drop(&mut self) {
            let mut state = self.reclaimer.state();
            state.guards.remove(&self.id);
            for retired in &mut state.retired {
                retired.readers.remove(&self.id);
            }
            state.bury();
        }
    }
}
