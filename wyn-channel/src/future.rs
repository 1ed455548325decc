//! Asynchronous sends and receives, for any executor. Streams and sinks of them are in `stream.rs`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use futures_core::FusedFuture;

use crate::alarm::{self, Alarm};
use crate::budget;
use crate::error::{RecvError, SendError, TryRecvError};
use crate::pending::Pending;
use crate::receiver::{Receiver, Source};
use crate::sender::Sender;
use crate::shared::{Flavor, Shared};

impl<T> Sender<T> {
    /// As [`send`](Self::send), for asynchronous code: waits without blocking the thread.
    ///
    /// A future that waits holds no place: it is called when there is room, and tries again when it is polled. One that
    /// is dropped before it is ready sends nothing; the message is dropped with it. Without a buffer there is one
    /// exception: a receiver may have taken the message since the future was last polled.
    ///
    /// ```
    /// # fn block_on<F: std::future::Future>(future: F) -> F::Output {
    /// #     let mut future = std::pin::pin!(future);
    /// #     let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     loop {
    /// #         if let std::task::Poll::Ready(out) = future.as_mut().poll(&mut cx) {
    /// #             return out;
    /// #         }
    /// #     }
    /// # }
    /// let (s, r) = wyn_channel::bounded(0);
    /// let thread = std::thread::spawn(move || r.recv());
    /// block_on(async {
    ///     s.send_async("from a task to a thread").await?;
    ///     Ok::<(), wyn_channel::SendError<&str>>(())
    /// })?;
    /// assert_eq!(thread.join().unwrap()?, "from a task to a thread");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_async(&self, msg: T) -> SendFuture<'_, T> {
        SendFuture { sender: self, op: SendOp::new(msg) }
    }
}

impl<T> Receiver<T> {
    /// As [`recv`](Self::recv), for asynchronous code: waits without blocking the thread.
    ///
    /// A future that waits holds no message: it is called when there is one, and looks again when it is polled. If it
    /// is dropped instead, the next receiver that waits is called. A called future that is kept and not polled keeps
    /// the call, but no message from those who look.
    ///
    /// Waiting for a timer starts a thread, once, that keeps the clock for all.
    ///
    /// # Panics
    /// When it is polled, if that thread has to be started and cannot be.
    pub fn recv_async(&self) -> RecvFuture<'_, T> {
        RecvFuture { receiver: self, op: RecvOp::new() }
    }
}

/// A send that is waiting, or about to start. Does not move once it is polled.
pub(crate) struct SendOp<T> {
    /// The message, while no `pending` holds it.
    msg: Option<T>,
    pending: Option<Pending<T>>,
}

impl<T> SendOp<T> {
    pub(crate) fn new(msg: T) -> Self {
        Self { msg: Some(msg), pending: None }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.msg.is_none() && self.pending.is_none()
    }

    pub(crate) fn poll(&mut self, shared: &Shared<T>, waker: &Waker) -> Poll<Result<(), SendError<T>>> {
        if self.pending.is_none() && !budget::spend(waker) {
            return Poll::Pending;
        }
        loop {
            if let Some(pending) = &self.pending {
                let Some(verdict) = pending.poll(waker) else { return Poll::Pending };
                let result = match &shared.flavor {
                    Flavor::Ring(ring) => Err(ring.end_send(pending)),
                    Flavor::Locked(locked) => locked.end_send(pending, verdict.outcome),
                };
                self.pending = None;
                match result {
                    Ok(()) => return Poll::Ready(Ok(())),
                    // Called to try again, below.
                    Err(msg) => self.msg = Some(msg),
                }
            }
            let msg = self.msg.take().expect("polled after it was ready");
            let result = match &shared.flavor {
                Flavor::Ring(ring) => ring.start_send(msg, &mut self.pending),
                Flavor::Locked(locked) => locked.start_send(msg, &mut self.pending),
            };
            if let Some(result) = result {
                self.pending = None;
                return Poll::Ready(result);
            }
        }
    }

    pub(crate) fn cancel(&mut self, shared: &Shared<T>) {
        if let Some(pending) = &self.pending {
            let msg = match &shared.flavor {
                Flavor::Ring(ring) => Some(ring.cancel_send(pending)),
                Flavor::Locked(locked) => locked.cancel_send(pending),
            };
            self.pending = None;
            drop(msg);
        }
    }
}

/// A receive that is waiting, or about to start. Does not move once it is polled.
pub(crate) struct RecvOp<T> {
    pending: Option<Pending<T>>,
    /// For a timer: what wakes the task.
    alarm: Option<Alarm>,
    done: bool,
}

impl<T> RecvOp<T> {
    pub(crate) fn new() -> Self {
        Self { pending: None, alarm: None, done: false }
    }

    pub(crate) fn poll(&mut self, receiver: &Receiver<T>, waker: &Waker) -> Poll<Result<T, RecvError>> {
        if self.pending.is_none() && !budget::spend(waker) {
            return Poll::Pending;
        }
        let result = match receiver.source() {
            Source::Channel(shared) => ready!(self.poll_channel(shared, waker)),
            Source::Timer(timer, _) => loop {
                match receiver.try_recv() {
                    Ok(msg) => break Ok(msg),
                    Err(TryRecvError::Disconnected) => break Err(RecvError),
                    Err(TryRecvError::Empty) => {}
                }
                let Some(due) = timer.next() else { return Poll::Pending };
                if alarm::wake_at(&mut self.alarm, due, waker) {
                    return Poll::Pending;
                }
            },
            Source::Never => return Poll::Pending,
        };
        self.alarm = None;
        self.done = true;
        Poll::Ready(result)
    }

    fn poll_channel(&mut self, shared: &Shared<T>, waker: &Waker) -> Poll<Result<T, RecvError>> {
        loop {
            if let Some(pending) = &self.pending {
                if pending.poll(waker).is_none() {
                    return Poll::Pending;
                }
                // Called to look again.
                self.pending = None;
            }
            let result = match &shared.flavor {
                Flavor::Ring(ring) => ring.start_recv(&mut self.pending),
                Flavor::Locked(locked) => locked.start_recv(&mut self.pending),
            };
            if let Some(result) = result {
                self.pending = None;
                return Poll::Ready(result);
            }
        }
    }

    pub(crate) fn cancel(&mut self, receiver: &Receiver<T>) {
        self.alarm = None;
        if let (Some(pending), Source::Channel(shared)) = (&self.pending, receiver.source()) {
            match &shared.flavor {
                Flavor::Ring(ring) => ring.cancel_recv(pending),
                Flavor::Locked(locked) => locked.cancel_recv(pending),
            }
            self.pending = None;
        }
    }
}

/// Made by [`Sender::send_async`].
#[must_use = "futures do nothing unless they are polled"]
pub struct SendFuture<'a, T> {
    sender: &'a Sender<T>,
    op: SendOp<T>,
}

impl<T> Future for SendFuture<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out of the operation.
        let this = unsafe { self.get_unchecked_mut() };
        this.op.poll(this.sender.shared(), cx.waker())
    }
}

impl<T> FusedFuture for SendFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.op.is_idle()
    }
}

impl<T> Drop for SendFuture<'_, T> {
    fn drop(&mut self) {
        self.op.cancel(self.sender.shared());
    }
}

/// Made by [`Receiver::recv_async`].
#[must_use = "futures do nothing unless they are polled"]
pub struct RecvFuture<'a, T> {
    receiver: &'a Receiver<T>,
    op: RecvOp<T>,
}

impl<T> Future for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out of the operation.
        let this = unsafe { self.get_unchecked_mut() };
        this.op.poll(this.receiver, cx.waker())
    }
}

impl<T> FusedFuture for RecvFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.op.done
    }
}

impl<T> Drop for RecvFuture<'_, T> {
    fn drop(&mut self) {
        self.op.cancel(self.receiver);
    }
}

impl<T> fmt::Debug for SendFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("SendFuture { .. }")
    }
}

impl<T> fmt::Debug for RecvFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("RecvFuture { .. }")
    }
}
