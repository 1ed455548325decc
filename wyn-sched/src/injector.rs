//! The queue for tasks from threads without a deque: first in, first out, taken in batches.
//!
//! A short lock around a batch beats per-item lock-free queues here by an order of magnitude, and this is
//! not the main path: threads that spawn regularly have a deque of their own.

use std::collections::VecDeque;

use crate::sync::{AtomicUsize, Mutex, Ordering, lock};
use crate::task::TaskRef;

/// Tasks a worker takes at a time at most.
const BATCH_TASKS: usize = 128;

#[derive(Default)]
pub(crate) struct Injector {
    queue: Mutex<VecDeque<TaskRef>>,
    /// The length of the queue, stored under its lock: lets the idle look without locking.
    len: AtomicUsize,
}

impl Injector {
    /// Appends a task. The caller runs a heavy barrier before it looks for sleepers.
    pub(crate) fn push(&self, task: TaskRef) {
        let mut queue = lock(&self.queue);
        queue.push_back(task);
        // Ordering: Release: a hint; whoever acts on it takes the lock.
        self.len.store(queue.len(), Ordering::Release);
    }

    /// Takes the oldest task, and hands on up to its share of the rest of a batch.
    pub(crate) fn pop_batch(&self, sharers: usize, mut more: impl FnMut(TaskRef)) -> Option<TaskRef> {
        if self.is_empty() {
            return None;
        }
        let mut queue = lock(&self.queue);
        let first = queue.pop_front()?;
        let share = (queue.len() / sharers.max(1)).min(BATCH_TASKS - 1);
        // Newest first, so that an owner who takes the newest of its deque takes the oldest of these.
        for task in queue.drain(..share).rev() {
            more(task);
        }
        // Ordering: Release: as in `push`.
        self.len.store(queue.len(), Ordering::Release);
        Some(first)
    }

    pub(crate) fn is_empty(&self) -> bool {
        // Ordering: Acquire: pairs with the Release above; a look that must not miss a push is preceded by a
        // heavy barrier.
        self.len.load(Ordering::Acquire) == 0
    }
}
