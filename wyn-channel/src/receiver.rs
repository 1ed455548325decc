//! The receiving end.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::{Duration, Instant};

use crate::error::{RecvError, RecvTimeoutError, TryRecvError};
use crate::hook;
use crate::iter::{IntoIter, Iter, TryIter};
use crate::shared::{Shared, with_flavor};
use crate::sync::Arc;
use crate::timer::{Timer, sleep_until};

/// The receiving end of a channel.
///
/// Clones are further ends of the same channel: each message goes to one of them.
///
/// ```
/// let (s, r) = wyn_channel::bounded(2);
/// s.send(1)?;
/// s.send(2)?;
/// drop(s);
/// assert_eq!(r.recv(), Ok(1));
/// assert_eq!(r.clone().recv(), Ok(2));
/// assert!(r.recv().is_err(), "empty, and no sender is left");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Receiver<T> {
    source: Source<T>,
}

/// Where messages come from.
pub(crate) enum Source<T> {
    Channel(Arc<Shared<T>>),
    /// The function makes an `Instant` what it is already: only receivers of instants have a timer.
    Timer(Arc<Timer>, fn(Instant) -> T),
    Never,
}

impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

impl Receiver<Instant> {
    pub(crate) fn timer(timer: Timer) -> Self {
        Self { source: Source::Timer(Arc::new(timer), std::convert::identity) }
    }
}

impl<T> Receiver<T> {
    /// Takes over one counted end.
    pub(crate) fn new(shared: Arc<Shared<T>>) -> Self {
        Self { source: Source::Channel(shared) }
    }

    pub(crate) fn never() -> Self {
        Self { source: Source::Never }
    }

    pub(crate) fn source(&self) -> &Source<T> {
        &self.source
    }

    pub(crate) fn addr(&self) -> usize {
        match &self.source {
            Source::Channel(shared) => Arc::as_ptr(shared).addr(),
            Source::Timer(timer, _) => Arc::as_ptr(timer).addr(),
            Source::Never => 0,
        }
    }

    /// Receives without blocking. Without a buffer, only if a sender waits.
    ///
    /// # Errors
    /// [`Empty`](TryRecvError::Empty), or [`Disconnected`](TryRecvError::Disconnected) if nothing can come any
    /// more.
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        match &self.source {
            Source::Channel(shared) => with_flavor!(shared, channel => channel.try_recv()),
            Source::Timer(timer, make) => timer.try_recv().map(make),
            Source::Never => Err(TryRecvError::Empty),
        }
    }

    /// Receives, and blocks while the channel is empty.
    ///
    /// # Errors
    /// [`RecvError`] if the channel is empty and closed, or its senders are gone, also meanwhile.
    ///
    /// # Panics
    /// If a scheduler [ends the wait](hook::Wait::end_with): with what it has to say.
    #[inline]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_until(None).map_err(|e| match e {
            RecvTimeoutError::Disconnected => RecvError,
            RecvTimeoutError::Timeout => hook::unwind(),
        })
    }

    /// As [`recv`](Self::recv), and gives up after `timeout`. A timeout beyond the clock's range is none.
    ///
    /// # Errors
    /// [`Timeout`](RecvTimeoutError::Timeout) or [`Disconnected`](RecvTimeoutError::Disconnected).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_until(Instant::now().checked_add(timeout))
    }

    /// As [`recv`](Self::recv), and gives up at `deadline`.
    ///
    /// # Errors
    /// As [`recv_timeout`](Self::recv_timeout).
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_until(Some(deadline))
    }

    #[inline]
    fn recv_until(&self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        match &self.source {
            Source::Channel(shared) => with_flavor!(shared, channel => channel.recv(deadline)),
            Source::Timer(..) | Source::Never => self.recv_from_clock(deadline),
        }
    }

    #[cold]
    #[inline(never)]
    fn recv_from_clock(&self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        if let Source::Timer(timer, make) = &self.source {
            return timer.recv(deadline).map(make);
        }
        sleep_until(deadline);
        Err(RecvTimeoutError::Timeout)
    }

    /// Closes the channel for senders, as [`Sender::close`](crate::Sender::close) does. Says whether it was open;
    /// a timer never is closed.
    pub fn close(&self) -> bool {
        match &self.source {
            Source::Channel(shared) => shared.close(),
            Source::Timer(..) | Source::Never => false,
        }
    }

    /// Whether no further message can be sent: the channel was closed, or all its senders are gone. Messages may
    /// be left in it.
    pub fn is_closed(&self) -> bool {
        match &self.source {
            Source::Channel(shared) => shared.is_closed(),
            Source::Timer(..) | Source::Never => false,
        }
    }

    /// Whether there is no message in the channel. Always, without a buffer.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the buffer is full. Always, without a buffer.
    pub fn is_full(&self) -> bool {
        match &self.source {
            Source::Channel(shared) => shared.is_full(),
            Source::Timer(timer, _) => timer.is_due(),
            Source::Never => true,
        }
    }

    /// How many messages are in the channel.
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Channel(shared) => shared.len(),
            Source::Timer(timer, _) => usize::from(timer.is_due()),
            Source::Never => 0,
        }
    }

    /// How many messages the channel can hold, if there is a limit.
    pub fn capacity(&self) -> Option<usize> {
        match &self.source {
            Source::Channel(shared) => shared.capacity(),
            Source::Timer(..) => Some(1),
            Source::Never => Some(0),
        }
    }

    /// The messages that come, until the channel is empty and disconnected. Blocks between them.
    ///
    /// ```
    /// let (s, r) = wyn_channel::unbounded();
    /// s.send(1)?;
    /// s.send(2)?;
    /// drop(s);
    /// assert_eq!(r.iter().collect::<Vec<_>>(), [1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }

    /// The messages that are there. Never blocks.
    ///
    /// ```
    /// let (s, r) = wyn_channel::unbounded();
    /// s.send(1)?;
    /// assert_eq!(r.try_iter().collect::<Vec<_>>(), [1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter::new(self)
    }

    /// Whether both are ends of one channel. All that [`never`](crate::never) makes are one.
    pub fn same_channel(&self, other: &Self) -> bool {
        std::mem::discriminant(&self.source) == std::mem::discriminant(&other.source)
            && self.addr() == other.addr()
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        let source = match &self.source {
            Source::Channel(shared) => {
                shared.add_receiver();
                Source::Channel(shared.clone())
            }
            Source::Timer(timer, make) => Source::Timer(timer.clone(), *make),
            Source::Never => Source::Never,
        };
        Self { source }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Source::Channel(shared) = &self.source {
            shared.drop_receiver();
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Receiver { .. }")
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter::new(self)
    }
}
