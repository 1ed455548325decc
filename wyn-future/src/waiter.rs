//! Who is to be woken when a result is there: a thread that parks, or the waker of an async task.
//!
//! A waiter lives on the stack of the thread that waits, or in a box that the handle side frees. The completer
//! reads it only between its look at the handle word and storing LEFT (see [`crate::cell`]); the handle side
//! keeps it alive until then.

use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::task::Waker;

use crate::sync::{Mutex, MutexGuard, Thread, Tracked, current};

/// What a handle leaves in the handle word while it waits.
///
/// Aligned so that the four tag bits of the word are free.
#[repr(align(16))]
#[derive(Debug)]
pub(crate) struct Waiter {
    /// The place the word held before, to be put back when the wait ends. Read by the handle side only.
    origin: *const Location<'static>,
    /// Read by the completer, once; a task's also by the handle side.
    wake: Wake,
    alive: Tracked,
}

#[derive(Debug)]
enum Wake {
    Thread(Thread),
    /// Empty once the completer, or the end of the wait, has taken the waker.
    Task(Mutex<Option<Waker>>),
}

/// A wake-up taken out of a [`Waiter`], to be sent after the last touch of the cell.
#[derive(Debug)]
pub(crate) enum Call {
    Thread(Thread),
    Task(Waker),
    Nobody,
}

impl Waiter {
    /// A waiter that unparks the calling thread.
    pub(crate) fn thread(origin: *const Location<'static>) -> Self {
        Self { origin, wake: Wake::Thread(current()), alive: Tracked::new() }
    }

    /// A waiter that wakes an async task.
    pub(crate) fn task(origin: *const Location<'static>, waker: &Waker) -> Self {
        Self { origin, wake: Wake::Task(Mutex::new(Some(waker.clone()))), alive: Tracked::new() }
    }

    pub(crate) fn origin(&self) -> *const Location<'static> {
        self.alive.touch();
        self.origin
    }

    /// Replaces the waker if it would wake another task.
    pub(crate) fn renew(&self, waker: &Waker) {
        self.alive.touch();
        let Wake::Task(slot) = &self.wake else { return };
        let same = lock(slot).as_ref().is_some_and(|held| held.will_wake(waker));
        if !same {
            // Cloning and dropping a waker runs foreign code: neither under the lock.
            let new = waker.clone();
            let old = lock(slot).replace(new);
            contain(|| drop(old));
        }
    }

    /// Takes the wake-up out. For the completer: the waiter itself may be gone right after LEFT.
    pub(crate) fn take(&self) -> Call {
        self.alive.touch();
        match &self.wake {
            Wake::Thread(thread) => Call::Thread(thread.clone()),
            Wake::Task(slot) => lock(slot).take().map_or(Call::Nobody, Call::Task),
        }
    }

    /// Drops the waker of a wait that has ended.
    pub(crate) fn discard(&self) {
        if let Wake::Task(slot) = &self.wake {
            let held = lock(slot).take();
            contain(|| drop(held));
        }
    }
}

impl Call {
    /// Sends the wake-up.
    pub(crate) fn send(self) {
        match self {
            Self::Thread(thread) => thread.unpark(),
            Self::Task(waker) => contain(|| waker.wake()),
            Self::Nobody => {}
        }
    }
}

/// A waker slot is valid whatever panicked while it was locked.
fn lock(slot: &Mutex<Option<Waker>>) -> MutexGuard<'_, Option<Waker>> {
    slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Runs a waker's code for somebody who has nothing to do with its panics: the panic hook reports them.
fn contain(f: impl FnOnce()) {
    if cfg!(wyn_loom) {
        // A model's verdict is a panic, and must get through.
        return f();
    }
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        // Dropping what it panicked with can panic again: then that is leaked.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(again);
        }
    }
}
