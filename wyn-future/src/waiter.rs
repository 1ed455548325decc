//! Who is to be woken when a result is there: a thread that parks, or the waker of an async task.
//!
//! A waiter lives on the stack of the thread that waits, or in a box owned by the handle's future. The
//! completer may read it only between claiming the handle word and storing `LEFT`
//! (see [`crate::cell`]); the handle side keeps it alive until then.

use std::panic::Location;
use std::task::Waker;

use crate::sync::{Mutex, MutexGuard, Thread, current};

/// What a handle leaves in the handle word while it waits.
///
/// Aligned so that the three tag bits of the word are free.
#[repr(align(8))]
pub(crate) struct Waiter {
    /// The place the word held before, to be put back when the wait ends.
    pub(crate) origin: *const Location<'static>,
    wake: Wake,
}

enum Wake {
    Thread(Thread),
    Task(Mutex<Option<Waker>>),
}

/// A wake-up taken out of a [`Waiter`], to be sent after the last touch of the cell.
pub(crate) enum Call {
    Thread(Thread),
    Task(Waker),
    Nobody,
}

impl Waiter {
    /// A waiter that unparks the calling thread.
    pub(crate) fn thread(origin: *const Location<'static>) -> Self {
        Self { origin, wake: Wake::Thread(current()) }
    }

    /// A waiter that wakes an async task.
    pub(crate) fn task(origin: *const Location<'static>, waker: &Waker) -> Self {
        Self { origin, wake: Wake::Task(Mutex::new(Some(waker.clone()))) }
    }

    /// Replaces the waker if it would wake another task.
    pub(crate) fn renew(&self, waker: &Waker) {
        if let Wake::Task(slot) = &self.wake {
            let fresh = {
                let held = lock(slot);
                !held.as_ref().is_some_and(|w| w.will_wake(waker))
            };
            if fresh {
                // Cloning and dropping a waker runs foreign code: neither under the lock.
                let new = waker.clone();
                let old = lock(slot).replace(new);
                drop(old);
            }
        }
    }

    /// Takes the wake-up out; the waiter itself may be gone right after.
    pub(crate) fn take(&self) -> Call {
        match &self.wake {
            Wake::Thread(thread) => Call::Thread(thread.clone()),
            Wake::Task(slot) => lock(slot).take().map_or(Call::Nobody, Call::Task),
        }
    }
}

impl Call {
    /// Sends the wake-up.
    pub(crate) fn send(self) {
        match self {
            Self::Thread(thread) => thread.unpark(),
            Self::Task(waker) => waker.wake(),
            Self::Nobody => {}
        }
    }
}

/// A waker slot is valid whatever panicked while it was locked.
fn lock(slot: &Mutex<Option<Waker>>) -> MutexGuard<'_, Option<Waker>> {
    slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
