//! One message, once: a pair of ends in one allocation.
//!
//! Sending is one exchange, receiving a message that is there is one load. Both ends know the box; it is freed
//! by the receiver once there is a verdict on the ticket inside, or by the sender if it finds the ticket claimed,
//! which only a receiver that goes away does.

use std::fmt;
use std::future::Future;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::error::{RecvError, RecvTimeoutError, SendError, TryRecvError};
use crate::foreign::TaskWaker;
use crate::hook::{self, What};
use crate::sync::UnsafeCell;
use crate::wait::{Outcome, Ticket, Verdict};

/// What both ends share.
struct Cell<T> {
    ticket: Ticket,
    /// The sender's until the ticket is decided, then the receiver's.
    message: UnsafeCell<MaybeUninit<T>>,
}

/// The end that sends one message. Made by [`oneshot`].
#[must_use = "dropping it disconnects the receiver"]
pub struct Sender<T> {
    cell: NonNull<Cell<T>>,
}

/// The end that receives one message. Made by [`oneshot`]. It is a future as well.
#[must_use = "dropping it disconnects the sender"]
pub struct Receiver<T> {
    /// `None` after the verdict.
    cell: Option<NonNull<Cell<T>>>,
}

// SAFETY: the ends hand the message from thread to thread, and use the cell by its protocol only.
unsafe impl<T: Send> Send for Sender<T> {}
// SAFETY: a shared sender shows only whether the receiver is there.
unsafe impl<T: Send> Sync for Sender<T> {}
// SAFETY: as for the sender.
unsafe impl<T: Send> Send for Receiver<T> {}
// SAFETY: a shared receiver does nothing.
unsafe impl<T: Send> Sync for Receiver<T> {}

/// Makes a channel for one message.
///
/// ```
/// let (s, r) = wyn_channel::oneshot();
/// let thread = std::thread::spawn(move || s.send(6 * 7));
/// assert_eq!(r.recv(), Ok(42));
/// # thread.join().unwrap()?;
///
/// let (s, r) = wyn_channel::oneshot::<u32>();
/// drop(s);
/// assert!(r.recv().is_err());
/// # Ok::<(), wyn_channel::SendError<i32>>(())
/// ```
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let cell = NonNull::from(Box::leak(Box::<Cell<T>>::new_uninit()));
    let place = cell.as_ptr().cast::<Cell<T>>();
    // Field by field: a cell that is made on the stack is copied from there.
    // SAFETY: inside the box.
    let ticket = unsafe { &raw mut (*place).ticket };
    // SAFETY: inside the box.
    let message = unsafe { &raw mut (*place).message };
    // SAFETY: not initialised yet.
    unsafe { ticket.write(Ticket::new()) };
    // SAFETY: not initialised yet.
    unsafe { message.write(UnsafeCell::new(MaybeUninit::uninit())) };
    let cell = cell.cast::<Cell<T>>();
    (Sender { cell }, Receiver { cell: Some(cell) })
}

impl<T> Sender<T> {
    /// Sends the message. Never blocks.
    ///
    /// # Errors
    /// [`SendError`] with the message, if the receiver is gone.
    #[inline]
    pub fn send(self, msg: T) -> Result<(), SendError<T>> {
        let cell = ManuallyDrop::new(self).cell;
        // SAFETY: the cell lives until the ticket is decided, and the message is the sender's.
        unsafe { cell.as_ref() }.message.with_mut(|place| unsafe { place.cast::<T>().write(msg) });
        // SAFETY: the sender is the only one to decide, and is used up.
        match unsafe { decide(cell, Outcome::Served) } {
            Ok(()) => Ok(()),
            Err(cell) => {
                // SAFETY: written above, and nobody else is there.
                let msg = cell.message.with(|place| unsafe { place.cast::<T>().read() });
                Err(SendError(msg))
            }
        }
    }

    /// Whether the receiver is gone.
    pub fn is_closed(&self) -> bool {
        // SAFETY: the cell lives until the ticket is decided.
        !unsafe { self.cell.as_ref() }.ticket.is_open()
    }
}

/// Decides the ticket. If the receiver is gone, gives the cell, which is the caller's then.
///
/// # Safety
/// The caller is the sender, and does not use the cell again.
#[inline]
unsafe fn decide<T>(cell: NonNull<Cell<T>>, outcome: Outcome) -> Result<(), Box<Cell<T>>> {
    // SAFETY: the cell is alive.
    let ticket = unsafe { &raw const (*cell.as_ptr()).ticket };
    // SAFETY: only the sender decides.
    if let Some(wake) = unsafe { Ticket::decide(ticket, outcome) } {
        wake.send();
        return Ok(());
    }
    // SAFETY: the receiver has claimed the ticket and does not come back: the box is ours.
    Err(unsafe { Box::from_raw(cell.as_ptr()) })
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // SAFETY: the sender is used up.
        drop(unsafe { decide(self.cell, Outcome::Disconnected) });
    }
}

impl<T> Receiver<T> {
    /// Receives the message, and blocks until it is sent.
    ///
    /// # Errors
    /// [`RecvError`] if the sender is dropped instead, or the message was taken already.
    ///
    /// # Panics
    /// If a scheduler [ends the wait](hook::Wait::end_with): with what it has to say.
    #[inline]
    pub fn recv(self) -> Result<T, RecvError> {
        // Without a limit it ends with a verdict, and so without a cell: nothing is left to drop.
        let mut receiver = ManuallyDrop::new(self);
        receiver.recv_until(None).map_err(|e| match e {
            RecvTimeoutError::Disconnected => RecvError,
            RecvTimeoutError::Timeout => {
                drop(ManuallyDrop::into_inner(receiver));
                hook::unwind()
            }
        })
    }

    /// Receives the message if it is there.
    ///
    /// # Errors
    /// [`Empty`](TryRecvError::Empty), or [`Disconnected`](TryRecvError::Disconnected) if the sender is gone or
    /// the message was taken already.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let Some(cell) = self.cell else { return Err(TryRecvError::Disconnected) };
        // SAFETY: the receiver has not seen the verdict: the cell is alive.
        match unsafe { cell.as_ref() }.ticket.verdict() {
            None => Err(TryRecvError::Empty),
            // SAFETY: that is the verdict.
            Some(verdict) => unsafe { self.take(verdict.outcome) }.ok_or(TryRecvError::Disconnected),
        }
    }

    /// As [`recv`](Self::recv), and gives up after `timeout`; the receiver can be used again then.
    ///
    /// # Errors
    /// [`Timeout`](RecvTimeoutError::Timeout) or [`Disconnected`](RecvTimeoutError::Disconnected).
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_until(Instant::now().checked_add(timeout))
    }

    /// As [`recv_timeout`](Self::recv_timeout), with the moment instead of the time.
    ///
    /// # Errors
    /// As there.
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_until(Some(deadline))
    }

    #[inline]
    fn recv_until(&mut self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        let Some(cell) = self.cell else { return Err(RecvTimeoutError::Disconnected) };
        // SAFETY: the receiver has not seen the verdict: the cell is alive.
        let ticket = unsafe { &(*cell.as_ptr()).ticket };
        let verdict = match ticket.verdict() {
            Some(verdict) => verdict,
            None => match Self::wait(ticket, deadline, What::Oneshot { cell: cell.addr().get() }) {
                Some(verdict) => verdict,
                None => return Err(RecvTimeoutError::Timeout),
            },
        };
        // SAFETY: that is the verdict.
        unsafe { self.take(verdict.outcome) }.ok_or(RecvTimeoutError::Disconnected)
    }

    #[cold]
    fn wait(ticket: &Ticket, deadline: Option<Instant>, what: What) -> Option<Verdict> {
        // The waker of an earlier poll, or the thread of an earlier wait, is not to be woken any more.
        if !ticket.unpark() {
            // The sender is about to wake that one, and nobody else: no parking here.
            return Some(ticket.stay_for_claimant());
        }
        ticket.wait(deadline, what).ok()
    }

    /// Takes the message, if there is one, and frees the cell.
    ///
    /// # Safety
    /// `outcome` is the verdict on the ticket, and `cell` is there.
    #[inline]
    unsafe fn take(&mut self, outcome: Outcome) -> Option<T> {
        let cell = self.cell.take()?;
        // SAFETY: the sender is gone, and the receiver forgets the cell: the box is ours.
        let cell = unsafe { Box::from_raw(cell.as_ptr()) };
        // SAFETY: the sender has written the message before it said `Served`.
        let read = || cell.message.with(|place| unsafe { place.cast::<T>().read() });
        (outcome == Outcome::Served).then(read)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(cell) = self.cell else { return Poll::Ready(Err(RecvError)) };
        // SAFETY: the receiver has not seen the verdict: the cell is alive.
        let ticket = unsafe { &(*cell.as_ptr()).ticket };
        let verdict = match ticket.verdict() {
            Some(verdict) => verdict,
            None if !ticket.unpark() => ticket.stay_for_claimant(),
            None if ticket.park_task(TaskWaker::of(cx.waker())) => return Poll::Pending,
            None => ticket.stay_for_claimant(),
        };
        // SAFETY: that is the verdict.
        Poll::Ready(unsafe { self.take(verdict.outcome) }.ok_or(RecvError))
    }
}

impl<T> Receiver<T> {
    /// Goes without having seen the verdict.
    #[cold]
    #[inline(never)]
    fn leave(&mut self, cell: NonNull<Cell<T>>) {
        // SAFETY: the receiver has not seen the verdict: the cell is alive.
        let ticket = unsafe { &(*cell.as_ptr()).ticket };
        // The waker of the last poll is not to be woken any more, nor kept until the sender goes.
        ticket.forget_who();
        if ticket.claim() {
            // The sender finds that, and frees the cell.
            return;
        }
        let verdict = ticket.stay_for_claimant();
        // SAFETY: that is the verdict.
        drop(unsafe { self.take(verdict.outcome) });
    }
}

impl<T> Drop for Receiver<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(cell) = self.cell {
            self.leave(cell);
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Sender { .. }")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Receiver { .. }")
    }
}
