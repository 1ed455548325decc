//! The owner's end: push and pop.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use super::index::Index;
use super::ring::View;
use super::shared::Shared;
use super::{Barrier, Fences, Stealer, pause};
use crate::sync::Arc;

/// Slots of a new deque.
const INITIAL_CAPACITY: usize = if cfg!(wyn_loom) { 2 } else { 256 };

/// An owner that only pushes looks after so many whether a thief asks.
pub(super) const LOOK_PUSHES: usize = if cfg!(wyn_loom) { 2 } else { 64 };

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
    pub(super) limit: Cell<Index>,
    /// The current ring.
    pub(super) view: Cell<View<T>>,
    barrier: PhantomData<fn() -> B>,
}

// SAFETY: sending a worker sends the items (`T: Send`). The cells move along, and the ring behind
// `view` is kept by `shared`; only the worker replaces it.
unsafe impl<T: Send, B: Barrier> Send for Worker<T, B> {}

impl<T, B: Barrier> Worker<T, B> {
    /// An empty deque with room for 256 items. It grows as needed and never shrinks.
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
        let head = self.head();
        if head == self.shared.words.low() {
            return self.pop_nothing();
        }
        let last = head.minus(1);
        // SAFETY: the owner's ring is alive. Slot `last` holds an item, which is the owner's: behind
        // the barrier `split` was at or below `last` (invariant 5), so no thief reads it.
        self.withdraw(last).then(|| unsafe { self.view.get().read(last) })
    }

    /// All is taken: there is nothing to meet a thief over. One that asks hears so.
    #[cold]
    #[inline(never)]
    fn pop_nothing(&self) -> Option<T> {
        self.attend();
        None
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
    /// been taken. The caller asks for no position twice, nor for one that [`take_at`](Self::take_at) has emptied.
    #[inline]
    pub fn take_back(&self, position: usize) -> bool
    where
        T: Copy,
    {
        // Compared this way round, the caller has one number to keep instead of two. No look at `low`: what lies below
        // it was taken by `take_at`, which the caller knows of, or by a thief, which `claimed` will tell.
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
                let first = from.max(words.low());
                let n = last.items_since(first).div_ceil(2).min(wish);
                if words.answer(from, first.plus(n)) && last.since(first) >= 0 {
                    return true;
                }
            }
            if words.claimed().since(last) > 0 {
                words.publish(last.plus(1));
                return false;
            }
            if last.since(words.split()) >= 0 {
                return true;
            }
            pause(round);
            round = round.saturating_add(1);
        }
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
        self.head().items_since(self.shared.words.oldest())
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

    #[inline(always)]
    pub(super) fn head(&self) -> Index {
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
    pub(super) fn give(&self, head: Index) {
        if let Some((from, wish)) = self.shared.words.question() {
            let first = from.max(self.shared.words.low());
            let n = head.items_since(first).div_ceil(2).min(wish);
            // Whether the thief still waits for it does not matter here.
            self.shared.words.answer(from, first.plus(n));
        }
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
