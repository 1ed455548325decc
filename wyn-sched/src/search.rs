//! The order of looking for work, for a thread whose own deque is empty.
//!
//! 1. The injector, a share of it at a time.
//! 2. The deques of the others, from a random one on: the older half of what is there, at most
//!    [`STEAL_TASKS`]. The oldest is run next, the rest goes to the thief's own deque.
//!
//! A lone task is left to its owner unless it stays where it is for about a microsecond: an owner that
//! spawns and awaits at once takes it back in nanoseconds, and would wait for its return otherwise.

use wyn_deque::Steal;

use crate::context::Context;
use crate::slot::Stealer;
use crate::sync::spin_loop;
use crate::task::TaskRef;

/// Tasks taken in one steal at most.
const STEAL_TASKS: usize = 256;
/// Spins between the two looks at a lone task, about a microsecond.
const LONE_SPINS: u32 = 40;
/// Every so many decisions the injector comes before the own deque.
const INJECTOR_TICKS: u32 = 61;

impl Context {
    /// The next task without searching: the newest of the own deque, now and then the injector's oldest.
    #[inline]
    pub(crate) fn next(&self) -> Option<TaskRef> {
        if self.tick().is_multiple_of(INJECTOR_TICKS) {
            return self.injected().or_else(|| self.deque().pop());
        }
        self.deque().pop()
    }

    /// A task from anywhere else. `first` is asked before all others: the thread that runs what this one
    /// waits for holds mostly its children (leapfrogging, Wagner and Calder 1993).
    pub(crate) fn find(&self, first: Option<usize>) -> Option<TaskRef> {
        if let Some(task) = self.injected() {
            return Some(task);
        }
        if let Some(task) = first.and_then(|id| self.steal_from(id)) {
            return Some(task);
        }
        let slots = &self.shared.slots;
        let start = self.random_below(slots.used().count());
        let later = slots.used().skip(start);
        later.chain(slots.used().take(start)).find_map(|id| self.steal_from(id))
    }

    /// The task that has waited longest, as far as this thread sees: for those who give way.
    pub(crate) fn oldest(&self) -> Option<TaskRef> {
        let own = || self.slot().stealer().and_then(|stealer| stealer.steal().success());
        self.injected().or_else(own).or_else(|| self.find(None))
    }

    fn injected(&self) -> Option<TaskRef> {
        let sharers = self.shared.target + 1;
        self.shared.injector.pop_batch(sharers, |task| self.deque().push(task))
    }

    fn steal_from(&self, id: usize) -> Option<TaskRef> {
        if id == self.id {
            return None;
        }
        let stealer = self.shared.slots.get(id).stealer()?;
        if stealer.is_empty() || is_fleeting(stealer) {
            return None;
        }
        match stealer.steal_batch_and_pop(self.deque(), STEAL_TASKS) {
            Steal::Success(task) => Some(task),
            // Another thief is at it: what it leaves is found on the next round.
            Steal::Retry | Steal::Empty => None,
        }
    }
}

/// Whether the one task of a deque is likely to be taken back by its owner at once.
fn is_fleeting(stealer: &Stealer) -> bool {
    if stealer.len() > 1 {
        return false;
    }
    let before = stealer.mark();
    for _ in 0..LONE_SPINS {
        spin_loop();
    }
    stealer.mark() != before
}
