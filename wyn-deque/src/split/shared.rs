//! What a worker and its stealers share, and what happens when the last of them goes.

use std::marker::PhantomData;
use std::ptr::NonNull;

use super::index::Index;
use super::ring::{Ring, View};
use super::words::Words;

/// The words and, through them, the ring with its items.
pub(super) struct Shared<T> {
    pub(super) words: Words<T>,
    /// Items are owned here.
    items: PhantomData<*mut T>,
}

// SAFETY: `Shared` owns items, and sending it sends them, which `T: Send` allows.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: through `&Shared` items only move from thread to thread (`T: Send`); no `&T` is handed out.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// An empty deque whose first item gets index `start`, and the view of its ring.
    pub(super) fn new(capacity: usize, start: Index) -> (Self, View<T>) {
        let ring = Ring::alloc(capacity);
        // SAFETY: just allocated.
        let view = unsafe { Ring::view(ring) };
        (Self { words: Words::new(start, ring), items: PhantomData }, view)
    }
}

impl<T> Drop for Shared<T> {
    /// Drops the items that are left, then the ring and the retired ones. If a destructor panics, the others still run.
    fn drop(&mut self) {
        let (at, end, ring) = self.words.last();
        let ring = FreeRing(ring);
        // SAFETY: the ring is freed when `ring` goes, after the items.
        let view = unsafe { Ring::view(ring.0) };
        drop(Rest { view, at, left: end.items_since(at) });
    }
}

/// Frees the ring and the retired ones, also when an item's destructor unwinds.
struct FreeRing<T>(NonNull<Ring<T>>);

impl<T> Drop for FreeRing<T> {
    fn drop(&mut self) {
        // SAFETY: the last handle is going: nobody else has the ring or an older one, and `Rest` is gone.
        unsafe { Ring::free(self.0) };
    }
}

/// The `left` items from `at` on, dropped oldest first.
struct Rest<T> {
    view: View<T>,
    at: Index,
    left: usize,
}

impl<T> Drop for Rest<T> {
    fn drop(&mut self) {
        while self.left > 0 {
            let at = self.at;
            (self.at, self.left) = (at.plus(1), self.left - 1);
            // Goes on with the others if the destructor below unwinds.
            let others = Rest { view: self.view, at: self.at, left: self.left };
            // SAFETY: the ring outlives `self`; slots from `claimed` to `head` hold items that no
            // worker or stealer is left to take, and each is moved out once.
            drop(unsafe { self.view.read(at) });
            std::mem::forget(others);
        }
    }
}
