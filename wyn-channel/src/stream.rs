//! The ends of a channel as a [`Stream`] and a [`Sink`].

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::{FusedStream, Stream};
use futures_sink::Sink;

use crate::error::SendError;
use crate::future::{RecvOp, SendOp};
use crate::receiver::Receiver;
use crate::sender::Sender;

/// An end that may be borrowed.
enum End<'a, E> {
    Borrowed(&'a E),
    Owned(E),
}

impl<E> Deref for End<'_, E> {
    type Target = E;

    fn deref(&self) -> &E {
        match self {
            Self::Borrowed(end) => end,
            Self::Owned(end) => end,
        }
    }
}

impl<T> Receiver<T> {
    /// The messages as a [`Stream`], which ends when the channel is empty and disconnected.
    ///
    /// Dropping it loses nothing, as with [`recv_async`](Self::recv_async).
    pub fn stream(&self) -> RecvStream<'_, T> {
        RecvStream::new(End::Borrowed(self))
    }

    /// The messages as a [`Stream`] that owns this end.
    pub fn into_stream(self) -> RecvStream<'static, T> {
        RecvStream::new(End::Owned(self))
    }
}

impl<T> Sender<T> {
    /// This end as a [`Sink`].
    ///
    /// It holds one message beyond the channel's capacity: the one that waits for room. Closing the sink sends
    /// it and leaves the channel open for others.
    pub fn sink(&self) -> SendSink<'_, T> {
        SendSink::new(End::Borrowed(self))
    }

    /// This end as a [`Sink`] that owns it.
    pub fn into_sink(self) -> SendSink<'static, T> {
        SendSink::new(End::Owned(self))
    }
}

/// Made by [`Receiver::stream`] and [`Receiver::into_stream`].
#[must_use = "streams do nothing unless they are polled"]
pub struct RecvStream<'a, T> {
    receiver: End<'a, Receiver<T>>,
    /// Boxed, so that the stream itself may move.
    op: Pin<Box<RecvOp<T>>>,
    ended: bool,
}

impl<'a, T> RecvStream<'a, T> {
    fn new(receiver: End<'a, Receiver<T>>) -> Self {
        Self { receiver, op: Box::pin(RecvOp::new()), ended: false }
    }
}

impl<T> Unpin for RecvStream<'_, T> {}

impl<T> Stream for RecvStream<'_, T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        // SAFETY: nothing is moved out of the operation.
        let op = unsafe { this.op.as_mut().get_unchecked_mut() };
        let result = ready!(op.poll(&this.receiver, cx.waker()));
        this.ended = result.is_err();
        Poll::Ready(result.ok())
    }
}

impl<T> FusedStream for RecvStream<'_, T> {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl<T> Drop for RecvStream<'_, T> {
    fn drop(&mut self) {
        // SAFETY: nothing is moved out of the operation.
        unsafe { self.op.as_mut().get_unchecked_mut() }.cancel(&self.receiver);
    }
}

/// Made by [`Sender::sink`] and [`Sender::into_sink`].
#[must_use = "sinks do nothing unless they are polled"]
pub struct SendSink<'a, T> {
    sender: End<'a, Sender<T>>,
    /// The send that waits, if any. Boxed, so that the sink itself may move.
    op: Option<Pin<Box<SendOp<T>>>>,
}

impl<'a, T> SendSink<'a, T> {
    fn new(sender: End<'a, Sender<T>>) -> Self {
        Self { sender, op: None }
    }
}

impl<T> Unpin for SendSink<'_, T> {}

impl<T> Sink<T> for SendSink<'_, T> {
    type Error = SendError<T>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        self.poll_flush(cx)
    }

    /// # Panics
    /// If it was not ready.
    fn start_send(self: Pin<&mut Self>, msg: T) -> Result<(), SendError<T>> {
        let this = self.get_mut();
        assert!(this.op.is_none(), "the sink was not ready");
        match this.sender.try_send(msg) {
            Ok(()) => Ok(()),
            Err(error) if error.is_disconnected() => Err(SendError(error.into_inner())),
            Err(error) => {
                this.op = Some(Box::pin(SendOp::new(error.into_inner())));
                Ok(())
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        let this = self.get_mut();
        let Some(op) = &mut this.op else { return Poll::Ready(Ok(())) };
        // SAFETY: nothing is moved out of the operation.
        let op = unsafe { op.as_mut().get_unchecked_mut() };
        let result = ready!(op.poll(this.sender.shared(), cx.waker()));
        this.op = None;
        Poll::Ready(result)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        self.poll_flush(cx)
    }
}

impl<T> Drop for SendSink<'_, T> {
    fn drop(&mut self) {
        if let Some(op) = &mut self.op {
            // SAFETY: nothing is moved out of the operation.
            unsafe { op.as_mut().get_unchecked_mut() }.cancel(self.sender.shared());
        }
    }
}

impl<T> fmt::Debug for RecvStream<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("RecvStream { .. }")
    }
}

impl<T> fmt::Debug for SendSink<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("SendSink { .. }")
    }
}
