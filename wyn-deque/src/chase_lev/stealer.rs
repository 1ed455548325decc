//! The thieves' end: one task, or a batch into a worker of the thief's own.
//!
//! Every method looks, finds the ring, claims, and only then reads. No atomic is named here; the
//! words are in `inner.rs`.

use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::MAX_BATCH;
use super::ahead::Ahead;
use super::inner::{Inner, Sight};
use super::worker::{Flavor, Worker};
use crate::steal::Steal;
use crate::sync::Arc;

/// The thieves' end of a deque: takes the oldest tasks, from any thread.
///
/// Cheap to clone; a clone serves the same deque. No method waits for another thread: a race lost
/// is a [`Steal::Retry`].
///
/// Every look at the deque is behind a `SeqCst` fence, so a thief that first announces that it is
/// going to sleep and then finds the deque empty will be seen by an owner that pushes, fences and
/// then looks for sleepers.
///
/// # Examples
///
/// ```
/// use wyn_deque::{Steal, Worker};
///
/// let victim = Worker::new_lifo();
/// let stealer = victim.stealer();
/// (0..10).for_each(|task| victim.push(task));
///
/// let thief = std::thread::spawn(move || {
///     let own = Worker::new_fifo();
///     let first = stealer.steal_batch_and_pop(&own);
///     (first, own.len())
/// });
/// assert_eq!(thief.join().unwrap(), (Steal::Success(4), 4));
/// assert_eq!(victim.len(), 5);
/// ```
pub struct Stealer<T> {
    inner: Arc<Inner<T>>,
    flavor: Flavor,
    /// Takes `T`s out, and is neither `Send` nor `Sync` by itself.
    _tasks: PhantomData<*mut T>,
}

// SAFETY: a stealer moves tasks between threads and gives out no reference to one.
unsafe impl<T: Send> Send for Stealer<T> {}
// SAFETY: all methods are made for concurrent use, and tasks only move (`T: Send` suffices).
unsafe impl<T: Send> Sync for Stealer<T> {}

impl<T> Stealer<T> {
    pub(super) fn new(inner: Arc<Inner<T>>, flavor: Flavor) -> Self {
        Self { inner, flavor, _tasks: PhantomData }
    }

    /// Whether the deque is empty at this moment.
    ///
    /// ```
    /// let worker = wyn_deque::Worker::new_lifo();
    /// let stealer = worker.stealer();
    /// assert!(stealer.is_empty());
    /// worker.push(1);
    /// assert!(!stealer.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of tasks at this moment.
    ///
    /// ```
    /// let worker = wyn_deque::Worker::new_lifo();
    /// worker.push(1);
    /// assert_eq!(worker.stealer().len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        let top = self.inner.top();
        self.inner.look_again(top)
    }

    /// Takes the oldest task.
    ///
    /// ```
    /// use wyn_deque::{Steal, Worker};
    /// let worker = Worker::new_lifo();
    /// let stealer = worker.stealer();
    /// worker.push(1);
    /// worker.push(2);
    /// assert_eq!(stealer.steal(), Steal::Success(1));
    /// ```
    pub fn steal(&self) -> Steal<T> {
        let Sight { top, len, guard } = self.inner.look();
        if len == 0 {
            return Steal::Empty;
        }
        // SAFETY: `guard` lives to the end of the function.
        let ring = unsafe { self.inner.places(&guard) };
        if self.inner.claim(top, 1).is_err() {
            return Steal::Retry;
        }
        // SAFETY: claimed through `top`; the look ordered the push before this, and the ring found
        // between look and claim holds the index (invariant 4).
        Steal::Success(unsafe { ring.take(top) })
    }

    /// Moves up to half of the tasks into `dest`, at most [32](Self::steal_batch_with_limit).
    ///
    /// `dest` will pop them in the order in which the victim would have: with one FIFO and one LIFO
    /// deque that means reversed.
    ///
    /// From a FIFO victim this takes one compare-exchange in all; from a LIFO victim one, and a
    /// fence, per task, since the owner takes tasks at the other end without asking and may meet
    /// the thief inside the batch.
    ///
    /// Into the very deque it steals from, nothing moves: the result is `Success` if there are
    /// tasks, else `Empty`.
    ///
    /// ```
    /// use wyn_deque::Worker;
    /// let (victim, own) = (Worker::new_fifo(), Worker::new_fifo());
    /// (1..=4).for_each(|task| victim.push(task));
    /// assert!(victim.stealer().steal_batch(&own).is_success());
    /// assert_eq!((own.pop(), own.pop(), own.pop()), (Some(1), Some(2), None));
    /// ```
    pub fn steal_batch(&self, dest: &Worker<T>) -> Steal<()> {
        self.steal_batch_with_limit(dest, MAX_BATCH)
    }

    /// As [`steal_batch`](Self::steal_batch), with `limit` in the place of 32.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    ///
    /// ```
    /// use wyn_deque::Worker;
    /// let (victim, own) = (Worker::new_fifo(), Worker::new_fifo());
    /// (1..=6).for_each(|task| victim.push(task));
    /// assert!(victim.stealer().steal_batch_with_limit(&own, 2).is_success());
    /// assert_eq!(own.len(), 2);
    /// ```
    pub fn steal_batch_with_limit(&self, dest: &Worker<T>, limit: usize) -> Steal<()> {
        assert!(limit > 0, "a batch of at most zero tasks was asked for");
        if Arc::ptr_eq(&self.inner, &dest.inner) {
            return if dest.is_empty() { Steal::Empty } else { Steal::Success(()) };
        }
        // A FIFO run is written in the order of `dest` straight away.
        let place = |offset, batch| if dest.is_fifo() { offset } else { batch - 1 - offset };
        self.steal_ahead(dest, limit, place).map(|(count, ahead)| {
            if self.flavor == Flavor::Lifo && dest.is_fifo() {
                // SAFETY: `steal_ahead` wrote `0 .. count`.
                unsafe { ahead.reverse(count) };
            }
            // SAFETY: as above.
            unsafe { dest.publish_ahead(count) };
        })
    }

    /// Moves up to half of the tasks into `dest`, at most 32, but returns the one that `dest` would
    /// pop first.
    ///
    /// Into the very deque it steals from, this is `dest.pop()`.
    ///
    /// ```
    /// use wyn_deque::{Steal, Worker};
    /// let (victim, own) = (Worker::new_fifo(), Worker::new_fifo());
    /// (1..=6).for_each(|task| victim.push(task));
    /// assert_eq!(victim.stealer().steal_batch_and_pop(&own), Steal::Success(1));
    /// assert_eq!((own.pop(), own.pop(), own.pop()), (Some(2), Some(3), None));
    /// ```
    pub fn steal_batch_and_pop(&self, dest: &Worker<T>) -> Steal<T> {
        self.steal_batch_with_limit_and_pop(dest, MAX_BATCH)
    }

    /// As [`steal_batch_and_pop`](Self::steal_batch_and_pop), with `limit` in the place of 32. The
    /// task returned counts.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    ///
    /// ```
    /// use wyn_deque::{Steal, Worker};
    /// let (victim, own) = (Worker::new_fifo(), Worker::new_fifo());
    /// (1..=6).for_each(|task| victim.push(task));
    /// assert_eq!(victim.stealer().steal_batch_with_limit_and_pop(&own, 2), Steal::Success(1));
    /// assert_eq!(own.len(), 1);
    /// ```
    pub fn steal_batch_with_limit_and_pop(&self, dest: &Worker<T>, limit: usize) -> Steal<T> {
        assert!(limit > 0, "a batch of at most zero tasks was asked for");
        if Arc::ptr_eq(&self.inner, &dest.inner) {
            return dest.pop().map_or(Steal::Empty, Steal::Success);
        }
        // The task to return goes to the far end: a FIFO victim's oldest by `place`, a LIFO victim's
        // newest because it is stolen last.
        let place = |offset: usize, batch| match offset.checked_sub(1) {
            Some(before) if dest.is_fifo() => before,
            _ => batch - 1 - offset,
        };
        self.steal_ahead(dest, limit, place).map(|(count, ahead)| {
            let rest = count - 1;
            // SAFETY: `steal_ahead` wrote `0 .. count`, and `publish_ahead` stops short of this one.
            let task = unsafe { ahead.read(rest) };
            if self.flavor == Flavor::Lifo && dest.is_fifo() {
                // SAFETY: as above.
                unsafe { ahead.reverse(rest) };
            }
            // SAFETY: as above.
            unsafe { dest.publish_ahead(rest) };
            task
        })
    }

    /// Takes half of the tasks, at least one and at most `limit`, and writes them into the
    /// unpublished places of `dest`: those of a FIFO victim where `place(offset, batch)` says, those
    /// of a LIFO victim oldest first. Returns how many; `0 .. count` are then written.
    fn steal_ahead(
        &self,
        dest: &Worker<T>,
        limit: usize,
        place: impl Fn(usize, usize) -> usize,
    ) -> Steal<(usize, Ahead<T>)> {
        let sight = self.inner.look();
        if sight.len == 0 {
            return Steal::Empty;
        }
        let batch = sight.len.div_ceil(2).min(limit);
        let ahead = dest.ahead(batch);
        let count = match self.flavor {
            Flavor::Fifo => self.take_run(&sight, batch, &ahead, place),
            Flavor::Lifo => self.take_singly(&sight, batch, &ahead),
        };
        if count == 0 { Steal::Retry } else { Steal::Success((count, ahead)) }
    }

    /// FIFO: one claim for the whole batch, since the owner too takes tasks by claim only.
    fn take_run(
        &self,
        sight: &Sight<'_, T>,
        batch: usize,
        ahead: &Ahead<T>,
        place: impl Fn(usize, usize) -> usize,
    ) -> usize {
        // SAFETY: the caller holds `sight` until this returns.
        let ring = unsafe { self.inner.places(&sight.guard) };
        if self.inner.claim(sight.top, batch).is_err() {
            return 0;
        }
        for offset in 0..batch {
            // SAFETY: as in `steal`, for each index of the run.
            let task = unsafe { ring.take(sight.top.wrapping_add(offset)) };
            // SAFETY: `steal_ahead` reserved `batch` places, and `place` permutes them.
            unsafe { ahead.write(place(offset, batch), task) };
        }
        batch
    }

    /// LIFO: one look and one claim per task. The owner takes the newest tasks without a claim, so
    /// a run seen once may have lost its newer part before it is claimed.
    fn take_singly(&self, sight: &Sight<'_, T>, batch: usize, ahead: &Ahead<T>) -> usize {
        for offset in 0..batch {
            let index = sight.top.wrapping_add(offset);
            if offset > 0 && self.inner.look_again(index) == 0 {
                return offset;
            }
            // Found anew for each look: the owner may have moved on, and pushed the index there.
            // SAFETY: the caller holds `sight` until this returns.
            let ring = unsafe { self.inner.places(&sight.guard) };
            if self.inner.claim(index, 1).is_err() {
                return offset;
            }
            // SAFETY: as in `steal`.
            let task = unsafe { ring.take(index) };
            // SAFETY: `steal_ahead` reserved `batch` places.
            unsafe { ahead.write(offset, task) };
        }
        batch
    }
}

// What unwinds inside a method (an allocation that is too large) unwinds before anything changed.
impl<T> UnwindSafe for Stealer<T> {}
impl<T> RefUnwindSafe for Stealer<T> {}

impl<T> Clone for Stealer<T> {
    fn clone(&self) -> Stealer<T> {
        Stealer::new(Arc::clone(&self.inner), self.flavor)
    }
}

impl<T> fmt::Debug for Stealer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Stealer { .. }")
    }
}
