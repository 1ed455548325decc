//! What can go wrong, as types.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::Location;

/// Why a task has no result: it panicked, or it was cancelled before it ran.
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
}

impl JoinError {
    pub(crate) fn panic(payload: Box<dyn Any + Send>, origin: Option<&'static Location<'static>>) -> Self {
        Self(Box::new(Failure { cause: Cause::Panic(payload), origin }))
    }

    pub(crate) fn cancelled(origin: Option<&'static Location<'static>>) -> Self {
        Self(Box::new(Failure { cause: Cause::Cancelled, origin }))
    }

    /// The error of a scope's child, which to its handle was cancelled: it panicked.
    pub(crate) fn of_child(self) -> Self {
        Self::panic(Box::new("the panic of this task is re-raised by its scope"), self.0.origin)
    }

    /// Whether the task panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self.0.cause, Cause::Panic(_))
    }

    /// Whether the task was dropped before it ran, by a runtime that shut down without it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0.cause, Cause::Cancelled)
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
            Cause::Cancelled => Err(Self::cancelled(origin)),
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
            Cause::Cancelled => None,
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
        f.write_str("the task")?;
        if let Some(origin) = self.0.origin {
            write!(f, " spawned at {origin}")?;
        }
        match (&self.0.cause, self.panic_message()) {
            (Cause::Cancelled, _) => f.write_str(" was cancelled before it ran"),
            (Cause::Panic(_), Some(message)) => write!(f, " panicked: {message}"),
            (Cause::Panic(_), None) => f.write_str(" panicked"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl Error for JoinError {}

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
