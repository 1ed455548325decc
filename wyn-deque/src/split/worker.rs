//! The owner's end: push, pop, change of rings.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use super::index::Index;
use super::ring::{Ring, View};
use super::shared::Shared;
use super::{Barrier, Fences, Stealer, pause};
use crate::sync::Arc;

/// Slots of a new deque.
const INITIAL_CAPACITY: usize = if cfg!(wyn_loom) { 2 } else { 256 };

/// A full ring grows by this factor: memory is used as it is touched, and growing touches what is there twice.
const GROWTH: usize = if cfg!(wyn_loom) { 2 } else { 4 };

/// An owner that only pushes looks after so many whether a thief asks.
const LOOK_PUSHES: usize = if cfg!(wyn_loom) { 2 } else { 64 };

/// The owner's end of a split deque: newest in, newest out.
///
/// There is one worker per deque; it may be sent to another thread but not shared. When it goes, what
/// is left stays stealable, and the last of the worker and its stealers drops it.
///
/// `B` is the barrier that the owner and the thieves meet in; see [`Barrier`].
///
/// ```
/// use wyn_deque::split::Worker;
///
/// let worker: Worker<i32> = Worker::new();
/// worker.push(1);
/// worker.push(2);
/// assert_eq!(worker.pop(), Some(2));
/// assert_eq!(worker.stealer().steal().success(), Some(1));
/// assert_eq!(worker.pop(), None);
/// ```
pub struct Worker<T, B: Barrier = Fences> {
    pub(super) shared: Arc<Shared<T>>,
    /// The first index at which the owner looks up before it pushes: there is no room, or it has not looked for
    /// a while whether a thief asks. At most a capacity above some old value of `words.done`.
    limit: Cell<Index>,
    /// The current ring.
    view: Cell<View<T>>,
    barrier: PhantomData<fn() -> B>,
}

// SAFETY: sending a worker sends the items (`T: Send`). The cells move along, and the ring behind
// `view` is kept by `shared`; only the worker replaces it.
unsafe impl<T: Send, B: Barrier> Send for Worker<T, B> {}

impl<T, B: Barrier> Worker<T, B> {
    /// An empty deque with room for 256 items. It grows as needed, and shrinks by [`shrink_to`](Self::shrink_to).
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(INITIAL_CAPACITY)
    }

    /// An empty deque with room for `capacity` items at least.
    ///
    /// # Panics
    /// If so many items do not fit into the address space.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::starting_at(capacity, 0)
    }

    /// For tests: the first item gets the index `start`.
    #[doc(hidden)]
    #[must_use]
    pub fn starting_at(capacity: usize, start: usize) -> Self {
        let capacity = capacity.max(2).checked_next_power_of_two().expect("capacity overflow");
        let (shared, view) = Shared::new(capacity, Index(start));
        let (shared, barrier) = (Arc::new(shared), PhantomData);
        let limit = Index(start).plus(view.capacity().min(LOOK_PUSHES));
        Self { shared, limit: Cell::new(limit), view: Cell::new(view), barrier }
    }

    /// Adds the newest item; thieves see it at once.
    ///
    /// Never waits. Allocates when the ring is full. Whoever steals the item sees what this thread did
    /// before the push.
    #[inline]
    pub fn push(&self, item: T) {
        self.push_at(item);
    }

    /// Adds the newest item and returns the [`position`](Self::position) it has, for
    /// [`take_back`](Self::take_back).
    #[inline]
    pub fn push_at(&self, item: T) -> usize {
        let words = &self.shared.words;
        let head = words.head();
        if head == self.limit.get() {
            return self.push_at_limit(item);
        }
        // SAFETY: the owner's ring is alive, and slot `head` is free: it is below `limit`, so every thief is
        // done with what it held (`done` is less than a capacity behind), and no thief reads at or above
        // `words.head`.
        unsafe { self.view.get().write(head, item) };
        words.publish(head.plus(1));
        head.0
    }

    /// Out of line with all that follows, so that the usual way keeps nothing for after a call.
    #[cold]
    #[inline(never)]
    fn push_at_limit(&self, item: T) -> usize {
        self.make_room(1);
        self.push_at(item)
    }

    /// Takes the newest item.
    ///
    /// `None` means that the deque was empty: each item was taken by an earlier `pop` or by a thief.
    /// Waits only for a thief that is just deciding about the very item asked for; thieves that copy
    /// are not waited for.
    #[inline]
    pub fn pop(&self) -> Option<T> {
        let last = self.head().minus(1);
        // SAFETY: the owner's ring is alive. Slot `last` holds an item, which is the owner's: behind
        // the barrier `split` was at or below `last` (invariant 5), so no thief reads it.
        self.withdraw(last).then(|| unsafe { self.view.get().read(last) })
    }

    /// Takes the oldest item: for an owner that wants to be fair, at the price of a locked exchange.
    ///
    /// `None` if the deque is empty, or a thief is at it. Never waits.
    ///
    /// ```
    /// let worker: wyn_deque::split::Worker<i32> = wyn_deque::split::Worker::new();
    /// worker.push(1);
    /// worker.push(2);
    /// assert_eq!((worker.pop_oldest(), worker.pop()), (Some(1), Some(2)));
    /// ```
    pub fn pop_oldest(&self) -> Option<T> {
        let Some(lock) = self.shared.words.try_lock() else {
            self.attend();
            return None;
        };
        // The calling thread is the owner, and by the lock the only thief: nobody else moves either end.
        let (from, head) = lock.estimate();
        if head.since(from) <= 0 {
            return None;
        }
        let split = from.plus(1);
        lock.retract(split);
        lock.confirm(split);
        // SAFETY: the owner's ring is alive. Slot `from` holds an item that no thief has claimed; from here on none
        // does, and it is not written before `finish`.
        let item = unsafe { self.view.get().read(from) };
        lock.finish(split);
        Some(item)
    }

    /// Takes the newest item out if its position is this, and says whether it did. The caller has a copy.
    ///
    /// What [`pop`](Self::pop) would do, without a look at the item. A position is used again once its item has
    /// been taken.
    #[inline]
    pub fn take_back(&self, position: usize) -> bool
    where
        T: Copy,
    {
        // Compared this way round, the caller has one number to keep instead of two.
        let last = Index(position);
        self.head().minus(1) == last && self.withdraw(last)
    }

    /// Takes out `last`, which is one below `head`, unless a thief has it. Then the deque is empty.
    #[inline(always)]
    fn withdraw(&self, last: Index) -> bool {
        let words = &self.shared.words;
        words.withdraw(last);
        B::light();
        last.since(words.split()) >= 0 || self.wins(last)
    }

    /// A thief asks, or has announced a claim on `last`, which is withdrawn: answers, or waits until it is decided.
    ///
    /// True if `last` is the owner's. If not, the deque is empty, and `head` is put back.
    #[cold]
    #[inline(never)]
    fn wins(&self, last: Index) -> bool {
        let words = &self.shared.words;
        let mut round = 0u32;
        loop {
            if let Some((from, wish)) = words.question() {
                // Half of what lies below `last`.
                let n = last.items_since(from).div_ceil(2).min(wish);
                if words.answer(from, from.plus(n)) && last.since(from) >= 0 {
                    return true;
                }
            }
            if words.claimed().since(last) > 0 {
                words.restore(last.plus(1));
                return false;
            }
            if last.since(words.split()) >= 0 {
                return true;
            }
            pause(round);
            round = round.saturating_add(1);
        }
    }

    /// Takes the newest item if `wanted` says so; else it stays the newest.
    ///
    /// The item is out of the thieves' sight while `wanted` runs, and the deque may look empty to them.
    /// `wanted` may use this worker: what it pushes ends up below an item that is put back. If it
    /// panics, the item is put back.
    pub fn pop_if(&self, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        let mut held = PutBack { item: Some(self.pop()?), worker: self };
        if held.item.as_ref().is_some_and(wanted) { held.item.take() } else { None }
    }

    /// Where the next item goes: grows by one with each push and shrinks by one with each pop, wrapping.
    ///
    /// An owner that remembers it can tell later whether its newest item was pushed since.
    #[inline]
    #[must_use]
    pub fn position(&self) -> usize {
        self.head().0
    }

    /// The number of items that no thief has taken for certain.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head().items_since(self.shared.words.claimed())
    }

    /// Whether [`len`](Self::len) is zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A handle for thieves.
    #[must_use]
    pub fn stealer(&self) -> Stealer<T, B> {
        Stealer::new(Arc::clone(&self.shared))
    }

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

    #[inline(always)]
    fn head(&self) -> Index {
        self.shared.words.head()
    }

    /// Gives a thief that asks half of the items. `push` and `pop` see to this; it is for an owner that does
    /// neither for microseconds and wants to spare itself the barrier of a thief that gets no answer.
    #[inline]
    pub fn attend(&self) {
        let head = self.head();
        if head.since(self.shared.words.split()) < 0 {
            self.give(head);
        }
    }

    #[cold]
    #[inline(never)]
    fn give(&self, head: Index) {
        if let Some((from, wish)) = self.shared.words.question() {
            let n = head.items_since(from).div_ceil(2).min(wish);
            // Whether the thief still waits for it does not matter here.
            self.shared.words.answer(from, from.plus(n));
        }
    }

    #[cold]
    #[inline(never)]
    fn make_room(&self, n: usize) {
        self.attend();
        let done = self.shared.words.done();
        let held = self.head().items_since(done);
        let needed = held.checked_add(n).expect("capacity overflow");
        if needed > self.view.get().capacity() {
            let roomy = needed.checked_mul(GROWTH / 2).and_then(usize::checked_next_power_of_two);
            self.change_ring(done, roomy.expect("capacity overflow"));
        }
        self.set_limit(done, n);
    }

    /// `n` pushes at least come before the next look, if there is room for them.
    fn set_limit(&self, done: Index, n: usize) {
        let (full, look) = (done.plus(self.view.get().capacity()), self.head().plus(n + LOOK_PUSHES - 1));
        self.limit.set(if full.since(look) < 0 { full } else { look });
    }

    /// Gives memory back: what is there moves to a ring of `capacity` slots, or as many more as it needs, if that is
    /// less than the deque has. Never waits.
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
            self.set_limit(done, 1);
        }
    }

    /// Moves what lies at and above `done` to a ring of `capacity` slots, which it fits into. Never waits for a thief.
    fn change_ring(&self, done: Index, capacity: usize) {
        let old = self.view.get();
        let held = self.head().items_since(done);
        let ring = Ring::alloc(capacity);
        // SAFETY: just allocated; freed when the deque is dropped or by the next change.
        let view = unsafe { Ring::view(ring) };
        // SAFETY: both rings are alive, `held` fits into either. Only the owner writes slots of the
        // old ring, and nobody else knows the new one. The copies of items that a thief has claimed
        // are used by no one but this thief.
        unsafe { old.copy_to(done, view, done, held) };
        let retired = self.shared.words.replace(ring);
        self.view.set(view);
        // SAFETY: the ring came from `alloc`, and only this retires, once. Thieves that pin
        // themselves from now on load the new ring; those that use the old one are pinned.
        unsafe { Ring::retire(retired) };
    }
}

impl<T, B: Barrier> Default for Worker<T, B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, B: Barrier> fmt::Debug for Worker<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Puts its item back when it goes with one.
struct PutBack<'a, T, B: Barrier> {
    item: Option<T>,
    worker: &'a Worker<T, B>,
}

impl<T, B: Barrier> Drop for PutBack<'_, T, B> {
    fn drop(&mut self) {
        if let Some(item) = self.item.take() {
            self.worker.push(item);
        }
    }
}
