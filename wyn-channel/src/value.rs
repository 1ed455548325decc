//! A value that many threads and tasks share, and can wait on.
//!
//! A mutex guards the value, a short lock the list of those who wait. Whoever changes the value takes them all out of
//! the list afterwards and wakes them; each looks for itself whether its condition holds, and joins again if not.
//! Conditions, closures and clones run under the mutex, on the thread that wants them. They are foreign code: one that
//! comes back to the same value finds its own thread in `holder`, and panics instead of waiting for itself. The list has
//! a lock of its own, so that a wait may be given up even there.

use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::hook::{self, What};
use crate::list::{Role, WaitList, Waiter, Wakes};
use crate::lock::ShortLock;
use crate::pending::Pending;
use crate::spin::has_passed;
use crate::sync::{Arc, AtomicUsize, Mutex, MutexGuard, Ordering};
use crate::wait::{Ticket, Unserved};

/// A shared cell: clones are the same cell.
///
/// ```
/// use std::thread;
/// use wyn_channel::Value;
///
/// let progress = Value::new(0);
/// let workers: Vec<_> = (0..4)
///     .map(|_| {
///         let progress = progress.clone();
///         thread::spawn(move || (0..25).for_each(|_| _ = progress.fetch_add(1)))
///     })
///     .collect();
/// assert_eq!(progress.wait_for(|&n| n == 100), 100);
/// # for worker in workers {
/// #     worker.join().unwrap();
/// # }
/// ```
///
/// Closures run under a lock: they should be short. One that touches the same value again panics, and so does a `Clone`
/// that does; to drop a future that waits is allowed. A closure that panics leaves the value as it made it; the others go
/// on with that.
pub struct Value<T> {
    cell: Arc<Cell<T>>,
}

struct Cell<T> {
    value: Mutex<T>,
    /// The thread that holds `value`, or 0. Only that thread writes its own number, and its 0.
    holder: AtomicUsize,
    /// Joined only with `value` held, so that no change comes between a look and the wait.
    waiting: ShortLock<WaitList>,
}

impl<T> UnwindSafe for Value<T> {}
impl<T> RefUnwindSafe for Value<T> {}

/// Identifies the thread while it lives; never 0. Not the threads of a model, which are one.
fn this_thread() -> usize {
    thread_local! {
        // It has no destructor, so it is there to the very end of the thread.
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

impl<T> Cell<T> {
    /// Takes the lock whatever panicked under it: a value is whatever the last closure left.
    ///
    /// # Panics
    /// If this thread holds it.
    fn lock(&self) -> Held<'_, T> {
        let me = this_thread();
        // Ordering: Relaxed: only this thread writes its own number, so it finds that if and only if it holds the lock.
        let again = self.holder.load(Ordering::Relaxed) == me && !cfg!(wyn_loom);
        assert!(!again, "a closure or a clone of a `Value` touches the same value again");
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        // Ordering: Relaxed: as above.
        self.holder.store(me, Ordering::Relaxed);
        Held { value, holder: &self.holder }
    }
}

/// The value, under its lock.
struct Held<'a, T> {
    value: MutexGuard<'a, T>,
    holder: &'a AtomicUsize,
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        // Ordering: Relaxed: see `Cell::lock`. The mutex is unlocked afterwards.
        self.holder.store(0, Ordering::Relaxed);
    }
}

/// Holds the lock for a change; those who wait hear of it when this is dropped, also by a panic.
struct Change<'a, T> {
    cell: &'a Cell<T>,
    held: Option<Held<'a, T>>,
}

impl<T> Change<'_, T> {
    fn value(&mut self) -> &mut T {
        &mut self.held.as_mut().expect("held until the drop").value
    }
}

impl<T> Drop for Change<'_, T> {
    fn drop(&mut self) {
        drop(self.held.take());
        let mut wakes = Wakes::default();
        self.cell.waiting.lock().serve_all(&mut wakes);
        wakes.send();
    }
}

impl<T> Value<T> {
    /// Makes a cell.
    pub fn new(value: T) -> Self {
        let waiting = ShortLock::new(WaitList::new());
        Self { cell: Arc::new(Cell { value: Mutex::new(value), holder: AtomicUsize::new(0), waiting }) }
    }

    fn id(&self) -> usize {
        Arc::as_ptr(&self.cell).addr()
    }

    fn change(&self) -> Change<'_, T> {
        Change { cell: &self.cell, held: Some(self.cell.lock()) }
    }

    /// A copy of the value.
    pub fn get(&self) -> T
    where
        T: Clone,
    {
        self.cell.lock().value.clone()
    }

    /// Shows the value to `look`.
    ///
    /// ```
    /// let names = wyn_channel::Value::new(vec!["a", "b"]);
    /// assert_eq!(names.with(Vec::len), 2);
    /// ```
    pub fn with<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.cell.lock().value)
    }

    /// Puts a value in the place of the old one, which is dropped.
    pub fn set(&self, value: T) {
        // Dropped after the lock is free.
        drop(self.replace(value));
    }

    /// Puts a value in the place of the old one, and gives that back.
    #[must_use = "`set` drops the old value"]
    pub fn replace(&self, value: T) -> T {
        mem::replace(self.change().value(), value)
    }

    /// Changes the value in place.
    ///
    /// ```
    /// let names = wyn_channel::Value::new(vec!["a"]);
    /// names.update(|names| names.push("b"));
    /// assert_eq!(names.get(), ["a", "b"]);
    /// ```
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(self.change().value())
    }

    /// Waits until `condition` holds, and gives a copy of the value for which it did. Does not wait if it holds.
    ///
    /// The condition is tried after every change, by the thread that waits: a value that comes and goes in
    /// between may be missed.
    ///
    /// # Panics
    /// If a scheduler [ends the wait](hook::Wait::end_with): with what it has to say.
    pub fn wait_for(&self, condition: impl FnMut(&T) -> bool) -> T
    where
        T: Clone,
    {
        self.wait_until(condition, None, T::clone).unwrap_or_else(|| hook::unwind())
    }

    /// As [`wait_for`](Self::wait_for), and gives up after `timeout`: `None`. A timeout beyond the clock's range
    /// is none.
    pub fn wait_for_timeout(&self, condition: impl FnMut(&T) -> bool, timeout: Duration) -> Option<T>
    where
        T: Clone,
    {
        self.wait_until(condition, Instant::now().checked_add(timeout), T::clone)
    }

    /// As [`wait_for`](Self::wait_for), for asynchronous code. Dropping the future leaves everything as it was.
    pub fn wait_for_async<F: FnMut(&T) -> bool>(&self, condition: F) -> WaitFor<'_, T, F>
    where
        T: Clone,
    {
        WaitFor { value: self, condition, pending: None }
    }

    fn wait_until<R>(
        &self,
        mut condition: impl FnMut(&T) -> bool,
        deadline: Option<Instant>,
        found: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        loop {
            let ticket = Ticket::new();
            let waiter = Waiter::new(Role::Alone, &raw const ticket, 0, std::ptr::null_mut());
            {
                let held = self.cell.lock();
                if condition(&held.value) {
                    return Some(found(&held.value));
                }
                if deadline.is_some_and(has_passed) {
                    return None;
                }
                // SAFETY: both stay here until the waiter is out of the list, and finished if it was claimed.
                unsafe { self.cell.waiting.lock().push(&raw const waiter) };
            }
            let what = What::Value { value: self.id() };
            if let Err(why) = ticket.wait(deadline, what) {
                // SAFETY: it was put into this list, and is alive.
                let removed = unsafe { self.cell.waiting.lock().remove(&raw const waiter) };
                if !removed {
                    ticket.wait_for_claimant(what);
                } else if why == Unserved::Ended {
                    return None;
                }
            }
        }
    }

    /// Whether both are the same cell.
    pub fn same_value(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.cell, &other.cell)
    }
}

/// Made by [`Value::wait_for_async`].
#[must_use = "futures do nothing unless they are polled"]
pub struct WaitFor<'a, T, F> {
    value: &'a Value<T>,
    condition: F,
    /// Pins the future: its waiter is in the list.
    pending: Option<Pending<()>>,
}

impl<T: Clone, F: FnMut(&T) -> bool> Future for WaitFor<'_, T, F> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // SAFETY: nothing is moved out of `pending`; the condition is never pinned.
        let this = unsafe { self.get_unchecked_mut() };
        loop {
            if let Some(pending) = &this.pending
                && pending.poll(cx.waker()).is_none()
            {
                return Poll::Pending;
            }
            this.pending = None;
            let held = this.value.cell.lock();
            if (this.condition)(&held.value) {
                return Poll::Ready(held.value.clone());
            }
            let pending = Pending::start(&mut this.pending, Role::Alone);
            // SAFETY: stays in place until the drop below, or the verdict.
            unsafe { this.value.cell.waiting.lock().push(&raw const pending.waiter) };
        }
    }
}

impl<T, F> Drop for WaitFor<'_, T, F> {
    fn drop(&mut self) {
        if let Some(pending) = &self.pending {
            // SAFETY: it is in this list or in none.
            let removed = unsafe { self.value.cell.waiting.lock().remove(&raw const pending.waiter) };
            if !removed {
                pending.ticket.stay_for_claimant();
            }
        }
    }
}

/// The integer types. Sealed: nobody else implements it.
pub trait Integer: Copy + sealed::Wrapping {}

mod sealed {
    pub trait Wrapping {
        fn plus(self, n: Self) -> Self;
        fn minus(self, n: Self) -> Self;
    }
}

impl<T: Integer> Value<T> {
    /// Adds, and gives the value before. Wraps around, as atomics do.
    pub fn fetch_add(&self, n: T) -> T {
        self.update(|value| mem::replace(value, value.plus(n)))
    }

    /// Subtracts, and gives the value before. Wraps around, as atomics do.
    pub fn fetch_sub(&self, n: T) -> T {
        self.update(|value| mem::replace(value, value.minus(n)))
    }
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl Integer for $int {}
        impl sealed::Wrapping for $int {
            fn plus(self, n: Self) -> Self {
                self.wrapping_add(n)
            }
            fn minus(self, n: Self) -> Self {
                self.wrapping_sub(n)
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

impl<T> Clone for Value<T> {
    fn clone(&self) -> Self {
        Self { cell: Arc::clone(&self.cell) }
    }
}

impl<T: Default> Default for Value<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Value<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Value").field(&*self.cell.lock().value).finish()
    }
}

impl<T, F> fmt::Debug for WaitFor<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("WaitFor { .. }")
    }
}
