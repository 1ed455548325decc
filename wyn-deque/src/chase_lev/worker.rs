//! The owner's end: push, pop, and the replacement of the ring.
//!
//! Invariants 1 to 3 of the parent module are kept here. No atomic is named here; the words are in
//! `inner.rs`, the places for tasks in `buffer.rs`.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::UnwindSafe;

use super::inner::{Inner, distance};
use super::stealer::Stealer;
use crate::buffer::{Places, Ring};
use crate::sync::Arc;

/// Places of a new deque.
#[cfg(not(wyn_loom))]
const MIN_CAPACITY: usize = 64;
/// Small enough for a model to lap and to grow.
#[cfg(wyn_loom)]
const MIN_CAPACITY: usize = 2;

/// Which end the owner pops from. Thieves take the oldest task in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavor {
    Fifo,
    Lifo,
}

/// The owning end of a deque: one thread pushes and pops, others steal through a [`Stealer`].
///
/// `Worker` is `Send` but not `Sync`: it may move to another thread, and one thread at a time uses
/// it. No method blocks. Tasks still queued when the last handle goes are dropped.
///
/// # Examples
///
/// ```
/// use wyn_deque::{Steal, Worker};
///
/// let lifo = Worker::new_lifo();
/// let fifo = Worker::new_fifo();
/// for task in 1..=3 {
///     lifo.push(task);
///     fifo.push(task);
/// }
///
/// // Thieves take the oldest from both; the owners differ.
/// assert_eq!(lifo.stealer().steal(), Steal::Success(1));
/// assert_eq!(fifo.stealer().steal(), Steal::Success(1));
/// assert_eq!(lifo.pop(), Some(3));
/// assert_eq!(fifo.pop(), Some(2));
/// ```
///
/// It is not shared by reference:
///
/// ```compile_fail,E0277
/// let worker = wyn_deque::Worker::new_lifo();
/// worker.push(1);
/// std::thread::scope(|scope| {
///     scope.spawn(|| worker.pop());
/// });
/// ```
pub struct Worker<T> {
    pub(super) inner: Arc<Inner<T>>,
    /// The current ring, which lives until `make_room` overwrites this.
    pub(super) ring: Cell<Places<T>>,
    /// The last `top` this owner saw: a lower bound of it.
    pub(super) seen_top: Cell<usize>,
    pub(super) flavor: Flavor,
    /// Owns `T`s, and is neither `Send` nor `Sync` by itself.
    _owner: PhantomData<*mut T>,
}

// SAFETY: the handle holds tasks, which move with it, and the ring pointer, which goes with the
// shared part; nothing depends on the thread, as long as one at a time uses the handle (not `Sync`).
unsafe impl<T: Send> Send for Worker<T> {}

impl<T> Worker<T> {
    /// A deque whose owner pops the oldest task.
    ///
    /// The owner's pop competes with the thieves for the same end and costs one locked instruction.
    ///
    /// ```
    /// let worker = wyn_deque::Worker::<u32>::new_fifo();
    /// assert!(worker.is_empty());
    /// ```
    #[must_use = "a deque that is dropped drops its tasks"]
    pub fn new_fifo() -> Worker<T> {
        Self::starting_at(Flavor::Fifo, 0)
    }

    /// A deque whose owner pops the newest task.
    ///
    /// ```
    /// let worker = wyn_deque::Worker::<u32>::new_lifo();
    /// assert!(worker.is_empty());
    /// ```
    #[must_use = "a deque that is dropped drops its tasks"]
    pub fn new_lifo() -> Worker<T> {
        Self::starting_at(Flavor::Lifo, 0)
    }

    /// As the constructors; the first task gets the index `first`. Lets tests start near the end of
    /// the index range.
    pub(super) fn starting_at(flavor: Flavor, first: usize) -> Worker<T> {
        let ring = Ring::new(MIN_CAPACITY, first);
        // SAFETY: as the field `ring` says.
        let places = Cell::new(unsafe { ring.places() });
        let inner = Arc::new(Inner::new(ring, first));
        Worker { inner, ring: places, seen_top: Cell::new(first), flavor, _owner: PhantomData }
    }

    /// A handle for thieves, to be cloned and sent to other threads.
    ///
    /// ```
    /// let worker = wyn_deque::Worker::new_lifo();
    /// let stealer = worker.stealer();
    /// worker.push(1);
    /// let thief = std::thread::spawn(move || stealer.steal().success());
    /// assert_eq!(thief.join().unwrap(), Some(1));
    /// ```
    #[must_use = "the only use of a stealer is to steal with it"]
    pub fn stealer(&self) -> Stealer<T> {
        Stealer::new(Arc::clone(&self.inner), self.flavor)
    }

    /// Whether there is nothing to pop. Thieves may make it `true` at any moment.
    ///
    /// ```
    /// let worker = wyn_deque::Worker::new_lifo();
    /// worker.push(1);
    /// assert!(!worker.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of tasks; an upper bound while thieves are at work.
    ///
    /// ```
    /// let worker = wyn_deque::Worker::new_lifo();
    /// worker.push(1);
    /// worker.push(2);
    /// assert_eq!(worker.len(), 2);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        distance(self.inner.top(), self.inner.bottom())
    }

    /// Adds the newest task.
    ///
    /// No locked instruction and no fence. A task that is pushed is visible to a thief that looks
    /// afterwards in the happens-before sense; to be sure that a thief about to sleep sees it, put a
    /// `SeqCst` fence between the push and the look for sleepers.
    ///
    /// Replaces the ring when it is full, or when the next place is still held by a thief that has
    /// claimed but not yet read it, one lap ago. Never waits for that thief.
    ///
    /// # Panics
    ///
    /// When the ring would exceed `isize::MAX` bytes. Exhausted memory goes to the allocation error
    /// handler.
    ///
    /// ```
    /// let worker = wyn_deque::Worker::new_lifo();
    /// worker.push("task");
    /// assert_eq!(worker.pop(), Some("task"));
    /// ```
    #[inline]
    pub fn push(&self, task: T) {
        let bottom = self.inner.bottom();
        let mut ring = self.ring.get();
        if !ring.is_free_for(bottom) {
            self.make_room(1);
            ring = self.ring.get();
        }
        // SAFETY: this is the owner (not `Sync`), the index is not published, and its place is free
        // by the check or in a new ring with room for it.
        unsafe { ring.write(bottom, task) };
        self.inner.publish(bottom.wrapping_add(1));
    }

    /// Takes the newest task (LIFO) or the oldest (FIFO).
    ///
    /// `None` says that the deque was empty at some moment during the call. Never allocates or
    /// frees: the ring keeps its size.
    ///
    /// ```
    /// let worker = wyn_deque::Worker::new_lifo();
    /// worker.push(1);
    /// worker.push(2);
    /// assert_eq!((worker.pop(), worker.pop(), worker.pop()), (Some(2), Some(1), None));
    /// ```
    #[inline]
    pub fn pop(&self) -> Option<T> {
        match self.flavor {
            Flavor::Fifo => self.pop_oldest(),
            Flavor::Lifo => self.pop_newest(),
        }
    }

    #[inline]
    fn pop_newest(&self) -> Option<T> {
        let bottom = self.inner.bottom();
        let newest = bottom.wrapping_sub(1);
        match self.likely_top(bottom) {
            top if top == bottom => return None,
            // The newest is the oldest: taken as a thief takes it, by the claim alone. `bottom`
            // stays, so there is nothing to order and no fence. A stale `top` loses the claim.
            top if top == newest => return self.claim_oldest(newest).ok(),
            _ => {}
        }
        self.inner.withdraw(newest);
        self.inner.barrier();
        let top = self.inner.top();
        if top != self.seen_top.get() {
            self.seen_top.set(top);
        }
        if distance(top, newest) > 0 {
            // SAFETY: older tasks remain, so by the barrier no thief can have claimed `newest` or
            // can claim it any more (invariant 2); the owner wrote it itself.
            return Some(unsafe { self.ring.get().read(newest) });
        }
        let task = if top == newest { self.claim_oldest(newest).ok() } else { None };
        self.inner.settle(bottom);
        task
    }

    #[inline]
    fn pop_oldest(&self) -> Option<T> {
        let bottom = self.inner.bottom();
        let mut top = self.likely_top(bottom);
        while top != bottom {
            match self.claim_oldest(top) {
                Ok(task) => return Some(task),
                Err(newer) => top = newer,
            }
        }
        None
    }

    /// A lower bound of `top`; `bottom` only if the deque is empty.
    ///
    /// Mostly without a load of `top`: a compare-exchange would have to wait for it, and against
    /// thieves it would fetch the line twice.
    #[inline]
    fn likely_top(&self, bottom: usize) -> usize {
        if self.seen_top.get() == bottom {
            // Looked at again because the bound may be a full turn of the index old.
            self.seen_top.set(self.inner.top());
        }
        self.seen_top.get()
    }

    /// Takes index `top` if that is the oldest; else says which is. Remembers it in either case.
    #[inline]
    fn claim_oldest(&self, top: usize) -> Result<T, usize> {
        match self.inner.claim(top, 1) {
            Ok(()) => {
                self.seen_top.set(top.wrapping_add(1));
                // SAFETY: claimed, once, through `top`; the owner wrote the task itself, to this
                // ring or to one it was copied from.
                Ok(unsafe { self.ring.get().take(top) })
            }
            Err(newer) => {
                self.seen_top.set(newer);
                Err(newer)
            }
        }
    }

    /// Replaces the ring by one with room for `count` more tasks and no place held by a thief.
    ///
    /// The size stays if at least half of it would be free: then a slow thief, or a claim that
    /// raced the last replacement, is in the way, not the number of tasks. So the capacity stays
    /// below four times the largest number of tasks (but at the minimum), and a replacement at equal
    /// size comes at most once in half a lap.
    #[cold]
    #[inline(never)]
    pub(super) fn make_room(&self, count: usize) {
        let (old, bottom, top) = (self.ring.get(), self.inner.bottom(), self.inner.top());
        let needed = distance(top, bottom).checked_add(count).expect("capacity overflow");
        let mut capacity = old.capacity();
        if needed > capacity / 2 {
            capacity = needed.max(capacity + 1).checked_next_power_of_two().expect("capacity overflow");
        }
        // SAFETY: the owner wrote these; `bottom - top` is at most a ringful (invariant 3).
        let new = unsafe { Ring::replica(old, capacity, top, bottom) };
        // SAFETY: as the field `ring` says.
        let places = unsafe { new.places() };
        // The new ring is not public yet, so what has been claimed so far is read elsewhere.
        for offset in 0..distance(top, self.inner.top()) {
            places.drain(top.wrapping_add(offset));
        }
        self.ring.set(places);
        // SAFETY: `new` holds all from `top` on, and `top` does not go back; the copy of the old
        // places was overwritten just above.
        unsafe { self.inner.replace_ring(Box::new(new)) };
    }

    /// Whether the owner pops what was pushed first.
    #[inline]
    pub(super) fn is_fifo(&self) -> bool {
        self.flavor == Flavor::Fifo
    }
}

// What unwinds inside a method (an allocation that is too large) unwinds before anything changed.
impl<T> UnwindSafe for Worker<T> {}

impl<T> fmt::Debug for Worker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Worker { .. }")
    }
}
