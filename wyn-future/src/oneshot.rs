//! A one-shot pair on a cell of its own: [`Completer`] gives the result, [`Promise`] waits for it.

use std::fmt;
use std::future::Future;
use std::mem::MaybeUninit;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::barrier::Fences;
use crate::cell::{Header, Outcome, Owner};
use crate::error::{Dropped, TryTakeError};
use crate::sync::{UnsafeCell, retire};

const TAKEN: &str = "the value was taken before";

/// The allocation both ends share. Whoever is last (see [`crate::cell`]) frees it.
#[repr(C)]
struct Shot<T> {
    header: Header,
    /// Written by the completer before DONE; read by the promise after LEFT, or by whoever owns the cell.
    value: UnsafeCell<MaybeUninit<T>>,
}

/// Makes a connected pair.
///
/// One allocation, which holds the value: box what is large. Completing costs two stores, a fence and a load,
/// taking a result that is there one load, unless one side waits or has gone.
///
/// What the completing thread did before [`Completer::complete`] happens before what the waiting thread does
/// after it has the value.
///
/// ```
/// let (completer, promise) = wyn_future::oneshot();
/// let worker = std::thread::spawn(move || completer.complete(6 * 7));
/// assert_eq!(promise.wait()?, 42);
/// assert_eq!(worker.join().unwrap(), Ok(()));
/// # Ok::<(), wyn_future::Dropped>(())
/// ```
///
/// A value without `Send` does not cross threads:
///
/// ```compile_fail,E0277
/// let (completer, promise) = wyn_future::oneshot::<std::rc::Rc<u8>>();
/// ```
pub fn oneshot<T: Send>() -> (Completer<T>, Promise<T>) {
    static ENTRY: u64 = 0;
    let shot = Box::new(Shot {
        header: Header::new((&raw const ENTRY).cast_mut().cast(), None),
        value: UnsafeCell::new(MaybeUninit::uninit()),
    });
    let shot = NonNull::from(Box::leak(shot));
    (Completer { shot }, Promise { shot, state: State::Waiting })
}

/// The end that gives the result, once.
#[must_use = "dropping the completer tells the promise that there will be no result"]
pub struct Completer<T> {
    shot: NonNull<Shot<T>>,
}

// SAFETY: the value moves to the thread of the promise: `T: Send`. The header is made of atomics.
unsafe impl<T: Send> Send for Completer<T> {}
// SAFETY: a shared completer offers only `Debug`, which looks at nothing but atomics.
unsafe impl<T: Send> Sync for Completer<T> {}
// A panic elsewhere leaves both ends as they are.
impl<T> UnwindSafe for Completer<T> {}
impl<T> RefUnwindSafe for Completer<T> {}

impl<T> Completer<T> {
    /// Gives the result and wakes whoever waits for it.
    ///
    /// Never blocks. A panic in the waker of a promise that is awaited goes to the panic hook and no further:
    /// the value has been handed over.
    ///
    /// # Errors
    /// Gives the value back if the promise has been dropped.
    ///
    /// ```
    /// let (completer, promise) = wyn_future::oneshot();
    /// drop(promise);
    /// assert_eq!(completer.complete("too late"), Err("too late"));
    /// ```
    pub fn complete(self, value: T) -> Result<(), T> {
        let shot = self.shot;
        std::mem::forget(self);
        // SAFETY: the completer keeps the cell alive until it completes it, below.
        let cell = unsafe { shot.as_ref() };
        cell.value.with_mut(|slot| {
            // SAFETY: before completion nobody else touches the value; it has no value yet to be dropped.
            unsafe { slot.cast::<T>().write(value) };
        });
        // SAFETY: a live cell, completed once: `self` is consumed.
        let owner = unsafe { Header::complete::<Fences>(shot.as_ptr().cast_const().cast(), Outcome::Value) };
        match owner {
            Owner::Other => Ok(()),
            // SAFETY: the promise has gone: the cell is ours, and the value is in it.
            Owner::Mine(_) => Err(unsafe { take_and_free(shot) }),
        }
    }
}

impl<T> Drop for Completer<T> {
    fn drop(&mut self) {
        // SAFETY: a live cell; `complete` consumes the completer, so this is its only completion.
        let owner =
            unsafe { Header::complete::<Fences>(self.shot.as_ptr().cast_const().cast(), Outcome::Cancelled) };
        if let Owner::Mine(_) = owner {
            // SAFETY: the promise has gone and there is no value.
            unsafe { free(self.shot) };
        }
    }
}

impl<T> fmt::Debug for Completer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completer").finish_non_exhaustive()
    }
}

/// The end that waits for the result: a thread by [`wait`](Self::wait), async code by `.await`.
///
/// Dropping it before the result is there costs a barrier ([`Fences`]) and drops the result, or gives it back
/// to the completer.
#[must_use = "dropping the promise drops the result"]
pub struct Promise<T> {
    shot: NonNull<Shot<T>>,
    state: State,
}

/// Whether `shot` is still there for the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    /// The result was taken and the cell freed.
    Taken,
    /// There was no result; the cell is freed.
    Dropped,
}

// SAFETY: the value arrives on the thread of the promise: `T: Send`. The header is made of atomics.
unsafe impl<T: Send> Send for Promise<T> {}
// SAFETY: a shared promise offers only `is_ready`, which reads atomics.
unsafe impl<T: Send> Sync for Promise<T> {}
// As for the completer.
impl<T> UnwindSafe for Promise<T> {}
impl<T> RefUnwindSafe for Promise<T> {}

impl<T> Promise<T> {
    /// Waits for the result, parking the thread.
    ///
    /// # Errors
    /// [`Dropped`] if the completer was dropped without one.
    ///
    /// # Panics
    /// If the value was taken before, by [`try_take`](Self::try_take) or `.await`.
    pub fn wait(mut self) -> Result<T, Dropped> {
        self.park(None);
        self.settle().expect(TAKEN)
    }

    /// Waits for the result at most this long. A timeout of zero only looks; one that the clock cannot
    /// express, such as [`Duration::MAX`], never ends.
    ///
    /// # Errors
    /// Gives the promise back if there is no result yet.
    ///
    /// # Panics
    /// If the value was taken before.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (completer, promise) = wyn_future::oneshot();
    /// let promise = promise.wait_timeout(Duration::from_millis(1)).expect_err("nobody has completed it");
    /// completer.complete(7).expect("the promise is still there");
    /// assert!(matches!(promise.wait_timeout(Duration::ZERO), Ok(Ok(7))));
    /// ```
    pub fn wait_timeout(mut self, timeout: Duration) -> Result<Result<T, Dropped>, Self> {
        let ready =
            self.is_ready() || timeout != Duration::ZERO && self.park(Instant::now().checked_add(timeout));
        if ready { Ok(self.settle().expect(TAKEN)) } else { Err(self) }
    }

    /// Takes the result if it is there. Never blocks.
    ///
    /// # Errors
    /// [`TryTakeError`] says why it is not.
    ///
    /// ```
    /// use wyn_future::TryTakeError;
    ///
    /// let (completer, mut promise) = wyn_future::oneshot();
    /// assert_eq!(promise.try_take(), Err(TryTakeError::Pending));
    /// completer.complete(7).expect("the promise is still there");
    /// assert_eq!(promise.try_take(), Ok(7));
    /// assert_eq!(promise.try_take(), Err(TryTakeError::Taken));
    /// ```
    pub fn try_take(&mut self) -> Result<T, TryTakeError> {
        if !self.is_ready() {
            return Err(TryTakeError::Pending);
        }
        match self.settle() {
            Some(Ok(value)) => Ok(value),
            Some(Err(Dropped)) => Err(TryTakeError::Dropped),
            None => Err(TryTakeError::Taken),
        }
    }

    /// Whether there is a result, or never will be: whether [`wait`](Self::wait) would not block.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        // SAFETY: the promise has not freed the cell while it is in this state.
        self.state != State::Waiting || unsafe { self.shot.as_ref() }.header.left().is_some()
    }

    fn park(&self, deadline: Option<Instant>) -> bool {
        if self.is_ready() {
            return true;
        }
        // SAFETY: the cell is live, see `is_ready`.
        let header = unsafe { &self.shot.as_ref().header };
        // SAFETY: the promise is the one handle of the cell.
        unsafe { header.park::<Fences>(deadline) }
    }

    /// Takes what is there; `None` if the value was taken before. Only when ready.
    fn settle(&mut self) -> Option<Result<T, Dropped>> {
        match self.state {
            State::Waiting => {}
            State::Taken => return None,
            State::Dropped => return Some(Err(Dropped)),
        }
        // SAFETY: the cell is live in this state.
        let header = unsafe { &self.shot.as_ref().header };
        let outcome = header.left().expect("settled before it is ready");
        // SAFETY: the completer has left and the cell is freed below.
        unsafe { header.finish() };
        if outcome == Outcome::Value {
            self.state = State::Taken;
            // SAFETY: LEFT gives this side the cell, with a value in it.
            Some(Ok(unsafe { take_and_free(self.shot) }))
        } else {
            self.state = State::Dropped;
            // SAFETY: LEFT gives this side the cell, without a value.
            unsafe { free(self.shot) };
            Some(Err(Dropped))
        }
    }
}

/// Resolves to the result, in any executor. Only the last waker is kept.
///
/// # Panics
/// If polled after the value was taken, or if cloning the waker panics.
impl<T> Future for Promise<T> {
    type Output = Result<T, Dropped>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.is_ready() {
            // SAFETY: the cell is live, see `is_ready`.
            let header = unsafe { &self.shot.as_ref().header };
            // SAFETY: the promise is the one handle of the cell.
            if !unsafe { header.poll::<Fences>(cx) } {
                return Poll::Pending;
            }
        }
        Poll::Ready(self.settle().expect(TAKEN))
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        if self.state != State::Waiting {
            return;
        }
        // SAFETY: a live cell in this state; `self` is its handle and nobody waits.
        match unsafe { Header::abandon::<Fences>(self.shot.as_ptr().cast_const().cast()) } {
            Owner::Other => {}
            // SAFETY: the completer has left a value.
            Owner::Mine(Outcome::Value) => drop(unsafe { take_and_free(self.shot) }),
            // SAFETY: the completer has left no value.
            Owner::Mine(_) => unsafe { free(self.shot) },
        }
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").field("ready", &self.is_ready()).finish_non_exhaustive()
    }
}

/// Moves the value out and frees the cell.
///
/// # Safety
/// The caller owns the cell, and it holds a value.
unsafe fn take_and_free<T>(shot: NonNull<Shot<T>>) -> T {
    // SAFETY: owned by contract.
    let cell = unsafe { shot.as_ref() };
    let value = cell.value.with(|slot| {
        // SAFETY: the value is there by contract, and the cell is freed without dropping it.
        unsafe { slot.cast::<T>().read() }
    });
    // SAFETY: owned by contract.
    unsafe { free(shot) };
    value
}

/// Frees the cell without looking at its value.
///
/// # Safety
/// The caller owns the cell, which came from `Box` in [`oneshot`].
unsafe fn free<T>(shot: NonNull<Shot<T>>) {
    // SAFETY: by contract.
    retire(unsafe { Box::from_raw(shot.as_ptr()) });
}
