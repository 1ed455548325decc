//! Code that is not ours, called where it must not unwind into us: what it throws stops here.
//!
//! A waker, a destructor and what a panic carries are all foreign: each may come back into the channel, and each may
//! panic. Nobody calls one while a lock is held, a claim is open, or others still have to be told. Knows nothing of
//! channels.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Runs foreign code. A panic has been reported by the panic hook, and ends here. Out of line: what holds a waker mostly
/// has none when it is dropped.
#[inline(never)]
pub(crate) fn contain(run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        bury(payload);
    }
}

/// Drops what a panic carried, whose destructor may panic in its turn. What that one carries is forgotten.
#[cold]
#[inline(never)]
pub(crate) fn bury(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}

/// The waker of a task. Waking and dropping it do not unwind; cloning it may, before anything has changed.
#[derive(Debug)]
pub(crate) struct TaskWaker(
    /// `None` once it is taken, or woken. The only `Option` around it: another would need a word of its own.
    Option<Waker>,
);

impl TaskWaker {
    /// A clone of `waker`. A panic of the clone goes on to whoever polls.
    pub(crate) fn of(waker: &Waker) -> Self {
        Self(Some(waker.clone()))
    }

    /// Takes it, if nobody has: for whoever calls [`wake`], and does nothing else with it.
    pub(crate) fn take(&mut self) -> Option<Waker> {
        self.0.take()
    }

    pub(crate) fn is_taken(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn will_wake(&self, waker: &Waker) -> bool {
        self.0.as_ref().is_some_and(|own| own.will_wake(waker))
    }

    pub(crate) fn wake(mut self) {
        if let Some(waker) = self.0.take() {
            wake(waker);
        }
    }
}

/// Wakes a task, and does not unwind.
pub(crate) fn wake(waker: Waker) {
    contain(|| waker.wake());
}

impl Drop for TaskWaker {
    #[inline]
    fn drop(&mut self) {
        if let Some(waker) = self.0.take() {
            drop_out_of_line(waker);
        }
    }
}

/// Mostly there is none any more.
#[cold]
#[inline(never)]
fn drop_out_of_line(waker: Waker) {
    contain(|| drop(waker));
}
