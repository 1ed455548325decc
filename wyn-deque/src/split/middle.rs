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
        self.take_at_if(position, hole, |_| true)
    }

    /// The same if `wanted` says so.
    #[inline]
    pub fn take_at_if(&self, position: usize, hole: T, wanted: impl FnOnce(T) -> bool) -> Option<T>
    where
        T: Copy,
    {
        let (at, head, oldest) = (Index(position), self.head(), self.shared.words.oldest());
        // Both without a sign: an index below `oldest` lies far above.
        if at.0.wrapping_sub(oldest.0) >= head.0.wrapping_sub(oldest.0) {
            return None;
        }
        // SAFETY: the owner's ring is alive and holds all from `claimed` on. The slot was filled, and only the owner writes
        // slots: what is read stays what is there.
        let item = unsafe { self.view.get().copy(at) };
        if !wanted(item) || !self.withdraw_from(at, head) {
            return None;
        }
        if at.plus(1) == head {
            return Some(item);
        }
        if at == oldest {
            self.leave_out_oldest(at, head);
        } else {
            // SAFETY: the owner's ring is alive. All from `at` up to `head` is the owner's alone (invariant 12).
            unsafe { self.view.get().write(at, hole) };
            self.shared.words.publish(head);
        }
        Some(item)
    }

    /// Takes the newest item if `wanted` says so; else it stays the newest. What [`take_at`](Self::take_at) says of thieves
    /// holds here too.
    ///
    /// ```
    /// let worker: wyn_deque::split::Worker<u32> = wyn_deque::split::Worker::new();
    /// worker.push(1);
    /// assert_eq!((worker.take_newest_if(|item| item == 2), worker.len()), (None, 1));
    /// assert_eq!((worker.take_newest_if(|item| item == 1), worker.len()), (Some(1), 0));
    /// ```
    #[inline(always)]
    pub fn take_newest_if(&self, wanted: impl FnOnce(T) -> bool) -> Option<T>
    where
        T: Copy,
    {
        let item = self.pop()?;
        if wanted(item) {
            return Some(item);
        }
        // Its slot is as it was: nobody else writes slots.
        self.advance(1);
        None
    }

    /// Takes the oldest item if `wanted` says so, and no thief has it. Otherwise as [`take_at`](Self::take_at), and cheaper.
    ///
    /// ```
    /// let worker: wyn_deque::split::Worker<u32> = wyn_deque::split::Worker::new();
    /// (1..=3).for_each(|item| worker.push(item));
    /// assert_eq!(worker.take_oldest_if(|item| item == 2), None);
    /// assert_eq!(worker.take_oldest_if(|item| item == 1), Some(1));
    /// ```
    #[inline]
    pub fn take_oldest_if(&self, wanted: impl FnOnce(T) -> bool) -> Option<T>
    where
        T: Copy,
    {
        let (at, head) = (self.shared.words.oldest(), self.head());
        if head.since(at) <= 0 {
            return None;
        }
        // SAFETY: the owner's ring is alive and holds all from `claimed` on. The slot was filled, and only the owner writes
        // slots: what is read stays what is there.
        let item = unsafe { self.view.get().copy(at) };
        if !wanted(item) || !self.withdraw_from(at, head) {
            return None;
        }
        if at.plus(1) != head {
            self.leave_out_oldest(at, head);
        }
        Some(item)
    }

    /// Takes the item at this position out, unless a thief has it, and closes the gap: what lies above has a position that is
    /// lower by one afterwards, and is moved. Otherwise as [`take_at`](Self::take_at).
    ///
    /// ```
    /// let worker: wyn_deque::split::Worker<u32> = wyn_deque::split::Worker::new();
    /// let positions = [1, 2, 3].map(|item| worker.push_at(item));
    /// assert_eq!(worker.remove(positions[1]), Some(2));
    /// assert_eq!((worker.peek(positions[1]), worker.len()), (Some(3), 2));
    /// ```
    pub fn remove(&self, position: usize) -> Option<T>
    where
        T: Copy,
    {
        let (at, head) = (Index(position), self.head());
        if !self.reaches(at) || !self.withdraw_from(at, head) {
            return None;
        }
        let view = self.view.get();
        // SAFETY: the owner's ring is alive. All from `at` up to `head` is filled, and the owner's alone (invariant 12).
        let item = unsafe { view.copy(at) };
        let mut to = at;
        while to.plus(1) != head {
            // SAFETY: as above.
            let next = unsafe { view.copy(to.plus(1)) };
            // SAFETY: as above.
            unsafe { view.write(to, next) };
            to = to.plus(1);
        }
        self.shared.words.publish(head.minus(1));
        Some(item)
    }

    /// Forgets all from this position on, as so many pops would; says whether it did. If a thief has one of them, nothing
    /// changes.
    ///
    /// ```
    /// let worker: wyn_deque::split::Worker<u32> = wyn_deque::split::Worker::new();
    /// let positions = [1, 2, 3].map(|item| worker.push_at(item));
    /// assert!(worker.forget_from(positions[1]));
    /// assert_eq!((worker.pop(), worker.pop()), (Some(1), None));
    /// ```
    pub fn forget_from(&self, position: usize) -> bool
    where
        T: Copy,
    {
        let (at, head) = (Index(position), self.head());
        self.reaches(at) && self.withdraw_from(at, head)
    }

    /// Withdraws all from `at` on, which is at or above the oldest and below `head`. If `at` is stolen, says `false`, and
    /// `head` is as before.
    #[inline]
    fn withdraw_from(&self, at: Index, head: Index) -> bool {
        let words = &self.shared.words;
        words.withdraw(at);
        B::light();
        at.since(words.split()) >= 0 || self.wins_from(at, head)
    }

    /// The oldest item, at `at`, has been taken; what lies above it and up to `head` is put back.
    #[inline]
    fn leave_out_oldest(&self, at: Index, head: Index) {
        let words = &self.shared.words;
        words.raise_low(at.plus(1));
        words.publish(head);
        if words.low().since(words.claimed()) >= TRIM_SLOTS {
            self.trim();
        }
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
