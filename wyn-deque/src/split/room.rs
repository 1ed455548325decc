//! Room for what the owner puts in: growth, and what becomes of the rings that were outgrown.

use super::index::Index;
use super::ring::{Ring, View};
use super::worker::LOOK_PUSHES;
use super::{Barrier, Worker};

/// A full ring grows by this factor: memory is used as it is touched, and growing touches what is there twice.
const GROWTH: usize = if cfg!(wyn_loom) { 2 } else { 4 };

impl<T, B: Barrier> Worker<T, B> {
    /// Makes room for `n` more items.
    #[inline]
    pub(super) fn reserve(&self, n: usize) {
        // `head` is never above `limit`, and outside of `pop` never more than a capacity below.
        if n > self.limit.get().since(self.head()).cast_unsigned() {
            self.make_room(n);
        }
    }

    /// The slots at and above `head`, which [`reserve`](Self::reserve) freed.
    pub(super) fn spare(&self) -> (View<T>, Index) {
        (self.view.get(), self.head())
    }

    /// Publishes the `n` slots from `head` on.
    #[inline]
    pub(super) fn advance(&self, n: usize) {
        self.shared.words.publish(self.head().plus(n));
    }

    #[cold]
    #[inline(never)]
    pub(super) fn make_room(&self, n: usize) {
        self.attend();
        let words = &self.shared.words;
        // A word that thieves leave behind would look ahead of them some day: indices wrap.
        words.raise_low(words.oldest());
        let needed = |done| self.head().items_since(done).checked_add(n).expect("capacity overflow");
        if needed(words.done()) > self.view.get().capacity() {
            self.trim();
        }
        let done = words.done();
        let needed = needed(done);
        if needed > self.view.get().capacity() {
            let roomy = needed.checked_mul(GROWTH / 2).and_then(usize::checked_next_power_of_two);
            self.change_ring(done, roomy.expect("capacity overflow"));
        }
        self.free_retired();
        self.set_limit(done, n);
    }

    /// `n` pushes at least come before the next look, if there is room for them.
    fn set_limit(&self, done: Index, n: usize) {
        let (full, look) = (done.plus(self.view.get().capacity()), self.head().plus(n + LOOK_PUSHES - 1));
        self.limit.set(if full.since(look) < 0 { full } else { look });
    }

    /// Gives memory back: what is there moves to a ring of `capacity` slots, or as many more as it needs, if that is
    /// less than the deque has. Never waits; while a thief is at work, the old ring is kept until the next growth.
    ///
    /// ```
    /// let worker: wyn_deque::split::Worker<i32> = wyn_deque::split::Worker::with_capacity(1 << 14);
    /// worker.push(1);
    /// worker.shrink_to(16);
    /// assert_eq!(worker.pop(), Some(1));
    /// ```
    pub fn shrink_to(&self, capacity: usize) {
        let words = &self.shared.words;
        let done = words.done();
        let needed = self.head().items_since(done).max(capacity).max(2).checked_next_power_of_two();
        if let Some(needed) = needed.filter(|&needed| needed < self.view.get().capacity()) {
            self.change_ring(done, needed);
            self.free_retired();
            self.set_limit(done, 1);
        }
    }

    /// Frees the slots of what is taken by itself: all below `low`. Not if a thief is at work.
    #[cold]
    #[inline(never)]
    pub(super) fn trim(&self) {
        let words = &self.shared.words;
        if words.low().since(words.done()) <= 0 {
            return;
        }
        let Some(lock) = words.try_lock() else { return };
        // A claim of no items.
        let (oldest, _) = lock.estimate();
        lock.retract(oldest);
        lock.confirm(oldest);
        lock.finish(oldest);
    }

    /// Moves what lies at and above `done` to a ring of `capacity` slots, which it fits into. Never waits for a thief.
    fn change_ring(&self, done: Index, capacity: usize) {
        let (words, old) = (&self.shared.words, self.view.get());
        let held = self.head().items_since(done);
        let ring = Ring::alloc(capacity);
        // SAFETY: just allocated; freed when the deque is dropped, or once `view` shows another ring.
        let view = unsafe { Ring::view(ring) };
        // SAFETY: both rings are alive, `held` fits into either. Only the owner writes slots of the
        // old ring, and nobody else knows the new one. The copies of items that a thief has claimed
        // are used by no one but this thief.
        unsafe { old.copy_to(done, view, done, held) };
        // SAFETY: both are alive, the new one was just allocated, and this thread is the owner.
        unsafe { Ring::keep_older(ring, words.ring()) };
        words.replace(ring);
        self.view.set(view);
    }

    /// Frees the rings that growth has replaced, unless a thief is at work, which may be reading one.
    fn free_retired(&self) {
        let words = &self.shared.words;
        let ring = words.ring();
        // SAFETY: the ring in use is alive, and this thread is the owner.
        let Some(retired) = (unsafe { Ring::take_older(ring) }) else { return };
        if words.try_lock().is_some() {
            // SAFETY: all of them came from `alloc`. A thief uses a ring while it has the lock; the last one has given
            // it back, and the next finds the ring in use, or a later one. The owner's view is of the one in use.
            unsafe { Ring::free_retired(retired) };
        } else {
            // SAFETY: both are alive, and the place was just emptied by this thread, the owner.
            unsafe { Ring::keep_older(ring, retired) };
        }
    }
}
