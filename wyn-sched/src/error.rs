//! What can go wrong, as types.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::Location;

use crate::deadlock::DeadlockError;

/// Why a task has no result: it panicked, it was cancelled before it was done, or the wait for it was part of a deadlock.
///
/// Says where the task was spawned. One word, so that a `Result` of a small value is passed in registers.
pub struct JoinError(Box<Failure>);

static_assertions::assert_eq_size!(JoinError, usize);

struct Failure {
    cause: Cause,
    origin: Option<&'static Location<'static>>,
}

enum Cause {
    Panic(Box<dyn Any + Send>),
    Cancelled,
    /// Of the wait for the task, not of the task.
    Deadlock(DeadlockError),
}

impl JoinError {
    pub(crate) fn panic(payload: Box<dyn Any + Send>, origin: Option<&'static Location<'static>>) -> Self {
        Self(Box::new(Failure { cause: Cause::Panic(payload), origin }))
    }

    pub(crate) fn cancelled(origin: Option<&'static Location<'static>>) -> Self {
        Self(Box::new(Failure { cause: Cause::Cancelled, origin }))
    }

    pub(crate) fn deadlocked(error: DeadlockError, origin: Option<&'static Location<'static>>) -> Self {
        Self(Box::new(Failure { cause: Cause::Deadlock(error), origin }))
    }

    /// The error of a scope's child, which to its handle was cancelled: it panicked.
    pub(crate) fn of_child(self) -> Self {
        if let Cause::Deadlock(_) = self.0.cause {
            return self;
        }
        Self::panic(Box::new("the panic of this task is re-raised by its scope"), self.0.origin)
    }

    /// Whether the task panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self.0.cause, Cause::Panic(_))
    }

    /// Whether the task was dropped before it ran, or as a future before it was done: by a runtime that shut down without
    /// it, or by [`JoinHandle::cancel`](crate::JoinHandle::cancel).
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0.cause, Cause::Cancelled)
    }

    /// The deadlock in which the wait for the task was ended, or a blocked call of the task, which has panicked with it;
    /// see [`Deadlocks::fail`](crate::Deadlocks::fail).
    #[must_use]
    pub fn deadlock(&self) -> Option<&DeadlockError> {
        match &self.0.cause {
            Cause::Deadlock(error) => Some(error),
            Cause::Panic(payload) => payload.downcast_ref(),
            Cause::Cancelled => None,
        }
    }

    /// What the task panicked with, for [`std::panic::resume_unwind`].
    ///
    /// # Panics
    /// If the task did not panic; see [`try_into_panic`](Self::try_into_panic).
    #[must_use]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        self.try_into_panic().expect("the task did not panic")
    }

    /// What the task panicked with.
    ///
    /// # Errors
    /// Gives the error back if the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, Self> {
        let Failure { cause, origin } = *self.0;
        match cause {
            Cause::Panic(payload) => Ok(payload),
            cause => Err(Self(Box::new(Failure { cause, origin }))),
        }
    }

    /// Where the task was spawned (on 64-bit targets).
    #[must_use]
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        self.0.origin
    }

    /// The message of the panic, when it is a string, as those of `panic!` are.
    #[must_use]
    pub fn panic_message(&self) -> Option<&str> {
        match &self.0.cause {
            Cause::Panic(payload) => message(payload.as_ref()),
            _ => None,
        }
    }
}

fn message(payload: &(dyn Any + Send)) -> Option<&str> {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_wait = matches!(self.0.cause, Cause::Deadlock(_));
        f.write_str(if is_wait { "the wait for the task" } else { "the task" })?;
        if let Some(origin) = self.0.origin {
            write!(f, " spawned at {origin}")?;
        }
        match (&self.0.cause, self.panic_message()) {
            (Cause::Cancelled, _) => f.write_str(" was cancelled before it was done"),
            (Cause::Panic(_), Some(message)) => write!(f, " panicked: {message}"),
            (Cause::Deadlock(_), _) => f.write_str(" was part of a deadlock"),
            (Cause::Panic(_), None) if self.deadlock().is_some() => f.write_str(" ended in a deadlock"),
            (Cause::Panic(_), None) => f.write_str(" panicked"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl Error for JoinError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.deadlock().map(|error| error as _)
    }
}

/// Why a runtime could not be built. No thread is left behind.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// Zero workers were asked for.
    NoWorkers,
    /// More workers were asked for than [`MAX_WORKERS`](crate::MAX_WORKERS).
    TooManyWorkers {
        /// How many were asked for.
        asked: usize,
    },
    /// The system gave no thread.
    Thread(io::Error),
    /// The start hook panicked; the text is its message.
    StartHook(String),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkers => f.write_str("a runtime needs at least one worker"),
            Self::TooManyWorkers { asked } => {
                write!(f, "{asked} workers are more than the {} a runtime can have", crate::MAX_WORKERS)
            }
            Self::Thread(error) => write!(f, "a worker thread could not be started: {error}"),
            Self::StartHook(text) => write!(f, "the start hook panicked: {text}"),
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Thread(error) => Some(error),
            _ => None,
        }
    }
}

impl BuildError {
    pub(crate) fn hook(payload: &(dyn Any + Send)) -> Self {
        Self::StartHook(message(payload).unwrap_or("no message").to_owned())
    }
}

/// A runtime did not come to rest in the time it was given; the rest was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownError {
    /// Tasks that had not started; they were dropped, and their handles report cancellation.
    pub cancelled: usize,
    /// Threads still inside a task; each ends when its task does.
    pub running: usize,
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the runtime did not come to rest in time: {} tasks cancelled, {} threads still in a task",
            self.cancelled, self.running
        )
    }
}

impl Error for ShutdownError {}
