//! A one-shot pair on a cell of its own: [`Completer`] gives the result, [`Promise`] waits for it.

use std::fmt;
use std::future::Future;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::barrier::Fences;
use crate::cell::{Header, Outcome, Owner};
use crate::error::{Dropped, TryTakeError};
use crate::sync::UnsafeCell;

/// The allocation both ends share. Whoever is last (see [`crate::cell`]) frees it.
#[repr(C)]
struct Shot<T> {
    header: Header,
    /// Written by the completer before `DONE`; read by the promise after `LEFT`.
    value: UnsafeCell<MaybeUninit<T>>,
}

/// Makes a connected pair.
///
/// One allocation. Completing and taking are a few stores and one fence each; nothing is locked.
///
/// ```
/// let (completer, promise) = wyn_future::oneshot();
/// std::thread::spawn(move || completer.complete(6 * 7));
/// assert_eq!(promise.wait(), Ok(42));
/// ```
#[must_use]
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

impl<T> Completer<T> {
    /// Gives the result and wakes whoever waits for it.
    ///
    /// # Errors
    /// Gives the value back if the promise was dropped before.
    pub fn complete(self, value: T) -> Result<(), T> {
        let shot = self.shot;
        std::mem::forget(self);
        // SAFETY: the promise reads the value only after DONE, which is stored below.
        unsafe { shot.as_ref() }.value.with_mut(|slot| unsafe { (*slot).write(value) });
        // SAFETY: a live cell, completed once: `self` is consumed.
        let owner = unsafe { Header::complete::<Fences>(shot.as_ptr().cast_const().cast(), Outcome::Value) };
        match owner {
            Owner::Other => Ok(()),
            // SAFETY: the promise has gone: the cell and its value are ours.
            Owner::Mine(_) => Err(unsafe { take_and_free(shot) }),
        }
    }
}

impl<T> Drop for Completer<T> {
    fn drop(&mut self) {
        // SAFETY: a live cell; `complete` consumes the completer, so this is its only completion.
        let owner = unsafe {
            Header::complete::<Fences>(self.shot.as_ptr().cast_const().cast(), Outcome::Cancelled)
        };
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

impl<T> Promise<T> {
    /// Waits for the result, parking the thread.
    ///
    /// # Errors
    /// [`Dropped`] if the completer was dropped without one.
    ///
    /// # Panics
    /// If the result was taken before.
    pub fn wait(mut self) -> Result<T, Dropped> {
        self.park(None);
        self.settle().expect("the result was taken before")
    }

    /// Waits for the result at most this long. A timeout of zero only looks.
    ///
    /// # Errors
    /// Gives the promise back if there is no result yet.
    ///
    /// # Panics
    /// If the result was taken before.
    pub fn wait_timeout(mut self, timeout: Duration) -> Result<Result<T, Dropped>, Self> {
        // A deadline that the clock cannot express is no deadline.
        if self.park(Instant::now().checked_add(timeout)) {
            Ok(self.settle().expect("the result was taken before"))
        } else {
            Err(self)
        }
    }

    /// Takes the result if it is there.
    ///
    /// # Errors
    /// [`TryTakeError`] says why it is not.
    pub fn try_take(&mut self) -> Result<T, TryTakeError> {
        match self.state {
            State::Taken => Err(TryTakeError::Taken),
            State::Dropped => Err(TryTakeError::Dropped),
            State::Waiting if !self.is_ready() => Err(TryTakeError::Pending),
            State::Waiting => match self.settle() {
                Some(Ok(value)) => Ok(value),
                _ => Err(TryTakeError::Dropped),
            },
        }
    }

    /// Whether [`wait`](Self::wait) would return at once.
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

    /// Takes what is there; `None` if that was done before. Only when ready.
    fn settle(&mut self) -> Option<Result<T, Dropped>> {
        if self.state != State::Waiting {
            return None;
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

/// Resolves to the result.
///
/// # Panics
/// If polled after it was taken.
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
        Poll::Ready(self.settle().expect("the result was taken before"))
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
    // SAFETY: the value is there by contract, and the cell is freed without dropping it.
    let value = cell.value.with(|slot| unsafe { (*slot).assume_init_read() });
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
    drop(unsafe { Box::from_raw(shot.as_ptr()) });
}
