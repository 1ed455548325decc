//! The sending end.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::{Duration, Instant};

use crate::error::{SendError, SendTimeoutError, TrySendError};
use crate::hook;
use crate::shared::{Shared, with_flavor};
use crate::sync::Arc;

/// The sending end of a channel.
///
/// Clones are further ends of the same channel, which stays open for receivers as long as there is one.
///
/// ```
/// use std::thread;
/// use wyn_channel::unbounded;
///
/// let (s1, r) = unbounded();
/// let s2 = s1.clone();
/// let threads = [thread::spawn(move || s1.send(1)), thread::spawn(move || s2.send(2))];
/// assert_eq!(r.iter().sum::<i32>(), 3);
/// # for thread in threads {
/// #     thread.join().unwrap()?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}

impl<T> Sender<T> {
    /// Takes over one counted end.
    pub(crate) fn new(shared: Arc<Shared<T>>) -> Self {
        Self { shared }
    }

    pub(crate) fn shared(&self) -> &Shared<T> {
        &self.shared
    }

    pub(crate) fn addr(&self) -> usize {
        Arc::as_ptr(&self.shared).addr()
    }

    /// Sends without blocking. Without a buffer, only if a receiver waits.
    ///
    /// # Errors
    /// [`Full`](TrySendError::Full) or [`Disconnected`](TrySendError::Disconnected), with the message.
    #[inline]
    pub fn try_send(&self, msg: T) -> Result<(), TrySendError<T>> {
        with_flavor!(self.shared, channel => channel.try_send(msg))
    }

    /// Sends, and blocks while the channel is full (without a buffer: until a receiver takes the message).
    ///
    /// What the sender did before is visible to the receiver of the message.
    ///
    /// # Errors
    /// [`SendError`] with the message, if the channel is closed or all receivers go away, also meanwhile.
    ///
    /// # Panics
    /// If a scheduler [ends the wait](hook::Wait::end_with): with what it has to say.
    #[inline]
    pub fn send(&self, msg: T) -> Result<(), SendError<T>> {
        with_flavor!(self.shared, channel => channel.send(msg, None)).map_err(without_limit)
    }

    /// As [`send`](Self::send), and gives up after `timeout`. A timeout beyond the clock's range is none.
    ///
    /// # Errors
    /// [`Timeout`](SendTimeoutError::Timeout) or [`Disconnected`](SendTimeoutError::Disconnected), with the
    /// message.
    pub fn send_timeout(&self, msg: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        let deadline = Instant::now().checked_add(timeout);
        with_flavor!(self.shared, channel => channel.send(msg, deadline))
    }

    /// As [`send`](Self::send), and gives up at `deadline`.
    ///
    /// # Errors
    /// As [`send_timeout`](Self::send_timeout).
    pub fn send_deadline(&self, msg: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        with_flavor!(self.shared, channel => channel.send(msg, Some(deadline)))
    }

    /// Closes the channel for senders: receivers get what is in it, then [`Disconnected`]; senders that wait get
    /// their messages back. Says whether it was open.
    ///
    /// [`Disconnected`]: crate::TryRecvError::Disconnected
    ///
    /// ```
    /// let (s, r) = wyn_channel::unbounded();
    /// s.send(1)?;
    /// assert!(s.close());
    /// assert!(s.send(2).is_err());
    /// assert_eq!(r.recv(), Ok(1));
    /// assert!(r.recv().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(&self) -> bool {
        self.shared.close()
    }

    /// Whether no message is taken any more: the channel was closed, or all its receivers are gone.
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// Whether there is no message in the channel. Always, without a buffer.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the buffer is full. Always, without a buffer.
    pub fn is_full(&self) -> bool {
        self.shared.is_full()
    }

    /// How many messages are in the channel.
    pub fn len(&self) -> usize {
        self.shared.len()
    }

    /// How many messages the channel can hold, if there is a limit.
    pub fn capacity(&self) -> Option<usize> {
        self.shared.capacity()
    }

    /// Whether both are ends of one channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.addr() == other.addr()
    }
}

/// What keeps a send without a time limit from its end, if not the hook.
#[cold]
fn without_limit<T>(error: SendTimeoutError<T>) -> SendError<T> {
    match error {
        SendTimeoutError::Disconnected(msg) => SendError(msg),
        SendTimeoutError::Timeout(msg) => {
            drop(msg);
            hook::unwind()
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.add_sender();
        Self { shared: self.shared.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.drop_sender();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Sender { .. }")
    }
}
