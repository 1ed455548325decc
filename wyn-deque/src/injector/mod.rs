//! [`Injector`]: the queue through which tasks enter from outside, any thread to any thread.
//!
//! A short lock around a list of blocks. Queues without a lock pay two locked instructions per task
//! on lines that every thread writes; here a batch pays the lock once, and whoever takes tasks from
//! a shared queue one by one has the wrong queue anyway. No code of a user runs under the lock:
//! batches are gathered before and handed out after it.
//!
//! All accesses to `len` are in this file. They are a hint: the lock decides.
//!
//! | site | ordering | partner | dies in `tests/loom.rs` when weakened |
//! |---|---|---|---|
//! | [`Injector::locked`] (store) | Relaxed | the lock publishes the tasks | nothing to weaken |
//! | [`Injector::is_empty`] | Relaxed, SeqCst fence, Relaxed | a pusher's own fence | `injector_push_then_look_for_sleepers` |

mod blocks;

use std::fmt;
use std::sync::PoisonError;

use self::blocks::Blocks;
use crate::chase_lev::{MAX_BATCH, Worker};
use crate::steal::Steal;
use crate::sync::{AtomicUsize, Mutex, Ordering, fence};

/// A first-in first-out queue with many producers and many consumers.
///
/// Tasks of one producer leave in the order in which that producer pushed them. Each method takes a
/// lock for a time that does not depend on the length of the queue, so each may block while another
/// thread is inside; looking at an empty queue takes none.
///
/// # Examples
///
/// ```
/// use wyn_deque::{Injector, Steal, Worker};
///
/// let injector = Injector::new();
/// injector.push_batch(1..=10);
///
/// let worker = Worker::new_fifo();
/// assert_eq!(injector.steal_batch_and_pop(&worker), Steal::Success(1));
/// assert_eq!((worker.len(), injector.len()), (4, 5));
/// ```
///
/// Tasks that may not change threads do not fit through it:
///
/// ```compile_fail,E0277
/// let injector = wyn_deque::Injector::new();
/// injector.push(std::rc::Rc::new(1));
/// std::thread::scope(|scope| {
///     scope.spawn(|| injector.steal());
/// });
/// ```
pub struct Injector<T> {
    /// Length of `queue`, written under its lock, read by anybody.
    len: AtomicUsize,
    queue: Mutex<Blocks<T>>,
}

impl<T> Injector<T> {
    /// An empty queue. Allocates nothing.
    ///
    /// ```
    /// assert!(wyn_deque::Injector::<u32>::new().is_empty());
    /// ```
    #[must_use = "a queue that is dropped drops its tasks"]
    pub fn new() -> Injector<T> {
        Self { len: AtomicUsize::new(0), queue: Mutex::new(Blocks::new()) }
    }

    /// Adds one task at the end.
    ///
    /// To be sure that a thread about to sleep sees the task, put a `SeqCst` fence between the push
    /// and the look for sleepers.
    ///
    /// ```
    /// let injector = wyn_deque::Injector::new();
    /// injector.push(1);
    /// assert_eq!(injector.len(), 1);
    /// ```
    pub fn push(&self, task: T) {
        self.locked(|queue| queue.push_back(task));
    }

    /// Adds many tasks at the end, one behind the other without a stranger's in between.
    ///
    /// The iterator runs before the lock is taken and may use this queue itself. If it panics,
    /// nothing was added.
    ///
    /// ```
    /// let injector = wyn_deque::Injector::new();
    /// injector.push_batch(["a", "b", "c"]);
    /// assert_eq!(injector.steal().success(), Some("a"));
    /// ```
    pub fn push_batch(&self, tasks: impl IntoIterator<Item = T>) {
        let mut batch = Blocks::new();
        tasks.into_iter().for_each(|task| batch.push_back(task));
        if batch.len() > 0 {
            self.locked(|queue| queue.append(batch));
        }
    }

    /// Takes up to `limit` of the oldest tasks and hands them to `f`, oldest first. Returns how many.
    ///
    /// `f` runs after the lock was released. If it panics, the tasks not yet handed to it go back to
    /// the front of the queue.
    ///
    /// ```
    /// let injector = wyn_deque::Injector::new();
    /// injector.push_batch(1..=5);
    /// let mut taken = Vec::new();
    /// assert_eq!(injector.pop_batch(3, |task| taken.push(task)), 3);
    /// assert_eq!(taken, [1, 2, 3]);
    /// ```
    pub fn pop_batch(&self, limit: usize, mut f: impl FnMut(T)) -> usize {
        if limit == 0 || self.is_empty() {
            return 0;
        }
        let batch = self.locked(|queue| queue.split_front(limit));
        let count = batch.len();
        let mut loose = Loose { injector: self, batch };
        while let Some(task) = loose.batch.pop_front() {
            f(task);
        }
        count
    }

    /// Takes the oldest task. Never a [`Steal::Retry`].
    ///
    /// ```
    /// use wyn_deque::{Injector, Steal};
    /// let injector = Injector::new();
    /// assert_eq!(injector.steal(), Steal::Empty);
    /// injector.push(1);
    /// assert_eq!(injector.steal(), Steal::Success(1));
    /// ```
    pub fn steal(&self) -> Steal<T> {
        if self.is_empty() {
            return Steal::Empty;
        }
        self.locked(Blocks::pop_front).map_or(Steal::Empty, Steal::Success)
    }

    /// Moves up to half of the tasks into `dest`, at most 32; `dest` pops the oldest first, whatever
    /// its flavour.
    ///
    /// ```
    /// use wyn_deque::{Injector, Worker};
    /// let injector = Injector::new();
    /// injector.push_batch(1..=4);
    /// let worker = Worker::new_lifo();
    /// assert!(injector.steal_batch(&worker).is_success());
    /// assert_eq!((worker.pop(), worker.pop(), worker.pop()), (Some(1), Some(2), None));
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
    /// use wyn_deque::{Injector, Worker};
    /// let injector = Injector::new();
    /// injector.push_batch(0..1000);
    /// let worker = Worker::new_fifo();
    /// assert!(injector.steal_batch_with_limit(&worker, 128).is_success());
    /// assert_eq!(worker.len(), 128);
    /// ```
    pub fn steal_batch_with_limit(&self, dest: &Worker<T>, limit: usize) -> Steal<()> {
        assert!(limit > 0, "a batch of at most zero tasks was asked for");
        let Some(room) = self.prepare(dest, limit) else { return Steal::Empty };
        let moved = self.locked(|queue| {
            let batch = queue.len().div_ceil(2).min(room);
            dest.push_in_pop_order(batch, || queue.pop_front());
            batch
        });
        if moved == 0 { Steal::Empty } else { Steal::Success(()) }
    }

    /// Moves up to half of the tasks into `dest`, at most 32, but returns the oldest.
    ///
    /// ```
    /// use wyn_deque::{Injector, Steal, Worker};
    /// let injector = Injector::new();
    /// injector.push_batch(1..=6);
    /// let worker = Worker::new_lifo();
    /// assert_eq!(injector.steal_batch_and_pop(&worker), Steal::Success(1));
    /// assert_eq!((worker.pop(), worker.pop(), worker.pop()), (Some(2), Some(3), None));
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
    /// use wyn_deque::{Injector, Steal, Worker};
    /// let injector = Injector::new();
    /// injector.push_batch(0..1000);
    /// let worker = Worker::new_fifo();
    /// assert_eq!(injector.steal_batch_with_limit_and_pop(&worker, 128), Steal::Success(0));
    /// assert_eq!(worker.len(), 127);
    /// ```
    pub fn steal_batch_with_limit_and_pop(&self, dest: &Worker<T>, limit: usize) -> Steal<T> {
        assert!(limit > 0, "a batch of at most zero tasks was asked for");
        let Some(room) = self.prepare(dest, limit) else { return Steal::Empty };
        let oldest = self.locked(|queue| {
            let batch = queue.len().div_ceil(2).min(room);
            let oldest = queue.pop_front();
            dest.push_in_pop_order(batch.saturating_sub(1), || queue.pop_front());
            oldest
        });
        oldest.map_or(Steal::Empty, Steal::Success)
    }

    /// Whether the queue is empty at this moment. Takes no lock.
    ///
    /// `true` is behind a `SeqCst` fence, so a thread that first announces that it is going to sleep
    /// and then finds the queue empty will be seen by a producer that pushes, fences and then looks
    /// for sleepers. The same holds for an empty-handed steal.
    ///
    /// ```
    /// let injector = wyn_deque::Injector::new();
    /// injector.push(1);
    /// assert!(!injector.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        if self.published() != 0 {
            return false;
        }
        // Ordering: SeqCst; pairs with a fence of the same kind that a pusher puts between its push
        // and its look for sleepers. Excludes that the pusher misses the sleeper's announcement
        // (before this call) while the sleeper misses the task.
        fence(Ordering::SeqCst);
        self.published() == 0
    }

    /// Number of tasks at this moment. Takes no lock.
    ///
    /// ```
    /// let injector = wyn_deque::Injector::new();
    /// injector.push(1);
    /// injector.push(2);
    /// assert_eq!(injector.len(), 2);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.published()
    }

    fn published(&self) -> usize {
        // Ordering: Relaxed, a hint that publishes nothing.
        self.len.load(Ordering::Relaxed)
    }

    /// Unless the queue is empty, makes room in `dest` for half of it, at most `limit` tasks, and says
    /// for how many. Before the lock, since it may allocate.
    fn prepare(&self, dest: &Worker<T>, limit: usize) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let room = self.len().div_ceil(2).clamp(1, limit);
        dest.reserve(room);
        Some(room)
    }

    /// Runs `f`, which must not be a user's code, under the lock, and records the new length.
    #[inline]
    fn locked<R>(&self, f: impl FnOnce(&mut Blocks<T>) -> R) -> R {
        // A panic under the lock can only be a failed allocation, which leaves the queue whole.
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let result = f(&mut queue);
        // Ordering: Relaxed, the lock publishes the tasks; stores of `len` are ordered by it too.
        self.len.store(queue.len(), Ordering::Relaxed);
        result
    }
}

/// Tasks taken out and not yet handed over; what is left of them goes back.
struct Loose<'a, T> {
    injector: &'a Injector<T>,
    batch: Blocks<T>,
}

impl<T> Drop for Loose<'_, T> {
    fn drop(&mut self) {
        if self.batch.len() > 0 {
            let batch = std::mem::replace(&mut self.batch, Blocks::new());
            self.injector.locked(|queue| queue.prepend(batch));
        }
    }
}

impl<T> Default for Injector<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Injector<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Injector { .. }")
    }
}
