//! How many operations a task may do in one poll before it lets others have their turn.
//!
//! A task that awaits one ready channel after another never suspends, and keeps its thread from all other tasks. A scheduler may
//! give each poll a budget; an operation that finds it spent wakes its own task and is pending. Outside of such a poll there is no
//! limit. The idea is Tokio's cooperative budget.

use std::cell::Cell;
use std::marker::PhantomData;
use std::task::Waker;

const UNLIMITED: u32 = u32::MAX;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(UNLIMITED) };
}

/// Until it is dropped, futures of this crate that are polled on this thread share a budget. See [`budget`].
#[derive(Debug)]
#[must_use = "the budget ends when this is dropped"]
pub struct Budget {
    outer: u32,
    /// Of this thread.
    not_send: PhantomData<*const ()>,
}

/// For a scheduler that is about to poll a task: at most so many sends and receives are ready in that poll. The next one is
/// pending, and wakes the task at once. Budgets nest; the inner one counts.
///
/// ```
/// use std::future::Future;
/// use std::pin::pin;
/// use std::task::{Context, Waker};
///
/// let (sender, receiver) = wyn_channel::unbounded();
/// (0..3).for_each(|i| sender.send(i).unwrap());
/// let mut cx = Context::from_waker(Waker::noop());
/// let budget = wyn_channel::hook::budget(2);
/// assert!(pin!(receiver.recv_async()).poll(&mut cx).is_ready());
/// assert!(pin!(receiver.recv_async()).poll(&mut cx).is_ready());
/// assert!(pin!(receiver.recv_async()).poll(&mut cx).is_pending());
/// drop(budget);
/// assert!(pin!(receiver.recv_async()).poll(&mut cx).is_ready());
/// ```
pub fn budget(operations: u32) -> Budget {
    Budget { outer: LEFT.replace(operations.min(UNLIMITED - 1)), not_send: PhantomData }
}

impl Drop for Budget {
    fn drop(&mut self) {
        LEFT.set(self.outer);
    }
}

/// Takes one operation from the budget. `false` if there is none left; then the task is woken.
#[inline]
pub(crate) fn spend(waker: &Waker) -> bool {
    // A thread whose locals are gone has no budget.
    let left = LEFT.try_with(Cell::get).unwrap_or(UNLIMITED);
    match left {
        UNLIMITED => true,
        0 => {
            waker.wake_by_ref();
            false
        }
        _ => {
            LEFT.set(left - 1);
            true
        }
    }
}
