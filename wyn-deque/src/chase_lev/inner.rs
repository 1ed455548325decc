//! The three words shared by both ends, every access to them, and why it is right.
//!
//! Who calls: `worker.rs` (owner), `stealer.rs` (thieves). Nobody else touches `top`, `bottom` or
//! the ring pointer.

use crossbeam_utils::CachePadded;

use crate::buffer::{Places, Ring};
use crate::reclaim::{Guard, Reclaimer};
use crate::sync::{AtomicPtr, AtomicUsize, Ordering, fence};

/// What thieves read on every steal and the owner only on a pop.
struct Front<T> {
    /// Oldest index not taken. Advanced by compare-exchange only, so it never goes back.
    top: AtomicUsize,
    /// The ring that the owner writes to. Stored by the owner; thieves load it under a guard.
    ring: AtomicPtr<Ring<T>>,
}

/// The shared part of one deque; the parent module states the invariants.
pub(super) struct Inner<T> {
    front: CachePadded<Front<T>>,
    /// One past the newest index. Stored by the owner only, always with Release.
    bottom: CachePadded<AtomicUsize>,
    reclaimer: Reclaimer<Ring<T>>,
}

/// What a thief saw: an index, and how many tasks were there from it on.
pub(super) struct Sight<'a, T> {
    pub(super) top: usize,
    pub(super) len: usize,
    /// Keeps every ring alive that [`Inner::places`] returns.
    pub(super) guard: Guard<'a, Ring<T>>,
}

/// Number of tasks between two indices; an owner in the middle of a pop may have `bottom < top`.
#[inline]
pub(super) fn distance(top: usize, bottom: usize) -> usize {
    bottom.wrapping_sub(top).cast_signed().max(0).cast_unsigned()
}

impl<T> Inner<T> {
    /// An empty deque whose first task will have index `first`, which `ring` is free for.
    pub(super) fn new(ring: Ring<T>, first: usize) -> Self {
        let ring = Box::into_raw(Box::new(ring));
        Self {
            front: CachePadded::new(Front { top: AtomicUsize::new(first), ring: AtomicPtr::new(ring) }),
            bottom: CachePadded::new(AtomicUsize::new(first)),
            reclaimer: Reclaimer::new(),
        }
    }

    /// The owner's own index.
    #[inline]
    pub(super) fn bottom(&self) -> usize {
        // Ordering: Relaxed, the owner is the only writer.
        self.bottom.load(Ordering::Relaxed)
    }

    /// Offers every index below `bottom` to thieves.
    #[inline]
    pub(super) fn publish(&self, bottom: usize) {
        // Ordering: Release pairs with the Acquire in `look` and `look_again`: a thief that sees
        // the index sees the task, and the ring it is in.
        self.bottom.store(bottom, Ordering::Release);
    }

    /// Takes the newest index back before looking at `top`.
    #[inline]
    pub(super) fn withdraw(&self, bottom: usize) {
        // Ordering: Release although it publishes nothing new: a thief may read this store instead
        // of the `publish` of an older task, and a Relaxed store does not continue that one's
        // release sequence (C++20).
        self.bottom.store(bottom, Ordering::Release);
    }

    /// Ends a pop that met `top`: the deque is empty at `bottom`.
    #[inline]
    pub(super) fn settle(&self, bottom: usize) {
        // Ordering: Release pairs with the Acquire in `look`. A thief that reads this store and
        // then claims the last index would have to claim it before the owner saw it claimed; the
        // pair makes that cycle impossible. Loom does not produce load-buffering cycles, so no
        // model dies of it.
        self.bottom.store(bottom, Ordering::Release);
    }

    /// A lower bound of the oldest index.
    #[inline]
    pub(super) fn top(&self) -> usize {
        // Ordering: Relaxed. A stale value makes the owner compare-exchange in vain or copy tasks
        // that are gone; what it must not miss, it reads behind `barrier`. For the bound of
        // `bottom - top` by the ring size see invariant 3. A thief that asks for the length reads it
        // before the fence of `look_again`.
        self.front.top.load(Ordering::Relaxed)
    }

    /// Separates the owner's `withdraw` from its `top`, a thief's `top` from its `bottom`.
    #[inline]
    pub(super) fn barrier(&self) {
        // Ordering: SeqCst fence; pairs with itself on the other side. Excludes that the owner
        // misses the thief's `top` while the thief misses the owner's `withdraw`: both would take
        // the same index.
        fence(Ordering::SeqCst);
    }

    /// Takes the indices `top .. top + count` if `top` is still the oldest; else says which is.
    #[inline]
    pub(super) fn claim(&self, top: usize, count: usize) -> Result<(), usize> {
        let new = top.wrapping_add(count);
        // Ordering: Relaxed, the claim decides who, not what. The task is visible by the Acquire of
        // `bottom` before it (the owner's own pop needs none), it stays until the claimant drains
        // the place, and the two sides of a race meet in this word's modification order alone.
        self.front.top.compare_exchange(top, new, Ordering::Relaxed, Ordering::Relaxed).map(drop)
    }

    /// A thief's first look: `top`, the barrier and the guard, then `bottom`.
    #[inline]
    pub(super) fn look(&self) -> Sight<'_, T> {
        // Ordering: Relaxed, kept before the load of `bottom` by the fence of `pin_fenced`.
        let top = self.front.top.load(Ordering::Relaxed);
        // Ordering: the thief's side of `barrier`; one full fence does for both.
        let guard = self.reclaimer.pin_fenced();
        Sight { top, len: distance(top, self.published()), guard }
    }

    /// A thief's look after it moved `top` to `top` itself and needs no second guard.
    #[inline]
    pub(super) fn look_again(&self, top: usize) -> usize {
        self.barrier();
        distance(top, self.published())
    }

    #[inline]
    fn published(&self) -> usize {
        // Ordering: Acquire pairs with the Release in `publish` and `withdraw`.
        self.bottom.load(Ordering::Acquire)
    }

    /// The places of the ring that holds every claimable index a look under `guard` has reported,
    /// provided that this is called after the look and before the claim (invariant 4).
    ///
    /// # Safety
    ///
    /// - The result is not used after `guard` is gone.
    #[inline]
    pub(super) unsafe fn places(&self, _guard: &Guard<'_, Ring<T>>) -> Places<T> {
        // Ordering: Acquire pairs with the Release in `replace_ring`: the copied values and the
        // flags are visible to whoever finds the new ring.
        let ring = self.front.ring.load(Ordering::Acquire);
        // SAFETY: a ring that was current under the guard is not freed before the guard is gone.
        let ring = unsafe { &*ring };
        // SAFETY: the ring lives as long as the guard, and the caller keeps to that.
        unsafe { ring.places() }
    }

    /// Makes `new` current and retires its predecessor.
    ///
    /// # Safety
    ///
    /// - The caller is the owner, and does not use the predecessor afterwards.
    /// - `new` holds every index from `top` on that was ever written and may yet be claimed.
    pub(super) unsafe fn replace_ring(&self, new: Box<Ring<T>>) {
        // Ordering: Relaxed, only the owner stores it.
        let old = self.front.ring.load(Ordering::Relaxed);
        // Ordering: Release pairs with the Acquire in `ring`.
        self.front.ring.store(Box::into_raw(new), Ordering::Release);
        // SAFETY: `old` was current until the line above and stays allocated until it is retired.
        let bytes = unsafe { &*old }.bytes();
        // SAFETY: unlinked just above; thieves found it under a guard; a ring holds `MaybeUninit`
        // values, so dropping it runs no destructor of `T`.
        unsafe { self.reclaimer.retire(old, bytes) };
    }
}

impl<T> Drop for Inner<T> {
    fn drop(&mut self) {
        // Ordering: Relaxed, `&mut self` says that the other handles are gone.
        let ring = self.front.ring.load(Ordering::Relaxed);
        // SAFETY: the current ring came from `Box::into_raw` and was not retired.
        let ring = unsafe { Box::from_raw(ring) };
        // SAFETY: `ring` is dropped after the leftovers.
        let places = unsafe { ring.places() };
        Leftovers { places, top: self.top(), bottom: self.bottom() }.drop_all();
    }
}

/// The tasks nobody took. A destructor that panics costs its own task only: unwinding drops this
/// and with it the rest.
struct Leftovers<T> {
    places: Places<T>,
    top: usize,
    bottom: usize,
}

impl<T> Leftovers<T> {
    fn drop_all(&mut self) {
        while distance(self.top, self.bottom) > 0 {
            let index = self.top;
            self.top = index.wrapping_add(1);
            // SAFETY: nobody else is left, so every index in `top .. bottom` is unclaimed, and it
            // is behind `self.top` before its destructor can unwind.
            drop(unsafe { self.places.take(index) });
        }
    }
}

impl<T> Drop for Leftovers<T> {
    fn drop(&mut self) {
        self.drop_all();
    }
}
