//! The owner's reach into the middle: looks at any item, and takes one out from below others.

use super::index::Index;
use super::{Barrier, Worker};

/// So many slots that are taken and not free again make the owner try the lock.
const TRIM_SLOTS: isize = if cfg!(wyn_loom) { 2 } else { 64 };

impl<T, B: Barrier> Worker<T, B> {
    /// A copy of what lies at this [`position`](Self::position); `None` if nothing does.
    ///
    /// Only a look: a thief may be about to take it. What [`take_at`](Self::take_at) has left there is seen as well.
    #[inline]
    #[must_use]
    pub fn peek(&self, position: usize) -> Option<T>
    where
        T: Copy,
    {
        let at = Index(position);
        // SAFETY: the owner's ring is alive and holds all from `claimed` on. The slot was filled, as `at` lies below
        // `head`, and only the owner writes slots.
        self.reaches(at).then(|| unsafe { self.view.get().copy(at) })
    }

    /// The position of the oldest item that no thief has taken for certain; if there is none,
    /// [`position`](Self::position).
    #[inline]
    #[must_use]
    pub fn oldest_position(&self) -> usize {
        self.shared.words.oldest().0
    }

    /// Takes the item at this [`position`](Self::position) out, unless a thief has it.
    ///
    /// `hole` is left in its place; whoever pops, steals or looks at it must know it when he sees it. Nothing is left in
    /// the place of the newest item, and nobody ever finds what is left in the place of the oldest. `None` if
    /// nothing lies at this position, or a thief is faster. A hole can be taken like an item. Waits for a thief only if
    /// it is just deciding about this very item.
    ///
    /// For thieves it is as if the items above had been popped and pushed anew: in between, the deque may look empty to
    /// them. A caller that wakes sleepers after a push must do so after this too, if anything is left.
    ///
    /// ```
    /// let worker: wyn_deque::split::Worker<u32> = wyn_deque::split::Worker::new();
    /// let positions = [1, 2, 3].map(|item| worker.push_at(item));
    /// assert_eq!((worker.take_at(positions[1], 0), worker.take_at(positions[0], 0)), (Some(2), Some(1)));
    /// assert_eq!((worker.pop(), worker.pop(), worker.pop()), (Some(3), Some(0), None));
    /// ```
    pub fn take_at(&self, position: usize, hole: T) -> Option<T>
    where
        T: Copy,
    {
        let (words, at, head) = (&self.shared.words, Index(position), self.head());
        if !self.reaches(at) {
            return None;
        }
        words.withdraw(at);
        B::light();
        if at.since(words.split()) < 0 && !self.wins_from(at, head) {
            return None;
        }
        // SAFETY: the owner's ring is alive. All from `at` up to `head` is filled, and the owner's alone (invariant 12).
        let item = unsafe { self.view.get().copy(at) };
        if at.plus(1) == head {
            return Some(item);
        }
        if at == words.oldest() {
            words.raise_low(at.plus(1));
        } else {
            // SAFETY: as above.
            unsafe { self.view.get().write(at, hole) };
        }
        words.publish(head);
        if words.low().since(words.claimed()) >= TRIM_SLOTS {
            self.trim();
        }
        Some(item)
    }

    /// A thief asks, or has announced a claim on `at`, from which on all up to `head` is withdrawn: answers and withdraws
    /// again, or waits until it is decided.
    ///
    /// True if all from `at` on is the owner's. If not, `at` is stolen, and `head` is put back.
    #[cold]
    #[inline(never)]
    fn wins_from(&self, at: Index, head: Index) -> bool {
        let words = &self.shared.words;
        let mut round = 0u32;
        loop {
            if words.question().is_some() {
                // Half of all, as if it had come a moment earlier.
                words.publish(head);
                self.give(head);
                words.withdraw(at);
                B::light();
            }
            if words.claimed().since(at) > 0 {
                words.publish(head);
                return false;
            }
            if at.since(words.split()) >= 0 {
                return true;
            }
            super::pause(round);
            round = round.saturating_add(1);
        }
    }

    /// Whether `at` lies between the oldest item and `head`.
    #[inline]
    fn reaches(&self, at: Index) -> bool {
        let oldest = self.shared.words.oldest();
        // Both without a sign: an index below `oldest` lies far above.
        at.0.wrapping_sub(oldest.0) < self.head().0.wrapping_sub(oldest.0)
    }
}
