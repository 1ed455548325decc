//! What wakes a thread that drives a future itself.

use std::cell::Cell;
use std::sync::Arc;
use std::task::Wake;

use crate::sync::{AtomicBool, Ordering, Thread, current};

thread_local! {
    /// For the next [`Signal::lend`]: one that is in use is not here.
    static SPARE: Cell<Option<Arc<Signal>>> = const { Cell::new(None) };
}

/// Set by wakers from any thread, reset by the one that it wakes.
#[derive(Debug)]
pub(super) struct Signal {
    is_set: AtomicBool,
    thread: Thread,
}

impl Signal {
    /// Calls `f` with a signal for the calling thread that no frame below it uses. It may be set from the beginning.
    pub(super) fn lend<R>(f: impl FnOnce(&Arc<Self>) -> R) -> R {
        let spare = SPARE.try_with(Cell::take).ok().flatten();
        let signal =
            spare.unwrap_or_else(|| Arc::new(Self { is_set: AtomicBool::new(false), thread: current() }));
        let result = f(&signal);
        let _ = SPARE.try_with(|spare| spare.set(Some(signal)));
        result
    }

    pub(super) fn is_set(&self) -> bool {
        // Ordering: Relaxed: whoever goes on resets it first.
        self.is_set.load(Ordering::Relaxed)
    }

    /// Before the future is polled.
    pub(super) fn reset(&self) {
        // Ordering: Acquire: pairs with the Release in `wake_by_ref`: the poll sees what the waker did. An exchange, so
        // that a wake-up which comes in between is not undone unseen.
        self.is_set.swap(false, Ordering::Acquire);
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Ordering: AcqRel: Release pairs with the Acquire in `reset`, also where it was set already.
        if !self.is_set.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}
